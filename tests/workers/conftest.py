"""Workers that settle a batch, and make less of their patience than real ones."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models import db
from tests.workers.running import Running
from tests.workers.settling import Settling
from workers import batch


@pytest.fixture
def settle(
    embedded_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Engine], Settling]:
    """Makes a worker that tries again soon."""
    monkeypatch.setattr(batch, "LONGEST_PAUSE", 0.2)

    def settle(engine: Engine) -> Settling:
        return Settling(engine, embedded_url, caplog)

    return settle


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are made from now on wait for a second or two, where others wait for many."""
    for name, seconds in {
        "CONNECT_SECONDS": 2,
        "LOCK_SECONDS": 1,
        "STATEMENT_SECONDS": 1.3,
        "GRACE_SECONDS": 0.5,
    }.items():
        monkeypatch.setattr(db, name, seconds)


@pytest.fixture
def run_worker(sqlite_database_url: str, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def run_worker(broker_url: str, changes: str = "", part: str = "events", database_url: str = "") -> Running:
        started.append(Running(tmp_path, broker_url, changes, part, database_url))
        return started[-1]

    yield run_worker
    for worker in started:
        worker.kill()
