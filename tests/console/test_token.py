"""`caidan token …`, with the simulated platform."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.runner import run
from tests.platforms import SHOP, Platform, platform_of

FILE = f"""
secret_key = "a secret key"

[[accounts]]
name = "shop"
app_id = "{SHOP.app_id}"
app_secret = "{SHOP.app_secret}"
token = "{SHOP.token}"
"""


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Platform]:
    """The platform, and an installation with a database that asks it."""
    (tmp_path / "caidan.toml").write_text(FILE)
    with platform_of(SHOP) as running:
        monkeypatch.setenv("CAIDAN_API_BASE_URL", running.url)
        assert 0 == run("db", "upgrade").exit_code
        yield running


def shown() -> dict[str, object]:
    return dict(json.loads(run("token", "show", "--json").stdout))


def test_before_the_first_token_it_says_what_to_do(platform: Platform) -> None:
    told = run("token", "show")

    assert 0 == told.exit_code
    assert "caidan token refresh" in told.stderr
    assert "none" == shown()["state"]
    assert [] == platform.calls()


def test_refresh_fetches_a_token_and_show_tells_all_but_the_token(platform: Platform) -> None:
    done, again = run("token", "refresh"), run("token", "refresh")
    token = platform.token()
    found = shown()
    told = run("token", "show")

    assert done.stdout.startswith("A new token, good until ")
    assert again.stdout.startswith("The same token as before, good until ")
    assert ("valid", "/cgi-bin/stable_token", 0) == (found["state"], found["source"], found["foreign_count"])
    assert 8 == len(str(found["digest"]))
    assert str(found["digest"]) in told.stdout
    assert [("/cgi-bin/stable_token", 2, 500000)] == [
        (use["call"], use["used"], use["limit"]) for use in json.loads(json.dumps(found["uses"]))
    ]
    for output in (done.output, told.output, json.dumps(found)):
        assert token not in output
        assert str(SHOP.app_secret) not in output


def test_force_gets_another_token_and_is_rationed(platform: Platform) -> None:
    run("token", "refresh")
    before = platform.token()
    done, refused = run("token", "refresh", "--force"), run("token", "refresh", "--force")

    assert done.stdout.startswith("A new token")
    assert before != platform.token()
    assert 5 == refused.exit_code
    assert "30 seconds apart" in refused.stderr


def test_a_dry_run_asks_nobody(platform: Platform) -> None:
    gentle, forced = run("token", "refresh", "--dry-run"), run("token", "refresh", "--force", "--dry-run")

    assert (0, 0) == (gentle.exit_code, forced.exit_code)
    assert "voids nobody's" in gentle.stdout
    assert "0 of 20" in forced.stdout
    assert [] == platform.calls()


def test_a_refusal_ends_with_5_and_says_what_to_do_in_both_languages(platform: Platform) -> None:
    platform.holdings(allowed_ips=["10.0.0.1"])
    english, chinese = run("token", "refresh"), run("--lang", "zh", "token", "refresh")
    told = run("token", "show", "--lang", "zh")

    assert (5, 5) == (english.exit_code, chinese.exit_code)
    assert "40164" in english.stderr
    assert "127.0.0.1" in english.stderr
    assert "allow-list" in english.stderr
    assert "白名单" in chinese.stderr
    assert "白名单" in told.stdout
    assert 40164 == json.loads(run("token", "show", "--json").stdout)["failure"]["errcode"]


def test_a_platform_that_cannot_be_reached_ends_with_2(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_API_BASE_URL", "http://127.0.0.1:1")
    failed = run("token", "refresh")

    assert 2 == failed.exit_code
    assert "api_base_url" in failed.stderr
    assert 1 == shown()["failures"]


def test_a_base_url_that_is_none_is_a_problem_of_the_configuration(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("api.weixin.qq.com", "ftp://api.weixin.qq.com", "https://", "https://a:b", "http://a/?x=1"):
        monkeypatch.setenv("CAIDAN_API_BASE_URL", url)
        refused = run("token", "show")

        assert 2 == refused.exit_code
        assert "api_base_url: no address of a server" in refused.stderr


def test_an_account_without_a_secret_ends_with_2(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "caidan.toml").write_text(FILE.replace("app_secret", "# app_secret"))
    refused = run("token", "refresh")

    assert 2 == refused.exit_code
    assert "the account shop has no app_secret" in refused.stderr


def test_another_secret_key_is_told(platform: Platform, tmp_path: Path) -> None:
    run("token", "refresh")
    (tmp_path / "caidan.toml").write_text(FILE.replace("a secret key", "another"))

    assert "secret_key_changed" == shown()["state"]


def test_an_account_is_named_where_there_are_several(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "caidan.toml").write_text(FILE + '[[accounts]]\nname = "cafe"\napp_id = "wx2"\ntoken = "t"\n')

    assert 4 == run("token", "show").exit_code
    assert 3 == run("token", "show", "--account", "bar").exit_code
    assert 0 == run("token", "refresh", "--account", "shop").exit_code
    assert "none" == json.loads(run("token", "show", "--account", "cafe", "--json").stdout)["state"]
