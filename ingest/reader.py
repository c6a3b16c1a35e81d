"""Reading the journal: which entries have been taken out of it so far, and what may be removed.

A segment's entries up to its `tail` have been taken, or lie in a `gap`, left for later because younger ones went first.
"""

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ingest.journal import FREE_BYTES, Slot
from ingest.segment import (
    Entry,
    SegmentFile,
    SegmentReader,
    SegmentWriter,
    intact_entries,
    is_damage,
    segments,
    strangers,
)

log = logging.getLogger(__name__)

LIVE = 60.0  # seconds; entries younger than this do not wait behind older ones
RECOVERED_SLOT = 99  # of segments that hold what could be read of damaged ones
AT_ONCE = 1000  # entries of a damaged segment appended by one statement, whose variables are limited

SCHEMA = """
CREATE TABLE IF NOT EXISTS segment (id TEXT PRIMARY KEY, tail INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS gap (
    segment TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (segment, first)
);
"""


class Range(NamedTuple):
    """Positions of a segment, both ends included."""

    segment: str
    first: int
    last: int


class JournalReader:
    """The one reader of a journal. The caller commits `state`, together with what it makes of the ranges taken."""

    def __init__(self, directory: Path, state: sqlite3.Connection) -> None:
        state.executescript(SCHEMA)
        self._directory = directory
        self._state = state
        self._files: dict[str, SegmentFile] = {}
        self._readers: dict[str, SegmentReader] = {}
        self._read: set[str] = set()  # finished segments of which nothing is left to take
        self._damaged: set[str] = set()
        self._strangers: set[str] = set()  # of which was told
        self._contents: dict[Range, list[bytes]] = {}  # of what was taken last, which as a rule is sent at once
        self.was_full = False  # whether the last round was cut short: there is more to take
        self._tails: dict[str, int] = dict(state.execute("SELECT id, tail FROM segment"))
        self._gaps: dict[str, list[tuple[int, int]]] = {}
        for segment, first, last in state.execute("SELECT segment, first, last FROM gap ORDER BY first"):
            self._gaps.setdefault(segment, []).append((first, last))

    def look(self) -> set[str]:
        """Notice segments that have come, and forget those that are gone; the ids of all there are."""
        files = {file.id: file for file in segments(self._directory)}
        for gone in (self._files.keys() | self._tails.keys()) - files.keys():
            self._forget(gone)
        self._files = files
        for name in strangers(self._directory) - self._strangers:
            self._strangers.add(name)
            log.error("journal segment left alone", extra={"segment": name, "reason": "unknown_version"})
        for segment in [segment for segment in self._damaged if not self._is_live(files[segment])]:
            self._set_aside(files[segment])
        return set(self._files)

    def take(self, events: int, size: int, now: float) -> list[Range]:
        """What is to be sent next: of each segment at most one range of young entries, of at most so many events and
        bytes, and then as many of old ones, so that neither starves."""
        self.was_full = False
        self._contents.clear()
        young = [taken for file in self._unread() for taken in self._take_tail(file, events, size, now)]
        old: list[Range] = []
        for file in self._unread():
            while len(old) < max(1, len(young)) and self._gaps.get(file.id) and file.id not in self._damaged:
                old += self._take_gap(file, events, size)
        return young + old

    def contents(self, taken: Range) -> list[bytes]:
        """The entries of a range, encoded; none when its segment is gone or damaged."""
        file = self._files.get(taken.segment)
        if file is None or taken.segment in self._damaged:
            return []
        if taken in self._contents:
            return self._contents.pop(taken)
        with self._noticing_damage(file):
            return [entry.content for entry in self._reader(file).between(taken.first, taken.last)]
        return []

    def is_read(self, file: SegmentFile) -> bool:
        """Whether nobody writes to a segment any more, and all of it has been taken."""
        if self._gaps.get(file.id) or file.id in self._damaged:
            return False
        if file.id not in self._read:
            if self._is_live(file):
                return False
            with self._noticing_damage(file):
                if self._tails.get(file.id, 0) >= self._reader(file).end():
                    self._read.add(file.id)
                    self._readers.pop(file.id).close()
        return file.id in self._read

    def remove_old(self, in_flight: set[str], retention: float, limit: int, now: float) -> None:
        """Remove segments that are in the tables whole: after the retention, or oldest first when space is short."""
        done = [file for file in self._files.values() if file.id not in in_flight and self.is_read(file)]
        used = sum(file.bytes() for file in self._files.values())
        for file in done:
            is_short = used > limit * 0.8 or shutil.disk_usage(self._directory).free < 2 * FREE_BYTES
            if is_short or file.path.stat().st_mtime < now - retention:
                used -= file.bytes()
                self._forget(file.id)
                file.remove()

    def replay(self, since: float) -> int:
        """Leave everything appended since a time (seconds) for taking once more; how many entries that are."""
        self.look()
        count = 0
        for file in self._files.values():
            with self._noticing_damage(file):
                first, tail = self._reader(file).first_since(int(since * 1000)), self._tails.get(file.id, 0)
                if first <= tail:  # what is behind the tail goes out anyway
                    count += tail - first + 1
                    before = [(a, min(b, first - 1)) for a, b in self._gaps.get(file.id, ()) if a < first]
                    self._set_gaps(file.id, [*before, (first, tail)])
        return count

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _unread(self) -> Iterator[SegmentFile]:
        for file in list(self._files.values()):
            if file.id not in self._damaged and (file.id not in self._read or self._gaps.get(file.id)):
                yield file

    def _take_tail(self, file: SegmentFile, events: int, size: int, now: float) -> list[Range]:
        tail = self._tails.get(file.id, 0)
        young, entries = tail + 1, list[Entry]()
        with self._noticing_damage(file):
            young, entries = _young(self._reader(file), tail + 1, events, now)
        if young > tail + 1:
            self._set_gaps(file.id, [*self._gaps.get(file.id, ()), (tail + 1, young - 1)])
            self._set_tail(file.id, young - 1)
        if not entries:
            return []
        last = self._last_fitting(entries, events, size)
        self._set_tail(file.id, last)
        return [self._taken(file, entries, last)]

    def _take_gap(self, file: SegmentFile, events: int, size: int) -> list[Range]:
        (first, last), *others = self._gaps[file.id]
        entries: list[Entry] = []
        with self._noticing_damage(file):
            entries = self._reader(file).between(first, last, events)
        if file.id in self._damaged:
            return []
        end = self._last_fitting(entries, events, size) if entries else last
        self._set_gaps(file.id, [(end + 1, last), *others] if end < last else others)
        return [self._taken(file, entries, end)] if entries else []

    def _taken(self, file: SegmentFile, entries: list[Entry], last: int) -> Range:
        taken = Range(file.id, entries[0].position, last)
        self._contents[taken] = [entry.content for entry in entries if entry.position <= last]
        return taken

    def _last_fitting(self, entries: list[Entry], events: int, size: int) -> int:
        """The position of the last entry that fits into so many bytes; the first always does."""
        total = 0
        last = entries[0].position
        for entry in entries:
            total += len(entry.content)
            if total > size:
                break
            last = entry.position
        self.was_full |= len(entries) == events or last < entries[-1].position
        return last

    def _reader(self, file: SegmentFile) -> SegmentReader:
        if file.id not in self._readers:
            self._readers[file.id] = SegmentReader(file)
        return self._readers[file.id]

    def _is_live(self, file: SegmentFile) -> bool:
        """Whether a process of the door may still append to a segment."""
        if any(other.slot == file.slot and other.created_ms > file.created_ms for other in self._files.values()):
            return False
        try:
            Slot(self._directory, file.slot).close()
        except BlockingIOError:
            return True
        return False

    @contextlib.contextmanager
    def _noticing_damage(self, file: SegmentFile) -> Iterator[None]:
        """A damaged segment is marked, so that its writer leaves it, and searched once nobody writes to it."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise  # nothing that setting the file aside would mend
            log.error("journal segment damaged", extra={"segment": file.path.name, "reason": str(error)})
            file.mark_damaged()
            self._damaged.add(file.id)

    def _set_aside(self, file: SegmentFile) -> None:
        """Move a damaged segment out of the way, and what is intact in it into a new one."""
        recovered, lost = intact_entries(file.path)
        if recovered:
            writer = SegmentWriter(self._directory, RECOVERED_SLOT)
            for start in range(0, len(recovered), AT_ONCE):
                writer.append(recovered[start : start + AT_ONCE])
            writer.close()
        self._forget(file.id)
        aside = self._directory / "damaged"
        aside.mkdir(exist_ok=True)
        for part in file.parts():
            part.rename(aside / part.name)
        log.error(
            "journal segment set aside",
            extra={"segment": file.path.name, "recovered": len(recovered), "lost": lost},
        )

    def _set_tail(self, segment: str, tail: int) -> None:
        self._tails[segment] = tail
        self._state.execute("INSERT OR REPLACE INTO segment VALUES (?, ?)", (segment, tail))

    def _set_gaps(self, segment: str, gaps: list[tuple[int, int]]) -> None:
        self._gaps[segment] = gaps
        self._state.execute("DELETE FROM gap WHERE segment = ?", (segment,))
        self._state.executemany("INSERT INTO gap VALUES (?, ?, ?)", [(segment, *gap) for gap in gaps])

    def _forget(self, segment: str) -> None:
        reader = self._readers.pop(segment, None)
        if reader:
            reader.close()
        self._files.pop(segment, None)
        self._tails.pop(segment, None)
        self._gaps.pop(segment, None)
        self._read.discard(segment)
        self._damaged.discard(segment)
        self._state.execute("DELETE FROM segment WHERE id = ?", (segment,))
        self._state.execute("DELETE FROM gap WHERE segment = ?", (segment,))


def _young(reader: SegmentReader, first: int, events: int, now: float) -> tuple[int, list[Entry]]:
    """Where the young entries begin, from a position on, and the first of them."""
    entries = reader.after(first - 1, events)
    if entries and now - entries[0].appended_at / 1000 > LIVE:
        first = reader.first_since(int((now - LIVE) * 1000), first)
        entries = reader.after(first - 1, events)
    return first, entries
