"""When menus were live, by the clock that rollups are cut by: as whole days, and the hours that are left over; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from models.local_hours import hour_of

Moments: TypeAlias = tuple[datetime, datetime]
"""From one, until before another."""
Days: TypeAlias = tuple[date, date]
"""From one day to another, both included."""

_DAY = timedelta(days=1)


class Hours(NamedTuple):
    """Of one day, not all."""

    day: date
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class LiveTime:
    days: list[Days]
    hours: list[Hours]


def live_time(spans: Iterable[Moments], zone: ZoneInfo) -> LiveTime:
    """Of menus that were live in these spans; none of them is empty."""
    days: list[Days] = []
    hours: list[Hours] = []
    for part in _parts(_merged(rounded(*span, zone) for span in spans), zone):
        if isinstance(part, Hours):
            hours.append(part)
        elif days and days[-1][1] + _DAY == part:
            days[-1] = days[-1][0], part
        else:
            days.append((part, part))
    return LiveTime(days, hours)


def rounded(begin: datetime, end: datetime, zone: ZoneInfo) -> Moments:
    """To the nearest hours, so that the seconds that publishing takes do not bring in another; one at least."""
    first, last = _nearest(begin, zone), _nearest(end, zone)
    if first < last:
        return first, last
    hour = hour_of(begin + (end - begin) / 2, zone)
    return hour.starts_at, hour.ends_at


def bounds(first: date, last: date, zone: ZoneInfo) -> Moments:
    """Of days, both included."""
    return _midnight(first, zone), _midnight(last + _DAY, zone)


def _nearest(moment: datetime, zone: ZoneInfo) -> datetime:
    hour = hour_of(moment, zone)
    return hour.starts_at if moment - hour.starts_at < hour.ends_at - moment else hour.ends_at


def _merged(spans: Iterable[Moments]) -> list[Moments]:
    found: list[Moments] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def _parts(spans: Iterable[Moments], zone: ZoneInfo) -> Iterator[date | Hours]:
    for begin, end in spans:
        day = begin.astimezone(zone).date()
        while (midnight := _midnight(day, zone)) < end:
            next_midnight = _midnight(day + _DAY, zone)
            if begin <= midnight and next_midnight <= end:
                yield day
            else:
                yield Hours(day, max(begin, midnight), min(end, next_midnight))
            day += _DAY


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # In UTC: Python compares moments of one zone by their clocks alone.
    return datetime.combine(day, time(), zone).astimezone(UTC)
