"""The public process holds no database address, no AppSecret and no secret key, wherever they are written."""

import json
import pickle
from pathlib import Path

import pytest

from models.config import Account, Config, DoorAccount, DoorConfig, explain, load

FILE = """
broker_url = "redis://h"
database_url = "postgresql+psycopg://hunter2database@h/d"
secret_key = "hunter2key"

[[accounts]]
name = "shop"
app_id = "wx1"
token = "tokenOfTheDoor"
app_secret = "hunter2secret"
"""
HIDDEN = (
    "database_url",
    "secret_key",
    "api_base_url",
    "worker_processes",
    "retention_days",
    "forget_on_unsubscribe",
    "places_at_least",
    "handler_processes",
    "handler_memory",
    "webhooks",
)


@pytest.fixture(autouse=True)
def _configured(folder: Path) -> None:
    (folder / "caidan.toml").write_text(FILE)


def test_the_doors_configuration_has_no_room_for_them() -> None:
    assert set(HIDDEN) == Config.model_fields.keys() - DoorConfig.model_fields.keys()
    assert {"app_secret"} == Account.model_fields.keys() - DoorAccount.model_fields.keys()


def test_the_door_keeps_nothing_of_what_it_may_not_know() -> None:
    config, sources = explain(DoorConfig)

    assert b"hunter2" not in pickle.dumps(config)
    assert b"tokenOfTheDoor" in pickle.dumps(config)
    assert not set(HIDDEN) & sources.keys()
    assert DoorAccount is type(config.accounts[0])


def test_the_environment_does_not_bring_them_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_DATABASE_URL", "sqlite:///hunter2database")
    monkeypatch.setenv("CAIDAN_SECRET_KEY", "hunter2key")
    account = {"name": "shop", "app_id": "wx1", "token": "tokenOfTheDoor", "app_secret": "hunter2secret"}
    monkeypatch.setenv("CAIDAN_ACCOUNTS", json.dumps([account]))

    assert b"hunter2" not in pickle.dumps(load(DoorConfig))


def test_the_door_does_not_even_open_their_files(folder: Path) -> None:
    text = FILE.replace("database_url =", "database_url_file =").replace("secret_key =", "secret_key_file =")
    (folder / "caidan.toml").write_text(text.replace("app_secret =", "app_secret_file ="))

    assert "shop" == load(DoorConfig).accounts[0].name


def test_the_door_needs_no_secret_key(folder: Path) -> None:
    (folder / "caidan.toml").write_text(FILE.replace('secret_key = "hunter2key"', ""))

    assert "shop" == load(DoorConfig).accounts[0].name
    assert not (folder / "var").exists()


def test_a_configuration_cannot_be_changed() -> None:
    config = load(DoorConfig)

    with pytest.raises(ValueError, match="frozen"):
        config.replay_window = 0
    with pytest.raises(ValueError, match="frozen"):
        config.accounts[0].name = "other"
