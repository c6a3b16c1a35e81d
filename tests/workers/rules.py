"""Rotations made up for tests, and what they come to, found by trying every minute.

The oracle shares nothing with the program but the tables' rows: it walks through the minutes of some days as the clocks
of the zone show them, and asks of each whether a rule is about it.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from models.holidays import Calendar
from models.rotations import RotationRow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# Days on which the clocks of a zone do something, and some ordinary ones, a leap day and the end of a year among them.
TURNS = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2099, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Beirut", date(2027, 3, 28)),  # at midnight
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that is not
    ("Asia/Shanghai", date(2028, 2, 29)),
    ("Asia/Shanghai", date(2026, 12, 31)),
    ("UTC", date(2026, 9, 30)),
]
# At each turn, the day itself is off, unless it is a Sunday; then it is worked, and the next day is off.
CALENDAR = Calendar(
    {day: turn.isoweekday() == 7 and day == turn for _, turn in TURNS for day in (turn, turn + DAY)}, frozenset()
)
AROUND = 3 * DAY  # before and after the turn
LONGEST = 2 * DAY  # that a cron window in these tests lasts

Span: TypeAlias = tuple[datetime, datetime]

_numbers = itertools.count(1)


def row(**fields: Any) -> RotationRow:
    """With a menu of its own, unless one is given."""
    number = next(_numbers)
    return RotationRow(**{"id": number, "version": 1, "account_id": 1, "menu_id": number} | fields)


@dataclass(frozen=True)
class Rule:
    """A rotation, and what its cron expression says about a time on the wall."""

    rotation: RotationRow
    starts: Callable[[datetime], bool] = field(default=lambda _wall: False)
    by_elapsed: bool = False  # a start each so many minutes or hours, also when the clocks show them twice


@st.composite
def crons(draw: st.DrawFn) -> tuple[str, Callable[[datetime], bool], bool]:
    minute, hour = draw(st.sampled_from([0, 1, 30])), draw(st.sampled_from([0, 1, 2, 3, 12, 23]))
    day, weekday = draw(st.sampled_from([29, 31, 30, 1, 4, 25])), draw(st.integers(1, 7))

    def at(wall: datetime) -> bool:
        return (wall.hour, wall.minute) == (hour, minute)

    kinds: list[tuple[str, Callable[[datetime], bool], bool]] = [
        (f"{minute} {hour} * * *", at, False),
        (f"{minute} {hour} * * {weekday % 7}", lambda wall: at(wall) and wall.isoweekday() == weekday, False),
        (f"{minute} {hour} {day} * *", lambda wall: at(wall) and wall.day == day, False),
        (f"{minute} {hour} L * *", lambda wall: at(wall) and (wall + DAY).day == 1, False),
        (
            f"{minute} {hour} {day} * {weekday % 7}",  # of both fields, either
            lambda wall: at(wall) and (wall.day == day or wall.isoweekday() == weekday),
            False,
        ),
        ("*/45 * * * *", lambda wall: wall.minute in (0, 45), True),
        (f"{minute} */3 * * *", lambda wall: wall.minute == minute and wall.hour % 3 == 0, True),
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def rules(draw: st.DrawFn, zone: str, day: date) -> Rule:
    """Of any kind, about days around that one."""
    fields: dict[str, Any] = {
        "timezone": zone,
        "priority": draw(st.integers(-1, 1)),
        "lead": 60 * draw(st.sampled_from([0, 0, 5, 90, 1440])),
        "menu_id": draw(st.integers(1, 5)),
    }
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    moments = st.integers(-3 * 96, 3 * 96).map(lambda quarters: middle + quarters * 15 * MINUTE)
    kind = draw(st.sampled_from(["once", "base", "weekly", "weekly", "cron", "cron", "cron"]))
    starts, by_elapsed = Rule(row()).starts, False
    if kind == "once" or (kind != "base" and draw(st.integers(0, 3)) == 3):
        fields["starts_at"], fields["ends_at"] = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
        fields[draw(st.sampled_from(["starts_at", "ends_at", "note"]))] = None
    if kind in ("cron", "weekly"):
        fields["days"] = draw(st.sampled_from(["all", "all", "workdays", "holidays"]))
    if kind == "cron":
        fields["cron"], starts, by_elapsed = draw(crons())
        fields["duration"] = 60 * draw(st.sampled_from([1, 10, 90, 1440, 2000, 2880]))
    if kind == "weekly":
        fields["weekdays"] = draw(st.sampled_from([None, "1,2,3,4,5", "6,7", "7", "5"]))
        choice = [
            None,
            "01:30-02:30",
            "02:15-02:45,03:00-12:00",
            "22:00-02:00",
            "09:00-12:00,12:00-24:00",
            "00:00-01:00",
        ]
        fields["hours"] = draw(st.sampled_from(choice))
    return Rule(row(**fields), starts, by_elapsed)


@lru_cache(maxsize=64)
def _walls(zone: str, day: date) -> list[tuple[datetime, datetime]]:
    """The minutes around a day, and what the clocks show."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - AROUND - LONGEST - 2 * DAY
    minutes = [begin + number * MINUTE for number in range((2 * (AROUND + LONGEST + 2 * DAY)) // MINUTE)]
    return [(at, at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for at in minutes]


def spans(rule: Rule, day: date, calendar: Calendar) -> list[Span]:
    """From when to when a rule is due around a day; what has no bound has the least or the greatest moment."""
    rotation = rule.rotation
    first = rotation.starts_at or datetime.min.replace(tzinfo=UTC)
    last = rotation.ends_at or datetime.max.replace(tzinfo=UTC)
    if rotation.cron is not None:
        found = _cron_spans(rule, day, calendar)
    elif rotation.weekdays or rotation.hours or rotation.days != "all":
        found = _weekly_spans(rotation, day, calendar)
    else:
        found = [(first, last)]
    clipped = [(max(start, first), min(end, last)) for start, end in found]
    return sorted((start, end) for start, end in clipped if start < end)


def _counts(rotation: RotationRow, day: date, calendar: Calendar) -> bool:
    worked = calendar.days[day] if day in calendar.days else day.isoweekday() <= 5
    return {"all": True, "workdays": worked, "holidays": not worked}[rotation.days]


@lru_cache(maxsize=64)
def _firsts(zone: str, day: date) -> dict[datetime, datetime]:
    """For each time on the wall, the first minute at which the clocks show it, or a later one."""
    firsts: dict[datetime, datetime] = {}
    walls = _walls(zone, day)
    wall = walls[0][1]
    for at, shown in walls:
        while wall <= shown:
            firsts[wall] = at
            wall += MINUTE
    return firsts


def _weekly_spans(rotation: RotationRow, day: date, calendar: Calendar) -> list[Span]:
    firsts, found = _firsts(rotation.timezone, day), []
    for midnight in [wall for wall in firsts if (wall.hour, wall.minute) == (0, 0)]:
        if rotation.weekdays and str(midnight.isoweekday()) not in rotation.weekdays:
            continue
        if not _counts(rotation, midnight.date(), calendar):
            continue
        for part in (rotation.hours or "00:00-24:00").split(","):
            start, end = [int(text[:2]) * 60 + int(text[3:]) for text in part.split("-")]
            walled = [midnight + minutes * MINUTE for minutes in (start, end if end > start else end + 1440)]
            if all(wall in firsts for wall in walled):
                found.append((firsts[walled[0]], firsts[walled[1]]))
    return found


def _cron_spans(rule: Rule, day: date, calendar: Calendar) -> list[Span]:
    walls = _walls(rule.rotation.timezone, day)
    shown = walls if rule.by_elapsed else [(at, wall) for wall, at in _firsts(rule.rotation.timezone, day).items()]
    local = dict(walls)
    starts = sorted({at for at, wall in shown if rule.starts(wall)})
    starts = [at for at in starts if _counts(rule.rotation, local[at].date(), calendar)]
    duration = timedelta(seconds=rule.rotation.duration or 0)
    return [
        (start, min([start + duration, *starts[number : number + 1]])) for number, start in enumerate(starts, start=1)
    ]


def due_at(at: datetime, known: Sequence[tuple[RotationRow, Sequence[Span]]]) -> tuple[RotationRow, Span] | None:
    """Which is due, and by which span: tried one after the other, first without leads."""
    lasting = _best_at(at, known)
    for rotation, span in sorted(_all(known), key=lambda one: one[1][0]):
        start = span[0]
        if not timedelta() < start - at <= timedelta(seconds=rotation.lead) or _best_at(start, known) != (
            rotation,
            span,
        ):
            continue
        if lasting is None or _is_base(lasting[0]):
            return rotation, span
        began_before = lasting[1][0] < start - timedelta(seconds=rotation.lead)
        if began_before and lasting[0].priority <= rotation.priority:
            return rotation, span
    return lasting


def _all(known: Sequence[tuple[RotationRow, Sequence[Span]]]) -> list[tuple[RotationRow, Span]]:
    return [(rotation, span) for rotation, spans in known for span in spans]


def _best_at(at: datetime, known: Sequence[tuple[RotationRow, Sequence[Span]]]) -> tuple[RotationRow, Span] | None:
    best = None
    for one in _all(known):
        if one[1][0] <= at < one[1][1] and (best is None or _beats(one, best)):
            best = one
    return best


def _beats(one: tuple[RotationRow, Span], other: tuple[RotationRow, Span]) -> bool:
    if _is_base(one[0]) != _is_base(other[0]):
        return _is_base(other[0])
    if one[0].priority != other[0].priority:
        return one[0].priority > other[0].priority
    if _length(one[1]) != _length(other[1]):
        return _length(one[1]) < _length(other[1])
    if one[1][0] != other[1][0]:
        return one[1][0] > other[1][0]
    return one[0].id > other[0].id


def _is_base(rotation: RotationRow) -> bool:
    rules = (rotation.starts_at, rotation.ends_at, rotation.cron, rotation.weekdays, rotation.hours)
    return not any(rules) and rotation.days == "all"


def _length(span: Span) -> timedelta:
    return timedelta.max if span[1].year == 9999 else span[1] - span[0]
