"""A process that is killed at a point that a test chooses: from then on it can do nothing at all."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event

from wechat.client import Client
from wechat.exchange import Question

Result = TypeVar("Result")


class DeadError(BaseException):
    """The process has been killed."""


class Life:
    """Counts what leaves the process: looks at the clock, commits, calls, and what has come back from calls."""

    def __init__(self, engine: Engine) -> None:
        self._left: int | None = None
        self._is_over = False
        self.deaths: Counter[str] = Counter()
        event.listen(engine, "commit", self._commits)
        event.listen(engine, "before_cursor_execute", self._asks, named=True)

    def step(self, name: str) -> None:
        """It is killed before this, if its time has come; for a call that has been answered, behind it."""
        if not self._is_over and self._left is not None:
            self._left -= 1
            if self._left < 0:
                self._is_over = True
                self.deaths[name] += 1
        if self._is_over:
            raise DeadError

    @contextmanager
    def ends_after(self, steps: int | None) -> Iterator[None]:
        """Nothing of it is left when this is over, and another one begins."""
        self._left = steps
        try:
            yield
        finally:
            self._left, self._is_over = None, False

    def _commits(self, _connection: Connection) -> None:
        self.step("before a commit")

    def _asks(self, **_statement: Any) -> None:
        if self._is_over:  # a rollback is no statement: the database does that for whoever is dead
            raise DeadError


class MortalClient(Client):
    """Dies with the process, before a call, or when WeChat has done what it was asked and nobody has heard of it."""

    def __init__(self, base_url: str, life: Life) -> None:
        super().__init__(base_url)
        self._life = life

    def _ask(self, question: Question, read: Callable[[dict[str, Any]], Result]) -> Result:
        call = question.call.rpartition("cgi-bin/")[2]
        self._life.step(f"before {call}")
        try:
            return super()._ask(question, read)
        finally:
            self._life.step(f"after {call}")


def mortal_clock(life: Life, now: Callable[[], datetime]) -> Callable[[], datetime]:
    def clock() -> datetime:
        life.step("before a look at the clock")
        return now()

    return clock
