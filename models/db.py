"""Connections to the database, with the settings each kind needs.

An engine must not cross a fork with connections open: the child calls `engine.dispose(close=False)` first.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, Dialect, Engine, ExecutionContext, create_engine, event, make_url

from models.disk import refuse_network_disk

CONNECT_SECONDS = 5
LOCK_SECONDS = 10  # how long to wait for another's lock before giving way
STATEMENT_SECONDS = 60
GRACE_SECONDS = 5  # more than a statement may take, after which a server that has not answered is not waited for

_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",  # one dialect for both: SQLAlchemy finds out which it is
    "mariadb+pymysql": "mysql+pymysql",
}
_WRITES = "caidan_writes"
_BINARY = "caidan_binary"
# The execution options of statements that read much as bytes: PostgreSQL sends them as they are, instead of as text of
# twice the length.
BINARY: Mapping[str, Any] = MappingProxyType({_BINARY: True})


def connect(url: str) -> Engine:
    """An engine; it connects when first used."""
    address = make_url(url)
    address = address.set(drivername=_DRIVERS.get(address.drivername, address.drivername))
    engine = create_engine(
        address,
        pool_pre_ping=True,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        **_OPTIONS[address.get_backend_name()](address),
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    if engine.dialect.driver == "psycopg":
        event.listen(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "do_execute", _execute_postgresql)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection whose work is committed at the end, or none of it."""
    with engine.connect() as connection, connection.execution_options(**{_WRITES: True}).begin():
        yield connection


def _postgresql(url: URL) -> dict[str, Any]:
    settings = {
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
        # A plan that was kept while a month was empty reads all of it for every batch, once it is not.
        "plan_cache_mode": "force_custom_plan",
    }
    given = url.query.get("options", "")
    options = " ".join([*(f"-c {name}={value}" for name, value in settings.items()), str(given)])
    return {
        "isolation_level": "READ COMMITTED",
        "connect_args": {"options": options.strip(), "connect_timeout": CONNECT_SECONDS, "application_name": "caidan"},
    }


def _connect_postgresql(_dialect: Dialect, _record: object, arguments: list[Any], settings: dict[str, Any]) -> Any:
    from models.bounded import BoundedConnection  # psycopg may not be installed

    connection = BoundedConnection.connect(*arguments, **settings)
    connection.patience = STATEMENT_SECONDS + GRACE_SECONDS
    return connection


def _execute_postgresql(cursor: Any, statement: str, values: Any, context: ExecutionContext | None) -> bool:
    """Whether it was executed here."""
    if context is None or not context.execution_options.get(_BINARY):
        return False
    cursor.execute(statement, values, binary=True)
    return True


def _mysql(_: URL) -> dict[str, Any]:
    settings = {
        "sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
        "time_zone": "'+00:00'",
        "innodb_lock_wait_timeout": str(LOCK_SECONDS),
    }
    return {
        "isolation_level": "READ COMMITTED",
        "connect_args": {
            "charset": "utf8mb4",
            # The last is MariaDB's alone; to MySQL it is a comment.
            "init_command": "SET "
            + ", ".join(f"SESSION {name} = {value}" for name, value in settings.items())
            + f" /*M!100100 , SESSION max_statement_time = {STATEMENT_SECONDS} */",
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": STATEMENT_SECONDS + GRACE_SECONDS,
            "write_timeout": STATEMENT_SECONDS + GRACE_SECONDS,
        },
    }


def _sqlite(url: URL) -> dict[str, Any]:
    if url.database and url.database != ":memory:":
        refuse_network_disk(Path(url.database))  # WAL needs memory that all its processes share
    return {"connect_args": {"timeout": LOCK_SECONDS}}


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # Transactions are begun below, not by the driver, which would begin them too late and too weakly.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another writer: it fails at once. So whoever is
    # going to write takes the lock in the beginning.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_OPTIONS = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}
