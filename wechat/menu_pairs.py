"""Which button of one menu is which of another: by what it does, then by its name, then by what it holds."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeAlias

from wechat.menu import Button

Spot: TypeAlias = tuple[int, ...]
"""Where a button is: its place in the bar, and for a sub-button its place above that."""

Pairs: TypeAlias = dict[Spot, Spot]

_Row: TypeAlias = "tuple[tuple[int, int], _Row | None]"


def spots(buttons: Sequence[Button]) -> dict[Spot, Button]:
    """Every button by its spot, in document order."""
    found: dict[Spot, Button] = {}
    for index, button in enumerate(buttons):
        found[(index,)] = button
        found |= {(index, *spot): sub for spot, sub in spots(button.buttons or ()).items()}
    return found


def pair(old: Sequence[Button], new: Sequence[Button]) -> Pairs:
    """New spots by old ones, of buttons that are taken to be the same.

    1. Leaves that do the same: in the same place or under the same name first.
    2. Parents of the same name, then those with a child in common.
    3. Of what is left, buttons of the same name: in the same parent first.
    """
    found = _Pairing(spots(old), spots(new))
    found.join(lambda spot, button: (spot, button.name, _deed(button)), leaves=True)
    found.join(lambda _spot, button: (button.name, _deed(button)), leaves=True)
    found.join(lambda spot, button: (spot[:-1], _deed(button)), leaves=True)
    found.join(lambda _spot, button: _deed(button), leaves=True)
    found.join(lambda spot, button: (len(spot), button.name), leaves=False)
    found.join_parents()
    found.join(lambda spot, button: (spot[:-1], button.name), leaves=True)
    found.join(lambda _spot, button: button.name, leaves=True)
    found.join(lambda spot, button: (len(spot), button.name), leaves=None)
    return found.pairs


def steady(places: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of these places, each an old and a new one, the most that are in the same order before and after."""
    ends: list[int] = []  # the smallest new place in which a row of so many ends
    rows: list[_Row] = []
    for place in sorted(places):
        length = bisect_left(ends, place[1])
        row = (place, rows[length - 1] if length else None)
        ends[length : length + 1], rows[length : length + 1] = [place[1]], [row]
    found, last = set(), rows[-1] if rows else None
    while last is not None:
        place, last = last
        found.add(place)
    return found


def _deed(button: Button) -> str:
    """What a tap does."""
    return json.dumps(button.target, sort_keys=True)


class _Pairing:
    def __init__(self, old: dict[Spot, Button], new: dict[Spot, Button]) -> None:
        self.old, self.new = old, new
        self.pairs: Pairs = {}
        self.taken: set[Spot] = set()

    def join(self, key: Callable[[Spot, Button], Hashable], *, leaves: bool | None) -> None:
        """Pair what has the same key and no partner yet: only leaves, only parents, or either."""
        waiting: dict[Hashable, list[Spot]] = defaultdict(list)
        for spot, button in self.old.items():
            if spot not in self.pairs and leaves in (None, button.buttons is None):
                waiting[key(spot, button)].append(spot)
        for spot, button in self.new.items():
            if spot not in self.taken and leaves in (None, button.buttons is None) and waiting.get(key(spot, button)):
                self._pair(waiting[key(spot, button)].pop(0), spot)

    def join_parents(self) -> None:
        """Pair parents by how many children they have in common."""
        shared: dict[tuple[Spot, Spot], int] = defaultdict(int)
        for old, new in self.pairs.items():
            if len(old) == len(new) == 2:
                shared[old[:1], new[:1]] += 1
        for old, new in sorted(shared, key=lambda parents: (-shared[parents], parents)):
            if old not in self.pairs and new not in self.taken:
                self._pair(old, new)

    def _pair(self, old: Spot, new: Spot) -> None:
        self.pairs[old] = new
        self.taken.add(new)
