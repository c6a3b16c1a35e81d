"""From a batch to its rows, in one transaction."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from models import event as tables
from models.account import account_ids
from models.base import Base
from models.bulk import insert_fresh, insert_new, known_ids
from models.db import transaction
from models.quarantine import Forgotten, Quarantine, open_id_hash
from models.refusal import is_refusal
from wechat.event import Batch, Event, Unreadable, encode, unreadable_id
from workers.attribution import Attribution
from workers.forget import remember_unsubscribed
from workers.histories import attribute_all
from workers.marks import mark
from workers.outbox import put_out
from workers.rows import RefusedError, Rows, rows

# The order in which tables are written: always the same, so that writers never wait for each other in a circle.
TABLES: tuple[type[Base], ...] = (
    tables.Event,
    tables.Scan,
    tables.PhotoSend,
    tables.Photo,
    tables.Location,
    tables.Message,
)
# How an encoded entry begins (wechat/event.py); plain names only.
_HEAD = re.compile(
    rb'\{"type":"[a-z]+","id":"(?P<id>[0-9a-f-]{36})","app_id":"(?P<app_id>[\w-]+)","account":"(?P<account>[\w-]+)"'
)
Accounts: TypeAlias = dict[str, int]  # ids by AppID


@dataclass(frozen=True)
class Recorded:
    """What became of the entries of a batch."""

    stored: int
    repeated: int  # known before, or twice in the batch
    quarantined: int
    forgotten: int  # of followers who are not to be recorded
    taps: Mapping[str, int] = field(default_factory=dict)  # those stored, by the case of their attribution


@dataclass(frozen=True)
class Culprit:
    """What goes to quarantine; of a suspect entry, which nobody reads, account and time may be unknown."""

    id: UUID
    account_id: int | None
    reason: str
    detail: str
    raw: bytes
    received_at: datetime | None


@dataclass(frozen=True)
class Stored:
    """What became of events."""

    new: list[Event]
    known: list[Event]
    forgotten: list[Event]
    refused: list[Culprit]
    taps: Mapping[str, int]  # of the new ones, by the case of their attribution


class TooManyRefusedError(Exception):
    """So many rows are refused that it must be the tables: to be tried again when they have been seen to."""


def record(engine: Engine, batch: Batch, *, forget_unsubscribed: bool = False, may_lag: float = 0.0) -> Recorded:
    """Store what is new, and set aside what cannot be stored; where wanted, forget those who have left. What is known
    of publications, to which taps are tied, may be so many seconds old.

    Raises whatever keeps it from doing so now; then nothing is stored, and the batch is to be tried again.
    """
    now = datetime.now(UTC)
    # Sorted, because two writers with the same rows in different orders wait for each other.
    entries = [entry for _, entry in sorted({entry.id.int: entry for entry in batch.entries}.items())]
    events = [entry for entry in entries if isinstance(entry, Event)]
    with transaction(engine) as connection:
        accounts = account_ids(connection, {entry.app_id: entry.account for entry in entries})
        stored = store(connection, events, accounts, now, may_lag)
        if forget_unsubscribed:
            remember_unsubscribed(connection, stored.new, accounts, now)
        unreadable = [_unreadable(entry, accounts) for entry in entries if isinstance(entry, Unreadable)]
        suspects = [] if batch.suspect is None else [_suspect(connection, batch.suspect)]
        _set_aside(connection, stored.refused + unreadable + suspects, now)
    return Recorded(
        stored=len(stored.new),
        repeated=len(stored.known) + len(batch.entries) - len(entries),
        quarantined=len(stored.refused) + len(unreadable) + len(suspects),
        forgotten=len(stored.forgotten),
        taps=stored.taps,
    )


def store(
    connection: Connection, events: Sequence[Event], accounts: Accounts, now: datetime, may_lag: float = 0.0
) -> Stored:
    """Insert the rows of events, which come sorted by id and each once, unless they are known or not wanted.

    Raises TooManyRefusedError when the tables refuse more than a tenth of them.
    """
    wanted = _without_forgotten(connection, events, accounts)
    attributed = attribute_all(connection, wanted, accounts, may_lag)
    ready, culprits = _rows_of(wanted, attributed, accounts, now)
    known: set[UUID] = set()
    # Nearly always all of them are new, and to trust in that is less work than to ask for each.
    if culprits or not _is_inserted(connection, ready):
        ids, moments = [event.id for event in wanted], [event.created_at for event in wanted]
        known = known_ids(connection, tables.Event, ids, moments)
        culprits = [culprit for culprit in culprits if culprit.id not in known]
        ready = [(event, of_event) for event, of_event in ready if event.id not in known]
        # Of a batch that comes again, what was refused may be all that is not known: the whole batch is the measure.
        for event, code in _insert(connection, ready, at_most=max(1, len(events) // 10)):
            culprits.append(_refused(event, accounts, "row_refused", code))
    without = known | {culprit.id for culprit in culprits}
    new = [event for event in wanted if event.id not in without] if without else list(wanted)
    mark(connection, {(accounts[event.app_id], event.created_at) for event in new})
    put_out(connection, new, accounts, now, may_lag)
    return Stored(
        new=new,
        known=[event for event in wanted if event.id in known] if known else [],  # an id is slow to hash
        forgotten=_others(events, wanted),
        refused=culprits,
        taps=_by_case(wanted, attributed, without),
    )


def _others(all_of_them: Sequence[Event], some: Sequence[Event]) -> list[Event]:
    if len(some) == len(all_of_them):
        return []
    ids = {event.id for event in some}
    return [event for event in all_of_them if event.id not in ids]


def _without_forgotten(connection: Connection, events: Sequence[Event], accounts: Accounts) -> Sequence[Event]:
    """Events of followers who asked to be forgotten arrive again from journals and replays, and are dropped."""
    # Nobody is, as a rule; so SQLAlchemy, which takes longer to write this than the database to do it, is spared.
    if not events or not connection.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM forgotten)").scalar_one():
        return events
    hashes = {event.id: open_id_hash(event.app_id, event.open_id) for event in events if event.open_id is not None}
    query = select(Forgotten).where(
        Forgotten.account_id.in_(accounts.values()), Forgotten.open_id_hash.in_(set(hashes.values()))
    )
    forgotten = {(row.account_id, row.open_id_hash): row.forgotten_at for row in connection.execute(query)}

    def is_forgotten(event: Event) -> bool:
        forgotten_at = forgotten.get((accounts[event.app_id], hashes.get(event.id, "")))
        return forgotten_at is not None and event.created_at < forgotten_at

    return [event for event in events if not is_forgotten(event)]


def _by_case(events: Sequence[Event], attributed: Sequence[Attribution | None], without: set[UUID]) -> dict[str, int]:
    pairs = zip(events, attributed, strict=True)
    return dict(Counter(tap.case for event, tap in pairs if tap and not (without and event.id in without)))


def _rows_of(
    events: Sequence[Event], attributed: Sequence[Attribution | None], accounts: Accounts, now: datetime
) -> tuple[list[tuple[Event, Rows]], list[Culprit]]:
    """The rows of events, and those events that can be none."""
    ready: list[tuple[Event, Rows]] = []
    culprits: list[Culprit] = []
    for event, tap in zip(events, attributed, strict=True):
        try:
            ready.append((event, rows(event, accounts[event.app_id], now, tap.publication_id if tap else None)))
        except RefusedError as error:
            culprits.append(_refused(event, accounts, error.reason, error.column))
    return ready, culprits


def _is_inserted(connection: Connection, ready: list[tuple[Event, Rows]]) -> bool:
    """Insert all, or none if any is known or refused."""
    try:
        with connection.begin_nested():
            insert_fresh(connection, _gathered(ready))
    except DBAPIError as error:
        if not (isinstance(error, IntegrityError) or is_refusal(error)):
            raise
        return False
    return True


def _insert(connection: Connection, ready: list[tuple[Event, Rows]], at_most: int) -> list[tuple[Event, str]]:
    """Insert all but what came meanwhile; where the tables refuse, halves and halves of halves, until the culprits
    stand alone.

    Returns those with the codes of their errors.
    """
    culprits: list[tuple[Event, str]] = []
    parts = [ready]
    while parts:
        part = parts.pop()
        try:
            with connection.begin_nested():
                for table, its_rows in _gathered(part).items():
                    insert_new(connection, table, its_rows)
        except DBAPIError as error:
            if not is_refusal(error):
                raise
            if len(part) == 1:
                culprits.append((part[0][0], _code(error)))
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
        if len(culprits) > at_most:
            raise TooManyRefusedError(culprits[0][1])
    return culprits


def _gathered(part: list[tuple[Event, Rows]]) -> Rows:
    gathered: Rows = {table: [] for table in TABLES}
    for _, of_event in part:
        for table, its_rows in of_event.items():
            gathered[table] += its_rows
    return gathered


def _code(error: DBAPIError) -> str:
    """The database's code of an error; its words may quote what a follower wrote."""
    cause = error.orig
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return str(code or next((arg for arg in getattr(cause, "args", ()) if isinstance(arg, int)), "unsendable"))


def _refused(event: Event, accounts: Accounts, reason: str, detail: str) -> Culprit:
    return Culprit(event.id, accounts[event.app_id], reason, detail, encode(event), event.received_at)


def _unreadable(entry: Unreadable, accounts: Accounts) -> Culprit:
    return Culprit(entry.id, accounts[entry.app_id], entry.reason, entry.detail, entry.raw, entry.received_at)


def _suspect(connection: Connection, raw: bytes) -> Culprit:
    """An entry that may kill whoever decodes it; its head alone is looked at, so that it can be found by its id."""
    head = _HEAD.match(raw)
    if head is None:
        return Culprit(unreadable_id("", raw), None, "suspect", "", raw, None)
    app_id, name = head["app_id"].decode(), head["account"].decode()
    accounts = account_ids(connection, {app_id: name})
    return Culprit(UUID(head["id"].decode()), accounts[app_id], "suspect", "", raw, None)


def _set_aside(connection: Connection, culprits: list[Culprit], now: datetime) -> None:
    quarantined = [asdict(culprit) | {"quarantined_at": now} for culprit in sorted(culprits, key=lambda c: c.id)]
    insert_new(connection, Quarantine, quarantined)
