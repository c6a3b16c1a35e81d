"""How long events are kept: what may go by `retention_days`, and letting it go.

Months of which nothing is to be kept go as partitions, where there are such; everything else in batches of rows, each
in a transaction of its own, with pauses for those who write. It may be ended anywhere and begun again.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, case, delete, false, func, or_, select

from models import partition
from models.db import transaction
from models.event import Event
from models.months import begin, later, month_of
from models.quarantine import Quarantine
from models.queries import DETAILS
from models.walk import among

BATCH = 2000  # rows of `event`, or of quarantine: on SQLite, where others wait for it, some 150 ms
LONGEST_PAUSE = 0.5  # seconds
OTHERS, QUARANTINE = "default", "quarantine"  # keys that are no kinds
UNKNOWN = datetime(2011, 1, 1, tzinfo=UTC)  # `created_at` where WeChat gave none: then it is `received_at` that counts


@dataclass(frozen=True)
class Limits:
    """The moments before which events go; where there is none, they are kept for ever."""

    by_kind: Mapping[str, datetime]
    others: datetime | None  # of all other kinds
    quarantine: datetime | None

    @property
    def all_before(self) -> datetime | None:
        """Nothing older than this is kept."""
        return None if self.others is None else min([self.others, *self.by_kind.values()])

    @property
    def some_before(self) -> datetime | None:
        """Nothing younger than this has gone: what is counted again from the rows may be counted from here on."""
        moments = [*self.by_kind.values(), *filter(None, [self.others])]
        return max(moments, default=None)


@dataclass
class Gone:
    """What went, or would go; and how far it is."""

    rows: dict[str, int] = field(default_factory=dict)  # by kind, and of quarantine
    partitions: list[str] = field(default_factory=list)
    reached: datetime = UNKNOWN

    def add(self, other: "Gone") -> None:
        for kind, rows in other.rows.items():
            self.rows[kind] = self.rows.get(kind, 0) + rows
        self.partitions += other.partitions
        self.reached = other.reached


def limits(retention_days: Mapping[str, int], now: datetime) -> Limits:
    """What the configuration means at a moment."""
    moments = {kind: now - timedelta(days=days) for kind, days in retention_days.items()}
    others = moments.pop(OTHERS, None)
    quarantine = moments.pop(QUARANTINE, others)
    return Limits(moments, others, quarantine)


def months_to_go(months: Iterable[date], limits: Limits) -> list[date]:
    """The months of which nothing is to be kept. That of events without a time is none of them."""
    end = limits.all_before
    if end is None:
        return []
    return [month for month in months if begin(later(month)) <= end and month != month_of(UNKNOWN)]


def expired(connection: Connection, limits: Limits) -> Gone:
    """What would go now."""
    gone = Gone()
    months = _months_to_go(connection, limits)
    gone.partitions = [one.name for one in partition.of_months(connection, months, partition.ATTACHED)]
    start = UNKNOWN
    while first := _next(connection, start, limits):
        month = month_of(first)
        gone.add(_counted(connection, *_between(begin(month), begin(later(month))), _is_expired(limits)))
        start = begin(later(month))
    if limits.quarantine is not None:
        query = select(func.count()).select_from(Quarantine).where(Quarantine.quarantined_at < limits.quarantine)
        if rows := connection.scalar(query):
            gone.add(Gone({QUARANTINE: rows}))
    return gone


def let_go(engine: Engine, limits: Limits, since: datetime = UNKNOWN) -> Iterator[Gone]:
    """Let go what is expired, events from a moment on; tells of each step, and takes the next when asked to.

    Raises BusyError where partitions cannot be dropped for now.
    """
    yield from _let_months_go(engine, limits)
    yield from _let_events_go(engine, limits, since)
    if limits.quarantine is not None:
        yield from _let_quarantine_go(engine, limits.quarantine)


def _let_months_go(engine: Engine, limits: Limits) -> Iterator[Gone]:
    with engine.connect() as connection:
        months = _months_to_go(connection, limits)
    for month in months:
        with engine.connect() as connection:
            gone = _counted(connection, *_between(begin(month), begin(later(month))))
        gone.partitions = partition.drop(engine, [month], [partition.ATTACHED])
        yield gone


def _let_events_go(engine: Engine, limits: Limits, since: datetime) -> Iterator[Gone]:
    start = since
    while True:
        began = time.monotonic()
        with engine.connect() as connection:
            if (first := _next(connection, start, limits)) is None:
                return
            day = first.replace(hour=0, minute=0, second=0, microsecond=0)
            query = select(Event.id, Event.created_at, Event.kind).order_by(Event.id).limit(BATCH)
            in_day = _between(day, day + timedelta(days=1))
            events: Sequence[Any] = connection.execute(query.where(*in_day, _is_expired(limits))).all()
        if events:
            _delete(engine, events)
            yield Gone(Counter(event.kind for event in events), reached=day)
            _pause(began)
        start = day if len(events) == BATCH else day + timedelta(days=1)


def _delete(engine: Engine, events: Sequence[Row[Any]]) -> None:
    with transaction(engine) as connection:
        for model in DETAILS:
            connection.execute(delete(model).where(*among(model.event_id, model.created_at, events)))
        connection.execute(delete(Event).where(*among(Event.id, Event.created_at, events)))


def _let_quarantine_go(engine: Engine, before: datetime) -> Iterator[Gone]:
    moment = Quarantine.quarantined_at
    query = select(Quarantine.id).where(moment < before).order_by(moment, Quarantine.id).limit(BATCH)
    while True:
        began = time.monotonic()
        with transaction(engine) as connection:
            ids = connection.scalars(query).all()
            if not ids:
                return
            connection.execute(delete(Quarantine).where(Quarantine.id.in_(ids)))
        yield Gone({QUARANTINE: len(ids)}, reached=before)
        _pause(began)


def _pause(began: float) -> None:
    """Leave the tables to the others for as long as they were shared with us."""
    time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))


def _months_to_go(connection: Connection, limits: Limits) -> list[date]:
    attached = {one.month for one in partition.partitions(connection) if one.month and one.state == partition.ATTACHED}
    return months_to_go(sorted(attached), limits)


def _next(connection: Connection, start: datetime, limits: Limits) -> datetime | None:
    """The time of the first event from a moment on, of those that may have to go."""
    if limits.some_before is None:
        return None
    query = select(Event.created_at).where(*_between(start, limits.some_before))
    return connection.scalar(query.order_by(Event.id).limit(1))


def _counted(connection: Connection, *conditions: ColumnElement[bool]) -> Gone:
    query = select(Event.kind, func.count()).where(*conditions).group_by(Event.kind)
    return Gone({row[0]: row[1] for row in connection.execute(query)})


def _is_expired(limits: Limits) -> ColumnElement[bool]:
    happened = case((Event.created_at == UNKNOWN, Event.received_at), else_=Event.created_at)
    conditions = [and_(Event.kind == kind, happened < moment) for kind, moment in limits.by_kind.items()]
    if limits.others is not None:
        conditions.append(and_(Event.kind.not_in(list(limits.by_kind)), happened < limits.others))
    return or_(false(), *conditions)


def _between(start: datetime, end: datetime) -> list[ColumnElement[bool]]:
    """Events of a time: by their ids, which begin with it, for the index; and by it, to leave out other partitions."""
    return [
        Event.id >= _first_id(start),
        Event.id < _first_id(end),
        Event.created_at >= start,
        Event.created_at < end,
    ]


def _first_id(moment: datetime) -> UUID:
    return UUID(int=int(moment.timestamp() * 1000) << 80)
