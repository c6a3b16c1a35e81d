"""Which button of one menu stands beside which of another when the two are compared; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

By: TypeAlias = Literal["target", "position", "none"]


@dataclass(frozen=True, slots=True)
class PlacedButton:
    """A button that taps tell of, and where it is."""

    menu: int  # 0 is the default menu, then the personalised ones
    spot: tuple[int, ...]  # its place in the bar, and of a sub-button its place above that
    name: str
    kind: str  # of the events its taps make
    key: str  # or URL, or page path

    @property
    def target(self) -> tuple[str, str]:
        return self.kind, self.key

    @property
    def position(self) -> tuple[int, tuple[int, ...]]:
        return self.menu, self.spot


@dataclass(frozen=True, slots=True)
class Pair:
    by: By
    first: PlacedButton | None
    second: PlacedButton | None


def align(first: Sequence[PlacedButton], second: Sequence[PlacedButton]) -> list[Pair]:
    """Buttons of the same key or URL, wherever they are; then those in the same position; then what is left alone.

    In the order of the first menu, then of the second. Buttons of one target in one menu are one: their taps cannot be
    told apart.
    """
    ones, others = _distinct(first), _distinct(second)
    by_target = {button.target: button for button in others}
    shared = {button.target for button in ones} & by_target.keys()
    by_position = {button.position: button for button in others if button.target not in shared}
    pairs: list[Pair] = []
    for button in ones:
        if button.target in shared:
            pairs.append(Pair("target", button, by_target[button.target]))
        elif (other := by_position.pop(button.position, None)) is not None:
            pairs.append(Pair("position", button, other))
        else:
            pairs.append(Pair("none", button, None))
    return pairs + [Pair("none", None, button) for button in by_position.values()]


def _distinct(buttons: Iterable[PlacedButton]) -> list[PlacedButton]:
    found: dict[tuple[str, str], PlacedButton] = {}
    for button in buttons:
        found.setdefault(button.target, button)
    return list(found.values())
