"""Events as followers cause them now: what the simulated platform pushes, over and over, each time with an id anew."""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID

from msgspec.structs import replace

from wechat.event import Addressee, Event, encode, encode_batch, read
from wechat.parse import parse
from wechat.simulator.account import Account
from wechat.simulator.pushes import pushes

ACCOUNT = Account(name="bench", app_id="wx0123456789abcdef", token="benchmark")
DIFFERENT = 5_000  # of which all others are copies
_VERSION_8 = 8 << 76 | 2 << 62


def events(count: int, moment: datetime | None = None) -> Iterator[Event]:
    """So many events of the seconds before a moment: ids and times as they would be, a thousand to the second."""
    random = Random(secrets.randbits(64))
    start = (moment or datetime.now(UTC)) - timedelta(milliseconds=count)
    for number, event in zip(range(count), itertools.cycle(_different()), strict=False):
        received_at = start + timedelta(milliseconds=number, microseconds=random.randrange(1000))
        created_at = received_at.replace(microsecond=0)
        milliseconds = int(created_at.timestamp()) * 1000
        bits = milliseconds << 80 | _VERSION_8 | random.getrandbits(12) << 64 | random.getrandbits(62)
        yield replace(event, id=UUID(int=bits), created_at=created_at, received_at=received_at)


def in_batches(all_of_them: Sequence[Event], size: int) -> list[Sequence[Event]]:
    return [all_of_them[start : start + size] for start in range(0, len(all_of_them), size)]


def payload(batch: Sequence[Event], receipts: str) -> tuple[str, bytes]:
    """A batch as the publisher would send it, and its id."""
    batch_id = secrets.token_hex(16)
    return batch_id, encode_batch(batch_id, receipts, [encode(event) for event in batch])


@cache
def _different() -> list[Event]:
    addressee = Addressee(ACCOUNT.name, ACCOUNT.app_id, ACCOUNT.to_user)
    now = datetime.now(UTC)
    made = []
    for push in pushes(ACCOUNT, DIFFERENT, seed=1, period=(now - timedelta(days=1), now)):
        fields, is_altered = parse(push.message)
        made.append(read(fields, addressee, now, altered=push.message if is_altered else None))
    return made
