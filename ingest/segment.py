"""One file of the journal: SQLite, appended to by one process, read by the publisher, removed whole."""

import contextlib
import os
import re
import secrets
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

VERSION = 1
DAMAGED = ".damaged"
_NAME = re.compile(r"slot-(?P<slot>\d{2})-(?P<created>\d{13})-(?P<id>[0-9a-f]{16})\.journal")

# The checksum tells intact entries from damaged ones, when a file has to be searched for them.
_SCHEMA = """
CREATE TABLE segment (version INTEGER NOT NULL, checked_at INTEGER NOT NULL);
CREATE TABLE entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    appended_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    content BLOB NOT NULL
);
"""


class Entry(NamedTuple):
    """An entry at its place; `appended_at` in milliseconds."""

    position: int
    appended_at: int
    content: bytes


@dataclass(frozen=True)
class SegmentFile:
    """A segment by its file name, which says slot, time of creation (milliseconds) and a random id."""

    path: Path
    slot: int
    created_ms: int
    id: str

    @classmethod
    def named(cls, path: Path) -> "SegmentFile | None":
        match = _NAME.fullmatch(path.name)
        return match and cls(path, int(match["slot"]), int(match["created"]), match["id"])

    def bytes(self) -> int:
        return sum(part.stat().st_size for part in self.parts())

    def parts(self) -> list[Path]:
        """The file, what SQLite keeps beside it, and the mark of its damage."""
        beside = (self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal", "-shm", DAMAGED))
        return [part for part in beside if part.exists()]

    def mark_damaged(self) -> None:
        """Ask the process that appends to go on in another segment."""
        self.path.with_name(self.path.name + DAMAGED).touch()

    def remove(self) -> None:
        for part in reversed(self.parts()):
            part.unlink(missing_ok=True)


def segments(directory: Path) -> list[SegmentFile]:
    """The segments of a journal, oldest first."""
    found = filter(None, (SegmentFile.named(path) for path in directory.glob("slot-*.journal")))
    return sorted(found, key=lambda segment: (segment.created_ms, segment.id))


class SegmentWriter:
    """The end of the journal that one process appends to. Any error closes it for good: after a failed fsync nobody
    knows what the disk holds, so what follows goes into a new file."""

    def __init__(self, directory: Path, slot: int) -> None:
        """Create a file of its own. Raises sqlite3.Error and OSError."""
        name = f"slot-{slot:02}-{int(time.time() * 1000)}-{secrets.token_hex(8)}.journal"
        self.path = directory / name
        self.created = time.monotonic()
        self.bytes = 0
        draft = directory / f".{name}"  # readers see a segment only once it is one
        with _opened(draft) as connection:
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO segment VALUES (?, 0)", (VERSION,))
        draft.rename(self.path)
        self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self.check()
        _sync_directory(directory)  # the names of the file and its log are durable too, before anything is in them

    def append(self, contents: Iterable[bytes]) -> None:
        """Make the contents durable, together. Raises sqlite3.Error."""
        now = int(time.time() * 1000)
        rows = [(now, zlib.crc32(content), content) for content in contents]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO entry (appended_at, checksum, content) VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")
        self.bytes += sum(len(row[2]) for row in rows)

    def is_usable(self) -> bool:
        """Whether the file is still in its place, and no reader found it damaged."""
        return self.path.exists() and not self.path.with_name(self.path.name + DAMAGED).exists()

    def check(self) -> None:
        """Prove that a commit reaches the disk. Raises sqlite3.Error."""
        self._connection.execute("UPDATE segment SET checked_at = ?", (int(time.time() * 1000),))

    def close(self) -> None:
        self._connection.close()


class SegmentReader:
    """A segment as the publisher reads it. Every method raises sqlite3.DatabaseError on a damaged file."""

    def __init__(self, file: SegmentFile) -> None:
        self.file = file
        self._connection = sqlite3.connect(file.path, isolation_level=None)
        self._connection.execute("PRAGMA busy_timeout = 1000")

    def after(self, position: int, limit: int) -> list[Entry]:
        """At most `limit` entries behind a position."""
        return self.between(position + 1, 1 << 62, limit)

    def between(self, first: int, last: int, limit: int = -1) -> list[Entry]:
        """The entries of a range of positions, both ends included."""
        query = (
            "SELECT position, appended_at, content FROM entry WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?"
        )
        return [Entry(*row) for row in self._connection.execute(query, (first, last, limit))]

    def end(self) -> int:
        """The last position; 0 when there is none."""
        return int(self._connection.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()[0])

    def first_since(self, appended_at: int) -> int:
        """The first position appended at or after a time in milliseconds; one behind the end when there is none.

        Positions rise with time, so a search by halves spares an index, which every append would pay for.
        """
        low, high = 1, self.end() + 1
        while low < high:
            middle = (low + high) // 2
            row = self._connection.execute(
                "SELECT appended_at FROM entry WHERE position >= ? ORDER BY position LIMIT 1", (middle,)
            ).fetchone()
            if row is None or row[0] >= appended_at:
                high = middle
            else:
                low = middle + 1
        return low

    def close(self) -> None:
        self._connection.close()


def intact_entries(path: Path) -> Iterator[bytes]:
    """Whatever of a damaged segment can still be read and has the right checksum."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        end = connection.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()[0]
        for position in range(1, end + 1):
            content = _intact(connection, position)
            if content is not None:
                yield content
    except sqlite3.DatabaseError:
        return  # not even the table's outline is left
    finally:
        connection.close()


def _intact(connection: sqlite3.Connection, position: int) -> bytes | None:
    try:
        row = connection.execute("SELECT checksum, content FROM entry WHERE position = ?", (position,)).fetchone()
    except sqlite3.DatabaseError:
        return None
    return row[1] if row and isinstance(row[1], bytes) and zlib.crc32(row[1]) == row[0] else None


def _opened(path: Path) -> "contextlib.closing[sqlite3.Connection]":
    return contextlib.closing(sqlite3.connect(path, isolation_level=None))


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
