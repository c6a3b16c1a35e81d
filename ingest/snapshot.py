"""What the door knows of the tables: a snapshot that the workers make, in one file of the data directory.

It comes by the queue from which the publisher takes receipts; there is no other way from the workers to the door.
"""

import contextlib
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from workers.queues import SNAPSHOT_BYTES

log = logging.getLogger(__name__)


class Snapshot(msgspec.Struct, frozen=True):
    """What this version knows of it; keys that it does not know are kept in the file, and passed over."""

    revision: Annotated[int, Meta(ge=1)]
    made_at: Annotated[datetime, Meta(tz=True)]
    callback_addresses: dict[str, tuple[str, ...]] = {}  # by AppID: where its pushes come from
    # By AppID: what to reply with (replies.py), read there, so that an account whose rules this version cannot read
    # spoils nobody else's. None is of a worker that knows of no rules.
    replies: dict[str, msgspec.Raw] | None = None


_decode = msgspec.json.Decoder(Snapshot).decode


class UnfitError(Exception):
    """No snapshot; `reason` is a short fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(content: bytes) -> Snapshot:
    """Raises UnfitError."""
    if len(content) > SNAPSHOT_BYTES:
        raise UnfitError("too_large")
    try:
        return _decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnfitError("not_a_snapshot") from None


def keep(path: Path, content: bytes) -> bool:
    """Put a snapshot in the place of an older one, or of what is none; whether it was newer.

    Raises UnfitError and OSError.
    """
    revision = decode(content).revision
    with contextlib.suppress(UnfitError, FileNotFoundError):
        if read(path).revision >= revision:
            return False
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return True


def read(path: Path) -> Snapshot:
    """Raises UnfitError and OSError."""
    with path.open("rb") as file:
        return decode(file.read(SNAPSHOT_BYTES + 1))


class Watched:
    """The file as the door follows it: read again when it has changed; what cannot be read changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._last: Snapshot | None = None

    def look(self) -> Snapshot | None:
        """The last snapshot that could be read; never raises."""
        try:
            # The time of the inode's last change: that of the content may be set at will.
            status = self._path.stat()
            if (seen := (status.st_ino, status.st_ctime_ns)) != self._seen:
                self._seen = seen
                self._last = read(self._path)
        except FileNotFoundError:
            pass  # none yet
        except UnfitError as error:
            log.warning("snapshot ignored", extra={"reason": error.reason})
        except OSError as error:
            log.warning("snapshot ignored", extra={"reason": type(error).__name__})
        return self._last
