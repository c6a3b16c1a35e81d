"""`caidan db …`, and what the other verbs say where there is no database."""

import json
from pathlib import Path

import pytest

from tests.console.runner import run


def test_upgrade_creates_the_tables(tmp_path: Path) -> None:
    upgraded, checked = run("db", "upgrade"), run("db", "check")

    assert (0, 0) == (upgraded.exit_code, checked.exit_code)
    assert "The database is up to date.\n" == checked.stdout
    assert (tmp_path / "var" / "caidan.db").exists()


def test_check_differs_where_there_is_no_table() -> None:
    checked = run("db", "check", "--json")

    assert 6 == checked.exit_code
    assert json.loads(checked.stdout)["problems"]
    assert not json.loads(checked.stdout)["up_to_date"]


def test_a_dry_run_upgrades_nothing() -> None:
    tried = run("db", "upgrade", "--dry-run")

    assert 0 == tried.exit_code
    assert "caidan db upgrade" in tried.stdout
    assert 6 == run("db", "check").exit_code


@pytest.mark.parametrize("arguments", [("event", "list"), ("event", "tail"), ("quarantine", "list")])
def test_reading_before_the_first_upgrade_says_what_to_do(arguments: tuple[str, ...]) -> None:
    refused = run(*arguments)

    assert 2 == refused.exit_code
    assert "run: caidan db upgrade" in refused.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://caidan:PASSWORD@127.0.0.1:1/caidan", "cannot be reached"),
        ("mysql://caidan:PASSWORD@127.0.0.1:1/caidan", "cannot be reached"),
        ("sqlite:////proc/nowhere/caidan.db", "cannot be reached"),
        ("oracle://caidan:PASSWORD@127.0.0.1/caidan", "cannot be used"),
        ("caidan.db", "cannot be used"),
    ],
)
def test_an_unusable_database_ends_with_2_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    account = '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "t"\n'
    (tmp_path / "caidan.toml").write_text('secret_key = "k"\n' + account)
    monkeypatch.setenv("CAIDAN_DATABASE_URL", url)

    refused = run("event", "list")

    assert 2 == refused.exit_code
    assert words in refused.stderr
    assert "PASSWORD" not in refused.stderr
