"""What handlers are to be called for, written down together with the events.

Whoever records knows handlers by their rows only: no package of a user's is ever imported here. And nothing is sent:
the workers of handlers look for what is due (workers/dispatch.py), so that a slow broker or a handler that is behind
costs a recording worker nothing but the rows.
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Pool, select

from models.bulk import insert_new
from models.event import DOCTORS
from models.handling import GONE_AFTER, PENDING, HandlerRow, Handling
from models.quarantine import open_id_hash
from wechat.event import Event
from wechat.glob import Glob

log = logging.getLogger(__name__)

# In which an earlier event of the follower may still be recorded, by another process or from another ingress.
ORDER_SLACK = timedelta(seconds=1)
_REMEMBERED = 10_000  # pairs of a kind and a key; keys of views are URLs, and there may be any number


class Row(NamedTuple):
    """What the tables say that a handler wants."""

    name: str
    kinds: Sequence[str]
    event_key: str | None
    accounts: Sequence[str]  # none is all
    is_ordered: bool


class Wanted:
    """The same, to be compared with events."""

    def __init__(self, row: Row) -> None:
        self.name, self.is_ordered, self._accounts = row.name, row.is_ordered, frozenset(row.accounts)
        self._kinds = [Glob(kind) for kind in row.kinds]
        self._key = None if row.event_key is None else Glob(row.event_key)

    def matches(self, account: str, kind: str, key: str | None) -> bool:
        if self._accounts and account not in self._accounts:
            return False
        if self._key is not None and (key is None or not self._key.matches(key)):
            return False
        return kind != DOCTORS and any(glob.matches(kind) for glob in self._kinds)


@dataclass
class _Known:
    rows: Sequence[Row] = ()
    wanted: Sequence[Wanted] = ()
    found: dict[tuple[str, str, str | None], list[Wanted]] = field(default_factory=dict)
    looked_at: float = -math.inf  # by the clock of `time.monotonic`


# By pool, as in workers/histories.py.
_known: "WeakKeyDictionary[Pool, _Known]" = WeakKeyDictionary()


def put_out(
    connection: Connection, events: Sequence[Event], accounts: Mapping[str, int], now: datetime, may_lag: float = 0.0
) -> None:
    """Write down who is to be called for these new events, which come sorted by id. What is known of handlers may be
    so many seconds old.

    Raises SQLAlchemyError; nothing else, because an event is worth more than what is done about it.
    """
    known = _looked(connection, now, may_lag)
    if not known.wanted:
        return
    try:
        handlings = [
            handling(event, accounts[event.app_id], wanted.name, now, is_ordered=wanted.is_ordered)
            for event in events
            for wanted in _matching(known, event)
        ]
    except Exception as error:
        log.error("handlers not called", extra={"reason": type(error).__name__})
        return
    insert_new(connection, Handling, handlings)


def handling(event: Event, account_id: int, handler: str, now: datetime, *, is_ordered: bool) -> dict[str, Any]:
    """The row by which a handler is called for an event."""
    has_follower = is_ordered and event.open_id is not None
    return {
        "event_id": event.id,
        "handler": handler,
        "account_id": account_id,
        "created_at": event.created_at,
        "received_at": event.received_at,
        "follower": open_id_hash(event.app_id, event.open_id) if has_follower and event.open_id else None,
        "state": PENDING,
        "due_at": now + ORDER_SLACK if has_follower else now,
        "token": 0,
        "attempts": 0,
        "is_begun": False,
    }


def _looked(connection: Connection, now: datetime, may_lag: float) -> _Known:
    known = _known.setdefault(connection.engine.pool, _Known())
    if time.monotonic() - known.looked_at >= may_lag:
        if (rows := _read(connection, now)) != known.rows:
            known.rows, known.wanted, known.found = rows, [Wanted(row) for row in rows], {}
        known.looked_at = time.monotonic()
    return known


def _read(connection: Connection, now: datetime) -> Sequence[Row]:
    # Nobody has handlers, as a rule; then SQLAlchemy is spared (see workers/record.py).
    if not connection.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM handler)").scalar_one():
        return ()
    columns = (getattr(HandlerRow, name) for name in Row._fields)
    query = select(*columns).where(HandlerRow.seen_at > now - GONE_AFTER).order_by(HandlerRow.name)
    return tuple(Row(*row) for row in connection.execute(query))


def _matching(known: _Known, event: Event) -> list[Wanted]:
    asked = event.account, event.kind, event.event_key
    if (found := known.found.get(asked)) is None:
        if len(known.found) >= _REMEMBERED:
            known.found.clear()
        found = known.found[asked] = [wanted for wanted in known.wanted if wanted.matches(*asked)]
    return found
