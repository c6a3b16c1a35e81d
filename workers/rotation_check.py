"""What is wrong with a rotation, before it gets its row. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from models.base import table_of
from models.holidays import Calendar
from models.rotation import Rotation
from models.rotations import ALL, HOLIDAYS, WORKDAYS, Draft, RotationRow
from wechat.week import ranges, weekday_numbers
from workers.windows import windows

DAY = timedelta(days=1)
LONGEST_DURATION = 366 * DAY
LONGEST_LEAD = DAY
HIGHEST_PRIORITY = 1000
MOST_GUARD_HOURS = 24 * 7
YEARS = range(2011, 2101)
_LONGEST_MONTH = DAY * 31
_Read = TypeVar("_Read")

# Names that people try, and the database of zones does not have.
_CITIES = dict.fromkeys(("beijing", "peking", "北京", "上海", "shenzhen", "guangzhou", "china", "cst"), "Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` is a column of `rotation`, `reason` a fixed word, `value` the part that is wrong, as text.

    `better` is what was meant, perhaps; for `second_base`, the id of the rotation that is there.
    """

    field: str
    reason: str
    value: str
    better: str | None = None


def problems(draft: Draft, others: Iterable[RotationRow] = ()) -> list[Problem]:
    """All that is wrong with it; `others` are the account's rotations, of which it may be one already."""
    found = [problem for find in _FINDERS for problem in find(draft)]
    found += _second_base(draft, others)
    return found or list(_no_window(draft))


def unknown_years(rotations: Iterable[Draft], calendar: Calendar, now: datetime, months: int = 14) -> list[int]:
    """The years, until so many months from now, of which the rotations ask for workdays or holidays in vain."""
    years: set[int] = set()
    for rotation in rotations:
        begin = max(now, rotation.starts_at or now)
        end = min(now + months * _LONGEST_MONTH, rotation.ends_at or datetime.max.replace(tzinfo=UTC))
        if rotation.enabled and rotation.days != ALL and begin < end:
            zone = ZoneInfo(rotation.timezone)
            years.update(range(begin.astimezone(zone).year, end.astimezone(zone).year + 1))
    return sorted(year for year in years if not calendar.knows(year))


def _zone(draft: Draft) -> Iterator[Problem]:
    if draft.timezone not in _zones():
        yield Problem("timezone", "unknown_zone", draft.timezone, _zone_like(draft.timezone))


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone_like(name: str) -> str | None:
    """By what is written after the last slash too: somebody may give the city alone."""
    wanted = name.casefold().replace(" ", "_")
    city = wanted.rpartition("/")[2]
    if city in _CITIES:
        return _CITIES[city]
    known = {zone.casefold(): zone for zone in sorted(_zones())}
    cities = {zone.rpartition("/")[2]: zone for zone in known}
    for names, text in ((known, wanted), (cities, city)):
        if close := get_close_matches(text, names, n=1, cutoff=0.75):
            return known[cities.get(close[0], close[0]) if names is cities else close[0]]
    return None


def _cron(draft: Draft) -> Iterator[Problem]:
    if draft.cron is None:
        return
    if reason := _cron_problem(draft.cron):
        yield Problem("cron", reason, draft.cron)
    yield from (
        Problem(name, "beside_cron", str(getattr(draft, name)))
        for name in ("weekdays", "hours")
        if getattr(draft, name) is not None
    )


def _cron_problem(cron: str) -> str | None:
    fields = cron.split()
    if len(fields) == 6:
        return "cron_with_seconds"
    if (starts := _simulated(cron)) is not None:
        return None if next(starts, None) else "never_starts"
    # cronsim refuses days that no month of the expression has, like 30 February, as it does what cannot be read.
    is_readable = len(fields) == 5 and _simulated(" ".join([*fields[:3], "*", fields[4]])) is not None
    return "never_starts" if is_readable and _simulated(f"* * 1 {fields[3]} *") else "unreadable_cron"


def _simulated(cron: str) -> CronSim | None:
    try:
        return CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError:
        return None


def _duration(draft: Draft) -> Iterator[Problem]:
    if draft.duration is None:
        if draft.cron is not None:
            yield Problem("duration", "missing_duration", "")
    elif draft.cron is None:
        yield Problem("duration", "without_cron", str(draft.duration))
    elif draft.duration <= 0:
        yield Problem("duration", "not_positive", str(draft.duration))
    elif draft.duration > LONGEST_DURATION.total_seconds():
        yield Problem("duration", "too_long", str(draft.duration))


def _week(draft: Draft) -> Iterator[Problem]:
    if draft.weekdays is not None and (part := _unreadable(weekday_numbers, draft.weekdays)) is not None:
        yield Problem("weekdays", "unknown_weekday", part)
    if draft.days not in (ALL, WORKDAYS, HOLIDAYS):
        yield Problem("days", "unknown_days", draft.days)
    if draft.hours is None:
        return
    if (part := _unreadable(ranges, draft.hours)) is not None:
        yield Problem("hours", "unreadable_hours", part)
        return
    parts = ranges(draft.hours)
    # The last part may end on the next day, when the first has begun.
    following = [*parts, (parts[0][0] + DAY, parts[0][1] + DAY)]
    if any(end > start for (_, end), (start, _) in pairwise(following)):
        yield Problem("hours", "overlapping_hours", draft.hours)


def _unreadable(read: Callable[[str], _Read], text: str) -> str | None:
    try:
        read(text)
    except ValueError as error:
        return str(error)
    return None


def _bounds(draft: Draft) -> Iterator[Problem]:
    given = {"starts_at": draft.starts_at, "ends_at": draft.ends_at}
    for name, at in given.items():
        if at is not None and at.tzinfo is None:
            yield Problem(name, "without_zone", str(at))
        elif at is not None and at.year not in YEARS:
            yield Problem(name, "far_away", str(at))
    first, last = given.values()
    if first and last and first.tzinfo and last.tzinfo and last <= first:
        yield Problem("ends_at", "ends_before_start", str(last))


def _numbers(draft: Draft) -> Iterator[Problem]:
    if abs(draft.priority) > HIGHEST_PRIORITY:
        yield Problem("priority", "out_of_range", str(draft.priority))
    if draft.lead < 0:
        yield Problem("lead", "negative", str(draft.lead))
    elif draft.lead > LONGEST_LEAD.total_seconds():
        yield Problem("lead", "too_long", str(draft.lead))


def _guard(draft: Draft) -> Iterator[Problem]:
    share, hours = draft.guard_share, draft.guard_hours
    if share is not None and not 0 < share <= 1:
        yield Problem("guard_share", "out_of_range", str(share))
    if hours is not None and share is None:
        yield Problem("guard_hours", "without_share", str(hours))
    elif hours is not None and not 0 < hours <= MOST_GUARD_HOURS:
        yield Problem("guard_hours", "out_of_range", str(hours))
    if share is not None and draft.is_base:  # there is no menu below
        yield Problem("guard_share", "guarded_base", str(share))


def _texts(draft: Draft) -> Iterator[Problem]:
    for column in table_of(Rotation).c:
        text, limit = getattr(draft, column.name, None), getattr(column.type, "length", None)
        if isinstance(text, str) and limit is not None and len(text) > limit:
            yield Problem(column.name, "too_long", text)


_FINDERS: Sequence[Callable[[Draft], Iterable[Problem]]] = (
    _zone,
    _cron,
    _duration,
    _week,
    _bounds,
    _numbers,
    _guard,
    _texts,
)


def _second_base(draft: Draft, others: Iterable[RotationRow]) -> Iterator[Problem]:
    if draft.is_base:
        for other in others:
            if other.is_base and other.id != getattr(draft, "id", None) and other.account_id == draft.account_id:
                yield Problem("starts_at", "second_base", "", str(other.id))


def _no_window(draft: Draft) -> Iterator[Problem]:
    """Of one that ends: whether it begins at all before that. Which days are worked is not asked."""
    if draft.ends_at is not None:
        begin = draft.starts_at or datetime(YEARS[0], 1, 1, tzinfo=UTC)
        found = windows(replace(draft, days=ALL), Calendar({}, frozenset()), begin, draft.ends_at)
        if next(found, None) is None:
            yield Problem("ends_at", "no_window", str(draft.ends_at))
