"""The packages that have handlers: what is installed, and importing it."""

import logging
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from workers.handlers import registered, restore

log = logging.getLogger(__name__)

GROUP = "caidan.handlers"
IMPORT_PATIENCE = 60.0  # seconds that a package may take to be imported


class _TooSlowError(BaseException):
    """No Exception: packages catch those while they look for what they may import."""


def installed() -> list[EntryPoint]:
    """What is there, without importing it."""
    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def load(entries: Sequence[EntryPoint]) -> dict[str, str]:
    """Import packages, which registers their handlers; those that fail by name, with the type of what they raised.

    None of what such a package had registered already is kept: half of it may be worse than nothing. To be called in
    the main thread, as it is a signal that ends an import which takes too long.
    """
    failures: dict[str, str] = {}
    for entry in entries:
        former, began = dict(registered()), time.monotonic()
        try:
            with _patience():
                entry.load()
        except (Exception, SystemExit, _TooSlowError) as error:
            failures[entry.name] = "too_slow" if isinstance(error, _TooSlowError) else type(error).__name__
            restore(former)
            log.error("handlers not loaded", extra={"entry_point": entry.name, "error": failures[entry.name]})
        else:
            names = sorted(registered().keys() - former.keys())
            seconds = round(time.monotonic() - began, 1)
            log.info("handlers loaded", extra={"entry_point": entry.name, "handlers": names, "seconds": seconds})
    return failures


def tried() -> tuple[dict[str, str], list[str]]:
    """What fails when everything is imported, and the names of all handlers otherwise; for a process of its own."""
    failures = load(installed())
    return failures, sorted(registered())


@contextmanager
def _patience() -> Iterator[None]:
    def interrupt(_number: int, _frame: Any) -> None:
        raise _TooSlowError

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, IMPORT_PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
