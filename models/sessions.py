"""What a follower does in one sitting: acts that follow each other without a longer gap. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """Something done: a kind of event, and of a button of the menu its key or URL."""

    kind: str
    key: str | None = None


class Act(NamedTuple):
    at: int  # milliseconds, from wherever
    step: Step


def sessions(acts: Iterable[Act], gap: int) -> Iterator[list[Act]]:
    """The acts of one follower, in order, apart wherever more than `gap` milliseconds lie between two of them."""
    session: list[Act] = []
    for act in acts:
        if session and act.at - session[-1].at > gap:
            yield session
            session = []
        session.append(act)
    if session:
        yield session


class Ways:
    """What came before and after a button: how often, and of how many followers."""

    def __init__(self, button: Step, steps: int, span: int) -> None:
        """Of taps from 0 until `span` milliseconds, so many steps either way."""
        self.button, self.steps, self.span = button, steps, span
        self.before: Counter[tuple[Step, ...]] = Counter()
        self.after: Counter[tuple[Step, ...]] = Counter()
        self.users_before: Counter[tuple[Step, ...]] = Counter()
        self.users_after: Counter[tuple[Step, ...]] = Counter()
        self.users = 0

    def add(self, session_list: Iterable[Sequence[Act]]) -> None:
        """All sessions of one follower."""
        before: Counter[tuple[Step, ...]] = Counter()
        after: Counter[tuple[Step, ...]] = Counter()
        for session in session_list:
            steps = tuple(act.step for act in session)
            for place, act in enumerate(session):
                if act.step == self.button and 0 <= act.at < self.span:
                    before[steps[max(0, place - self.steps) : place]] += 1
                    after[steps[place + 1 : place + 1 + self.steps]] += 1
        self.before += before
        self.after += after
        self.users_before.update(before.keys())
        self.users_after.update(after.keys())
        self.users += bool(before)
