"""Handlers in packages that are there only for a test, the events that they are called for, and what came of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text

from models.db import connect
from models.handling import HandlerRow
from tests.pushes import batch_of, event_of, push
from tests.workers.running import Running
from tests.workers.settling import wait_until
from wechat.event import Event
from workers.record import record

PYTHON = """
sys.path.insert(0, {site!r})
from workers import dispatch, handler_packages, handling
db.LOCK_SECONDS = 10
"""


def package(site: Path, name: str, source: str) -> None:
    """What pip leaves of a package of one module with an entry point for handlers."""
    site.mkdir(exist_ok=True)
    (site / f"{name}.py").write_text("from workers.handlers import *\nimport time, os, signal\n" + source)
    told = site / f"{name}-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[caidan.handlers]\n{name} = {name}\n")


def changes(site: Path, more: str = "") -> str:
    """What makes a worker of tests find packages there."""
    return PYTHON.format(site=str(site)) + more


def events(*keys: str, user: str = "oUser", kind: str = "CLICK", at: int = 1_790_000_000) -> list[Event]:
    return [event_of(push(kind, key=key, user=user, at=at + number)) for number, key in enumerate(keys)]


def record_all(engine: Engine, given: Sequence[Event]) -> None:
    record(engine, batch_of(*given))


class Handled:
    """A worker of handlers and its tables, on SQLite unless told otherwise."""

    def __init__(self, worker: Running, folder: Path, database_url: str = "") -> None:
        self.worker, self._folder = worker, folder
        self.tables = connect(database_url or f"sqlite:///{folder / 'caidan.db'}")

    def wait_for_handlers(self, *names: str) -> None:
        def are_there() -> bool:
            with self.tables.connect() as connection:
                return set(names) <= set(connection.scalars(select(HandlerRow.name)))

        self._wait(are_there)

    def record(self, *given: Event) -> None:
        record_all(self.tables, given)

    def wait_for(self, expected: dict[str, str], handler: str = "tried") -> None:
        """Until the handlings of a handler are in these states, by the key of the event."""
        self._wait(lambda: {key: row["state"] for key, row in self.rows(handler).items()} == expected)

    def rows(self, handler: str = "tried") -> dict[str, dict[str, Any]]:
        """The handlings of a handler, by the key of their event."""
        query = """SELECT event.event_key, handling.* FROM handling JOIN event ON event.id = handling.event_id
            WHERE handler = :handler"""
        with self.tables.connect() as connection:
            rows = connection.execute(text(query), {"handler": handler}).mappings()
            return {row["event_key"]: dict(row) for row in rows}

    def reasons(self, handler: str = "tried") -> dict[str, tuple[str | None, str | None, int]]:
        found = self.rows(handler)
        return {key: (row["reason"], row["error"], row["attempts"]) for key, row in found.items()}

    def _wait(self, holds: Any) -> None:
        try:
            wait_until(holds, 150)  # it starts a worker, on a machine that may be busy
        except AssertionError:
            raise AssertionError(f"{self.rows()}\n{(self._folder / 'log').read_text()}") from None
