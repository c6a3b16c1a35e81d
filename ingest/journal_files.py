"""What lies in a journal, for people: read beside the door and the publisher, without disturbing either."""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ingest.segment import SegmentFile, SegmentReader, intact_entries, is_damage, segments

AT_ONCE = 1000  # entries read together


@dataclass(frozen=True)
class SegmentStatus:
    """One file; `pending` entries are not known to be in the tables. Ages in seconds."""

    name: str
    slot: int
    entries: int
    pending: int
    bytes: int
    oldest_pending_seconds: float | None
    oldest_unsent_seconds: float | None = None
    damaged: bool = False


@dataclass(frozen=True)
class JournalStatus:
    segments: list[SegmentStatus]
    entries: int
    pending: int
    bytes: int
    oldest_pending_seconds: float | None
    oldest_unsent_seconds: float | None
    unreceipted_batches: int
    publisher_running: bool


@dataclass(frozen=True)
class Verified:
    """What reading a whole file has shown; `damaged` entries cannot be read, or have a wrong checksum."""

    name: str
    intact: int
    damaged: int
    is_damaged: bool  # also by what costs no entry


def status(directory: Path) -> JournalStatus:
    """The journal as it is now; empty when there is none."""
    progress = _progress(directory / "reader.db")
    found = [_segment_status(file, progress.get(file.id, _Progress())) for file in segments(directory)]
    return JournalStatus(
        segments=found,
        entries=sum(segment.entries for segment in found),
        pending=sum(segment.pending for segment in found),
        bytes=sum(segment.bytes for segment in found),
        oldest_pending_seconds=_highest(segment.oldest_pending_seconds for segment in found),
        oldest_unsent_seconds=_highest(segment.oldest_unsent_seconds for segment in found),
        unreceipted_batches=sum(len(one.batches) for one in progress.values()),
        publisher_running=_is_locked(directory / "publisher.lock"),
    )


Positions = list[tuple[int, int]]  # from and to, both included


def verify(file: SegmentFile) -> Verified | None:
    """Read every entry of a segment; None when the publisher has removed it meanwhile.

    Raises sqlite3.DatabaseError where it cannot be read for another reason than damage.
    """
    try:
        with contextlib.closing(SegmentReader(file)) as reader:
            end = reader.end()
            intact = position = 0
            while entries := reader.between(position + 1, end, AT_ONCE):
                intact, position = intact + len(entries), entries[-1].position
        return Verified(file.path.name, intact, end - intact, end > intact)
    except sqlite3.DatabaseError as error:
        if not file.path.exists():
            return None
        if not is_damage(error):
            raise
        found, lost = intact_entries(file.path)
        return Verified(file.path.name, len(found), lost, is_damaged=True)


def appended_since(directory: Path, since: float) -> int:
    """How many entries were appended since a time (seconds); those of damaged segments are not counted."""
    return sum(_appended_since(file, int(since * 1000)) for file in segments(directory))


def _appended_since(file: SegmentFile, since_ms: int) -> int:
    try:
        with contextlib.closing(SegmentReader(file)) as reader:
            return reader.end() + 1 - reader.first_since(since_ms)
    except sqlite3.DatabaseError:
        return 0


@dataclass
class _Progress:
    """How far the publisher is in a segment: all up to `tail` is sent but for the gaps, and receipted but for the
    batches, too."""

    tail: int = 0
    gaps: Positions = field(default_factory=list)
    batches: Positions = field(default_factory=list)

    def unsent(self, end: int) -> Positions:
        return _within(end, [*self.gaps, (self.tail + 1, end)])

    def pending(self, end: int) -> Positions:
        return self.unsent(end) + _within(end, self.batches)


def _progress(state: Path) -> dict[str, _Progress]:
    if not state.exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        try:
            found = {row[0]: _Progress(row[1]) for row in connection.execute("SELECT id, tail FROM segment")}
            for segment, *positions in connection.execute("SELECT segment, first, last FROM gap"):
                found.setdefault(segment, _Progress()).gaps.append((positions[0], positions[1]))
            for segment, *positions in connection.execute("SELECT segment, first, last FROM batch"):
                found.setdefault(segment, _Progress()).batches.append((positions[0], positions[1]))
        except sqlite3.DatabaseError:
            return {}  # being made, or damaged: everything counts as pending, as it does for the publisher
    return found


def _segment_status(file: SegmentFile, progress: _Progress) -> SegmentStatus:
    try:
        with contextlib.closing(SegmentReader(file)) as reader:
            end = reader.end()
            pending, unsent = progress.pending(end), progress.unsent(end)
            return SegmentStatus(
                name=file.path.name,
                slot=file.slot,
                entries=end,
                pending=sum(last - first + 1 for first, last in pending),
                bytes=file.bytes(),
                oldest_pending_seconds=_age(reader, pending),
                oldest_unsent_seconds=_age(reader, unsent),
            )
    except sqlite3.DatabaseError as error:  # else it has just been removed
        return SegmentStatus(file.path.name, file.slot, 0, 0, file.bytes(), None, damaged=is_damage(error))


def _within(end: int, positions: Positions) -> Positions:
    return [(first, min(last, end)) for first, last in positions if first <= min(last, end)]


def _age(reader: SegmentReader, positions: Positions) -> float | None:
    """Seconds since the first entry there was appended."""
    entries = reader.between(*min(positions), limit=1) if positions else []
    return time.time() - entries[0].appended_at / 1000 if entries else None


def _highest(ages: Iterable[float | None]) -> float | None:
    return max((age for age in ages if age is not None), default=None)


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
