"""Who and what the simulated pushes are about."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple, Protocol, TypeAlias

from wechat.parse import Fields
from wechat.simulator.menu import Button


class Said(NamedTuple):
    """What WeChat will push: all fields but the envelope's, and how many seconds after the first of its act."""

    sender: str
    fields: Fields
    delay: float = 0.0


class People(Protocol):
    """An account's followers, by OpenID."""

    def someone(self) -> str: ...
    def join(self) -> str: ...
    def leave(self) -> str: ...


class Scene:
    """The followers of an account before its menu."""

    def __init__(self, random: Random, crowd: People, menu: Sequence[Button]) -> None:
        self.random = random
        self.crowd = crowd
        self._menu = menu

    def tap(self) -> tuple[str, Button] | None:
        """Who taps what; nobody does where there is nothing to tap."""
        if not self._menu:
            return None
        button = self.choose(self._menu)
        return self.crowd.someone(), button

    def choose(self, menu: Sequence[Button]) -> Button:
        """The first are the most popular."""
        return self.random.choices(menu, cum_weights=list(accumulate(1 / rank for rank in range(1, len(menu) + 1))))[0]

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
