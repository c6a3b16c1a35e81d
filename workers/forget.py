"""Forgetting followers: their rows stay and count, and nothing in them tells who it was or what they said.

Only a digest of the openid is kept, in `forgotten`. It goes in first, so that from then on recording and replaying drop
what the follower did before; what slipped past it is erased when `erase_again` comes round.
"""

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, func, null, or_, select, update

from models import answers, walk
from models.account import Account
from models.base import table_of
from models.bulk import insert_new
from models.db import transaction
from models.event import Detail, Event, Location, Message, Photo, Scan
from models.handling import forget_handlings
from models.quarantine import Forgotten, open_id_hash
from models.walk import AnyRow, AnySelect
from wechat import event as pushed
from workers.marks import mark
from workers.mentions import Follower, erase_mentions
from workers.numbering import rename, settle

log = logging.getLogger(__name__)

# What a follower said and showed, and where they were. Kinds, counts and forms stay.
STRIPPED: Mapping[type[Detail], Sequence[str]] = {
    Scan: ("scan_result", "symbology", "code"),
    Photo: ("md5",),
    Location: ("latitude", "longitude", "scale", "label", "poi_name", "precision"),
    Message: ("content", "media_id", "url", "title", "description", "recognition"),
}
_PSEUDONYM = "~"  # no openid begins so
_STEP = timedelta(minutes=10)  # of recording, looked through at a time
_HASHES = 500  # looked up at a time


def forget(engine: Engine, account_id: int, app_id: str, open_id: str, now: datetime) -> tuple[int, int]:
    """Forget a follower; how many events and how many pushes in quarantine were erased.

    May be ended anywhere and begun again.
    """
    follower = account_id, open_id_hash(app_id, open_id)
    with transaction(engine) as connection:
        remember(connection, {follower: now})
    erased = erase_events(engine, account_id, open_id, now)
    mentions = erase_mentions(engine, {account_id: app_id}, lambda *_: {follower: now}, now)
    _tell(follower, erased, mentions)
    return erased, mentions


def would_forget(engine: Engine, account_id: int, app_id: str, open_id: str, now: datetime) -> tuple[int, int]:
    """How much `forget` would erase."""
    follower = account_id, open_id_hash(app_id, open_id)
    found = erase_mentions(engine, {account_id: app_id}, lambda *_: {follower: now}, now, dry_run=True)
    return _count(engine, account_id, open_id, now), found


def remember(connection: Connection, forgotten: Mapping[Follower, datetime]) -> None:
    """Put down who is not to be recorded, and until when; of two moments the later holds."""
    rows = [
        {"account_id": account_id, "open_id_hash": hashed, "forgotten_at": moment}
        for (account_id, hashed), moment in sorted(forgotten.items())
    ]
    insert_new(connection, Forgotten, rows)
    for row in rows:
        same = [getattr(Forgotten, name) == row[name] for name in ("account_id", "open_id_hash")]
        later = update(Forgotten).where(*same, Forgotten.forgotten_at < row["forgotten_at"])
        connection.execute(later.values(forgotten_at=row["forgotten_at"]))


def remember_unsubscribed(
    connection: Connection, events: Iterable[pushed.Event], accounts: Mapping[str, int], now: datetime
) -> None:
    """Put down who has left, together with their leaving; `erase_again` finds them by it soon.

    The moment is just after it, so that whoever follows again is recorded again; and none of an absurd CreateTime.
    """
    second = timedelta(seconds=1)
    gone = {
        (accounts[event.app_id], open_id_hash(event.app_id, event.open_id)): min(event.created_at, now) + second
        for event in events
        if event.kind == "unsubscribe" and event.open_id is not None
    }
    remember(connection, gone)


def erase_again(engine: Engine, since: datetime | None, now: datetime, *, dry_run: bool = False) -> tuple[int, int]:
    """Erase what has come in since a moment of followers forgotten before, or of all time.

    A batch on its way when they were forgotten, a restored table and an unsubscribing follower leave such rows.
    """
    with engine.connect() as connection:
        query = select(Account.id, Account.app_id).where(Account.id.in_(select(Forgotten.account_id)))
        accounts: dict[int, str] = {row.id: row.app_id for row in connection.execute(query)}
    if not accounts:
        return 0, 0
    erased = 0
    for account_id, open_id, follower, moment in _left(engine, accounts, since):
        events = (_count if dry_run else erase_events)(engine, account_id, open_id, moment)
        if events and not dry_run:
            _tell(follower, events, 0)
        erased += events
    return erased, erase_mentions(engine, accounts, _forgotten, now, since, dry_run=dry_run)


def erase_events(engine: Engine, account_id: int, open_id: str, forgotten_at: datetime) -> int:
    """Take a follower out of the tables; the number of their events. One pseudonym for all keeps them one person."""
    pseudonym = _PSEUDONYM + secrets.token_urlsafe(16)
    with transaction(engine) as connection:
        answers.forget(connection, account_id, open_id, forgotten_at)
    query: AnySelect = select(Event.id, Event.created_at).where(*_of_follower(account_id, open_id, forgotten_at))
    erased, has_number = 0, False
    while True:
        with transaction(engine) as connection:
            events = connection.execute(query.order_by(Event.id).limit(walk.PAGE).with_for_update()).all()
            if events:
                has_number = has_number or rename(connection, account_id, open_id, pseudonym)
                _strip(connection, events, pseudonym)
                if not has_number:  # to the roll-up it is somebody new
                    mark(connection, ((account_id, event.created_at) for event in events))
        erased += len(events)
        if len(events) < walk.PAGE:
            break
    if erased:
        with transaction(engine) as connection:
            settle(connection, account_id, open_id, pseudonym)
    return erased


def is_pseudonym(open_id: str | None) -> bool:
    return open_id is not None and open_id.startswith(_PSEUDONYM)


def _count(engine: Engine, account_id: int, open_id: str, forgotten_at: datetime) -> int:
    with engine.connect() as connection:
        query = select(func.count()).select_from(Event).where(*_of_follower(account_id, open_id, forgotten_at))
        return connection.scalar(query) or 0


def _of_follower(account_id: int, open_id: str, forgotten_at: datetime) -> list[ColumnElement[bool]]:
    """Their events up to a moment, by WeChat's clock or by ours: a clock that is wrong must not keep an event."""
    before = or_(Event.created_at < forgotten_at, Event.recorded_at < forgotten_at)
    return [Event.open_id == open_id, Event.account_id == account_id, before]


def _strip(connection: Connection, events: Sequence[AnyRow], pseudonym: str) -> None:
    of_events = update(Event).where(*walk.among(Event.id, Event.created_at, events))
    connection.execute(of_events.values(open_id=pseudonym, msg_id=None, body=null()))
    for model, columns in STRIPPED.items():
        details = update(table_of(model)).where(*walk.among(model.event_id, model.created_at, events))
        connection.execute(details.values(dict.fromkeys(columns)))
    forget_handlings(connection, [event.id for event in events])


def _left(
    engine: Engine, accounts: Mapping[int, str], since: datetime | None
) -> Iterator[tuple[int, str, Follower, datetime]]:
    """Forgotten followers of whom something was recorded since, each once; with openid and moment of forgetting."""
    start, found = since, set[Follower]()
    while True:
        with engine.connect() as connection:
            first = select(Event.recorded_at).order_by(Event.recorded_at).limit(1)
            start = connection.scalar(first if start is None else first.where(Event.recorded_at >= start))
            if start is None:
                return
            during = (Event.recorded_at >= start, Event.recorded_at < start + _STEP)
            query = select(Event.account_id, Event.open_id).where(*during, Event.account_id.in_(accounts)).distinct()
            seen: dict[Follower, str] = {
                (row.account_id, open_id_hash(accounts[row.account_id], row.open_id)): row.open_id
                for row in connection.execute(query.where(Event.open_id.is_not(None)))
            }
            forgotten = _forgotten(connection, seen)
        for follower, moment in forgotten.items():
            if follower not in found:
                yield follower[0], seen[follower], follower, moment
        found |= forgotten.keys()
        start += _STEP


def _forgotten(connection: Connection, followers: Iterable[Follower]) -> dict[Follower, datetime]:
    """Which of these are forgotten, and when."""
    wanted = list(followers)
    found: dict[Follower, datetime] = {}
    for start in range(0, len(wanted), _HASHES):
        part = wanted[start : start + _HASHES]
        query = select(Forgotten).where(
            Forgotten.account_id.in_({account_id for account_id, _hash in part}),
            Forgotten.open_id_hash.in_({hashed for _account_id, hashed in part}),
        )
        for row in connection.execute(query):
            found[row.account_id, row.open_id_hash] = row.forgotten_at
    return {follower: found[follower] for follower in wanted if follower in found}


def _tell(follower: Follower, events: int, mentions: int) -> None:
    """The line by which an audit finds that somebody was forgotten, and when."""
    account_id, hashed = follower
    log.info(
        "follower forgotten",
        extra={"account_id": account_id, "open_id_hash": hashed, "events": events, "in_quarantine": mentions},
    )
