"""What the tables hold, to be compared; and how to end a program at any of its statements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, select

from models.base import Base, table_of
from models.queries import DETAILS

State = dict[str, list[tuple[Any, ...]]]


class EndedError(BaseException):
    """Not an Exception: nothing must catch it."""


def state(engine: Engine, *models: type[Base]) -> State:
    """All rows, by table; without models, of the detail tables."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in map(table_of, models or DETAILS)
        }


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def end_everywhere(
    engine: Engine, run: Callable[[], object], begin_anew: Callable[[], object], check: Callable[[], object]
) -> int:
    """Run something again and again, each time ended one statement later, and check what it left behind.

    Returns how often, which is until it came to its own end.
    """
    for number in range(1, 10_000):
        begin_anew()
        left = number

        def count(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise EndedError

        event.listen(engine, "before_cursor_execute", count)
        try:
            run()
        except EndedError:
            ended = True
        else:
            ended = False
        finally:
            event.remove(engine, "before_cursor_execute", count)
        check()
        if not ended:
            return number
    raise AssertionError("it does not end")
