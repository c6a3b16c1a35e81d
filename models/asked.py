"""Which events a question is about: of which accounts, of what time by CreateTime, and what counts as doing something.

Every question names its time, so that PostgreSQL leaves out other months, and all databases read a range of the index
over account and time.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, or_

from models.base import table_of
from models.event import MENU_KINDS, Detail, Event

Accounts: TypeAlias = int | Collection[int]

_TAPS = tuple(sorted(MENU_KINDS))
# What followers do, besides sending messages. Reports of their position and of deliveries come without their doing.
_ACTS = (*_TAPS, "subscribe", "unsubscribe", "qrcode_scan")
_MESSAGE = "message_"


def within(accounts: Accounts, since: datetime | None, until: datetime) -> list[ColumnElement[bool]]:
    """Events of these accounts, from `since`, or ever, until before `until`."""
    ids = [accounts] if isinstance(accounts, int) else sorted(accounts)
    is_theirs = Event.account_id == ids[0] if len(ids) == 1 else Event.account_id.in_(ids)
    conditions = [is_theirs, Event.created_at < until]
    return conditions if since is None else [*conditions, Event.created_at >= since]


def detailed(
    query: Select[*tuple[Any, ...]], model: type[Detail], accounts: Accounts, since: datetime | None, until: datetime
) -> Select[*tuple[Any, ...]]:
    """The query over a table of particulars and the events they belong to."""
    event, detail = table_of(Event), table_of(model)
    same = (detail.c.event_id == event.c.id) & (detail.c.created_at == event.c.created_at)
    query = query.join_from(detail, event, same).where(*within(accounts, since, until))
    # The same again of the other table: not every planner concludes it.
    query = query.where(detail.c.created_at < until)
    return query if since is None else query.where(detail.c.created_at >= since)


def is_tap() -> ColumnElement[bool]:
    """Of a button of the menu."""
    return Event.kind.in_(_TAPS)


def is_act() -> ColumnElement[bool]:
    """What a follower did, and did on purpose."""
    return or_(Event.kind.in_(_ACTS), Event.kind.startswith(_MESSAGE, autoescape=True))


def is_kind_of_act(kind: str) -> bool:
    """The same of a kind alone."""
    return kind in _ACTS or kind.startswith(_MESSAGE)
