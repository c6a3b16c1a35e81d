"""One half of the processors for the door, its publisher and those who push; the other for whatever is hurt.

Brokers, databases and workers of machines of their own take no processor from the door. Here their restarts would be
measured as its slowness.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


def stay_here() -> None:
    """From now on this thread, and what it starts, keeps to the half of the door."""
    os.sched_setaffinity(0, _halves()[0])


@contextmanager
def elsewhere() -> Iterator[None]:
    """What this thread starts meanwhile keeps to the other half."""
    os.sched_setaffinity(0, _halves()[1])
    try:
        yield
    finally:
        stay_here()


@cache
def _halves() -> tuple[set[int], set[int]]:
    processors = sorted(os.sched_getaffinity(0))
    middle = max(1, len(processors) // 2)
    return set(processors[:middle]), set(processors[middle:] or processors)
