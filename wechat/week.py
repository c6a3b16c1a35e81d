"""Weekdays and hours of a day, as rules name them, and the minutes of a week that they mean."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

DAY = timedelta(days=1)
_HOURS = re.compile(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)")
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES
WHOLE_WEEK = (1 << _WEEK_MINUTES) - 1


@lru_cache(maxsize=1000)
def ranges(hours: str) -> tuple[tuple[timedelta, timedelta], ...]:
    """The parts of a day, since midnight, by their start; one that crosses midnight ends after 24 hours.

    Raises ValueError with the part that cannot be read.
    """
    found = []
    for part in hours.split(","):
        matched = _HOURS.fullmatch(part.strip())
        if matched is None:
            raise ValueError(part)
        from_hour, from_minute, to_hour, to_minute = map(int, matched.groups())
        start, end = (timedelta(hours=h, minutes=m) for h, m in ((from_hour, from_minute), (to_hour, to_minute)))
        if max(from_minute, to_minute) > 59 or start >= DAY or end > DAY or start == end:
            raise ValueError(part)
        found.append((start, end if start < end else end + DAY))
    return tuple(sorted(found))


def weekday_numbers(weekdays: str) -> frozenset[int]:
    """ISO numbers, 1 is Monday. Raises ValueError with the part that is none."""
    parts = [part.strip() for part in weekdays.split(",")]
    for part in parts:
        if part not in {"1", "2", "3", "4", "5", "6", "7"}:
            raise ValueError(part)
    return frozenset(map(int, parts))


@lru_cache(maxsize=1000)
def minutes_of_week(weekdays: str | None, hours: str | None) -> int:
    """A bit for each minute, from Monday's midnight on; a part that crosses midnight belongs to the day it begins on.

    Raises ValueError with the part that cannot be read.
    """
    days = range(1, 8) if weekdays is None else weekday_numbers(weekdays)
    found = 0
    for day in days:
        for start, end in ranges(hours or "00:00-24:00"):
            length = (end - start) // timedelta(minutes=1)
            found |= ((1 << length) - 1) << (day - 1) * _DAY_MINUTES + start // timedelta(minutes=1)
    return found & WHOLE_WEEK | found >> _WEEK_MINUTES  # Sunday night goes on into Monday


def minute_of_week(wall: datetime) -> int:
    return wall.weekday() * _DAY_MINUTES + wall.hour * 60 + wall.minute
