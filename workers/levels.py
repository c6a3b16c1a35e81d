"""The levels of the rollups: each bucket is the sum of those below it, and is made anew when one of them has changed.

Only the buttons that have changed are looked at: so it costs what changed, however large the day or the menu is.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from models.base import table_of
from models.local_hours import Hour, monday_of
from models.months import later, month_of
from models.rollup import (
    ANY_PUBLICATION,
    NO_MENU_ID,
    Answer,
    Count,
    RollupDay,
    RollupHour,
    RollupMinute,
    RollupMonth,
    RollupSlot,
    RollupWeek,
)
from workers.counting import Cell, Cells, Key, merged

Buttons: TypeAlias = frozenset[int]

_IN_A_STATEMENT = 500  # buttons; of more, all are read
_MINUTE = timedelta(minutes=1)
_NONE: Buttons = frozenset()


def write_slots(connection: Connection, account_id: int, slots: Mapping[datetime, Cells], hour: Hour) -> Buttons:
    """Let slots of an hour be these, and with them minutes and hour; the buttons that the hour has changed of."""
    minutes: dict[datetime, Buttons] = {}
    for slot, cells in slots.items():
        minute = slot.replace(second=0)
        minutes[minute] = minutes.get(minute, _NONE) | _replace(
            connection, RollupSlot, account_id, {"starts_at": slot}, cells
        )
    changed = _NONE
    for minute, buttons in minutes.items():
        if buttons:
            below = and_(RollupSlot.starts_at >= minute, RollupSlot.starts_at < minute + _MINUTE)
            cells = _read(connection, RollupSlot, account_id, below, buttons)
            changed |= _replace(connection, RollupMinute, account_id, {"starts_at": minute}, cells, buttons)
    if not changed:
        return _NONE
    below = and_(RollupMinute.starts_at >= hour.starts_at, RollupMinute.starts_at < hour.ends_at)
    return write_hour(
        connection, account_id, hour, _read(connection, RollupMinute, account_id, below, changed), changed
    )


def write_hour(
    connection: Connection, account_id: int, hour: Hour, cells: Cells, buttons: Buttons | None = None
) -> Buttons:
    """Let an hour be this, or some buttons of it; those that have changed."""
    place = {"day": hour.day, "starts_at": hour.starts_at}
    return _replace(connection, RollupHour, account_id, place, cells, buttons)


def write_day(connection: Connection, account_id: int, day: date, buttons: Buttons) -> None:
    """Sum the hours of a day, and the days of its week and its month, for buttons that have changed."""
    if not buttons:
        return
    cells = _read(connection, RollupHour, account_id, RollupHour.day == day, buttons)
    changed = _replace(connection, RollupDay, account_id, {"day": day}, cells, buttons)
    if changed:
        write_week(connection, account_id, monday_of(day), changed)
        write_month(connection, account_id, month_of(day), changed)


def write_week(connection: Connection, account_id: int, monday: date, buttons: Buttons | None = None) -> None:
    below = RollupDay.day.between(monday, monday + timedelta(days=6))
    cells = _read(connection, RollupDay, account_id, below, buttons)
    _replace(connection, RollupWeek, account_id, {"monday": monday}, cells, buttons)


def write_month(connection: Connection, account_id: int, month: date, buttons: Buttons | None = None) -> None:
    below = and_(RollupDay.day >= month, RollupDay.day < later(month))
    cells = _read(connection, RollupDay, account_id, below, buttons)
    _replace(connection, RollupMonth, account_id, {"month": month}, cells, buttons)


def is_whole(connection: Connection, account_id: int, hour: Hour) -> bool:
    """Whether the slots of an hour that are there are all it has: it is new, or they have not gone yet."""
    minute = select(RollupMinute.account_id).where(RollupMinute.account_id == account_id)
    minute = minute.where(RollupMinute.starts_at >= hour.starts_at, RollupMinute.starts_at < hour.ends_at)
    if connection.scalar(minute.limit(1)) is not None:
        return True
    same = (RollupHour.account_id == account_id, RollupHour.day == hour.day, RollupHour.starts_at == hour.starts_at)
    return connection.scalar(select(RollupHour.account_id).where(*same).limit(1)) is None


def drop_slots(connection: Connection, account_id: int, before: datetime) -> None:
    """Of hours that are over, each as a whole."""
    connection.execute(delete(RollupSlot).where(RollupSlot.account_id == account_id, RollupSlot.starts_at < before))
    connection.execute(
        delete(RollupMinute).where(RollupMinute.account_id == account_id, RollupMinute.starts_at < before)
    )


def _read(
    connection: Connection, model: type[Count], account_id: int, place: ColumnElement[bool], buttons: Buttons | None
) -> Cells:
    """The sums of buckets, by what is counted apart."""
    columns = (model.button_id, model.publication_id, model.wechat_menu_id, model.taps, model.followers)
    query = select(*columns).where(model.account_id == account_id, place, model.publication_id != ANY_PUBLICATION)
    if buttons is not None and len(buttons) <= _IN_A_STATEMENT:
        query = query.where(model.button_id.in_(sorted(buttons)))
    return merged(
        (Key(button_id, publication_id, menu_id), Cell(taps, BitMap.deserialize(followers)))
        for button_id, publication_id, menu_id, taps, followers in connection.execute(query)
        if buttons is None or button_id in buttons
    )


def _replace(
    connection: Connection,
    model: type[Count],
    account_id: int,
    place: Mapping[str, Any],
    cells: Cells,
    buttons: Buttons | None = None,
) -> Buttons:
    """Let a bucket be this, or some buttons of it; those that have changed."""
    here = and_(*(getattr(model, name) == value for name, value in place.items()))
    old = _read(connection, model, account_id, here, buttons)
    changed = frozenset(key.button_id for key in old.keys() | cells.keys() if old.get(key) != cells.get(key))
    if not changed:
        return changed
    if old_keys := [key for key in old if key.button_id in changed]:
        _delete(connection, model, account_id, here, old_keys)
    if rows := list(_rows(model, {"account_id": account_id, **place}, cells, changed)):
        connection.execute(insert(table_of(model)), rows)
    return changed


def _delete(
    connection: Connection, model: type[Count], account_id: int, here: ColumnElement[bool], keys: list[Key]
) -> None:
    buttons = sorted({key.button_id for key in keys})
    for start in range(0, len(buttons), _IN_A_STATEMENT):
        part = buttons[start : start + _IN_A_STATEMENT]
        connection.execute(delete(model).where(model.account_id == account_id, here, model.button_id.in_(part)))


def _rows(model: type[Count], place: Mapping[str, Any], cells: Cells, buttons: Buttons) -> Iterator[dict[str, Any]]:
    parts: dict[int, list[Key]] = {}
    for key in sorted(cells):
        if key.button_id in buttons:
            parts.setdefault(key.button_id, []).append(key)
    is_asked_for = issubclass(model, Answer)
    for button_id, keys in parts.items():
        for key in keys:
            row = {**place, **key._asdict(), **_counts(cells[key])}
            yield row | {"is_whole": len(keys) == 1} if is_asked_for else row
        if is_asked_for and len(keys) > 1:
            of_any = Key(button_id, ANY_PUBLICATION, NO_MENU_ID)
            yield {**place, **of_any._asdict(), **_sum([cells[key] for key in keys]), "is_whole": True}


def _sum(cells: list[Cell]) -> dict[str, Any]:
    return _counts(Cell(sum(cell.taps for cell in cells), BitMap.union(*(cell.followers for cell in cells))))


def _counts(cell: Cell) -> dict[str, Any]:
    cell.followers.run_optimize()
    return {"taps": cell.taps, "users": len(cell.followers), "followers": cell.followers.serialize()}
