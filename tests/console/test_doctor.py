"""`caidan doctor`: what it says, and how it ends."""

import time
from pathlib import Path

import pytest

from console.checks import Finding, asked
from tests.console.examined import FILE, Told, install
from tests.console.runner import run
from tests.platforms import SHOP, Platform


@pytest.fixture
def installation(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    return install(platform, monkeypatch, tmp_path)


def test_each_line_says_how_it_is_and_what_to_do(installation: Platform) -> None:
    told = Told()

    assert all({"check", "account", "level", "message", "advice"} == set(line) for line in told.lines)
    assert all(line["advice"] for line in told.lines if line["level"] in ("failure", "warning"))
    assert ["fine"] == told.levels("token")
    assert ["fine"] == told.levels("clock")
    assert ["fine"] == told.levels("durability")
    assert "caidan.toml is closed to others." in told.of("files", "fine")
    assert {"fine"} == set(told.levels("quota"))
    assert 2 == len(told.levels("quota"))
    assert {"worker", "beat", "callback"} == told.failures()  # nothing runs, and no callback is entered
    assert 2 == told.exit_code


def test_no_secret_is_told(installation: Platform) -> None:
    told = [run("doctor", *more).output for more in ((), ("--json",), ("--lang", "zh"))]

    for secret in (SHOP.app_secret, SHOP.aes_key, "a secret key", installation.token()):
        assert secret
        assert not any(secret in output for output in told)


def test_people_see_lines_by_account_in_their_language(installation: Platform) -> None:
    english, chinese = run("doctor"), run("doctor", "--lang", "zh")

    assert "This installation" in english.stdout
    assert "Account shop" in english.stdout
    assert "✗ Worker" in " ".join(english.stdout.split())
    assert "Failures: 3;" in english.stdout
    assert "失败：3" in chinese.stdout
    assert "请" in chinese.stdout


def test_it_ends_with_5_where_only_wechat_refuses(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setenv("CAIDAN_BROKER_URL", redis_url)  # so that worker and beat may be on other hosts
    refused = Told()
    installation.push_to("http://127.0.0.1:9/")
    reached = Told()

    assert ({"callback"}, 5) == (refused.failures(), refused.exit_code)
    assert (set(), 0) == (reached.failures(), reached.exit_code)
    assert 4 == len(reached.levels("callback"))


def test_carriers_are_drawn_as_a_table(installation: Platform) -> None:
    installation.push_to("http://127.0.0.1:9/")

    ended = run("doctor")

    rows = [line.split() for line in ended.stdout.splitlines()]
    assert ["From", "Address", "Network", "Lost", "Time", "Result"] in [row[-6:] for row in rows]
    assert {"CHINANET", "UNICOM", "CAP", "DEFAULT"} <= {word for row in rows for word in row}


def test_a_made_up_account_is_never_asked_about_at_wechat() -> None:
    assert 0 == run("db", "upgrade").exit_code
    told = Told()

    assert ["The account is made up, and WeChat does not know it."] == told.of("token", "skipped")
    assert ["skipped"] == told.levels("clock")
    assert "The account is made up" in told.of("configuration", "warning")[0]


def test_problems_of_the_configuration_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "caidan.toml").write_text('replay_windw = 1\nbind = "x"\n' + FILE)

    told = Told()

    assert ["failure", "failure"] == told.levels("configuration")
    assert 2 == len(told.lines)
    assert 2 == told.exit_code


def test_an_unknown_account_ends_with_3(installation: Platform) -> None:
    ended = run("doctor", "--account", "nobody")

    assert 3 == ended.exit_code
    assert "shop" in ended.stderr


def test_a_check_that_crashes_or_hangs_is_a_failure_of_its_own() -> None:
    def crash() -> list[Finding]:
        raise ValueError("a secret")

    (crashed,), (late,) = asked("x", crash), asked("x", lambda: time.sleep(1) or [], seconds=0.05)  # type: ignore[func-returns-value]

    assert "The check itself failed (ValueError)." == crashed.finding.message
    assert "No answer within" in late.finding.message
