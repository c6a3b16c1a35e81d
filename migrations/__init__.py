"""Alembic's environment and the numbered migrations, run from the program: there is no alembic.ini."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from models import (  # noqa: F401  # importing them fills the metadata
    account,
    answers,
    api_tokens,
    api_use,
    drift,
    event,
    guards,
    handling,
    ingress,
    menu,
    quarantine,
    reconciliation,
    reply,
    rollup,
    rotation,
    rotation_delays,
    token,
)
from models.base import Base
from models.db import LOCK_SECONDS, STATEMENT_SECONDS, transaction
from models.locks import BusyError
from models.partition import ensure_partitions, is_partition

_LOCK = 0x_CA1DA_0001  # of PostgreSQL's advisory locks


def _is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
    return not (kind == "table" and is_partition(name or ""))


COMPARISON: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "include_object": _is_ours,
    "compare_type": True,
}


def upgrade(engine: Engine) -> None:
    """Bring the tables up to date. Several may do so at once: the others wait, and find it done."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with _alone(engine) as connection:
        command.upgrade(_config(connection), "head")
    with suppress(BusyError):  # the task that comes every few hours tries again; until then there is the default one
        ensure_partitions(engine, datetime.now(UTC).date())


def downgrade(engine: Engine, revision: str) -> None:
    """Take back what came after a revision; `base` takes back everything, rows included."""
    with _alone(engine) as connection:
        command.downgrade(_config(connection), revision)


def problems(engine: Engine) -> list[str]:
    """What is wrong with the tables, a sentence each; nothing when they are as this program needs them."""
    script = ScriptDirectory.from_config(_config(None))
    head = script.get_current_head()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=COMPARISON)
        current = context.get_current_revision()
        if current is None:
            return ["The database has no tables yet: run `caidan db upgrade`."]
        if current not in {revision.revision for revision in script.walk_revisions()}:
            return [f"The database is at revision {current}, which is newer than this program: install its release."]
        if current != head:
            return [f"The database is at revision {current}, this program needs {head}: run `caidan db upgrade`."]
        return [f"The tables differ from what this program expects: {_words(change)}." for change in _changes(context)]


def _changes(context: MigrationContext) -> Iterator[tuple[Any, ...]]:
    for change in compare_metadata(context, Base.metadata):
        # A changed column is a list of its changes.
        yield from change if isinstance(change, list) else [change]


def _words(change: tuple[Any, ...]) -> str:
    what = change[0].replace("_", " ").replace("remove", "unexpected").replace("add", "missing")
    names = [part if isinstance(part, str) else getattr(part, "name", None) for part in change[1:4]]
    return " ".join([what, ".".join(name for name in names if name)])


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction during which nobody else migrates. (On MySQL every statement about tables commits by itself.)"""
    with _mysql_lock(engine), transaction(engine) as connection:  # on SQLite every such transaction is alone
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{STATEMENT_SECONDS}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        yield connection


@contextmanager
def _mysql_lock(engine: Engine) -> Iterator[None]:
    """MySQL's lock belongs to a connection, and must outlast the transaction that writes down the revision."""
    if engine.dialect.name != "mysql":
        yield
        return
    with engine.connect() as connection:
        name = connection.scalar(text("SELECT CONCAT('caidan.', LEFT(DATABASE(), 50))"))
        wait = {"name": name, "seconds": STATEMENT_SECONDS - 5}
        if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), wait) != 1:
            raise TimeoutError("another process is migrating this database and does not come to an end")
        try:
            yield
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
