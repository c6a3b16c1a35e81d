"""Numbers of followers and buttons. The roll-up gives them out; forgetting a follower takes the openid off one."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, Insert, delete, func, insert, literal, select, update

from models.base import table_of
from models.bulk import insert_new
from models.event import MENU_KINDS, Event
from models.rollup import Button, Follower, RollupAccount
from workers import rollup_lock
from workers.marks import mark

Tapped: TypeAlias = tuple[str, str | None]
"""A kind, and the key of a button of the menu."""
Span: TypeAlias = tuple[datetime, datetime]
Item = TypeVar("Item")

_AT_A_TIME = 500


def tapped(kind: str, event_key: str | None) -> Tapped:
    return kind, event_key if kind in MENU_KINDS else None


def button_ids(connection: Connection, account_id: int, wanted: Collection[Tapped]) -> dict[Tapped, int]:
    """The ids of the buttons that are known."""
    digests = {_digest(one): one for one in wanted}
    query = select(Button.digest, Button.id).where(Button.account_id == account_id)
    found: dict[Tapped, int] = {}
    for part in _parts(digests):
        found |= {digests[row.digest]: row.id for row in connection.execute(query.where(Button.digest.in_(part)))}
    return found


def add_buttons(connection: Connection, account_id: int, new: Iterable[Tapped]) -> None:
    rows = [
        {"account_id": account_id, "kind": kind, "event_key": key, "digest": _digest((kind, key))} for kind, key in new
    ]
    insert_new(connection, Button, sorted(rows, key=lambda row: str(row["digest"])))


def number(connection: Connection, account_id: int, open_ids: Collection[str], spans: Iterable[Span]) -> dict[str, int]:
    """Give numbers to followers who had none when their events of these times were counted.

    The database takes them from the events once more, all at once, since to be told of each costs it more than to look.
    Of one who was forgotten since, nothing is there any more; and the lease, which forgetting waits for, keeps anybody
    from being forgotten now.
    """
    account = RollupAccount.account_id == account_id
    first = connection.scalar(select(RollupAccount.followers).where(account)) or 0
    count = first
    for span in spans:
        before = count
        count += connection.execute(_new_ones(account_id, open_ids, span, count)).rowcount
        if connection.dialect.name == "postgresql" and count.bit_length() > before.bit_length():
            # Twice as many. What is not known of a table that grows fast is not waited for: of one that PostgreSQL
            # takes for empty it reads all for each event.
            connection.exec_driver_sql(f"ANALYZE {Follower.__tablename__}")
    if count > first:
        connection.execute(update(RollupAccount).where(account).values(followers=count))
    # With them, perhaps, those who came while their slot was counted: that has another mark.
    query = select(Follower.open_id, Follower.number)
    query = query.where(Follower.account_id == account_id, Follower.number >= first)
    return {open_id: number for open_id, number in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


def _new_ones(account_id: int, open_ids: Collection[str], span: Span, first: int) -> Insert:
    since, until = span
    theirs = (Event.account_id == account_id, Event.created_at >= since, Event.created_at < until)
    has_number = select(Follower.number).where(Follower.account_id == account_id, Follower.open_id == Event.open_id)
    new = select(Event.open_id).distinct().where(*theirs, Event.open_id.is_not(None), ~has_number.exists())
    if len(open_ids) <= _AT_A_TIME:  # few of many: by the index over openids
        new = new.where(Event.open_id.in_(sorted(open_ids)))
    one = new.subquery()
    place = func.row_number().over(order_by=one.c.open_id) - 1
    rows = select(literal(account_id), one.c.open_id, literal(first) + place)
    fill = insert(table_of(Follower)).from_select(["account_id", "open_id", "number"], rows)
    return fill.execution_options(preserve_rowcount=True)


def rename(connection: Connection, account_id: int, open_id: str, pseudonym: str) -> bool:
    """Let the number of a follower who is being forgotten be the pseudonym's; whether there was one."""
    mine = update(Follower).where(Follower.account_id == account_id, Follower.open_id == open_id)
    return connection.execute(mine.values(open_id=pseudonym)).rowcount == 1


def settle(connection: Connection, account_id: int, open_id: str, pseudonym: str) -> None:
    """When a follower has been forgotten: have counted anew what a roll-up saw of it half done, and what came later.

    Whoever followed again is somebody else from then on, and has to get another number.
    """
    rollup_lock.wait(connection)
    mine = (Follower.account_id == account_id, Follower.open_id == open_id)
    _mark_all(connection, account_id, open_id)
    if connection.execute(delete(Follower).where(*mine)).rowcount:
        _mark_all(connection, account_id, pseudonym)


def _mark_all(connection: Connection, account_id: int, open_id: str) -> None:
    query = select(Event.created_at).where(Event.open_id == open_id, Event.account_id == account_id)
    mark(connection, ((account_id, moment) for moment in connection.scalars(query)))


def _parts(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    everything = list(items)
    for start in range(0, len(everything), _AT_A_TIME):
        yield everything[start : start + _AT_A_TIME]


def _digest(one: Tapped) -> str:
    kind, key = one
    text = kind if key is None else f"{kind}\0{key}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=32).hexdigest()
