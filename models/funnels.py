"""How many followers go a way to its end, such as from following to a tap, a scan and a place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, and_, case, literal, or_, select

from models.asked import Accounts, within
from models.elapsed import elapsed
from models.event import Event

Of: TypeAlias = Literal["first", "previous"]

_AT_A_TIME = 10_000
_MILLISECOND = timedelta(milliseconds=1)
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Step:
    """An event of any of these kinds; with a key, of that button alone."""

    kinds: frozenset[str]
    key: str | None = None

    def is_of(self, kind: str, key: str | None) -> bool:
        return kind in self.kinds and (self.key is None or self.key == key)

    def condition(self) -> ColumnElement[bool]:
        is_of_kind = Event.kind.in_(sorted(self.kinds))
        return is_of_kind if self.key is None else and_(is_of_kind, Event.event_key == self.key)


class Happened(NamedTuple):
    at: int  # milliseconds
    kind: str
    key: str | None


@dataclass(frozen=True, slots=True)
class StepRow:
    step: Step
    users: int  # who came as far as this
    share: float | None  # of those who took the first step; None if nobody did
    median_minutes: float | None  # since the step that its time is counted from; None for the first


def funnel(
    connection: Connection,
    accounts: Accounts,
    since: datetime,
    until: datetime,
    steps: Sequence[Step],
    within_time: timedelta,
    of: Of = "first",
) -> list[StepRow]:
    """Followers by how far they came, one row a step.

    The first step is taken in this time; each other one later than the one before, and no later than `within_time` of
    the first or the previous step, even if `until` is over by then. A follower counts once, by the best of their ways.
    """
    if not steps:
        return []
    limit, span = within_time // _MILLISECOND, (until - since) // _MILLISECOND
    reach = within_time if of == "first" else within_time * (len(steps) - 1)
    waits: list[list[int]] = [[] for _ in steps]
    query = _matching(accounts, since, until + reach, steps)
    rows = connection.execute(query, execution_options={"yield_per": _AT_A_TIME})
    for _, events in groupby(rows, key=itemgetter(0, 1)):
        for place, wait in enumerate(went((Happened(*event[2:]) for event in events), steps, limit, of, span)):
            waits[place].append(wait)
    return [_row(step, place, waits) for place, step in enumerate(steps)]


def went(events: Iterable[Happened], steps: Sequence[Step], limit: int, of: Of, span: int) -> list[int]:
    """How far one follower came, by their events in order: for each step the milliseconds since that which its time is
    counted from, when it was first taken. The first is taken from 0 until `span`, at no cost.

    Of all ways to a step the last is remembered: it leaves the most time for the next.
    """
    waits: list[int | None] = [None] * len(steps)
    latest: list[int | None] = [None] * len(steps)  # what the time of the next step may be counted from
    for at, kind, key in events:
        # From the last on, so that one event is not two steps.
        for place in range(len(steps) - 1, -1, -1):
            start = at if place == 0 else latest[place - 1]
            is_allowed = at < span if place == 0 else start is not None and at - start <= limit
            if start is None or not is_allowed or not steps[place].is_of(kind, key):
                continue
            if waits[place] is None:
                waits[place] = at - start
            latest[place] = start if of == "first" else at
    return [wait for wait in waits if wait is not None]


def _matching(
    accounts: Accounts, since: datetime, until: datetime, steps: Sequence[Step]
) -> Select[*tuple[int, str | None, int, str, str | None]]:
    """Events that are of any step, by follower, in order; of the same moment, those of an earlier step first."""
    at = elapsed(literal(since, Event.created_at.type), Event.created_at)
    first = case(*((step.condition(), place) for place, step in enumerate(steps)))
    query = select(Event.account_id, Event.open_id, at, Event.kind, Event.event_key)
    query = query.where(*within(accounts, since, until), or_(*(step.condition() for step in steps)))
    query = query.where(Event.open_id.is_not(None))
    return query.order_by(Event.account_id, Event.open_id, Event.created_at, first, Event.id)


def _row(step: Step, place: int, waits: Sequence[Sequence[int]]) -> StepRow:
    users, begun = len(waits[place]), len(waits[0])
    return StepRow(
        step,
        users=users,
        share=users / begun if begun else None,
        median_minutes=median(waits[place]) / _MINUTE if place and users else None,
    )
