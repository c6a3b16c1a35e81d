"""What the rollups answer: taps and users of a time, by period and by what was tapped.

Users are distinct people, exactly, whatever is put together. One button in one period, or the whole menu, is counted
already; of all else the sets of followers are united here. As little is read as will do: months, then weeks, then what
is left of a time as days.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

from pyroaring import BitMap
from sqlalchemy import Connection, Select, func, literal, or_, select

from models.db import BINARY
from models.event import MENU_KINDS
from models.live_time import Days
from models.local_hours import monday_of
from models.menu import Menu, Publication
from models.months import last_of, later, month_of
from models.rollup import (
    ANY_PUBLICATION,
    WHOLE_MENU,
    Answer,
    Button,
    RollupDay,
    RollupHour,
    RollupMonth,
    RollupWeek,
)

By: TypeAlias = Literal["hour", "day", "week", "month", "total"]
Of: TypeAlias = Literal["button", "kind", "publication", "version", "wechat_menu_id", "account"]
Period: TypeAlias = date | datetime
Group: TypeAlias = tuple[Period, Any]
"""A period, and what was tapped."""

_DAY = timedelta(days=1)
_AS_THEY_ARE = ("hour", "day")  # periods of which none is put together from smaller ones


class Row(NamedTuple):
    period: Period  # its first day, by the account's clock, or the moment at which its hour began
    what: Any  # the id of a button or a publication, a kind, a version, WeChat's id of a menu, the account's id
    taps: int
    users: int


@dataclass
class _Sum:
    taps: int = 0
    followers: list[BitMap] = field(default_factory=list)


class Level(NamedTuple):
    """A rollup: its time, and the column that days are looked for in."""

    model: type[Answer]
    time: Any
    within: Any


LEVELS: dict[By, Level] = {
    "hour": Level(RollupHour, RollupHour.starts_at, RollupHour.day),
    "day": Level(RollupDay, RollupDay.day, RollupDay.day),
    "week": Level(RollupWeek, RollupWeek.monday, RollupWeek.monday),
    "month": Level(RollupMonth, RollupMonth.month, RollupMonth.month),
}


def taps(
    connection: Connection,
    account_id: int,
    since: date,
    until: date,
    by: By = "total",
    of: Of = "account",
    buttons: Collection[int] | None = None,
) -> list[Row]:
    """Taps and users from one day to another, both included, by the account's clock; in the order of periods.

    Without `buttons` it is the menu's that count, but by kind all kinds of events. Where it is not known which menu was
    live, a version is None, a publication 0, and WeChat's id empty.
    """
    found: list[Row] = []
    sums: dict[Group, _Sum] = {}
    is_counted = of == "button" or (of == "account" and (buttons is None or len(buttons) == 1))
    first, last = (since, until) if by in _AS_THEY_ARE else widened(connection, account_id, since, until, by)
    for level, days in spans(first, last, by).items():
        model = LEVELS[level].model
        query = _select(LEVELS[level], days, account_id, of, buttons)
        if is_counted and level == by:
            counts = query.add_columns(model.taps, model.users).where(model.is_whole)
            found += map(Row._make, connection.execute(counts))
        else:
            is_read = model.is_whole if is_counted else model.publication_id != ANY_PUBLICATION
            sets = query.add_columns(model.taps, model.followers).where(is_read)
            for time, what, count, followers in connection.execute(sets):
                group = sums.setdefault((_period(time, since, by), what), _Sum())
                group.taps += count
                group.followers.append(BitMap.deserialize(followers))
    found += [Row(*group, one.taps, len(BitMap.union(*one.followers))) for group, one in sums.items()]
    # As they are, they are compared in no time; but not None with a number.
    return sorted(found, key=(lambda row: (row.period, row.what is not None, row.what)) if of == "version" else None)


def widened(connection: Connection, account_id: int, since: date, until: date, by: By = "total") -> Days:
    """The same time with those days around it, of its months or weeks, that nothing is known of.

    So these can be read whole: most questions are about a time until today, whose month has nothing after it yet. What
    is first rolled up of a day around it between this look and the reading would be counted with the rest.
    """
    low, high = month_of(since), last_of(until)
    if by == "week":
        low, high = monday_of(since), monday_of(until) + 6 * _DAY
    mine = RollupDay.account_id == account_id
    before = select(func.max(RollupDay.day)).where(mine, RollupDay.day >= low, RollupDay.day < since)
    after = select(func.min(RollupDay.day)).where(mine, RollupDay.day > until, RollupDay.day <= high)
    known_before, known_after = connection.execute(select(before.scalar_subquery(), after.scalar_subquery())).one()
    return known_before + _DAY if known_before else low, known_after - _DAY if known_after else high


def spans(since: date, until: date, by: By) -> dict[By, list[Days]]:
    """What to read for a time, of each rollup."""
    found: dict[By, list[Days]] = {}
    for level, *span in _split(since, until, by):
        if span[0] <= span[1]:
            found.setdefault(level, []).append((span[0], span[1]))
    return found


def _split(since: date, until: date, by: By) -> Iterator[tuple[By, date, date]]:
    """The largest that there are whole, then what is before and after them."""
    level: By
    smaller: By
    if by in ("hour", "day"):
        yield by, since, until
        return
    if by == "week":
        level, smaller = "week", "day"
        first, end = monday_of(since + 6 * _DAY), monday_of(until + _DAY)
    else:
        level, smaller = "month", "week"
        first, end = later(since - _DAY), month_of(until + _DAY)
    if first > end:
        yield from _split(since, until, smaller)
        return
    yield from _split(since, first - _DAY, smaller)
    yield level, first, end - _DAY
    yield from _split(end, until, smaller)


def _period(time: Period, since: date, by: By) -> Period:
    if by == "total":
        return since
    if by == "week":
        return monday_of(time)
    return month_of(time) if by == "month" else time


def _select(
    level: Level, days: Sequence[Days], account_id: int, of: Of, buttons: Collection[int] | None
) -> Select[*tuple[Any, ...]]:
    """Rows of a rollup that belong to a question: time and what was tapped, to which comes what else is wanted."""
    model = level.model
    what: dict[Of, Any] = {
        "button": model.button_id,
        "kind": Button.kind,
        "publication": model.publication_id,
        "version": Menu.version,
        "wechat_menu_id": model.wechat_menu_id,
        "account": model.account_id,
    }
    query: Select[*tuple[Any, ...]] = select(level.time, what[of]).select_from(model)
    query = query.execution_options(**BINARY)
    query = query.where(model.account_id == account_id, or_(*(level.within.between(*span) for span in days)))
    if of in ("button", "kind"):
        query = query.join(Button, Button.id == model.button_id)
    if of == "version":
        query = query.outerjoin(Publication, Publication.id == model.publication_id)
        query = query.outerjoin(Menu, Menu.id == Publication.menu_id)
    if buttons is not None:
        return query.where(model.button_id.in_(sorted(buttons)))
    if of == "button":
        return query.where(Button.kind.in_(sorted(MENU_KINDS)))
    # As a number in the statement, so that it is seen to be what an index is made for.
    return query if of == "kind" else query.where(model.button_id == literal(WHOLE_MENU, literal_execute=True))
