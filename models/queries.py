"""What the tables say: events, their particulars, and quarantine. `models/summary.py` counts them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from models.account import Account
from models.base import table_of
from models.event import Detail, Event, Location, Message, Photo, PhotoSend, Scan
from models.quarantine import Quarantine

DETAILS: tuple[type[Detail], ...] = (Scan, PhotoSend, Photo, Location, Message)


@dataclass(frozen=True, slots=True)
class EventRow:
    id: UUID
    created_at: datetime
    account: str
    kind: str
    open_id: str | None
    event_key: str | None
    wechat_menu_id: str | None
    msg_id: str | None
    received_at: datetime
    recorded_at: datetime
    publication_id: int | None  # of the menu that the user of a tap saw


@dataclass(frozen=True, slots=True)
class FullEvent:
    """An event with all there is about it: the rows of the detail tables by table, without the event's key."""

    event: EventRow
    body: dict[str, Any] | None
    details: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    id: UUID
    account: str | None
    reason: str
    detail: str
    received_at: datetime | None
    quarantined_at: datetime
    replayed_at: datetime | None


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    row: QuarantineRow
    raw: bytes


def account_id(connection: Connection, name: str) -> int | None:
    return connection.scalar(select(Account.id).where(Account.name == name))


def account_names(connection: Connection) -> list[str]:
    return list(connection.scalars(select(Account.name).order_by(Account.name)))


def events(
    connection: Connection,
    *,
    account_id: int | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[EventRow]:
    """The newest events first. The last one's id, as `before`, asks for the next page: ids sort by `created_at`."""
    query = _events(account_id, kind).limit(limit)
    if since is not None:
        query = query.where(Event.created_at >= since)
    if until is not None:
        query = query.where(Event.created_at < until)
    if before is not None:
        query = query.where(Event.id < before)
    # The same order either way; each is the order of an index.
    order = [Event.id.desc()] if account_id is None else [Event.created_at.desc(), Event.id.desc()]
    return [_event_row(row) for row in connection.execute(query.order_by(*order))]


def events_after(
    connection: Connection,
    recorded_at: datetime,
    event_id: UUID,
    *,
    account_id: int | None = None,
    kind: str | None = None,
    limit: int = 500,
) -> list[EventRow]:
    """Events in the order of their recording, after one of them: for watching them arrive.

    Not for counting: a transaction that takes long commits behind the reader's back.
    """
    after = or_(Event.recorded_at > recorded_at, and_(Event.recorded_at == recorded_at, Event.id > event_id))
    # The first condition says no more than `after`, but in words that every planner can use an index for.
    query = _events(account_id, kind).where(Event.recorded_at >= recorded_at, after)
    return [_event_row(row) for row in connection.execute(query.order_by(Event.recorded_at, Event.id).limit(limit))]


def last_recorded(connection: Connection) -> tuple[datetime, UUID] | None:
    """Where `events_after` goes on for whoever wants only what is yet to come."""
    query = select(Event.recorded_at, Event.id).order_by(Event.recorded_at.desc(), Event.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return (row.recorded_at, row.id) if row else None


def event(connection: Connection, event_id: UUID) -> FullEvent | None:
    row = connection.execute(_events().add_columns(Event.body).where(Event.id == event_id)).one_or_none()
    if row is None:
        return None
    details = {table_of(model).name: _details(connection, model, row) for model in DETAILS}
    return FullEvent(_event_row(row), row.body, {name: rows for name, rows in details.items() if rows})


def event_ids(connection: Connection, *, since: datetime | None = None) -> Iterator[UUID]:
    """The ids of all events, in order, read piece by piece: to be compared with a ledger."""
    query = select(Event.id).order_by(Event.id)
    if since is not None:
        query = query.where(Event.created_at >= since)
    yield from connection.execution_options(yield_per=10_000).scalars(query)


def quarantined(connection: Connection, *, account_id: int | None = None, limit: int = 50) -> list[QuarantineRow]:
    """The newest first."""
    query = _quarantine().order_by(Quarantine.quarantined_at.desc(), Quarantine.id.desc()).limit(limit)
    if account_id is not None:
        query = query.where(Quarantine.account_id == account_id)
    return [_quarantine_row(row) for row in connection.execute(query)]


def quarantine_item(connection: Connection, item_id: UUID) -> QuarantineItem | None:
    row = connection.execute(_quarantine().add_columns(Quarantine.raw).where(Quarantine.id == item_id)).one_or_none()
    return QuarantineItem(_quarantine_row(row), row.raw) if row else None


def quarantine_ids(connection: Connection) -> Iterator[UUID]:
    yield from connection.execution_options(yield_per=10_000).scalars(select(Quarantine.id).order_by(Quarantine.id))


def _events(account_id: int | None = None, kind: str | None = None) -> Select[*tuple[Any, ...]]:
    query = select(
        Event.id,
        Event.created_at,
        Account.name.label("account"),
        Event.kind,
        Event.open_id,
        Event.event_key,
        Event.wechat_menu_id,
        Event.msg_id,
        Event.received_at,
        Event.recorded_at,
        Event.publication_id,
    ).join_from(Event, Account, Account.id == Event.account_id)
    conditions: list[ColumnElement[bool]] = []
    if account_id is not None:
        conditions.append(Event.account_id == account_id)
    if kind is not None:
        conditions.append(Event.kind == kind)
    return query.where(*conditions)


def _event_row(row: Row[*tuple[Any, ...]]) -> EventRow:
    return EventRow(*row[:11])


def _details(connection: Connection, model: type[Detail], event: Row[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    table = table_of(model)
    columns = [column for column in table.columns if column.name not in ("event_id", "created_at")]
    query = select(*columns).where(model.event_id == event.id, model.created_at == event.created_at)
    return [dict(row) for row in connection.execute(query.order_by(*table.primary_key)).mappings()]


def _quarantine() -> Select[*tuple[Any, ...]]:
    return select(
        Quarantine.id,
        Account.name.label("account"),
        Quarantine.reason,
        Quarantine.detail,
        Quarantine.received_at,
        Quarantine.quarantined_at,
        Quarantine.replayed_at,
    ).outerjoin_from(Quarantine, Account, Account.id == Quarantine.account_id)


def _quarantine_row(row: Row[*tuple[Any, ...]]) -> QuarantineRow:
    return QuarantineRow(*row[:7])
