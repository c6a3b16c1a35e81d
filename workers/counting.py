"""From events to counts: how often each button was tapped in a time, and by whom.

The database groups, because a row of each event would cost more than all the rest; what it hands over for each button
is the list of its followers' numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import msgspec
from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, and_, case, func, select, text

from models.event import DOCTORS, MENU_KINDS, Event
from models.rollup import NO_MENU_ID, NO_PUBLICATION, WHOLE_MENU, Follower
from workers.numbering import Tapped, tapped


class Key(NamedTuple):
    """What is counted apart from all else."""

    button_id: int
    publication_id: int
    wechat_menu_id: str


class Cell(NamedTuple):
    """How often, and the numbers of whom."""

    taps: int
    followers: BitMap


Cells: TypeAlias = Mapping[Key, Cell]


@dataclass(frozen=True)
class Group:
    """Events that are counted together."""

    tapped: Tapped
    publication_id: int
    wechat_menu_id: str
    taps: int
    numbers: BitMap
    unnumbered: frozenset[str]  # openids


def groups(connection: Connection, account_id: int, since: datetime, until: datetime) -> list[Group]:
    """The events of an account from one moment until before another."""
    dialect = connection.dialect.name
    if dialect == "mysql":  # which would cut a list off, and say so in a warning
        connection.execute(text("SET SESSION group_concat_max_len = 1073741824"))
    what = (Event.kind, Event.event_key, Event.publication_id, Event.wechat_menu_id)
    query = select(
        *what,
        func.count(),
        _listed(dialect, Follower.number, Follower.number.is_not(None)),
        _listed(dialect, Event.open_id, and_(Follower.number.is_(None), Event.open_id.is_not(None))),
    )
    same = and_(Follower.account_id == Event.account_id, Follower.open_id == Event.open_id)
    query = query.outerjoin_from(Event, Follower, same).where(Event.account_id == account_id)
    query = query.where(Event.created_at >= since, Event.created_at < until, Event.kind != DOCTORS).group_by(*what)
    return [
        Group(
            tapped(kind, key),
            publication_id or NO_PUBLICATION,
            menu_id or NO_MENU_ID,
            count,
            BitMap(_list(numbers)),
            frozenset(_list(open_ids)),
        )
        for kind, key, publication_id, menu_id, count, numbers, open_ids in connection.execute(query)
    ]


def cells(found: Iterable[Group], buttons: Mapping[Tapped, int], numbers: Mapping[str, int]) -> Cells:
    """Counts by button, and those of the whole menu."""
    pairs = []
    for group in found:
        new = BitMap([numbers[open_id] for open_id in group.unnumbered if open_id in numbers])
        cell = Cell(group.taps, group.numbers | new if new else group.numbers)
        pairs.append((Key(buttons[group.tapped], group.publication_id, group.wechat_menu_id), cell))
        if group.tapped[0] in MENU_KINDS:
            pairs.append((Key(WHOLE_MENU, group.publication_id, group.wechat_menu_id), cell))
    return merged(pairs)


def merged(pairs: Iterable[tuple[Key, Cell]]) -> Cells:
    """Taps are added, followers united."""
    by_key: dict[Key, list[Cell]] = {}
    for key, cell in pairs:
        by_key.setdefault(key, []).append(cell)
    return {
        key: parts[0]
        if len(parts) == 1
        else Cell(sum(part.taps for part in parts), BitMap.union(*(part.followers for part in parts)))
        for key, parts in by_key.items()
    }


def _listed(dialect: str, value: Any, condition: ColumnElement[bool]) -> ColumnElement[Any]:
    """All values of a group that fulfil a condition."""
    if dialect == "postgresql":
        return func.array_agg(value).filter(condition)
    if dialect == "sqlite":
        return func.json_group_array(value).filter(condition)
    return func.json_arrayagg(case((condition, value)))


def _list(found: Any) -> list[Any]:
    if isinstance(found, str | bytes):
        return [value for value in msgspec.json.decode(found) if value is not None]
    return found or []
