"""When a rotation is due, by itself: its windows. Pure.

Rules speak of wall clocks, windows of moments: a time that daylight saving skips is the first moment after the gap, and
one that comes twice is the first of the two. Windows of one rotation never overlap: where a cron expression starts
before the duration of the last start is over, the new start ends the window before it.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim

from models.holidays import Calendar
from models.rotations import ALL, WORKDAYS, Draft
from wechat.week import DAY, ranges, weekday_numbers

ALWAYS = datetime.min.replace(tzinfo=UTC)  # the start of what has none
NEVER = datetime.max.replace(tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    starts_at: datetime  # ALWAYS, if it has no start
    ends_at: datetime | None  # None, if it has no end

    @property
    def end(self) -> datetime:
        return self.ends_at or NEVER

    @property
    def length(self) -> timedelta:
        return self.end - self.starts_at if self.ends_at else timedelta.max


def windows(rotation: Draft, calendar: Calendar, begin: datetime, end: datetime) -> Iterator[Window]:
    """Those that touch [begin, end), by their start, without `lead`.

    The rotation is one of which `workers.rotation_check.problems` has nothing to say.
    """
    first, last = rotation.starts_at or ALWAYS, rotation.ends_at or NEVER
    begin, end = max(begin, first), min(end, last)
    if begin >= end:
        return
    if rotation.cron is not None:
        found = _cron_windows(rotation, calendar, begin, end)
    elif rotation.weekdays is not None or rotation.hours is not None or rotation.days != ALL:
        found = _weekly_windows(rotation, calendar, begin, end)
    else:
        found = iter([(first, last)])
    for starts_at, ends_at in found:
        starts_at, ends_at = max(starts_at, first), min(ends_at, last)
        if starts_at < ends_at and starts_at < end and begin < ends_at:
            yield Window(starts_at, None if ends_at == NEVER else ends_at)


def moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which clocks of the zone show this time, or a later one."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    # Read with the offset from after the gap it lies before it, with the one from before the gap, behind.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while found - before > _SECOND:
        middle = before + (found - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            found = middle
    return found.replace(microsecond=0)


def _is_day(rotation: Draft, calendar: Calendar, day: date) -> bool:
    return rotation.days == ALL or calendar.is_workday(day) == (rotation.days == WORKDAYS)


def _weekly_windows(
    rotation: Draft, calendar: Calendar, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(rotation.timezone)
    weekdays = None if rotation.weekdays is None else weekday_numbers(rotation.weekdays)
    parts = ranges(rotation.hours or "00:00-24:00")
    # A window may begin on the day before, and zones may skip a day.
    day, last = begin.astimezone(zone).date() - 2 * DAY, end.astimezone(zone).date()
    while day <= last:
        if (weekdays is None or day.isoweekday() in weekdays) and _is_day(rotation, calendar, day):
            midnight = datetime.combine(day, time())
            for start, stop in parts:
                yield moment(midnight + start, zone), moment(midnight + stop, zone)
        day += DAY


def _cron_windows(
    rotation: Draft, calendar: Calendar, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    duration = timedelta(seconds=rotation.duration or 0)
    today = begin.astimezone(ZoneInfo(rotation.timezone)).date()
    # The window of `begin` started at most a duration ago; most start on the same day.
    back = 0
    while next(_starts(rotation, calendar, today - back * DAY, begin + _INSTANT), None) is None:
        if back * DAY > duration + DAY:
            break
        back = 2 * back + 1
    found = _starts(rotation, calendar, today - back * DAY, end + duration)
    for start, next_start in pairwise(chain(found, [NEVER])):
        yield start, min(start + duration, next_start)


def _starts(rotation: Draft, calendar: Calendar, day: date, until: datetime) -> Iterator[datetime]:
    """Those of the cron expression since that day began, on days that count."""
    zone = ZoneInfo(rotation.timezone)
    while (midnight := moment(datetime.combine(day, time()), zone)) < until:
        for at in _cron_moments(rotation.cron or "", zone, midnight - _SECOND):
            day = at.astimezone(zone).date()
            if at >= until or not _is_day(rotation, calendar, day):
                break
            yield at
        else:
            return
        day += DAY


def _cron_moments(cron: str, zone: ZoneInfo, since: datetime) -> Iterator[datetime]:
    """When it starts, some moments twice, as Debian's cron has it: where it names an hour and a minute, once for every
    time on the wall; otherwise at times as they come, which may be skipped, or come twice.

    cronsim does that too, but loses starts where clocks are changed by half an hour.
    """
    wall = since.astimezone(zone).replace(tzinfo=None)
    if not any(field.startswith("*") for field in cron.split()[:2]):
        return (moment(start, zone) for start in CronSim(cron, wall))
    return heapq.merge(*(_as_they_come(CronSim(cron, wall), zone, fold) for fold in (0, 1)))


def _as_they_come(starts: Iterator[datetime], zone: ZoneInfo, fold: int) -> Iterator[datetime]:
    for start in starts:
        at = start.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) == start:
            yield at
