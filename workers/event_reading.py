"""From the tables to the event that a handler gets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, select

from models import event as tables
from models.account import Account
from models.base import Base, table_of
from wechat import event as pushed
from workers.forget import is_pseudonym
from workers.handled_event import Event, Location, Message, Photos, Scan
from workers.rows import Rows, rows

_Detail = TypeVar("_Detail")


def handled_event(connection: Connection, event_id: UUID, created_at: datetime, attempt: int) -> Event | None:
    """The event of this id; None if it is gone, or its follower is forgotten."""
    query = select(*table_of(tables.Event).columns, Account.name.label("account"), Account.app_id).join_from(
        tables.Event, Account, Account.id == tables.Event.account_id
    )
    # The time leaves out other partitions.
    row = connection.execute(query.where(tables.Event.id == event_id, tables.Event.created_at == created_at)).first()
    if row is None or is_pseudonym(row.open_id):
        return None
    given: dict[str, Any] = {name: getattr(row, name) for name in pushed.Event.__struct_fields__}
    return typed(pushed.Event(**given), attempt)


def typed(event: pushed.Event, attempt: int = 1) -> Event:
    details = rows(event, 0, event.received_at)
    photos, sends = details.get(tables.Photo, []), details.get(tables.PhotoSend)
    given = {name: getattr(event, name) for name in event.__struct_fields__ if name != "body"}
    return Event(
        **given,
        body=event.body or {},
        scan=_one(details, tables.Scan, Scan, result="scan_result"),
        photos=Photos(sends[0]["declared_count"], tuple(photo["md5"] for photo in photos)) if sends else None,
        location=_one(details, tables.Location, Location),
        message=_one(details, tables.Message, Message),
        attempt=attempt,
    )


def _one(details: Rows, model: type[Base], kind: type[_Detail], **renamed: str) -> _Detail | None:
    found = details.get(model)
    if not found:
        return None
    names: Mapping[str, Any] = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: found[0][renamed.get(name, name)] for name in names})
