"""`caidan config`."""

import json
from pathlib import Path

import pytest

from tests.console.runner import run

FILE = """
broker_url = "amqp://caidan:broker-password@mq/"
database_url = "postgresql+psycopg://caidan:database-password@db/caidan"
secret_key = "key-of-secrets"

[[accounts]]
name = "shop"
app_id = "wx1"
token = "token-of-shop"
app_secret = "secret-of-shop"
"""
SECRETS = ("broker-password", "database-password", "key-of-secrets", "token-of-shop", "secret-of-shop")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "caidan.toml"
    path.write_text(FILE)
    return path


def test_every_value_is_shown_with_its_source(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_WORKER_PROCESSES", "3")

    shown = json.loads(run("config", "--json").stdout)

    assert {"value": 3, "source": "CAIDAN_WORKER_PROCESSES"} == shown["settings"]["worker_processes"]
    assert {"value": "set", "source": "caidan.toml"} == shown["settings"]["broker_url"]
    assert {"value": "info", "source": "default"} == shown["settings"]["log_level"]
    assert "caidan.toml" == shown["accounts_source"]
    assert ("shop", "set", "set", "missing") == tuple(
        shown["accounts"][0][key] for key in ("name", "token", "app_secret", "aes_key")
    )


@pytest.mark.parametrize("arguments", [("config",), ("config", "--json"), ("config", "--lang", "zh")])
def test_no_secret_is_shown(file: Path, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments)

    assert 0 == shown.exit_code
    assert [] == [secret for secret in SECRETS if secret in shown.output]


def test_the_table_says_what_each_key_means(file: Path) -> None:
    assert "worker 的进程数" in run("config", "--lang", "zh").output
    assert "processes of the worker" in run("config", "--lang", "en").output
