"""Events tied anew to the publications that their users saw, after these, the clocks or the rule have changed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, select, update

from models import walk
from models.db import transaction
from models.event import Event
from models.walk import AnyRow, Selection
from workers.attribution import Attribution, Case
from workers.histories import Asked, attributed, histories
from workers.marks import mark


@dataclass
class Attributed:
    """What became of a page of events, the last of which is of the moment `reached`."""

    events: int
    reached: datetime
    changed: int = 0
    taps: Counter[Case] = field(default_factory=Counter)  # by the case of their attribution


def attribute_again(engine: Engine, selection: Selection, *, dry_run: bool = False) -> Iterator[Attributed]:
    """Let events tell the publications that the rule finds for them today, page by page, each in one transaction.

    What is as it should be is not touched. It may be ended anywhere and begun again.
    """
    with engine.connect() as connection:
        for events in walk.pages(connection, selection):
            found = _attributed(connection, events)
            connection.rollback()  # or this one would look at the state of now for as long as it takes
            taps = Counter(one.case for one in found.values() if one)
            differing = [event for event in events if _differs(event, found[event.id])]
            attributed = Attributed(len(events), events[-1].created_at, len(differing), taps)
            if differing and not dry_run:
                with transaction(engine) as writing:
                    attributed.changed = _mend(writing, differing)
            yield attributed


def _attributed(connection: Connection, events: Sequence[AnyRow]) -> dict[UUID, Attribution | None]:
    known = histories(connection, {event.account_id for event in events})
    asked: list[Asked] = [(one.account_id, one.kind, one.event_key, one.wechat_menu_id) for one in events]
    found = attributed(asked, [event.created_at for event in events], known)
    return {event.id: one for event, one in zip(events, found, strict=True)}


def _differs(event: AnyRow, found: Attribution | None) -> bool:
    return bool(event.publication_id != (found.publication_id if found else None))


def _mend(connection: Connection, events: Sequence[AnyRow]) -> int:
    """Change what differs: looked at once more, locked in the order of keys, so that nobody waits in a circle."""
    columns = (Event.id, Event.created_at, Event.account_id, Event.kind, Event.event_key)
    query = select(*columns, Event.wechat_menu_id, Event.publication_id)
    query = query.where(*walk.among(Event.id, Event.created_at, events)).order_by(Event.id).with_for_update()
    locked = connection.execute(query).all()
    found = _attributed(connection, locked)
    differing: defaultdict[int | None, list[AnyRow]] = defaultdict(list)
    for event in locked:
        if _differs(event, one := found[event.id]):
            differing[one.publication_id if one else None].append(event)
    for publication_id, changed in differing.items():
        these = walk.among(Event.id, Event.created_at, changed)
        connection.execute(update(Event).where(*these).values(publication_id=publication_id))
    changed_events = [event for changed in differing.values() for event in changed]
    mark(connection, {(event.account_id, event.created_at) for event in changed_events})
    return len(changed_events)
