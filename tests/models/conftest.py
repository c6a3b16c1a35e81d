import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.db import connect


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and no variable of ours: where nothing is configured."""
    for name in [name for name in os.environ if name.startswith("CAIDAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sqlite_database(sqlite_database_url: str) -> Iterator[Engine]:
    """For what is the same on every database."""
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()
