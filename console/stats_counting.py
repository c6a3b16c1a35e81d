"""Taps and users of a time beside those of the time before: lines of a table, for each thing or each period of it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from console.i18n import _
from console.rotation_calendar import weekday
from console.stats_asked import Question
from console.stats_tables import Column, Row, Table, change, number, ratio
from console.stats_time import Time

if TYPE_CHECKING:
    from models.rollups import By, Of, Period
    from models.rollups import Row as CountRow

Describe: TypeAlias = Callable[[Any], Row]
"""What the columns of its name hold, of something that was tapped."""


class Counting:
    """Reads the counts of a question, by what it is about."""

    def __init__(self, one: Question, time: Time, of: "Of", buttons: Collection[int] | None) -> None:
        """Raises InvalidInputError where the time is not of whole days."""
        self.one, self.of, self.buttons = one, of, buttons
        self.days, self.days_before = time.days(), time.days_before()

    def now(self, by: "By") -> "dict[tuple[Period, Any], CountRow]":
        return self._counts(self.days, by, self.of)

    def before(self, by: "By") -> "dict[tuple[Period, Any], CountRow]":
        """By the periods of now that they are compared with: the first with the first."""
        found = self._counts(self.days_before, by, self.of)
        now, then = (periods(*days, by, self.one.zone) for days in (self.days, self.days_before))
        same = dict(zip(then, now, strict=False))  # months are not of one length
        return {(same[period], what): row for (period, what), row in found.items() if period in same}

    def total(self) -> dict[str, Any]:
        """Of everything together."""
        found = [self._counts(days, "total", "account") for days in (self.days, self.days_before)]
        row, before = (next(iter(rows.values()), None) for rows in found)
        return _figures(row, before)

    def _counts(self, days: tuple[date, date], by: "By", of: "Of") -> "dict[tuple[Period, Any], CountRow]":
        from models.rollups import taps

        one = self.one
        rows = taps(one.connection, one.account_id, *days, by=by, of=of, buttons=self.buttons)
        return {(row.period, row.what): row for row in rows}


def lines(counting: Counting, by: "By | None", describe: Describe, always: Iterable[Any] = ()) -> list[Row]:
    """What was tapped most first, and of each its periods in order; also what was tapped only before, or never."""
    wanted = by or "total"
    found, before = counting.now(wanted), counting.before(wanted)
    sums = dict.fromkeys(always, 0) | {what: 0 for _period, what in [*found, *before]}
    for (_period, what), row in found.items():
        sums[what] += row.taps
    return [
        {"period": _local(period, counting.one.zone)}
        | dict(describe(what))
        | _figures(found.get((period, what)), before.get((period, what)))
        for what in sorted(sums, key=lambda what: (-sums[what], str(what)))
        for period in _begun(periods(*counting.days, wanted, counting.one.zone), counting.one.now)
    ]


def table(counted: Sequence[Row], by: "By | None", columns: Sequence[Column], totals: Sequence[Row]) -> Table:
    """`totals` has a row for each thing, in the same order; of several, people are shown these."""
    whole = [*columns, *_columns()]
    if by is None:
        return Table("", whole, counted, bars="taps")
    period = Column("period", _heading(by), period_words(by))
    return Table("", [period, *whole], counted, bars="taps", drawn=_trends(counted, totals, columns))


def _trends(counted: Sequence[Row], totals: Sequence[Row], columns: Sequence[Column]) -> Table | None:
    if len(totals) < 2:
        return None
    each = len(counted) // len(totals)
    taps = [row["taps"] for row in counted]
    courses = [taps[place : place + each] for place in range(0, len(taps), each)]
    return Table("", [*columns, *_columns()], totals, courses=courses)


def periods(first: date, last: date, by: "By", zone: ZoneInfo) -> "list[Period]":
    """All there are from one day to another, also those without taps, as `models/rollups.py` names them."""
    from models.local_hours import monday_of
    from models.months import month_of, span

    if by == "total":
        return [first]
    if by == "month":
        return list(span(month_of(first), last))
    if by == "hour":
        return list(_hours(first, last, zone))
    begin, step = (monday_of(first), 7) if by == "week" else (first, 1)
    return [begin + timedelta(days=days) for days in range(0, (last - begin).days + 1, step)]


def _hours(first: date, last: date, zone: ZoneInfo) -> Iterator[datetime]:
    from models.local_hours import hour_of

    begin, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, last + timedelta(days=1)))
    moment = begin.astimezone(UTC)
    while moment < end:
        yield moment
        moment = hour_of(moment, zone).ends_at


def _begun(found: "list[Period]", now: datetime) -> "list[Period]":
    """Of today there may be hours to come; of what has not come, days are left out already."""
    return [period for period in found if not isinstance(period, datetime) or period <= now]


def _local(period: "Period", zone: ZoneInfo) -> "Period":
    return period.astimezone(zone) if isinstance(period, datetime) else period


def _figures(row: "CountRow | None", before: "CountRow | None") -> dict[str, Any]:
    taps, users = (row.taps, row.users) if row else (0, 0)
    taps_before, users_before = (before.taps, before.users) if before else (0, 0)
    return {
        "taps": taps,
        "users": users,
        "taps_per_user": taps / users if users else None,
        "taps_before": taps_before,
        "users_before": users_before,
        "change": (taps - taps_before) / taps_before if taps_before else None,
    }


def _columns() -> list[Column]:
    return [
        number("taps", _("Taps")),
        number("users", _("Users")),
        ratio("taps_per_user", _("Per user")),
        number("taps_before", _("Taps before")),
        number("users_before", None),
        change("change", _("Change")),
    ]


def _heading(by: "By") -> str:
    return {"hour": _("Hour"), "day": _("Day"), "week": _("Week from"), "month": _("Month")}[by]


def period_words(by: "By") -> Callable[[Any], str]:
    if by == "hour":
        return lambda period: f"{period:%Y-%m-%d %H:%M}"
    if by == "day":
        return lambda period: f"{period} {weekday(period)}"
    return lambda period: f"{period:%Y-%m}" if by == "month" else str(period)
