"""What was sent and how it was answered, a line of JSON per delivery; and its comparison with what was stored."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from wechat.simulator.answer import ACKNOWLEDGED


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A delivery: the id it has to have in the tables, the final answer, and the seconds of the last attempt.

    A `damage`d push has the id it has to have in quarantine; none if it has to be refused.
    """

    id: str | None
    answer: str
    seconds: float
    kind: str
    attempts: int = 1
    detail: str = ""
    damage: str | None = None
    repeat: bool = False

    @property
    def is_acknowledged(self) -> bool:
        return self.answer in ACKNOWLEDGED


encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def read(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        yield from (_decode(line) for line in file)


@dataclass(frozen=True)
class Comparison:
    """Ids that are not where they should be."""

    acknowledged: int  # distinct ids
    missing: frozenset[str]  # acknowledged and not stored: a broken promise
    unexpected: frozenset[str]  # stored and never sent
    repeated: frozenset[str]  # stored more than once
    unacknowledged: frozenset[
        str
    ]  # stored, though the answer did not say so: no fault, WeChat would have repeated them

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.unexpected or self.repeated)


def compare(lines: Iterable[Line], stored: Iterable[str], quarantined: Iterable[str] = ()) -> Comparison:
    """Undamaged pushes belong in `stored`, damaged ones in `quarantined`; ids as text."""
    intact, damaged = _Sent(), _Sent()
    for line in lines:
        (damaged if line.damage else intact).add(line)
    return _both(intact.compare(Counter(stored)), damaged.compare(Counter(quarantined)))


class _Sent:
    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.acknowledged: set[str] = set()

    def add(self, line: Line) -> None:
        if line.id is not None:
            self.ids.add(line.id)
            if line.is_acknowledged:
                self.acknowledged.add(line.id)

    def compare(self, found: Counter[str]) -> Comparison:
        return Comparison(
            acknowledged=len(self.acknowledged),
            missing=frozenset(self.acknowledged - found.keys()),
            unexpected=frozenset(found.keys() - self.ids),
            repeated=frozenset(name for name, times in found.items() if times > 1),
            unacknowledged=frozenset(found.keys() & self.ids - self.acknowledged),
        )


def _both(one: Comparison, other: Comparison) -> Comparison:
    return Comparison(
        one.acknowledged + other.acknowledged,
        one.missing | other.missing,
        one.unexpected | other.unexpected,
        one.repeated | other.repeated,
        one.unacknowledged | other.unacknowledged,
    )
