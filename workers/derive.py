"""Detail rows derived again from the bodies of events, after the code for a kind has changed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from models import walk
from models.base import table_of
from models.db import transaction
from models.event import Detail, Event
from models.queries import DETAILS
from models.refusal import is_refusal
from models.walk import AnyRow, Selection
from wechat import event as pushed
from workers.forget import is_pseudonym
from workers.rows import RefusedError, rows

Details: TypeAlias = dict[type[Detail], list[dict[str, Any]]]


@dataclass
class Derived:
    """What became of a page of events, the last of which is of the moment `reached`."""

    events: int
    reached: datetime
    changed: set[UUID] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)  # why, and how many: they stay as they are


def derive_again(engine: Engine, selection: Selection, *, dry_run: bool = False) -> Iterator[Derived]:
    """Let the detail rows of events be what this program makes of them, page by page, each in one transaction.

    What is as it should be is not touched. It may be ended anywhere and begun again.
    """
    with engine.connect() as connection:
        for events in walk.pages(connection, selection):
            wanted, refused = _differing(connection, events)
            connection.rollback()  # or this one would look at the state of now for as long as it takes
            derived = Derived(len(events), events[-1].created_at, set(wanted), refused)
            if wanted and not dry_run:
                with transaction(engine) as writing:
                    _mend(writing, [event for event in events if event.id in wanted], derived)
            yield derived


def _differing(connection: Connection, events: Sequence[AnyRow]) -> tuple[dict[UUID, Details], Counter[str]]:
    """What the details of events should be, where they are not; and how many events are refused now, and why."""
    wanted: dict[UUID, Details] = {}
    refused: Counter[str] = Counter()
    stored = _stored(connection, events)
    for event in events:
        if is_pseudonym(event.open_id):
            continue  # whoever was forgotten has no body any more: its details cannot be made from it
        try:
            details = _details(event)
        except RefusedError as error:
            refused[f"{error.reason}: {error.column}"] += 1
        else:
            if details != stored.get(event.id, {}):
                wanted[event.id] = details
    return wanted, refused


def _mend(connection: Connection, events: Sequence[AnyRow], derived: Derived) -> None:
    """Replace the details of events whose details differ: looked at once more, now that nobody else can change them."""
    query = select(*table_of(Event).columns).where(*walk.among(Event.id, Event.created_at, events)).order_by(Event.id)
    locked = connection.execute(query.with_for_update()).all()
    wanted, refused = _differing(connection, locked)
    derived.changed = set(wanted)
    derived.refused.update(refused)
    parts = [[event for event in locked if event.id in wanted]]
    while parts:
        part = parts.pop()
        try:
            with connection.begin_nested():
                _replace(connection, part, wanted)
        except DBAPIError as error:
            if not is_refusal(error):
                raise
            if len(part) > 1:
                parts += [[event] for event in part]
            else:
                derived.changed.remove(part[0].id)
                derived.refused["row_refused"] += 1


def _replace(connection: Connection, events: Sequence[AnyRow], wanted: dict[UUID, Details]) -> None:
    if not events:
        return
    for model in DETAILS:
        connection.execute(table_of(model).delete().where(*walk.among(model.event_id, model.created_at, events)))
        if made := [row for event in events for row in wanted[event.id].get(model, ())]:
            connection.execute(table_of(model).insert(), made)


def _details(event: AnyRow) -> Details:
    """What this program would put beside an event.

    Raises RefusedError.
    """
    read = pushed.Event(
        id=event.id,
        app_id="",
        account="",
        kind=event.kind,
        created_at=event.created_at,
        received_at=event.received_at,
        body=event.body,
    )
    made = rows(read, event.account_id, event.recorded_at)
    return {model: made[model] for model in DETAILS if made.get(model)}


def _stored(connection: Connection, events: Sequence[AnyRow]) -> dict[UUID, Details]:
    """The details that events have, each in the order of its key."""
    stored: dict[UUID, Details] = {}
    for model in DETAILS if events else ():
        table = table_of(model)
        query = select(*table.columns).where(*walk.among(model.event_id, model.created_at, events))
        for row in connection.execute(query.order_by(*table.primary_key)).mappings():
            stored.setdefault(row["event_id"], {}).setdefault(model, []).append(dict(row))
    return stored
