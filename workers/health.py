"""Whether a worker gets on with its work, and how others on its host learn of it.

A worker of which every process exists may do nothing all the same: a pool that is stuck, a connection over which
nothing comes any more. So it is judged by what it finishes, and by itself, which needs no broker in between: one that
finds itself useless ends, to be started anew, and one that cannot even find that out gives no sign of life.
"""

import fcntl
import math
import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workers.queues import LISTENING, TIME_LIMIT

LOOK_EVERY = 5.0  # seconds
STUCK_AFTER = TIME_LIMIT + 60.0  # seconds; Celery itself ends what takes longer than the limit
DEAF_AFTER = 60.0  # seconds without a message, after which it is asked whether there are any
SILENT_AFTER = 60.0  # seconds without a sign of life
SLOTS = 99
FOLDER = "worker"  # of the data directory: of Celery's workers that write events; those of others are in it


@dataclass(frozen=True)
class Glance:
    """What the event loop of a worker saw, last time it came round; times are of the monotonic clock."""

    held: Mapping[str, float]  # messages that are not finished, and since when
    taken: int  # messages so far
    moved_at: float  # when a message last came or was finished

    def next(self, held: Iterable[str], taken: int, now: float) -> "Glance":
        since = {message: self.held.get(message, now) for message in held}
        moves = taken != self.taken or since.keys() != self.held.keys()
        return Glance(since, taken, now if moves else self.moved_at)


def stuck(glance: Glance, now: float) -> str | None:
    """Why a worker must end that holds messages, in a word.

    Waiting for a database does not count: it is bounded, and then the message is put back, and so finished.
    """
    if glance.held and now - glance.moved_at > STUCK_AFTER:
        return "finishes_nothing"
    # A message waits while others are seen to, and then takes its own time.
    if any(now - since > 2 * STUCK_AFTER for since in glance.held.values()):
        return "keeps_a_message"
    return None


class Hearing:
    """Whether a worker that has nothing to do has not heard of it: the broker has messages for it, and keeps having."""

    def __init__(self, now: float) -> None:
        self._asked_at = now
        self._doubt: float | None = None  # nothing has moved since then, and there were messages

    def is_due(self, glance: Glance, now: float) -> bool:
        """Whether it is time to ask the broker for messages."""
        return not glance.held and now - max(glance.moved_at, self._asked_at) > DEAF_AFTER

    def is_deaf(self, glance: Glance, now: float, has_messages: bool) -> bool:
        """Having asked. The second time that nothing was heard of them: they may have come just then."""
        self._asked_at = now
        doubt, self._doubt = self._doubt, glance.moved_at if has_messages else None
        return has_messages and doubt == glance.moved_at


def folder(data_dir: Path, part: str) -> Path:
    """Where the workers of a part, one of `LISTENING` or that of handlers, give their signs of life."""
    return data_dir / FOLDER if part == "events" else data_dir / FOLDER / part


class LifeSign:
    """A file of a worker, locked for as long as its process lives, and touched as long as that vouches for itself."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(SLOTS):
            self._descriptor = os.open(folder / f"{number:02}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _is_locked(self._descriptor):
                return self.give()
            os.close(self._descriptor)
        raise OSError(f"all {SLOTS} places in {folder} are taken")

    def give(self) -> None:
        os.utime(self._descriptor)


def silences(folder: Path) -> list[float]:
    """For how many seconds each worker that runs on this host has given no sign of life."""
    return [time.time() - changed for changed in _signs(folder)]


def every_part_lives(data_dir: Path, parts: Iterable[str] = LISTENING) -> bool:
    """Whether a worker of each part has given a sign of life lately."""
    newest = [min(silences(folder(data_dir, part)), default=math.inf) for part in parts]
    return max(newest) < SILENT_AFTER


def vouch(data_dir: Path, parts: Iterable[str] = LISTENING) -> None:
    """Tell systemd as long as that is so. For a thread: it never returns."""
    while True:
        if every_part_lives(data_dir, parts):
            tell_systemd()
        time.sleep(LOOK_EVERY)


def _signs(folder: Path) -> Iterator[float]:
    for path in sorted(folder.glob("[0-9][0-9]")):
        with path.open("r+b") as file:
            if not _is_locked(file.fileno()):  # somebody else has the lock, so somebody lives
                yield os.fstat(file.fileno()).st_mtime


def _is_locked(descriptor: int) -> bool:
    """Lock a file, if nobody has. Not by flock, which the processes of a pool would inherit, and keep."""
    with suppress(BlockingIOError, PermissionError):
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def tell_systemd() -> None:
    """The same sign for systemd, where it has asked for it (WatchdogSec)."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.sendto(b"WATCHDOG=1", address.replace("@", "\0", 1) if address[0] == "@" else address)
