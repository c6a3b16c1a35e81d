"""Taps that belong to no menu that is known, and buttons that belong to no taps.

A button of a menu is known by its target: the kind of event that a tap of it makes, and the key or URL in that.
`workers/attribution.py targets` knows those of a menu.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, func, select

from models.asked import Accounts, is_tap, within
from models.event import Event

Target: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tapped:
    kind: str
    event_key: str | None
    taps: int
    unattributed: int  # of these; it is not known which menu their followers saw
    users: int
    last_at: datetime

    @property
    def target(self) -> tuple[str, str | None]:
        return self.kind, self.event_key


def tapped(connection: Connection, accounts: Accounts, since: datetime, until: datetime) -> list[Tapped]:
    """Everything that was tapped in this time, whichever menu it was in; the most often tapped first."""
    query = select(
        Event.kind,
        Event.event_key,
        func.count(),
        func.count() - func.count(Event.publication_id),
        func.count(Event.open_id.distinct()),
        func.max(Event.created_at),
    )
    query = query.where(*within(accounts, since, until), is_tap()).group_by(Event.kind, Event.event_key)
    query = query.order_by(func.count().desc(), Event.kind, Event.event_key)
    return [Tapped(*row) for row in connection.execute(query)]


def gone(found: Iterable[Tapped], live: Collection[Target]) -> list[Tapped]:
    """What was tapped and is not in the live menu. Shortly after a change that is usual: phones show the old one for
    minutes, and up to a day."""
    return [one for one in found if one.target not in live]


def untapped(found: Iterable[Tapped], live: Iterable[Target]) -> list[Target]:
    """The buttons of the live menu that nobody tapped, in order."""
    taken = {one.target for one in found}
    return sorted(target for target in set(live) if target not in taken)


def unattributed(found: Iterable[Tapped]) -> list[Tapped]:
    """What was tapped in menus that are not known, the most first: menus made elsewhere, or before Caidan's."""
    return sorted((one for one in found if one.unattributed), key=lambda one: -one.unattributed)
