"""The publications that taps are tied to: what `workers/attribution.py` needs of the tables, and remembered.

Who asks again is told from memory, and by a look at the publications that may have changed: one or two.
"""

import logging
import math
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Pool
from sqlalchemy.exc import SQLAlchemyError

from models.attempts import AttemptRow, attempts_since, definitions, ids_put_up
from wechat.event import Event
from wechat.menu import read
from workers.attribution import TAPS, Attempt, Attribution, History, Tap, Target, attribute, history_of, targets

log = logging.getLogger(__name__)

Asked: TypeAlias = tuple[str | int, str, str | None, str | None]
"""An account, and of an event its kind, its key and its MenuId."""

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCKS = timedelta(hours=1)  # by which the clock of whoever publishes next may be behind


@dataclass
class _Known:
    """What is known of an account: its attempts by id, what they put up, and what follows from that."""

    rows: dict[int, AttemptRow] = field(default_factory=dict)
    menus: dict[int, frozenset[Target]] = field(default_factory=dict)
    wechat_menu_ids: dict[int, frozenset[str]] = field(default_factory=dict)
    history: History | None = None
    since: datetime = _BEGINNING  # whatever began before this has ended
    looked_at: float = -math.inf  # by the clock of `time.monotonic`


# By pool: an engine that is disposed of gets another, and after a failover the database may be of an earlier moment.
_known: "WeakKeyDictionary[Pool, dict[int, _Known]]" = WeakKeyDictionary()


def attribute_all(
    connection: Connection, events: Sequence[Event], accounts: Mapping[str, int], may_lag: float = 0.0
) -> list[Attribution | None]:
    """The attribution of each event, in the order of time; None of what is no tap, and of accounts for which nothing
    was ever published. What is known of publications may be so many seconds old.

    Raises SQLAlchemyError; nothing else, because an event is worth more than its attribution.
    """
    if not any(event.kind in TAPS for event in events):
        return [None] * len(events)
    try:
        known = histories(connection, accounts.values(), may_lag)
        by_app_id = {app_id: known[account_id] for app_id, account_id in accounts.items() if account_id in known}
        asked: list[Asked] = [(one.app_id, one.kind, one.event_key, one.wechat_menu_id) for one in events]
        return attributed(asked, [event.created_at for event in events], by_app_id)
    except SQLAlchemyError:
        raise
    except Exception as error:
        log.error("taps not attributed", extra={"reason": type(error).__name__})
        return [None] * len(events)


def attributed(
    asked: Sequence[Asked], moments: Sequence[datetime], histories: Mapping[Any, History]
) -> list[Attribution | None]:
    """The same of what is asked about events of these moments, in the order of time."""
    if not histories or not asked:
        return [None] * len(asked)
    edges = {edge for history in histories.values() for edge in _between(history.edges, moments[0], moments[-1])}
    found: list[Attribution | None] = []
    first = 0
    for edge in [*sorted(edges), None]:
        end = len(asked) if edge is None else bisect_left(moments, edge, first)
        if end > first:
            found += map(_Said(histories, moments[first]).__getitem__, asked[first:end])
        first = end
    return found


def histories(connection: Connection, account_ids: Iterable[int], may_lag: float = 0.0) -> dict[int, History]:
    """Of each of these accounts for which anything was ever published, or tried to be.

    Raises SQLAlchemyError.
    """
    known = _known.setdefault(connection.engine.pool, {})
    asked = {account_id: known.setdefault(account_id, _Known()) for account_id in account_ids}
    changed: dict[int, list[AttemptRow]] = {}
    now = time.monotonic()
    old = {account_id: one for account_id, one in asked.items() if now - one.looked_at >= may_lag}
    for row in attempts_since(connection, {account_id: one.since for account_id, one in old.items()}):
        if asked[row.account_id].rows.get(row.id) != row:
            changed.setdefault(row.account_id, []).append(row)
    for account_id, rows in changed.items():
        known[account_id] = asked[account_id] = old[account_id] = _renewed(connection, asked[account_id], rows)
    for one in old.values():
        one.looked_at = now
    return {account_id: one.history for account_id, one in asked.items() if one.history is not None}


class _Said(dict[Asked, Attribution | None]):
    """What the rule says between two edges: a batch is full of taps of the same buttons."""

    def __init__(self, histories: Mapping[Any, History], at: datetime) -> None:
        self._histories, self._at = histories, at

    def __missing__(self, asked: Asked) -> Attribution | None:
        account, kind, key, wechat_menu_id = asked
        history = self._histories.get(account) if kind in TAPS else None
        said = attribute(Tap(kind, key, wechat_menu_id, self._at), history) if history else None
        self[asked] = said
        return said


def _between(edges: Sequence[datetime], first: datetime, last: datetime) -> Sequence[datetime]:
    return edges[bisect_right(edges, first) : bisect_right(edges, last)]


def _renewed(connection: Connection, known: _Known, rows: Sequence[AttemptRow]) -> _Known:
    every = known.rows | {row.id: row for row in rows}
    account_id = rows[0].account_id
    wechat_menu_ids = known.wechat_menu_ids | ids_put_up(connection, account_id, min(row.id for row in rows))
    menus = known.menus
    if strange := {row.menu_id for row in rows} - menus.keys():
        made = definitions(connection, account_id, min(strange))
        menus = menus | {menu_id: _targets(menu_id, made[menu_id]) for menu_id in made.keys() & strange}
    attempts = [
        Attempt(
            id=row.id,
            menu_id=row.menu_id,
            started_at=row.started_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            targets=menus.get(row.menu_id, frozenset()),
            wechat_menu_ids=wechat_menu_ids.get(row.id, frozenset()),
        )
        for row in every.values()
    ]
    begun = [row.started_at for row in every.values()]
    open_ones = [row.started_at for row in every.values() if row.ended_at is None]
    since = min([*open_ones, max(begun)]) - _CLOCKS
    return _Known(every, menus, wechat_menu_ids, history_of(attempts), since)


def _targets(menu_id: int, definition: dict[str, Any]) -> frozenset[Target]:
    try:
        return targets(read(definition))
    except (ValueError, AttributeError, TypeError):  # by whatever way it came into the table
        log.warning("menu cannot be read", extra={"menu": menu_id})
        return frozenset()
