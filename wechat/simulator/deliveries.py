"""What is delivered of a stream of pushes, and in which order: repeated, shuffled and damaged as asked for."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from wechat.simulator.account import Account
from wechat.simulator.pushes import Push
from wechat.simulator.request import DAMAGES, Damage, Mode, Request, make_request, quarantine_id


@dataclass(frozen=True)
class Faults:
    """Shares of pushes to repeat and to damage, and the number of pushes within which to shuffle."""

    repeat: float = 0.0
    corrupt: float = 0.0
    reorder: int = 0


NO_FAULTS = Faults()


@dataclass(frozen=True)
class Delivery:
    """A request to make, and the id that has to be in the tables once it is acknowledged (None: in none of them)."""

    id: str | None
    kind: str
    request: Request
    message: bytes
    damage: Damage | None = None
    repeat: bool = False


def deliveries(
    pushes: Iterable[Push], account: Account, mode: Mode = "plain", faults: Faults = NO_FAULTS, seed: int = 0
) -> Iterator[Delivery]:
    """Each push signed as of its taking; a repeat, some pushes later, reuses signature, timestamp and nonce."""
    random = Random(seed)  # noqa: S311  # reproducible on purpose; nothing here is secret
    again: list[Delivery] = []
    for push in _shuffled(pushes, faults.reorder, random):
        delivery = _sign(push, account, mode, random, faults.corrupt)
        yield delivery
        if random.random() < faults.repeat:
            again.append(replace(delivery, repeat=True))
        if again and random.random() < 0.5:
            yield again.pop(random.randrange(len(again)))
    yield from again


def _sign(push: Push, account: Account, mode: Mode, random: Random, corrupt: float) -> Delivery:
    damage = random.choice(DAMAGES) if random.random() < corrupt else None
    request = make_request(
        account, push.message, push.open_id, mode=mode, timestamp=int(time.time()), random=random, damage=damage
    )
    event_id = push.id if damage is None else quarantine_id(account, request, damage)
    return Delivery(event_id, push.kind, request, push.message, damage)


def _shuffled(pushes: Iterable[Push], window: int, random: Random) -> Iterator[Push]:
    held: list[Push] = []
    for push in pushes:
        held.append(push)
        if len(held) > window:
            yield held.pop(random.randrange(len(held)))
    random.shuffle(held)
    yield from held
