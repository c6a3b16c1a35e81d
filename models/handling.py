"""The handlers that workers have told of, and what is to be called, is being called, or was.

A row of `handling` is written together with its event, so that none is forgotten; the workers of handlers take it from
there (workers/dispatch.py). No foreign keys: whoever records would wait for whoever dispatches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Index, String, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.account import Account
from models.base import Base
from models.types import Json

PENDING, RUNNING, DONE, FAILED = "pending", "running", "done", "failed"
STATES = (PENDING, RUNNING, DONE, FAILED)
# A handler of which no worker has told for so long is gone, and nothing is kept for it any more.
GONE_AFTER = timedelta(days=7)
DONE_KEPT = timedelta(days=3)
_PAGE = 2000  # rows let go at a time

REASON = String(64)


class HandlerRow(Base):
    __tablename__ = "handler"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    kinds: Mapped[list[str]] = mapped_column(Json)  # exact, or with *
    event_key: Mapped[str | None]  # the same
    accounts: Mapped[list[str]] = mapped_column(Json)  # names; none is all
    is_ordered: Mapped[bool]
    free_at: Mapped[datetime]  # when its rate, or what it needs, lets it be called again
    seen_at: Mapped[datetime]  # when a worker last told of it


class Handling(Base):
    """One handler called for one event: once, if all goes well."""

    __tablename__ = "handling"
    __table_args__ = (
        Index("handling_due", "handler", "state", "due_at"),  # what is to be done, and let go
        Index("handling_follower", "handler", "follower"),  # what is to be done before
    )

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    handler: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int]
    created_at: Mapped[datetime]  # the event's
    received_at: Mapped[datetime]  # the event's
    follower: Mapped[str | None] = mapped_column(String(64))  # a digest, where one comes after the other
    state: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime]  # pending: to be called; running: to be given up; done, failed: since then it is
    token: Mapped[int]  # rises with each message; whoever has an older one is late, and does nothing
    attempts: Mapped[int]  # begun
    is_begun: Mapped[bool]  # of one that is running: somebody has taken the message
    reason: Mapped[str | None] = mapped_column(REASON)  # of the last failure, one of a few fixed words
    error: Mapped[str | None] = mapped_column(String(200))  # the type of what was raised


@dataclass(frozen=True)
class Listed:
    """A handler, and how many of its handlings are in which state."""

    name: str
    kinds: list[str]
    event_key: str | None
    accounts: list[str]
    seen_at: datetime | None  # None: no worker tells of it any more, and it was removed
    counts: Mapping[str, int]
    oldest_due_at: datetime | None  # of those that are pending


@dataclass(frozen=True)
class FailedHandling:
    event_id: UUID
    created_at: datetime
    account: str | None
    handler: str
    reason: str | None
    error: str | None
    attempts: int
    failed_at: datetime


@dataclass(frozen=True)
class Choice:
    """Which of the failed; by default all."""

    handler: str | None = None
    account_id: int | None = None
    reason: str | None = None
    event_id: UUID | None = None


def handlers(connection: Connection) -> list[Listed]:
    counts: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    query = select(
        Handling.handler, Handling.state, func.count().label("amount"), func.min(Handling.due_at).label("due")
    )
    for row in connection.execute(query.group_by(Handling.handler, Handling.state)):
        counts.setdefault(row.handler, dict.fromkeys(STATES, 0))[row.state] = row.amount
        if row.state == PENDING:
            oldest[row.handler] = row.due
    known = {row.name: row for row in connection.execute(select(HandlerRow))}
    return [
        Listed(
            name=name,
            kinds=known[name].kinds if name in known else [],
            event_key=known[name].event_key if name in known else None,
            accounts=known[name].accounts if name in known else [],
            seen_at=known[name].seen_at if name in known else None,
            counts=counts.get(name, dict.fromkeys(STATES, 0)),
            oldest_due_at=oldest.get(name),
        )
        for name in sorted(known.keys() | counts.keys())
    ]


def failed(connection: Connection, choice: Choice, limit: int) -> list[FailedHandling]:
    """Those that were given up, the latest first."""
    query = select(Handling, Account.name.label("account")).outerjoin(Account, Account.id == Handling.account_id)
    query = query.where(*_chosen(choice)).order_by(Handling.due_at.desc(), Handling.event_id.desc()).limit(limit)
    return [
        FailedHandling(
            event_id=row.event_id,
            created_at=row.created_at,
            account=row.account,
            handler=row.handler,
            reason=row.reason,
            error=row.error,
            attempts=row.attempts,
            failed_at=row.due_at,
        )
        for row in connection.execute(query)
    ]


def replay(connection: Connection, choice: Choice, now: datetime) -> int:
    """Let those that failed be tried again, as if they were new; how many."""
    values = {"state": PENDING, "due_at": now, "attempts": 0, "is_begun": False, "reason": None, "error": None}
    return connection.execute(update(Handling).where(*_chosen(choice)).values(values)).rowcount


def remove(connection: Connection, name: str) -> tuple[bool, int]:
    """Take a handler out of the tables, with all that was or is to be done by it: whether there was one, and of these
    how many were not done."""
    left = select(func.count()).select_from(Handling).where(Handling.handler == name, Handling.state != DONE)
    count = connection.scalar(left) or 0
    there = connection.execute(delete(HandlerRow).where(HandlerRow.name == name)).rowcount
    gone = connection.execute(delete(Handling).where(Handling.handler == name)).rowcount
    return bool(there or gone), count


def let_handlings_go(connection: Connection, name: str, state: str, before: datetime) -> int:
    """Delete some that have been in a state since before; fewer than a page where there are no more."""
    expired = (Handling.handler == name, Handling.state == state, Handling.due_at < before)
    ids = connection.scalars(select(Handling.event_id).where(*expired).order_by(Handling.due_at).limit(_PAGE)).all()
    if ids:
        connection.execute(delete(Handling).where(*expired, Handling.event_id.in_(ids)))
    return len(ids)


def all_gone(rows: int) -> bool:
    return rows < _PAGE


def handled_by(connection: Connection) -> list[str]:
    """The names of all handlers of which there is anything: one look-up in the index for each."""
    names: list[str] = []
    while name := connection.scalar(
        select(func.min(Handling.handler)).where(*([Handling.handler > names[-1]] if names else []))
    ):
        names.append(name)
    return names


def forget_handlings(connection: Connection, event_ids: Sequence[UUID]) -> None:
    """Nobody is called any more for events whose follower is forgotten."""
    connection.execute(delete(Handling).where(Handling.event_id.in_(event_ids)))


def _chosen(choice: Choice) -> Iterator[ColumnElement[bool]]:
    yield Handling.state == FAILED
    if choice.handler is not None:
        yield Handling.handler == choice.handler
    if choice.account_id is not None:
        yield Handling.account_id == choice.account_id
    if choice.reason is not None:
        yield Handling.reason == choice.reason
    if choice.event_id is not None:
        yield Handling.event_id == choice.event_id
