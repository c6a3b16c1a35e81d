"""Which handlings are to be begun now, by whichever worker has a process free for them.

All is decided here, in one short transaction per handler that holds the handler's row: how many run at once, how often
it may be called, and who comes first. So the limits hold over all hosts, and what waits does so in the table: the
queues of handlers, and the processes of their workers, hold only what is to be begun at once, and no handler is in
another's way.

A handling that was begun is due again when its lease runs out, whoever died with it. A message that is lost, or comes
twice, does no harm: each carries a token, and only the latest is good, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Update, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import aliased

from models.handling import DONE, FAILED, PENDING, RUNNING, HandlerRow, Handling
from workers.handlers import Handler

START_PATIENCE = timedelta(seconds=60)  # for which a message may be on its way
# Beyond the time limit: to end the process that does not let itself be interrupted, to answer, and to write it down.
MARGIN = timedelta(seconds=45)
LOOK_EVERY = timedelta(seconds=0.2)  # how often it is looked for what is due
_LONGEST_PAUSE = 3600.0  # seconds
LOST = "lost"  # the process, or the host; nobody could say why


class Call(NamedTuple):
    """A message: call this handler for this event."""

    handler: str
    event_id: UUID
    token: int


@dataclass(frozen=True)
class Begun:
    """A handling that was begun, and is ours."""

    call: Call
    created_at: datetime
    attempt: int


@dataclass(frozen=True)
class Outcome:
    """What became of a call; without a reason it is done."""

    reason: str | None = None
    error: str | None = None  # the type of what was raised
    may_retry: bool = True
    after: float | None = None  # seconds
    pause: float = 0.0  # seconds in which the handler is called for no event


def is_due(connection: Connection, handler: Handler, concurrency: int, now: datetime) -> bool:
    """Whether `claim` has anything to do: it holds the row, on SQLite even the database, and this does not."""
    if connection.scalar(select(exists().where(*_in(handler.name, RUNNING), Handling.due_at <= now))):
        return True
    free_at = connection.scalar(select(HandlerRow.free_at).where(HandlerRow.name == handler.name))
    if free_at is None or free_at > now or _running(connection, handler.name) >= concurrency:
        return False
    return bool(connection.scalar(select(exists().where(*_in(handler.name, PENDING), Handling.due_at <= now))))


def claim(connection: Connection, handler: Handler, concurrency: int, now: datetime) -> list[Call]:
    """What is to be called now, and is noted as such; messages go out after the commit.

    1. What ran out of its lease is given up, and is due again, or has failed.
    2. Of what is due, the first: so many as are not running already, and as the rate allows.
    """
    free_at = hold(connection, handler.name)
    if free_at is None:  # removed, and not told of anew yet
        return []
    _give_up(connection, handler, now)
    room = concurrency - _running(connection, handler.name)
    count, next_free_at = permitted(free_at, handler.interval, room, now)
    calls = _first(connection, handler, count, now) if count > 0 else []
    if calls and handler.rate:
        _count, next_free_at = permitted(free_at, handler.interval, len(calls), now)
        moved = update(HandlerRow).where(HandlerRow.name == handler.name)
        connection.execute(moved.values(free_at=next_free_at))
    for call in calls:
        values = {"state": RUNNING, "due_at": now + START_PATIENCE, "token": call.token, "is_begun": False}
        connection.execute(update(Handling).where(*_of(call.handler, call.event_id)).values(values))
    return calls


def hold(connection: Connection, name: str) -> datetime | None:
    """Wait until nobody else holds the handler's row; when its rate lets it be called again.

    Always before its handlings are changed: two who take these and the row in different orders wait for each other.
    """
    held = select(HandlerRow.free_at).where(HandlerRow.name == name).with_for_update()
    free_at: datetime | None = connection.scalar(held)
    return free_at


def permitted(free_at: datetime, interval: float, wanted: int, now: datetime) -> tuple[int, datetime]:
    """How many calls a rate allows now, and when it allows the next; what was not used lately is not saved up."""
    if interval <= 0:
        return (wanted if free_at <= now else 0), free_at
    step = timedelta(seconds=interval)
    start = max(free_at, now - LOOK_EVERY)
    count = 0
    while count < wanted and start <= now:
        start += step
        count += 1
    return count, start


def withdraw(connection: Connection, calls: Sequence[Call], now: datetime) -> None:
    """Nobody will hear of these: the broker did not take them. They are due again in a moment."""
    for call in calls:
        values = {"state": PENDING, "due_at": now + 5 * LOOK_EVERY}
        connection.execute(_still(call, is_begun=False).values(values))


def begin(connection: Connection, call: Call, time_limit: float, now: datetime) -> Begun | None:
    """Make a call ours; None if it is not, or no more."""
    lease = timedelta(seconds=time_limit) + 2 * MARGIN
    values = {"is_begun": True, "attempts": Handling.attempts + 1, "due_at": now + lease}
    if connection.execute(_still(call, is_begun=False).values(values)).rowcount != 1:
        return None
    query = select(Handling.created_at, Handling.attempts).where(*_of(call.handler, call.event_id))
    row = connection.execute(query).one()
    return Begun(call, row.created_at, row.attempts)


def end(connection: Connection, handler: Handler, call: Call, outcome: Outcome, now: datetime) -> str | None:
    """Write down what became of a call; the state, or None where somebody else has done so.

    The handler's row is held before (`hold`).
    """
    found = select(Handling.attempts).where(*_of(call.handler, call.event_id))
    attempts = connection.scalar(found) or 0
    values = _after(handler, attempts, outcome, now)
    changed = connection.execute(_still(call, is_begun=True).values(values)).rowcount
    if outcome.pause > 0:
        until = now + timedelta(seconds=min(outcome.pause, _LONGEST_PAUSE))
        paused = update(HandlerRow).where(HandlerRow.name == handler.name, HandlerRow.free_at < until)
        connection.execute(paused.values(free_at=until))
    return str(values["state"]) if changed == 1 else None


def _after(handler: Handler, attempts: int, outcome: Outcome, now: datetime) -> dict[str, object]:
    told = {"reason": outcome.reason, "error": outcome.error, "is_begun": False}
    if outcome.reason is None or outcome.reason == "event_gone":
        return {"state": DONE, "due_at": now, **told}
    if not outcome.may_retry or attempts > handler.retries:
        return {"state": FAILED, "due_at": now, **told}
    wait = handler.wait(attempts) if outcome.after is None else outcome.after
    return {"state": PENDING, "due_at": now + timedelta(seconds=max(0.0, min(wait, 86400.0))), **told}


def _give_up(connection: Connection, handler: Handler, now: datetime) -> None:
    query = select(Handling.event_id, Handling.is_begun, Handling.attempts)
    for row in connection.execute(query.where(*_in(handler.name, RUNNING), Handling.due_at <= now)).all():
        # A message that never came is no attempt.
        unheard = {"state": PENDING, "due_at": now}
        values = _after(handler, row.attempts, Outcome(LOST), now) if row.is_begun else unheard
        connection.execute(update(Handling).where(*_of(handler.name, row.event_id)).values(values))


def _first(connection: Connection, handler: Handler, count: int, now: datetime) -> list[Call]:
    query = select(Handling.event_id, Handling.token).where(*_in(handler.name, PENDING), Handling.due_at <= now)
    if handler.ordered:
        query = query.where(~_has_earlier())
    query = query.order_by(Handling.due_at, Handling.event_id).limit(count)
    return [Call(handler.name, row.event_id, row.token + 1) for row in connection.execute(query)]


def _has_earlier() -> ColumnElement[bool]:
    """Whether an earlier one of the follower is not finished: by CreateTime, in whole seconds, and then by arrival."""
    other = aliased(Handling)
    earlier = tuple_(other.created_at, other.received_at, other.event_id) < tuple_(
        Handling.created_at, Handling.received_at, Handling.event_id
    )
    same = and_(other.handler == Handling.handler, other.follower == Handling.follower)
    return exists().where(same, or_(other.state == PENDING, other.state == RUNNING), earlier)


def _running(connection: Connection, name: str) -> int:
    return connection.scalar(select(func.count()).select_from(Handling).where(*_in(name, RUNNING))) or 0


def _in(name: str, state: str) -> list[ColumnElement[bool]]:
    return [Handling.handler == name, Handling.state == state]


def _of(name: str, event_id: UUID) -> list[ColumnElement[bool]]:
    return [Handling.event_id == event_id, Handling.handler == name]


def _still(call: Call, *, is_begun: bool) -> Update:
    mine = (Handling.state == RUNNING, Handling.token == call.token, Handling.is_begun == is_begun)
    return update(Handling).where(*_of(call.handler, call.event_id), *mine)
