"""Events as rows, made up: for what is asked of them to be counted again by other means."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert

from models.base import Base, table_of
from models.event import Event

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
# Text that databases are tempted to take for something else, or for the same.
_LONG = "http://例子.cn/?" + "q" * 900
KEYS = ("a", "A", "a ", "100%", "%(key)s", "菜单😀𠮷", f"{_LONG}=:1", f"{_LONG}=:2", "", None)
USERS = ("oA", "oa", "oB", "oC", "oD", None)


@dataclass(frozen=True)
class Heard:
    """An event, and rows of the tables of particulars."""

    seconds: int  # after START
    kind: str = "click"
    key: str | None = "a"
    user: str | None = "oA"
    account: int = 1
    publication: int | None = None
    door: int = 0  # milliseconds from CreateTime to the door
    table: int = 0  # and from there to the table
    details: Sequence[tuple[type[Base], dict[str, Any]]] = field(default=(), compare=False)

    @property
    def at(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    @property
    def what(self) -> tuple[str, str | None]:
        return self.kind, self.key


@contextmanager
def told(engine: Engine, events: Sequence[Heard]) -> Iterator[Connection]:
    """A database with these events, in this order of ids, which are gone afterwards."""
    with engine.connect() as connection, connection.begin() as transaction:
        tell(connection, events)
        yield connection
        transaction.rollback()


def tell(connection: Connection, events: Sequence[Heard]) -> None:
    rows: dict[type[Base], list[dict[str, Any]]] = {Event: []}
    for number, event in enumerate(events, start=1):
        received = event.at + timedelta(milliseconds=event.door)
        rows[Event].append(
            {
                "id": UUID(int=number),
                "created_at": event.at,
                "account_id": event.account,
                "kind": event.kind,
                "open_id": event.user,
                "event_key": event.key,
                "publication_id": event.publication,
                "received_at": received,
                "recorded_at": received + timedelta(milliseconds=event.table),
            }
        )
        for model, values in event.details:
            rows.setdefault(model, []).append({"event_id": UUID(int=number), "created_at": event.at, **values})
    for model, its_rows in rows.items():
        if its_rows:
            connection.execute(insert(table_of(model)), its_rows)


def drawn(**choices: Sequence[Any]) -> st.SearchStrategy[list[Heard]]:
    """Lists of events, each of whose fields is one of these."""
    fields = {name: st.sampled_from(list(values)) for name, values in choices.items()}
    return st.lists(st.builds(Heard, **fields), max_size=25)


def thrown(count: int, **choices: Sequence[Any]) -> list[Heard]:
    """The same by dice that always fall alike, for databases that cannot be asked a hundred times."""
    dice = Random(7)
    return [Heard(**{name: dice.choice(list(values)) for name, values in choices.items()}) for _ in range(count)]
