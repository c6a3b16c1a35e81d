"""What the virtual followers do before the menu that each of them sees, and what the platform pushes of it."""

from collections.abc import Iterator, Sequence
from random import Random

from wechat.parse import Fields, parse
from wechat.simulator.account import Account
from wechat.simulator.menu import Button
from wechat.simulator.platform import conversation, openings
from wechat.simulator.platform.audience import seen
from wechat.simulator.platform.followers import made_up
from wechat.simulator.platform.judgement import FIELDS
from wechat.simulator.platform.platform import Platform
from wechat.simulator.platform.state import Button as Given
from wechat.simulator.platform.state import Follower, Holdings
from wechat.simulator.pushes import Push, write_push
from wechat.simulator.scene import Said, Scene


class Following:
    """The followers of an account: the first are the busiest, the last to come the most idle."""

    def __init__(self, platform: Platform, account: Account, random: Random) -> None:
        self._platform = platform
        self._account = account
        self._random = random

    @property
    def own(self) -> Holdings:
        return self._platform.state.accounts[self._account.app_id]

    def someone(self) -> str:
        people = [person.open_id for person in self.own.followers.values() if person.follows]
        return people[int(len(people) * self._random.random() ** 3)] if people else self.join()

    def join(self) -> str:
        """Somebody new, or now and then somebody who had left."""
        gone = [person.open_id for person in self.own.followers.values() if not person.follows]
        if gone and self._random.random() < 0.2:
            return self._random.choice(gone)
        new = made_up(self._account.app_id, 1, len(self.own.followers))
        self.own.followers |= {name: person for name, person in new.items() if name not in self.own.followers}
        return next(iter(new))

    def leave(self) -> str:
        return self.someone()


class Audience(Scene):
    """Followers who tap what they see; the menu may change meanwhile."""

    def __init__(self, platform: Platform, account: Account, random: Random) -> None:
        self.people = Following(platform, account, random)
        super().__init__(random, self.people, ())
        self._platform = platform

    def tap(self) -> tuple[str, Button] | None:
        person = self.people.someone()
        buttons = tappable(*self.menu_of(person))
        return (person, self.choose(buttons)) if buttons else None

    def menu_of(self, open_id: str) -> tuple[int, list[Given]]:
        return seen(self.people.own, self.people.own.followers[open_id], self._platform.now())


def tappable(menu_id: int, menu: Sequence[Given]) -> list[Button]:
    """The buttons that lead to a push; the platform itself sends materials and the console's texts."""
    return [button for given in leaves(menu) if (button := as_button(given, menu_id))]


def leaves(menu: Sequence[Given]) -> Iterator[Given]:
    for button in menu:
        yield from button.get("sub_button") or [button]


def as_button(given: Given, menu_id: int) -> Button | None:
    """WeChat tells the menu's id with links and mini programs only."""
    kind = given.get("type", "")
    if kind == "view":
        return Button("view", given.get("url", ""), str(menu_id))
    if kind == "miniprogram":
        return Button("view_miniprogram", given.get("pagepath", ""), str(menu_id))
    return Button(kind, given["key"]) if FIELDS.get(kind) == ("key",) else None


def pushed(platform: Platform, account: Account, random: Random, said: Sequence[Said], now: float) -> list[Push]:
    """The pushes of an act, noted as done; what follows later in it has its time."""
    pushes = [write_push(account, random, "xml", each, int(now + each.delay)) for each in said]
    for push in pushes:
        note(platform, account, push)
    return pushes


def note(platform: Platform, account: Account, push: Push) -> None:
    """Keep what a push opens. Platform events are no follower's."""
    own = platform.state.accounts[account.app_id]
    follower: Follower | None = own.followers.get(push.open_id)
    if follower is not None:
        conversation.hear(own, push)
        fields: Fields = parse(push.message)[0]
        openings.note(follower, fields, push.created_at)
