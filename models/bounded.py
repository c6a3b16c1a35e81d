"""psycopg's connection, which would wait for ever for a server that is there and does not answer.

No setting of PostgreSQL helps: the server's own time limits stop with it, and the system of a frozen or hanging one
goes on to confirm what it is sent, so those of TCP never run out.
"""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

Result = TypeVar("Result")


class SilentError(psycopg.OperationalError):
    """The server has not answered in time."""


class BoundedConnection(psycopg.Connection[Any]):
    """No single wait for the server takes longer than `patience`; after one that did, the connection is closed."""

    patience: float  # seconds; above those that the server allows a statement

    def wait(self, gen: Generator[Any, Any, Result], *arguments: Any, **settings: Any) -> Result:
        """As psycopg's, through which all its waiting goes, but for that on connecting."""
        try:
            return super().wait(_within(self.patience, gen), *arguments, **settings)
        except SilentError:
            self.close()  # what the server would answer later is nobody's any more
            raise


def _within(seconds: float, gen: Generator[Any, Any, Result]) -> Generator[Any, Any, Result]:
    """The same steps, until time is up. psycopg takes one several times a second, whether the server says anything."""
    give_up = time.monotonic() + seconds
    try:
        state = next(gen)
        while True:
            ready = yield state
            if not ready and time.monotonic() > give_up:
                raise SilentError("the server does not answer")
            state = gen.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result
