"""Who and what the simulated pushes are about."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple, TypeAlias

from wechat.parse import Fields
from wechat.simulator.crowd import Crowd
from wechat.simulator.menu import Button


class Said(NamedTuple):
    """What WeChat will push: all fields but the envelope's, and how many seconds after the first of its act."""

    sender: str
    fields: Fields
    delay: float = 0.0


class Scene:
    """The followers of an account before its menu."""

    def __init__(self, random: Random, crowd: Crowd, menu: Sequence[Button]) -> None:
        self.random = random
        self.crowd = crowd
        self._menu = menu
        self._popularity = list(accumulate(1 / (rank + 1) for rank in range(len(menu))))

    def button(self) -> Button:
        return self.random.choices(self._menu, cum_weights=self._popularity)[0]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def media_id(self) -> str:
        return base64.urlsafe_b64encode(self.random.randbytes(48)).decode()


Act: TypeAlias = Callable[[Scene], list[Said]]


@dataclass(frozen=True)
class Repertoire:
    """Acts, and how often each is played."""

    acts: tuple[Act, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, *parts: tuple[float, Act]) -> "Repertoire":
        return cls(tuple(act for _, act in parts), tuple(accumulate(weight for weight, _ in parts)))

    def play(self, scene: Scene) -> list[Said]:
        return scene.random.choices(self.acts, cum_weights=self.weights)[0](scene)


def event(sender: str, name: str, fields: Fields | None = None) -> list[Said]:
    """An act that is one event."""
    return [Said(sender, {"MsgType": "event", "Event": name, **(fields or {})})]
