"""Where followers were, by the places they chose; where too few of them were, nothing is told.

A follower is known by where they live. So cells and names are told of only if at least so many different people chose
them (`places_at_least` of the configuration); of all others together, how many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    Subquery,
    case,
    cast,
    func,
    literal,
    select,
)

from models.asked import Accounts, detailed
from models.event import Event, Location
from models.geohash import Box, box, geohash, grid
from models.long_text import entire

# By a button. The message that follows tells of the same place again, and reports of positions are of another datum.
CHOSEN = ("location_select",)


class Hidden(NamedTuple):
    """Cells or names that too few people chose, and how often these did."""

    groups: int
    times: int


@dataclass(frozen=True, slots=True)
class Cell:
    geohash: str
    box: Box
    times: int
    users: int


@dataclass(frozen=True, slots=True)
class Density:
    """The cells chosen most often; `more` others would be told of as well."""

    cells: list[Cell]
    more: int
    hidden: Hidden
    nowhere: int  # places without coordinates on earth


@dataclass(frozen=True, slots=True)
class Name:
    name: str | None  # of the place; it may have an address only
    label: str | None  # its address
    times: int
    users: int


@dataclass(frozen=True, slots=True)
class Names:
    names: list[Name]
    more: int
    hidden: Hidden
    unnamed: int


def density(
    connection: Connection,
    accounts: Accounts,
    since: datetime,
    until: datetime,
    *,
    level: int,
    at_least: int,
    event_key: str | None = None,
    kinds: Sequence[str] = CHOSEN,
    top: int = 1000,
) -> Density:
    """How often each cell of the grid of this level (1 to 9) was chosen, and by how many.

    Raises ValueError for any other level.
    """
    rows, columns = grid(level)
    latitude, longitude = _degrees(Location.latitude), _degrees(Location.longitude)
    is_on_earth = latitude.between(-90.0, 90.0) & longitude.between(-180.0, 180.0)
    row = _index(connection, latitude, 180.0, rows)
    column = _index(connection, longitude, 360.0, columns)
    places = _chosen(accounts, since, until, kinds, event_key).add_columns(
        case((is_on_earth, row)).label("first"), case((is_on_earth, column)).label("second")
    )
    found = _counted(connection, places.subquery(), (), at_least, top)
    cells = [Cell(geohash(*cell, level), box(*cell, level), *counts) for cell, counts in found.told]
    return Density(cells, found.more, found.hidden, found.without)


def top_names(
    connection: Connection,
    accounts: Accounts,
    since: datetime,
    until: datetime,
    *,
    at_least: int,
    event_key: str | None = None,
    kinds: Sequence[str] = CHOSEN,
    top: int = 20,
) -> Names:
    """The places chosen most often, by name and address; blanks around these say nothing."""
    name, address = (func.nullif(func.trim(text), "") for text in (Location.poi_name, Location.label))
    named = _chosen(accounts, since, until, kinds, event_key)
    place = named.add_columns(name.label("first"), address.label("second")).subquery()
    texts = (entire(place.c.first), entire(place.c.second))
    found = _counted(connection, place, texts, at_least, top)
    return Names([Name(*names, *counts) for names, counts in found.told], found.more, found.hidden, found.without)


def _chosen(
    accounts: Accounts, since: datetime, until: datetime, kinds: Sequence[str], event_key: str | None
) -> Select[*tuple[Any, ...]]:
    query = detailed(select(Event.open_id), Location, accounts, since, until).where(Event.kind.in_(kinds))
    return query if event_key is None else query.where(Event.event_key == event_key)


class _Counted(NamedTuple):
    told: list[tuple[tuple[Any, Any], tuple[int, int]]]  # what it is, times and users
    more: int
    hidden: Hidden
    without: int  # that are nothing


def _counted(connection: Connection, places: Subquery, texts: Sequence[entire], at_least: int, top: int) -> _Counted:
    """Places by `first` and `second`, which are nothing if both are null; `texts` for what of them is long.

    By person first: that is less work for a database than to count distinct ones. And all in one statement, since
    reading the places is most of it: its totals are of all groups, whichever rows it returns.
    """
    what = (places.c.first, places.c.second)
    person = select(*what, places.c.open_id, func.count().label("times"), *(text.label(None) for text in texts))
    each = person.group_by(*what, places.c.open_id, *texts).subquery()
    keys = [column for column in each.c if column.name not in ("open_id", "times")]
    groups = select(*keys[:2], func.sum(each.c.times).label("times"), func.count(each.c.open_id).label("users"))
    group = groups.group_by(*keys).subquery()
    is_nothing = group.c.first.is_(None) & group.c.second.is_(None)
    is_told = case((is_nothing, 0), (group.c.users >= at_least, 1), else_=0)
    is_hidden = case((is_nothing, 0), (group.c.users < at_least, 1), else_=0)
    sums = (is_told, is_hidden, is_hidden * group.c.times, case((is_nothing, group.c.times), else_=0))
    query = select(*group.c, is_told, *(func.sum(one).over() for one in sums))
    query = query.order_by(is_told.desc(), group.c.times.desc(), group.c.users.desc(), group.c.first, group.c.second)
    rows = connection.execute(query.limit(max(top, 1))).all()
    told, hidden, times, without = map(int, rows[0][5:]) if rows else (0, 0, 0, 0)  # sums of sums are decimal
    found = [((row[0], row[1]), (int(row[2]), row[3])) for row in rows[:top] if row[4]]
    return _Counted(found, told - len(found), Hidden(hidden, times), without)


def _degrees(column: Any) -> ColumnElement[float]:
    """As the floating number that is the same on all databases; text on SQLite."""
    return cast(column, Double)


def _index(connection: Connection, degrees: ColumnElement[float], around: float, count: int) -> ColumnElement[int]:
    """The row or column of a coordinate: from 0, of so many that are `around` degrees together."""
    exact = (degrees + around / 2) * float(count) / around
    # A conversion cuts on SQLite, which may not have `floor`, and rounds elsewhere; nothing here is below 0.
    whole = cast(exact, Integer) if connection.dialect.name == "sqlite" else cast(func.floor(exact), BigInteger)
    return case((whole >= count, literal(count - 1)), else_=whole)  # the pole, and 180° east
