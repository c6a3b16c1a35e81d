"""What is in quarantine, tried again: with the keys of today, and the code of today."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from models.account import Account, account_ids
from models.db import connect, transaction
from models.quarantine import Quarantine
from models.walk import AnyRow, AnySelect
from wechat.event import Event
from workers import alone
from workers.mentions import erase
from workers.record import TooManyRefusedError, store
from workers.reread import SUSPECT, NotReadError, Reader, event_of

PAGE = 100  # rows; a push has at most 64 KiB
PATIENCE = 60.0  # seconds for one suspect


@dataclass(frozen=True)
class Choice:
    """Which rows of quarantine; by default all that have not been replayed."""

    account_id: int | None = None
    reason: str | None = None
    id: UUID | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = [Quarantine.replayed_at.is_(None)]
        if self.account_id is not None:
            conditions.append(Quarantine.account_id == self.account_id)
        if self.reason is not None:
            conditions.append(Quarantine.reason == self.reason)
        if self.id is not None:
            conditions.append(Quarantine.id == self.id)
        return conditions


@dataclass
class Replayed:
    """What became of rows of quarantine."""

    recorded: int = 0
    known: int = 0  # their events are in the tables already
    forgotten: int = 0  # of followers who are not to be recorded: erased
    refused: Counter[str] = field(default_factory=Counter)  # why, and how many

    @property
    def rows(self) -> int:
        return self.recorded + self.known + self.forgotten + self.refused.total()

    def add(self, other: "Replayed") -> None:
        self.recorded += other.recorded
        self.known += other.known
        self.forgotten += other.forgotten
        self.refused += other.refused


def count(engine: Engine, choice: Choice) -> int:
    with engine.connect() as connection:
        query = select(func.count()).select_from(Quarantine).where(*choice.conditions())
        return connection.scalar(query) or 0


def replay(engine: Engine, known: Mapping[str, Reader], choice: Choice, *, dry_run: bool = False) -> Iterator[Replayed]:
    """Record what can be read and stored now, part by part, each in one transaction.

    What is refused stays, with the latest reason as its detail. It may be ended anywhere and begun again: what was
    recorded has its mark, and the id of an event keeps it from being recorded twice.
    """
    for rows in _pages(engine, choice):
        if plain := [row for row in rows if row.reason != SUSPECT]:
            yield from _try(engine, known, plain, dry_run)
        for row in rows:
            if row.reason == SUSPECT:
                yield _try_alone(engine, known, row, dry_run)


def _try(engine: Engine, known: Mapping[str, Reader], rows: Sequence[AnyRow], dry_run: bool) -> Iterator[Replayed]:
    try:
        yield _attempt(engine, known, rows, dry_run)
    except TooManyRefusedError:  # no wonder: these were refused before
        for row in rows:
            yield _attempt(engine, known, [row], dry_run)


def _try_alone(engine: Engine, known: Mapping[str, Reader], row: AnyRow, dry_run: bool) -> Replayed:
    """A suspect may kill whoever decodes it, so that is another process."""
    url = engine.url.render_as_string(hide_password=False)
    try:
        return alone.call(attempt_suspect, url, dict(known), row.id, dry_run, patience=PATIENCE)
    except alone.DiedError as error:
        refusals = {row.id: ("died", error.how)}
    if not dry_run:
        with transaction(engine) as connection:
            _note(connection, [row], refusals)
    return Replayed(refused=Counter([_words(*refusals[row.id])]))


def attempt_suspect(url: str, known: Mapping[str, Reader], row_id: UUID, dry_run: bool) -> Replayed:
    """The same for one suspect, in the process that it may kill."""
    engine = connect(url)
    replayed = Replayed()
    for rows in _pages(engine, Choice(id=row_id)):
        replayed.add(_attempt(engine, known, rows, dry_run))
    engine.dispose()
    return replayed


def _attempt(engine: Engine, known: Mapping[str, Reader], rows: Sequence[AnyRow], dry_run: bool) -> Replayed:
    """Read rows of quarantine and store their events, all in one transaction, which a dry run takes back."""
    now = datetime.now(UTC)
    events: dict[UUID, Event] = {}  # by the id of the row; two rows may be the same event, encrypted twice
    refusals: dict[UUID, tuple[str, str]] = {}
    for row in rows:
        try:
            events[row.id] = event_of(row, known)
        except NotReadError as error:
            refusals[row.id] = error.reason, error.detail
    with transaction(engine) as connection:
        distinct = {event.id: event for event in events.values()}
        accounts = account_ids(connection, {event.app_id: event.account for event in distinct.values()})
        stored = store(connection, [distinct[key] for key in sorted(distinct)], accounts, now)
        culprits = {culprit.id: (culprit.reason, culprit.detail) for culprit in stored.refused}
        gone = {event.id for event in stored.forgotten}
        refusals |= {row_id: culprits[event.id] for row_id, event in events.items() if event.id in culprits}
        erased = [row_id for row_id, event in events.items() if event.id in gone]
        done = [row_id for row_id in events if row_id not in refusals and row_id not in erased]
        connection.execute(update(Quarantine).where(Quarantine.id.in_(done)).values(replayed_at=now))
        erase(connection, erased, now)
        _note(connection, rows, refusals)
        if dry_run:
            connection.rollback()
    return Replayed(
        recorded=len(stored.new),
        known=len(done) - len(stored.new),
        forgotten=len(erased),
        refused=Counter(_words(*refusal) for refusal in refusals.values()),
    )


def _note(connection: Connection, rows: Sequence[AnyRow], refusals: Mapping[UUID, tuple[str, str]]) -> None:
    """Write down why rows are refused now, where that is not what they say already."""
    for row in rows:
        if row.id not in refusals:
            continue
        reason, detail = refusals[row.id]
        detail = detail if reason == row.reason else _words(reason, detail)
        if detail != row.detail:
            connection.execute(update(Quarantine).where(Quarantine.id == row.id).values(detail=detail))


def _words(reason: str, detail: str) -> str:
    return f"{reason}: {detail}" if detail else reason


def _pages(engine: Engine, choice: Choice) -> Iterator[Sequence[AnyRow]]:
    """The chosen rows with their accounts, as far as these are known, in the order of their ids."""
    columns = (Quarantine.id, Quarantine.reason, Quarantine.detail, Quarantine.raw, Quarantine.received_at)
    query: AnySelect = select(*columns, Account.app_id, Account.name, Account.original_id)
    query = query.outerjoin_from(Quarantine, Account, Account.id == Quarantine.account_id).where(*choice.conditions())
    query = query.order_by(Quarantine.id).limit(PAGE)
    after: AnyRow | None = None
    while True:
        with engine.connect() as connection:
            page = query if after is None else query.where(Quarantine.id > after.id)
            rows = connection.execute(page).all()
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1]
