"""One file of the journal: SQLite, appended to by one process, read by the publisher, removed whole."""

import contextlib
import os
import re
import secrets
import sqlite3
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

DAMAGED = ".damaged"
# Another format would have another name (.journal2), so that each version of the program leaves alone what it cannot
# read: it neither sends nor removes it, and says so. The version that can does, when it is back.
_NAME = re.compile(r"slot-(?P<slot>\d{2})-(?P<created>\d{13})-(?P<id>[0-9a-f]{16})\.journal")

# The checksum tells intact entries from damaged ones, when a file has to be searched for them.
_SCHEMA = """
CREATE TABLE segment (checked_at INTEGER NOT NULL);
CREATE TABLE entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    appended_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    content BLOB NOT NULL
);
"""
_BETWEEN = """
SELECT position, appended_at, content, checksum FROM entry WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?
"""
_ONE = "SELECT content, checksum FROM entry WHERE position = ?"
_DAMAGE = {
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR),  # the last: its tables are gone
    *(sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ),
}


class Entry(NamedTuple):
    """An entry at its place; `appended_at` in milliseconds."""

    position: int
    appended_at: int
    content: bytes
    checksum: int


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
        total = 0
        for part in self.parts():
            with contextlib.suppress(FileNotFoundError):  # SQLite takes its log away when the last one closes
                total += part.stat().st_size
        return total

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


def strangers(directory: Path) -> set[str]:
    """The names of segments in the format of another version of the program."""
    return {path.name for path in directory.glob("slot-*.journal[0-9]*") if not path.name.endswith(("-wal", "-shm"))}


class SegmentWriter:
    """The end of the journal that one process appends to. Any error closes it for good: after a failed fsync nobody
    knows what the disk holds, so what follows goes into a new file."""

    def __init__(self, directory: Path, slot: int) -> None:
        """Create a file of its own; the caller holds the slot. Raises sqlite3.Error and OSError."""
        self.path = directory / _new_name(directory, slot)
        self.created = time.monotonic()
        self.bytes = 0
        _create(self.path, slot)
        self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self.check()
            _sync_directory(directory)  # the names of the file and its log are durable, before anything is in them
        except (sqlite3.Error, OSError):
            self.close()
            self.path.unlink(missing_ok=True)
            raise

    def append(self, contents: Sequence[bytes]) -> None:
        """Make the contents durable, together. Raises sqlite3.Error.

        One statement, which is a transaction of its own: each statement lets go of the GIL and has to win it back from
        all the threads of the door, so one per row would cost more than the commit.
        """
        now = int(time.time() * 1000)
        places = ",".join(["(?,?,?)"] * len(contents))
        values = [value for content in contents for value in (now, zlib.crc32(content), content)]
        self._connection.execute(f"INSERT INTO entry (appended_at, checksum, content) VALUES {places}", values)  # noqa: S608
        self.bytes += sum(map(len, contents))

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
        # Never created: an empty file in the place of one that has just been removed would be a damaged segment.
        uri = f"{file.path.absolute().as_uri()}?mode=rw"
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        self._connection.execute("PRAGMA busy_timeout = 1000")

    def after(self, position: int, limit: int) -> list[Entry]:
        """At most `limit` entries behind a position."""
        return self.between(position + 1, 1 << 62, limit)

    def between(self, first: int, last: int, limit: int = -1) -> list[Entry]:
        """The entries of a range of positions, both ends included."""
        rows = self._connection.execute(_BETWEEN, (first, last, limit)).fetchall()
        entries = list(map(Entry._make, rows))
        if not _are_intact([entry.content for entry in entries], [entry.checksum for entry in entries]):
            raise sqlite3.DatabaseError("the checksum of an entry is wrong")
        return entries

    def end(self) -> int:
        """The last position; 0 when there is none."""
        return int(self._connection.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()[0])

    def first_since(self, appended_at: int, low: int = 1) -> int:
        """The first position, from `low` on, appended at or after a time in milliseconds; else one behind the end.

        Positions rise with time, so a search by halves spares an index, which every append would pay for. Where the
        clock was set back they do not, and the answer is some position from `low` on.
        """
        high = max(low, self.end() + 1)
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


def intact_entries(path: Path) -> tuple[list[bytes], int]:
    """Whatever of a damaged segment can still be read and has the right checksum, and how many entries cannot."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")  # else a file that was cut short is not read at all
        end = _last_position(connection, path)
        entries = [content for position in range(1, end + 1) for content in _intact(connection, position)]
    return entries, end - len(entries)


def _intact(connection: sqlite3.Connection, position: int) -> list[bytes]:
    try:
        rows = connection.execute(_ONE, (position,)).fetchall()
        return [content for content, checksum in rows if _are_intact([content], [checksum])]
    except sqlite3.DatabaseError:
        return []


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault; else it is busy, or the disk is full or gone."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) in _DAMAGE


def _are_intact(contents: Sequence[bytes], checksums: Sequence[int]) -> bool:
    """All at once, as this is done for each push; damage makes any value out of any other."""
    try:
        return list(map(zlib.crc32, contents)) == checksums
    except TypeError:
        return False


def _last_position(connection: sqlite3.Connection, path: Path) -> int:
    """The last position that a damaged segment ever had, from wherever it can still be read."""
    found = [0]
    for query in ("SELECT seq FROM sqlite_sequence", "SELECT max(position) FROM entry"):
        with contextlib.suppress(sqlite3.DatabaseError):
            found += [row[0] for row in connection.execute(query) if isinstance(row[0], int)]
    return min(max(found), path.stat().st_size)  # no entry is smaller than a byte, whatever a damaged number says


def _new_name(directory: Path, slot: int) -> str:
    """Later than every other of its slot, even if the clock was set back: the last one is the one appended to."""
    others = [segment.created_ms + 1 for segment in segments(directory) if segment.slot == slot]
    return f"slot-{slot:02}-{max([int(time.time() * 1000), *others]):013}-{secrets.token_hex(8)}.journal"


def _create(path: Path, slot: int) -> None:
    """An empty segment, made under a hidden name: readers see it only once it is one."""
    for left_over in path.parent.glob(f".slot-{slot:02}-*"):  # by a process that was killed, or a disk that failed
        left_over.unlink()
    draft = path.with_name(f".{path.name}")
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
        connection.execute("INSERT INTO segment VALUES (0)")
    draft.rename(path)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
