"""When followers act: the hours of a Chinese day, the days of a week."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random

_HOUR = 3600
_SHANGHAI = 8 * _HOUR  # no summer time since 1991

# Asleep until six, busy on the way to work, at noon and after dinner.
_DAY = (6, 3, 2, 1, 1, 3, 10, 26, 38, 36, 34, 44, 62, 50, 36, 34, 36, 44, 56, 72, 90, 100, 70, 28)
_WEEK = (1.0, 0.96, 0.97, 1.0, 1.12, 1.3, 1.22)  # Monday first


def liveliness(second: int) -> float:
    """How many act in the hour of this Unix time, relative to others."""
    days, of_day = divmod(second + _SHANGHAI, 24 * _HOUR)
    return _DAY[of_day // _HOUR] * _WEEK[(days + 3) % 7]  # 1970 began on a Thursday


def history(random: Random, start: datetime, end: datetime, count: int) -> Iterator[float]:
    """`count` Unix times between two moments, ascending, dense where followers are lively."""
    first, last = start.timestamp(), end.timestamp()
    if first >= last:
        raise ValueError("a history ends after it starts")
    begins = [first, *range((int(first) // _HOUR + 1) * _HOUR, int(last) + 1, _HOUR)]
    ends = [*begins[1:], last]
    weights = [
        liveliness(int(begin)) * (end - begin) * random.uniform(0.8, 1.2)
        for begin, end in zip(begins, ends, strict=True)
    ]
    drawn = Counter(random.choices(range(len(begins)), weights, k=count))
    for hour in sorted(drawn):
        yield from sorted(random.uniform(begins[hour], ends[hour]) for _ in range(drawn[hour]))


def live(clock: Callable[[], float] = time.time) -> Iterator[float]:
    """The time of each asking, without end."""
    while True:
        yield clock()
