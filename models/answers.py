"""Answers that are sent after a push was answered: one for an event at most, and what has become of it.

The row is the claim: whoever made it sends. A message is kept for as long as it is known not to have been sent, and no
longer; what may have been sent is never sent again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Index, String, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, table_of
from models.db import transaction

SENDING, WAITING = "sending", "waiting"
SENT = "sent"
LATE = "late"  # the window closed before it could be sent
REFUSED = "refused"  # by WeChat, with an errcode
UNKNOWN = "unknown"  # WeChat was asked, and nobody knows what came of it
FORGOTTEN = "forgotten"  # its follower was, before it was sent
_BATCH = 1000


class Answer(Base):
    __tablename__ = "answer"
    __table_args__ = (
        Index("answer_state_due", "state", "due_at"),  # what is to be done
        Index("answer_created", "created_at"),  # what may go
    )

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]  # the event's, from which its window is counted
    account_id: Mapped[int]
    handler: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime]  # the end of the window
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    due_at: Mapped[datetime | None]  # when to send it; while it is being sent, when that is taken to have died
    errcode: Mapped[int | None]
    open_id: Mapped[str | None] = mapped_column(String(128))  # this and the message only until it is over
    message: Mapped[dict[str, Any] | None]
    changed_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Owed:
    """An answer that is to be sent."""

    event_id: UUID
    created_at: datetime
    account_id: int
    handler: str
    until: datetime
    attempts: int
    message: dict[str, Any]


def claim(connection: Connection, answer: Owed, open_id: str, lease: datetime, now: datetime) -> bool:
    """Whether it is ours to send: False where this event has an answer already."""
    columns = {name: getattr(answer, name) for name in Owed.__slots__}
    values = columns | {"open_id": open_id, "state": SENDING, "due_at": lease, "changed_at": now}
    try:
        with connection.begin_nested():
            connection.execute(insert(table_of(Answer)).values(values))
    except IntegrityError:
        return False
    return True


def any_due(connection: Connection, now: datetime) -> bool:
    """Whether there is anything to be done."""
    query = select(Answer.event_id).where(Answer.state.in_((SENDING, WAITING)), Answer.due_at <= now)
    return connection.scalar(query.limit(1)) is not None


def due(connection: Connection, now: datetime, most: int) -> list[Owed]:
    """Answers that are to be tried again; those whose window closes first come first."""
    query = select(*(getattr(Answer, name) for name in Owed.__slots__))
    waiting = query.where(Answer.state == WAITING, Answer.due_at <= now).order_by(Answer.until, Answer.event_id)
    return [Owed(*row) for row in connection.execute(waiting.limit(most))]


def claim_again(connection: Connection, answer: Owed, lease: datetime, now: datetime) -> bool:
    """Whether it is ours to send, as nobody else has tried since."""
    unchanged = (Answer.event_id == answer.event_id, Answer.state == WAITING, Answer.attempts == answer.attempts)
    mine = update(Answer).where(*unchanged).values(state=SENDING, due_at=lease, changed_at=now)
    return connection.execute(mine).rowcount == 1


def put_back(connection: Connection, event_id: UUID, errcode: int | None, attempts: int, due_at: datetime) -> None:
    """It was not sent, and is to be tried again."""
    mine = (Answer.event_id == event_id, Answer.state == SENDING)
    values = {"state": WAITING, "errcode": errcode, "attempts": attempts, "due_at": due_at}
    connection.execute(update(Answer).where(*mine).values(values))


def end(connection: Connection, event_id: UUID, state: str, errcode: int | None, attempts: int, now: datetime) -> None:
    """It is over; what was to be said is not kept."""
    mine = (Answer.event_id == event_id, Answer.state == SENDING)
    connection.execute(update(Answer).where(*mine).values(errcode=errcode, attempts=attempts, **_over(state, now)))


def end_abandoned(connection: Connection, now: datetime) -> int:
    """Whoever was sending these has died: what came of it, nobody knows."""
    dead = update(Answer).where(Answer.state == SENDING, Answer.due_at < now)
    return connection.execute(dead.values(_over(UNKNOWN, now))).rowcount


def forget(connection: Connection, account_id: int, open_id: str, now: datetime) -> int:
    """Nothing more is sent to this follower, nor kept of what was to be."""
    theirs = (Answer.account_id == account_id, Answer.open_id == open_id)
    waiting = update(Answer).where(Answer.state == WAITING, *theirs)
    return connection.execute(waiting.values(_over(FORGOTTEN, now))).rowcount


def let_go(engine: Engine, before: datetime) -> int:
    """Delete the answers to events of the past, a few at a time; none can come any more, for their windows are closed.

    That includes what never was sent: a claim of then is nobody's any more.
    """
    gone = 0
    query = select(Answer.event_id).where(Answer.created_at < before).order_by(Answer.created_at).limit(_BATCH)
    while True:
        with transaction(engine) as connection:
            ids = connection.scalars(query).all()
            connection.execute(delete(Answer).where(Answer.event_id.in_(ids)))
        gone += len(ids)
        if len(ids) < _BATCH:
            return gone


def counts(connection: Connection, since: datetime) -> dict[str, dict[str, int]]:
    """How many answers to events since then there are, by handler and state."""
    query = select(Answer.handler, Answer.state, func.count()).where(Answer.created_at >= since)
    found: dict[str, dict[str, int]] = {}
    for handler, state, count in connection.execute(
        query.group_by(Answer.handler, Answer.state).order_by(Answer.handler, Answer.state)
    ):
        found.setdefault(handler, {})[state] = count
    return found


def _over(state: str, now: datetime) -> dict[str, Any]:
    return {"state": state, "due_at": None, "open_id": None, "message": None, "changed_at": now}
