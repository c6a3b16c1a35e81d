"""What goes wrong at WeChat in a year, account by account: spells of trouble, and what they may be blamed for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType

from tests.chaos.year.scheduled import BEGIN, DAY, HOUR, MINUTE
from wechat.simulator.platform.state import Fault
from workers.delays import BUSY, QUOTA, REFUSED, TOKEN_REJECTED, UNREACHABLE

# A call for a token that failed is not repeated at once, and until then others fail of the same (workers/tokens.py).
AFTERMATH = timedelta(minutes=7)


@dataclass(frozen=True)
class Kind:
    faults: Sequence[Fault]
    reasons: frozenset[str]  # for which a due menu may not be live meanwhile


def _kind(reasons: str, *faults: Fault) -> Kind:
    return Kind(faults, frozenset(reasons.split()))


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "busy": _kind(BUSY, Fault("menu/*", errcode=-1)),
        "busy now and then": _kind(BUSY, Fault("menu/*", errcode=-1, probability=0.4)),
        "too often": _kind(BUSY, Fault("menu/*", errcode=45011)),
        "away": _kind(UNREACHABLE, Fault("*", drop=True)),
        "away now and then": _kind(UNREACHABLE, Fault("*", drop=True, probability=0.3)),
        "garbled": _kind(UNREACHABLE, Fault("*", garbage=True, status=502, probability=0.7)),
        "does, and does not answer": _kind(
            UNREACHABLE, *(Fault(f"menu/{call}", drop=True, after=True) for call in ("create", "*conditional"))
        ),
        "does, and answers garbage": _kind(UNREACHABLE, Fault("menu/*", garbage=True, after=True, probability=0.5)),
        "rejects tokens": _kind(f"{TOKEN_REJECTED} {BUSY}", Fault("menu/*", void=True, probability=0.5)),
        "not permitted": _kind(REFUSED, Fault("menu/create", errcode=48001), Fault("menu/add*", errcode=48001)),
        "wrong address": _kind(REFUSED, Fault("*", errcode=40164)),
        "thinks it invalid": _kind(REFUSED, Fault("menu/create", errcode=40016, probability=0.5)),
        "no room": _kind(REFUSED, Fault("menu/addconditional", errcode=65305)),
        "used up": _kind(QUOTA, Fault("menu/create", errcode=45009)),
        "slow": _kind("", Fault("*", delay=0.003)),
    }
)


@dataclass(frozen=True)
class Spell:
    begin: datetime
    end: datetime
    kind: Kind


def spells(random: Random, days: int) -> list[Spell]:
    """About two a day, from minutes to a day; several at the same time now and then."""
    found = []
    for _ in range(2 * days):
        begin = BEGIN + random.randrange(days * 24 * 60) * MINUTE
        lasts = random.choice((3 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 3 * HOUR, DAY / 2))
        found.append(Spell(begin, begin + lasts, KINDS[random.choice(list(KINDS))]))
    return found


def faults(spells: Sequence[Spell], now: datetime) -> list[Fault]:
    return [fault for spell in spells if spell.begin <= now < spell.end for fault in spell.kind.faults]


def blamed(spells: Sequence[Spell], now: datetime) -> frozenset[str]:
    """The reasons that are none of ours at this moment."""
    lasting = [spell for spell in spells if spell.begin <= now < spell.end + AFTERMATH]
    return frozenset().union(*(spell.kind.reasons for spell in lasting if now < spell.end or _is_of_tokens(spell)))


def _is_of_tokens(spell: Spell) -> bool:
    return any(fault.call == "*" or fault.void for fault in spell.kind.faults)
