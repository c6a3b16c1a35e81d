"""Hours, days and weeks by an account's clock; pure.

Clocks are set forward and back, by an hour or by half of one, and differ from UTC by any quarter of an hour. So an hour
is what such a clock shows without being set: between two settings, with one hour of one day on its face.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)  # clocks are set at whole ones


@dataclass(frozen=True, slots=True)
class Hour:
    starts_at: datetime
    ends_at: datetime
    day: date


def hour_of(moment: datetime, zone: ZoneInfo) -> Hour:
    """The hour that a moment is in; the moment is aware, and so are the bounds, in UTC."""
    return _hour_of(moment.replace(second=0, microsecond=0), zone)


def monday_of(day: date) -> date:
    """What a week is known by."""
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=20_000)
def _hour_of(minute: datetime, zone: ZoneInfo) -> Hour:
    face = _face(minute, zone)
    start, end = minute, minute + _MINUTE
    while _face(start - _MINUTE, zone) == face:
        start -= _MINUTE
    while _face(end, zone) == face:
        end += _MINUTE
    return Hour(start, end, minute.astimezone(zone).date())


def _face(moment: datetime, zone: ZoneInfo) -> tuple[date, int, timedelta | None]:
    local = moment.astimezone(zone)
    return local.date(), local.hour, local.utcoffset()
