"""Events for `python -m tests.chaos.million`: what the simulator says, by a million followers, some of it poisoned."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from uuid import UUID

from models.base import table_of
from wechat.event import Addressee, Entry, Unreadable, encode, read, unreadable_id
from wechat.parse import Fields, parse
from wechat.simulator.account import Account
from wechat.simulator.pushes import pushes
from workers.rows import ROWS

SAID = 5000  # different things; parsing a million pushes would take longer than all the rest
REPEAT_EVERY, REPEATED_AFTER = 20, 5000  # events
POISON_EVERY = 1000


@dataclass
class Ledger:
    """What has to be where in the end."""

    stored: set[UUID] = field(default_factory=set)
    quarantined: dict[UUID, str] = field(default_factory=dict)  # with the reason
    rows: Counter[str] = field(default_factory=Counter)  # of the tables of particulars


def total(count: int) -> int:
    """So many entries are made of so many events."""
    return count + -(-count // REPEAT_EVERY)


def entries(account: Account, count: int, ledger: Ledger) -> Iterator[bytes]:
    """So many events and their repeats, as the journal holds them; each is in the ledger before it is given out."""
    now = datetime.now(UTC)
    addressee = Addressee(account.name, account.app_id, account.original_id)
    poisons = cycle((_too_long, _unsendable, _unreadable))
    repeats: deque[tuple[int, bytes]] = deque()
    for number, fields in enumerate(_said(account, count)):
        said = fields | {"FromUserName": f"o{number:027}", "CreateTime": str(int(now.timestamp()) - number % 3600)}
        if number % POISON_EVERY == POISON_EVERY - 1:
            entry, reason = next(poisons)(said, addressee, now)
            ledger.quarantined[entry.id] = reason
        else:
            event = entry = read(said, addressee, now)
            ledger.stored.add(event.id)
            ledger.rows.update(_particulars(event.kind, event.body or {}))
        content = encode(entry)
        yield content
        if number % REPEAT_EVERY == 0:
            repeats.append((number + REPEATED_AFTER, content))
        while repeats and repeats[0][0] <= number:
            yield repeats.popleft()[1]
    yield from (content for _due, content in repeats)


def _said(account: Account, count: int) -> Iterator[Fields]:
    """What pushes say, over and over; whoever says it gets another name each time."""
    messages = [parse(push.message)[0] for push in pushes(account, min(count, SAID), seed=count)]
    return islice(cycle(messages), count)


def _particulars(kind: str, body: Fields) -> dict[str, int]:
    of_kind = ROWS.get(kind)
    return {} if of_kind is None else {table_of(model).name: len(rows) for model, rows in of_kind(body).items()}


def _too_long(said: Fields, addressee: Addressee, now: datetime) -> tuple[Entry, str]:
    """What no table has room for."""
    return read(said | {"FromUserName": said["FromUserName"] * 5}, addressee, now), "too_long"


def _unsendable(said: Fields, addressee: Addressee, now: datetime) -> tuple[Entry, str]:
    """What only the database refuses: it has to be looked for in its batch. The door would have replaced it."""
    return read(said | {"EventKey": "a\0b"}, addressee, now), "row_refused"


def _unreadable(said: Fields, addressee: Addressee, now: datetime) -> tuple[Entry, str]:
    """What the door could not read."""
    raw = f"<xml><FromUserName>{said['FromUserName']}</xml>".encode()
    unread = unreadable_id(addressee.app_id, raw)
    return Unreadable(unread, addressee.app_id, addressee.name, "bad_xml", raw, now), "bad_xml"
