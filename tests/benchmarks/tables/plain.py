"""The yardsticks: rows that are ready for the driver, handed to it as plainly as can be, a transaction per batch."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from models.account import account_ids
from models.base import Base, table_of
from models.db import transaction
from tests.benchmarks.tables.events import ACCOUNT
from wechat.event import Event
from workers.record import TABLES
from workers.rows import rows

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Ready(NamedTuple):
    """A statement, and its rows as the driver takes them: for COPY all of them as text."""

    statement: str
    rows: Any


def ready(engine: Engine, batches: Sequence[Sequence[Event]]) -> list[list[Ready]]:
    """The rows of batches, sorted as `record` sorts them."""
    account = account_id(engine)
    prepare = _copy if engine.dialect.name == "postgresql" else _insert
    return [[prepare(engine, model, made) for model, made in _rows(batch, account)] for batch in batches]


def account_id(engine: Engine) -> int:
    """Of the account whose events they are; it gets its row if it has none."""
    with transaction(engine) as connection:
        return account_ids(connection, {ACCOUNT.app_id: ACCOUNT.name})[ACCOUNT.app_id]


def store(engine: Engine, batches: Sequence[list[Ready]]) -> float:
    """The seconds it took."""
    begun = time.perf_counter()
    for batch in batches:
        with transaction(engine) as connection:
            _store(connection, batch)
    return time.perf_counter() - begun


def empty(engine: Engine) -> None:
    """Of all events."""
    with transaction(engine) as connection:
        for model in TABLES:
            name = table_of(model).name
            connection.exec_driver_sql(f"{'DELETE FROM' if engine.dialect.name == 'sqlite' else 'TRUNCATE'} {name}")


def count(engine: Engine, table: str = "event") -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def _store(connection: Connection, batch: list[Ready]) -> None:
    cursor: Any = connection.connection.cursor()
    for statement, its_rows in batch:
        if isinstance(its_rows, bytes):
            with cursor.copy(statement) as copy:
                copy.write(its_rows)
        else:
            cursor.executemany(statement, its_rows)


def _rows(batch: Sequence[Event], account: int) -> list[tuple[type[Base], list[dict[str, Any]]]]:
    gathered: dict[type[Base], list[dict[str, Any]]] = {model: [] for model in TABLES}
    now = datetime.now(UTC)
    for event in sorted(batch, key=lambda event: event.id):
        for model, made in rows(event, account, now).items():
            gathered[model] += made
    return [(model, made) for model, made in gathered.items() if made]


def _copy(engine: Engine, model: type[Base], its_rows: list[dict[str, Any]]) -> Ready:
    quote = engine.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, its_rows[0]))
    lines = ["\t".join(map(_text, row.values())) + "\n" for row in its_rows]
    return Ready(f"COPY {table_of(model).name} ({columns}) FROM STDIN", "".join(lines).encode())


def _text(value: object) -> str:
    """As PostgreSQL's COPY reads it."""
    if value is None:
        return "\\N"
    return (msgspec.json.encode(value).decode() if isinstance(value, dict) else str(value)).translate(_ESCAPED)


def _insert(engine: Engine, model: type[Base], its_rows: list[dict[str, Any]]) -> Ready:
    quote, is_sqlite = engine.dialect.identifier_preparer.quote, engine.dialect.name == "sqlite"
    columns = ", ".join(map(quote, its_rows[0]))
    marks = ", ".join(["?" if is_sqlite else "%s"] * len(its_rows[0]))
    tuples = [tuple(_plain(value, is_sqlite) for value in row.values()) for row in its_rows]
    return Ready(f"INSERT INTO {table_of(model).name} ({columns}) VALUES ({marks})", tuples)


def _plain(value: Any, is_sqlite: bool) -> Any:
    """What the drivers take."""
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        naive = value.replace(tzinfo=None)
        return naive.isoformat(" ", "microseconds") if is_sqlite else naive
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return str(value) if is_sqlite and value is not None and not isinstance(value, int | str) else value
