"""The chats of the simulated platform's followers, a line for each turn."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wechat.simulator.platform.platform import Platform
    from wechat.simulator.platform.state import Turn

_ARROWS = {"follower": "→", "account": "←", "wechat": "✗"}


class Chats:
    """Prints what is new, whenever it is asked to."""

    def __init__(self, simulation: "Platform") -> None:
        self._simulation = simulation
        self._seen: dict[str, int] = {}
        self._new()  # what the state was loaded with is old

    def print_new(self) -> None:
        for account, turn in self._new():
            click.echo(line(account, turn))

    def _new(self) -> Sequence[tuple[str, "Turn"]]:
        from wechat.simulator.platform.conversation import turns

        found: list[tuple[str, Turn]] = []
        with self._simulation.lock:
            for app_id, account in self._simulation.accounts.items():
                own = self._simulation.state.accounts[app_id]
                found += [(account.name, turn) for turn in turns(own, since=self._seen.get(app_id, 0))]
                self._seen[app_id] = own.last_turn
        return sorted(found, key=lambda one: one[1].at)


def line(account: str, turn: "Turn") -> str:
    """When, whose chat, who speaks, and what the follower sees."""
    moment = datetime.fromtimestamp(turn.at).astimezone().strftime("%H:%M:%S")
    said = " ".join(turn.text.split())
    how = f"({turn.how})" if turn.how else ""
    return " ".join(filter(None, (moment, account, turn.open_id, _ARROWS[turn.by], turn.kind, said, how)))
