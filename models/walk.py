"""Walking through many events, page by page: in constant memory, and in the order of their ids, which is time's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select

from models.base import Base, table_of
from models.event import Detail, Event
from models.partition import PARTITIONED

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]

PAGE = 500  # rows; with bodies of the largest pushes still only 32 MB
_STEP = timedelta(days=1)  # that one statement looks through: a rare kind may have no event in a whole year
_END = 2**48 - 2  # the last millisecond that an id can tell, but one


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events; by default all."""

    account_id: int | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def pages(connection: Connection, selection: Selection, model: type[Base] = Event) -> Iterator[Sequence[AnyRow]]:
    """All rows of `event` that a selection chooses, or the rows of a detail table that belong to them.

    Between two pages the caller may end the connection's transaction.
    """
    start = _first(connection, selection, model)
    while start is not None:
        until = min(moment for moment in (start + _STEP, selection.until) if moment)
        yield from _pages_within(connection, replace(selection, since=start, until=until), model)
        start = _first(connection, replace(selection, since=until), model)


def span(connection: Connection, selection: Selection) -> tuple[datetime, datetime] | None:
    """The times of the first and the last event, as a measure of progress; their kind is not looked at."""
    first = _first(connection, selection, Event)
    last = _first(connection, selection, Event, newest=True)
    return (first, last) if first and last else None


def among(key: Any, created_at: Any, events: Sequence[AnyRow]) -> list[ColumnElement[bool]]:
    """Rows of these events, by their key; the times say no more, but leave out other months."""
    times = [event.created_at for event in events]
    return [key.in_([event.id for event in events]), created_at.between(min(times), max(times))]


def see_one_state(connection: Connection) -> None:
    """Let a connection that has not begun yet see the tables as they are now for as long as it reads.

    It may be silent for long, while whoever takes what it reads is busy.
    """
    if connection.dialect.name == "sqlite":
        return  # every transaction there sees one state
    connection.execution_options(isolation_level="REPEATABLE READ")
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        # Before the first look, which decides what is seen: rows must not move to a partition that is too young for it.
        tables = ", ".join(table_of(model).name for model in PARTITIONED)
        connection.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")


def _pages_within(connection: Connection, selection: Selection, model: type[Base]) -> Iterator[Sequence[AnyRow]]:
    table, key = table_of(model), _key(model)
    query = _of_kind(_chosen(select(*table.columns), selection, model), selection, model)
    positions = [column for column in table.primary_key if column.name not in (key.key, "created_at")]
    query = query.order_by(*_order(selection, model), *positions).limit(PAGE)
    after: AnyRow | None = None
    while True:
        page = query if after is None else query.where(*_later(table.c[key.key], positions, after))
        rows = connection.execute(page).all()
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1]


def _first(connection: Connection, selection: Selection, model: type[Base], *, newest: bool = False) -> datetime | None:
    """When the first row was created; of whatever kind, so that an index tells."""
    query = _chosen(select(table_of(model).c.created_at), selection, model)
    order = [column.desc() if newest else column for column in _order(selection, model)]
    found: datetime | None = connection.scalar(query.order_by(*order).limit(1))
    return found


def _chosen(query: AnySelect, selection: Selection, model: type[Base]) -> AnySelect:
    """With the conditions of a selection but its kind. The times come twice, once for the key, which begins with them:
    the primary key of most databases, while PostgreSQL leaves out the months before and after by the other."""
    key, created_at = _key(model), table_of(model).c.created_at
    if selection.account_id is not None and model is Event:
        query = query.where(Event.account_id == selection.account_id)
    if selection.since is not None:
        query = query.where(created_at >= selection.since, key >= _first_id(_milliseconds(selection.since)))
    if selection.until is not None:
        query = query.where(created_at < selection.until, key < _first_id(_milliseconds(selection.until) + 1))
    return query


def _of_kind(query: AnySelect, selection: Selection, model: type[Base]) -> AnySelect:
    conditions = []
    if selection.kind is not None:
        conditions.append(Event.kind == selection.kind)
    if model is Event:
        return query.where(*conditions)
    if selection.account_id is not None:
        conditions.append(Event.account_id == selection.account_id)
    if not conditions:
        return query
    same = (_key(model) == Event.id) & (table_of(model).c.created_at == Event.created_at)
    return query.join_from(table_of(model), table_of(Event), same).where(*conditions)


def _order(selection: Selection, model: type[Base]) -> list[ColumnElement[Any]]:
    """The same order either way; each is the order of an index."""
    key = _key(model)
    by_time = model is Event and selection.account_id is not None
    return [table_of(model).c.created_at, key] if by_time else [key]


def _later(key: ColumnElement[Any], positions: Sequence[Any], after: AnyRow) -> list[ColumnElement[bool]]:
    last = getattr(after, str(key.key))
    if not positions:
        return [key > last]
    (position,) = positions
    return [key >= last, or_(key > last, position > getattr(after, position.name))]


def _key(model: type[Base]) -> Any:
    return model.event_id if issubclass(model, Detail) else Event.id


def _milliseconds(moment: datetime) -> int:
    return min(max(0, int(moment.timestamp() * 1000)), _END)


def _first_id(milliseconds: int) -> UUID:
    return UUID(int=milliseconds << 80)
