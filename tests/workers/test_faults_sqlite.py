"""SQLite that is not to be had now: the worker waits, says what for, and stores everything once when it is over."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, make_url

from models.db import connect, transaction
from tests.workers.settling import Settling

Fault = Callable[[Engine], AbstractContextManager[None]]
LOCKING = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], isolation_level=None).execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def engine(sqlite_database_url: str, impatient: None) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


@contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """By another process, which takes longer than anybody waits for a lock."""
    command = [sys.executable, "-c", LOCKING, str(engine.url.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


@contextmanager
def moved(engine: Engine) -> Iterator[None]:
    """With its folder, as when a disk is not mounted."""
    folder = Path(str(engine.url.database)).parent
    folder.rename(folder.with_suffix(".away"))
    yield
    folder.with_suffix(".away").rename(folder)


@contextmanager
def renamed(engine: Engine) -> Iterator[None]:
    with transaction(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE event RENAME TO away")
    yield
    with transaction(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO event")


def pragma(text: str) -> Fault:
    """A setting of every connection that is made meanwhile."""

    @contextmanager
    def fault(engine: Engine) -> Iterator[None]:
        def prepare(connection: Any, _record: object) -> None:
            connection.execute(f"PRAGMA {text}")

        event.listen(engine, "connect", prepare)
        yield
        event.remove(engine, "connect", prepare)

    return fault


# Each with the reason and the code that the worker gives.
FAULTS: Mapping[str, tuple[Fault, str, str]] = {
    "locked": (locked, "locked", "SQLITE_BUSY"),
    "disk full": (pragma("max_page_count = 1"), "disk_full", "SQLITE_FULL"),  # no more than it has
    "read only": (pragma("query_only = ON"), "read_only", "SQLITE_READONLY"),
    "no folder": (moved, "database_down", "SQLITE_CANTOPEN"),
    "no table": (renamed, "not_migrated", "SQLITE_ERROR"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_worker_waits_and_stores_everything_once(
    name: str, engine: Engine, settle: Callable[[Engine], Settling], tmp_path: Path
) -> None:
    fault, reason, code = FAULTS[name]
    settling = settle(engine)

    with fault(engine):
        settling.begin()
        settling.wait_for(reason, code)

    settling.end()
    assert str(tmp_path) in str(make_url(engine.url).database)
