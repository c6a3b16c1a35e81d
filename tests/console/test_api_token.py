"""`caidan api-token`."""

import json
from pathlib import Path

import pytest

from tests.console.runner import run

pytestmark = pytest.mark.usefixtures("asked_shop")


def listed() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(run("api-token", "list", "--json").stdout)
    return rows


def test_a_token_is_shown_once_and_kept_nowhere() -> None:
    done = run("api-token", "add", "Ann", "--account", "shop", "--account", "cafe")
    token = done.stdout.strip()

    assert 0 == done.exit_code, done.output
    assert token.startswith("caidan_")
    assert len(token) > 40
    assert ["cafe", "shop"] == listed()[0]["accounts"]
    assert token not in run("api-token", "list").output
    assert not [file for file in Path("var").iterdir() if token.encode() in file.read_bytes()]


def test_a_token_has_to_say_for_which_of_several_accounts_it_is() -> None:
    done = run("api-token", "add", "Ann")

    assert 4 == done.exit_code
    assert "shop, cafe" in done.stderr
    assert 3 == run("api-token", "add", "Ann", "--account", "bar").exit_code
    assert [] == listed()


def test_a_dry_run_makes_and_revokes_nothing() -> None:
    done = run("api-token", "add", "Ann", "--account", "shop", "--dry-run")

    assert "A token would be made for shop.\n" == done.stdout
    assert [] == listed()

    run("api-token", "add", "Ann", "--account", "shop")
    done = run("api-token", "revoke", "1", "--dry-run")

    assert "Token 1 (Ann) would be revoked.\n" == done.stdout
    assert listed()[0]["revoked_at"] is None


def test_a_token_is_revoked_by_its_id() -> None:
    run("api-token", "add", "Ann", "--account", "shop")
    done = run("api-token", "revoke", "1")

    assert (0, "Token 1 (Ann) is revoked.\n") == (done.exit_code, done.stderr)
    assert "2026-11-23T01:00:00+00:00" == listed()[0]["revoked_at"]
    assert "was revoked already" in run("api-token", "revoke", "1").stderr
    assert 3 == run("api-token", "revoke", "2").exit_code
