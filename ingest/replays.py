"""Requests to send what is in the journal once more: a file each, taken by the publisher, or by the next one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def request(directory: Path, since: float) -> None:
    """Ask for everything appended since a time (seconds). Any number of requests may wait."""
    name = f"replay-{secrets.token_hex(8)}.request"
    draft = directory / f".{name}"
    with draft.open("w") as file:
        os.fchmod(file.fileno(), 0o644)  # who asks may be another user than the publisher
        file.write(str(since))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(directory / name)


def requests(directory: Path) -> list[tuple[Path, float]]:
    """What was asked for. To be removed when it is done and on record: to be killed in between sends once more."""
    found = []
    for path in directory.glob("replay-*.request"):
        with suppress(ValueError, OSError):  # not ours to judge, and no reason to stop publishing
            found.append((path, float(path.read_text())))
    return found
