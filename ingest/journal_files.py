"""What lies in a journal, for people: read beside the door and the publisher, without disturbing either."""

import contextlib
import fcntl
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from ingest.segment import SegmentFile, SegmentReader, segments


@dataclass(frozen=True)
class SegmentStatus:
    """One file; `pending` entries are not known to be in the tables. Ages in seconds."""

    name: str
    slot: int
    entries: int
    pending: int
    bytes: int
    oldest_pending_seconds: float | None
    damaged: bool = False


@dataclass(frozen=True)
class JournalStatus:
    segments: list[SegmentStatus]
    entries: int
    pending: int
    bytes: int
    oldest_pending_seconds: float | None
    publisher_running: bool


def status(directory: Path) -> JournalStatus:
    """The journal as it is now; empty when there is none."""
    pending = _pending_ranges(directory / "reader.db")
    found = [_segment_status(file, pending.get(file.id)) for file in segments(directory)]
    ages = [segment.oldest_pending_seconds for segment in found if segment.oldest_pending_seconds is not None]
    return JournalStatus(
        segments=found,
        entries=sum(segment.entries for segment in found),
        pending=sum(segment.pending for segment in found),
        bytes=sum(segment.bytes for segment in found),
        oldest_pending_seconds=max(ages, default=None),
        publisher_running=_is_locked(directory / "publisher.lock"),
    )


@dataclass
class _Progress:
    """How far the publisher is in a segment: all up to `tail`, but for `left`."""

    tail: int
    left: list[tuple[int, int]]


def _pending_ranges(state: Path) -> dict[str, _Progress]:
    if not state.exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        try:
            found = {row[0]: _Progress(row[1], []) for row in connection.execute("SELECT id, tail FROM segment")}
            for table in ("gap", "batch"):
                for segment, first, last in connection.execute(f"SELECT segment, first, last FROM {table}"):  # noqa: S608
                    found.setdefault(segment, _Progress(0, [])).left.append((first, last))
        except sqlite3.DatabaseError:
            return {}  # being made, or damaged: everything counts as pending, as it does for the publisher
    return found


def _segment_status(file: SegmentFile, progress: _Progress | None) -> SegmentStatus:
    progress = progress or _Progress(0, [])
    try:
        with contextlib.closing(SegmentReader(file)) as reader:
            end = reader.end()
            left = [
                (first, min(last, end)) for first, last in [*progress.left, (progress.tail + 1, end)] if first <= end
            ]
            oldest = min((first for first, last in left if first <= last), default=None)
            entry = reader.between(oldest, end, 1) if oldest is not None else []
    except sqlite3.DatabaseError:
        return SegmentStatus(file.path.name, file.slot, 0, 0, file.bytes(), None, damaged=True)
    return SegmentStatus(
        name=file.path.name,
        slot=file.slot,
        entries=end,
        pending=sum(last - first + 1 for first, last in left if first <= last),
        bytes=file.bytes(),
        oldest_pending_seconds=time.time() - entry[0].appended_at / 1000 if entry else None,
    )


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
