"""The journal: what the door has accepted, on disk before it is acknowledged.

Group commit without a timer: while one group is being fsynced, the next one gathers. One alone is committed at once, a
thousand together; a request returns when its own group is durable.
"""

import contextlib
import fcntl
import logging
import os
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ingest.segment import SegmentWriter, segments
from models.disk import refuse_network_disk

log = logging.getLogger(__name__)

WAIT = 3.5  # seconds that a push may wait for its group; with the rest of its path it stays under 4
WAITING = 2048  # pushes that may be queued; more are turned away at once
PATIENT = 48  # pushes that may wait for a slow disk: three quarters of the door's threads, unless told otherwise
SLOW = 0.5  # seconds of one commit, after which all others are turned away: threads must be left to answer
SLOTS = 99  # two digits, and the last is not for processes (reader.py)
SEGMENT_BYTES = 32 << 20
SEGMENT_AGE = 3600.0  # seconds; a segment is removed whole, so it must not span much of the retention
FREE_BYTES = 64 << 20  # the disk is left this much
LOOK_EVERY = 1.0  # seconds between looks at what is left of the disk
TURN = 0.005  # seconds at most in which those whose group is durable go on, before the next group is read
RETRY_AFTER = 0.2  # seconds before a disk that failed is tried again

Made = TypeVar("Made")

_FORKING = threading.Lock()
_INHERITED: list[SegmentWriter | None] = []  # kept, because even closing a parent's connection would harm the parent


class NotDurableError(Exception):
    """The push could not be made durable; `reason` is one of a few fixed words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


class _Waiting:
    """What is on its way to the disk, and the lock that its request waits for; no content is a check of the disk."""

    __slots__ = ("content", "done", "error", "gone", "made", "make", "needs_disk")

    def __init__(self, content: Callable[[], bytes | None] | None, make: Callable[[], object] = lambda: None) -> None:
        self.content = content
        self.make = make
        self.made: Any = None
        self.error: str | None = None
        self.needs_disk = True
        self.done = _held()
        self.gone: threading.Lock | None = None  # that the writing thread waits for, in its turn


class Journal:
    """The journal as one process of the door writes it; `append` may be called from any thread, and after a fork."""

    def __init__(
        self,
        directory: Path,
        limit: int,
        observe: Callable[[int, float], None] = lambda _size, _seconds: None,
        patient: int = PATIENT,
    ) -> None:
        """`limit` in bytes; `observe` is told the size of each group and the seconds of its commit.

        While the disk hangs, `patient` pushes wait for it, which must be fewer than the threads that append.
        Raises NetworkDiskError and OSError.
        """
        directory.mkdir(parents=True, exist_ok=True)
        refuse_network_disk(directory)
        self._directory = directory
        self._limit = limit
        self._observe = observe
        self._patient = patient
        self.closed = threading.Event()
        self._start()

    def append(self, content: bytes) -> None:
        """Return once the content is durable. Raises NotDurableError, in which case it may be durable all the same."""
        self._hand_over(_Waiting(lambda: content))

    def append_and_make(self, content: Callable[[], bytes | None], make: Callable[[], Made]) -> Made:
        """As `append` of what `content` returns, unless that is None; what `make` returns, called once it is durable.

        Neither should raise. The thread that writes calls them for a whole group: one after another they take less of
        the processor than in threads of their own, each of which finds little of the code left in the caches.
        """
        made: Made = self._hand_over(_Waiting(content, make))
        return made

    def check(self) -> float:
        """The seconds in which something could be made durable now. Raises NotDurableError."""
        started = time.perf_counter()
        self._hand_over(_Waiting(None))
        return time.perf_counter() - started

    def close(self) -> None:
        """Finish what is under way, and leave the slot to the next process."""
        self.closed.set()
        self._queue.put(None)
        self._thread.join(timeout=WAIT)

    def _hand_over(self, waiting: _Waiting) -> Any:
        if self._pid != os.getpid():
            self._start_after_fork()
        self._waiting.add(waiting)
        try:
            patience = self._patience()
            if patience <= 0 or self._queue.qsize() > WAITING:
                raise NotDurableError("journal_busy")
            self._queue.put(waiting)
            if not waiting.done.acquire(timeout=patience):
                raise NotDurableError("journal_slow" if patience == WAIT else "journal_busy")
        finally:
            self._waiting.discard(waiting)
            if waiting.gone:
                waiting.gone.release()
        if waiting.error:
            raise NotDurableError(waiting.error)
        return waiting.made

    def _patience(self) -> float:
        """The seconds that one more push may wait; with a disk that hangs none, when enough are waiting already."""
        if len(self._waiting) <= self._patient:
            return WAIT
        began = self._began
        return SLOW if began is None else SLOW - (time.monotonic() - began)

    def _start_after_fork(self) -> None:
        """Threads and SQLite's connections do not survive a fork: a slot and a segment of one's own."""
        with _FORKING:
            if self._pid != os.getpid():
                inherited = self._slot
                _INHERITED.append(self._segment)
                try:
                    self._start()
                except OSError:
                    raise NotDurableError("journal_failed") from None
                inherited.close()  # the parent's lock stands as long as the parent's own descriptor does

    def _start(self) -> None:
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._waiting: set[_Waiting] = set()
        self._began: float | None = None  # when the commit under way was begun
        self._slot = _take_slot(self._directory)
        self._segment: SegmentWriter | None = None
        self._looked = self._failed = -1e9
        self._full = False
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def _write(self) -> None:
        """The one thread that writes: take all that wait, make them durable, release them."""
        while True:
            group = [self._queue.get()]
            with contextlib.suppress(queue.Empty):
                while True:
                    group.append(self._queue.get_nowait())
            requests = [waiting for waiting in group if waiting is not None]
            contents = list(_contents(requests))
            self._began = time.monotonic()
            error = self._commit(contents)
            self._began = None
            _release(requests, error)
            if len(requests) < len(group):
                break
        self._give_up_segment()
        self._slot.close()

    def _commit(self, contents: list[bytes]) -> str | None:
        """Make a group durable; the reason when it could not be."""
        started = time.monotonic()
        if started - self._failed < RETRY_AFTER:
            return "journal_failed"
        try:
            segment = self._current_segment(started)
            if segment is None:
                return "journal_full"
            if contents:
                segment.append(contents)
            else:
                segment.check()
        except Exception as error:  # whatever it is: without this thread nothing would be taken any more
            self._failed = started
            self._give_up_segment()
            log.error("journal failed", extra={"error": type(error).__name__, "reason": str(error)})
            return "journal_failed"
        with contextlib.suppress(Exception):  # measures are no reason to refuse a push
            self._observe(len(contents), time.monotonic() - started)
        return None

    def _current_segment(self, now: float) -> SegmentWriter | None:
        """The segment to append to, a new one where the last is full, old, failed or gone; None without space."""
        if now - self._looked > LOOK_EVERY:
            self._looked = now
            self._full = _is_full(self._directory, self._limit)
            self._keep_slot()
            if self._segment and not self._segment.is_usable():
                self._give_up_segment()  # the disk was taken away, and what we would write with it; or is damaged
        if self._full:
            return None
        segment = self._segment
        if segment and (segment.bytes > SEGMENT_BYTES or (segment.bytes and now - segment.created > SEGMENT_AGE)):
            segment = None
        if segment is None:
            previous, self._segment = self._segment, SegmentWriter(self._directory, self._slot.number)
            if previous:
                previous.close()
        return self._segment

    def _keep_slot(self) -> None:
        """When the directory was taken away and is back, the lock is on a file that nobody else sees."""
        if not self._slot.is_in_place():
            self._give_up_segment()
            lost, self._slot = self._slot, _take_slot(self._directory)
            lost.close()

    def _give_up_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment:
            with contextlib.suppress(sqlite3.Error):
                segment.close()


def _contents(requests: list[_Waiting]) -> Iterator[bytes]:
    for waiting in requests:
        if waiting.content is not None:
            content = _called(waiting, waiting.content)
            waiting.needs_disk = content is not None
            if content is not None:
                yield content


def _release(requests: list[_Waiting], error: str | None) -> None:
    """Let them go on, all at once: whoever went on before would only wait for the interpreter.

    So would all of them, if we went on to the next group meanwhile; they first, which is the sooner answer, too.
    """
    for waiting in requests:
        if waiting.needs_disk and error is not None:
            waiting.error = error
        elif waiting.error is None:
            waiting.made = _called(waiting, waiting.make)
    gone = _held()
    if len(requests) > 1:
        requests[-1].gone = gone
    for waiting in requests:
        waiting.done.release()
    if len(requests) > 1:
        gone.acquire(timeout=TURN)


def _called(waiting: _Waiting, function: Callable[[], Made]) -> Made | None:
    try:
        return function()
    except Exception as fault:  # whatever it is: without this thread nothing would be taken any more
        log.error("push not taken", extra={"error": type(fault).__name__})
        waiting.error = "journal_failed"
        return None


class Slot:
    """A place among the writers of a journal, held by a lock that the kernel lets go when its process ends."""

    def __init__(self, directory: Path, number: int) -> None:
        """Raises BlockingIOError when a process holds it."""
        self.number = number
        self._path = directory / f"slot-{number:02}.lock"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise

    def is_in_place(self) -> bool:
        """Whether the file that is locked is the one that others would lock."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        os.close(self._descriptor)


def _take_slot(directory: Path) -> Slot:
    for number in range(SLOTS):
        with contextlib.suppress(BlockingIOError):
            return Slot(directory, number)
    raise OSError(f"all {SLOTS} slots of {directory} are taken")


def _is_full(directory: Path, limit: int) -> bool:
    if shutil.disk_usage(directory).free < FREE_BYTES:
        return True
    used = 0
    for segment in segments(directory):
        with contextlib.suppress(FileNotFoundError):  # the publisher removes segments meanwhile
            used += segment.bytes()
    return used > limit
