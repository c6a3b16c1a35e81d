import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine

from console import i18n
from tests.console import asked, rotating


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, English, and nothing about Caidan in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CAIDAN_") or name in ("LANG", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.choose(None)
    yield
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.choose(None)


@pytest.fixture
def shop(tmp_path: Path, sqlite_template: Path) -> Iterator[time_machine.Traveller]:
    """An installation on Monday, 23 November 2026, 9:00 in Shanghai, with four versions of a menu; gives the clock."""
    (tmp_path / "caidan.toml").write_text(rotating.FILE)
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "caidan.db")
    with time_machine.travel(rotating.NOW, tick=False) as clock:
        rotating.in_database(rotating.save_menus)
        yield clock


@pytest.fixture(scope="session")
def asked_template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    path = tmp_path_factory.mktemp("asked") / "caidan.db"
    shutil.copy(sqlite_template, path)
    with time_machine.travel(rotating.NOW, tick=False):
        asked.fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def asked_shop(tmp_path: Path, asked_template: Path) -> Iterator[time_machine.Traveller]:
    """An installation in which it is known who did what (tests/console/asked.py); gives the clock."""
    (tmp_path / "caidan.toml").write_text(asked.FILE)
    (tmp_path / "var").mkdir()
    shutil.copy(asked_template, tmp_path / "var" / "caidan.db")
    with time_machine.travel(rotating.NOW, tick=False) as clock:
        yield clock
