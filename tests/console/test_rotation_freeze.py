"""`caidan rotation freeze|unfreeze`, and what publishing by hand says where another menu is due."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from tests.console.rotating import added, rotation
from tests.console.runner import run
from tests.platforms import SHOP, Platform, platform_of

Clock = time_machine.Traveller


@pytest.fixture
def wechat(shop: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with platform_of(SHOP) as running:
        monkeypatch.setenv("CAIDAN_API_BASE_URL", running.url)
        yield running


def test_a_freeze_lasts_from_now_on_until_it_is_ended(shop: Clock) -> None:
    frozen = rotation("freeze", "--note", "audit")
    listed = rotation("list")
    shop.shift(timedelta(days=400))
    ended, again = rotation("unfreeze"), rotation("unfreeze")

    assert (
        "The menu of shop is frozen from 2026-11-23 Mon 09:00 on, until: caidan rotation unfreeze  audit\n"
        == frozen.stdout
        == listed.stderr
    )
    assert "shop: 1 freeze ended.\n" == ended.stdout
    assert "Nothing to do: the menu of shop is not frozen.\n" == again.stdout
    assert "" == rotation("list").stderr


def test_a_freeze_may_have_a_beginning_and_an_end(shop: Clock) -> None:
    rotation("freeze", "--from", "2026-12-24", "--until", "2026-12-27T12:00")
    kept, ended = rotation("unfreeze"), rotation("unfreeze", "--all")

    assert "Nothing to do" in kept.stdout
    assert "The menu of shop is frozen from 2026-12-24 Thu 00:00 until 2026-12-27 Sun 12:00." in kept.stderr
    assert "1 freeze ended" in ended.stdout
    assert "" == rotation("list").stderr


@pytest.mark.parametrize("given", [("--until", "yesterday"), ("--from", "2h", "--until", "1h"), ("--until", "now")])
def test_a_freeze_that_ends_before_it_begins_is_refused(shop: Clock, given: tuple[str, ...]) -> None:
    assert 4 == rotation("freeze", *given).exit_code
    assert "" == rotation("list").stderr


def test_a_dry_run_freezes_nothing_and_ends_nothing(shop: Clock) -> None:
    assert "is frozen" in rotation("freeze", "--dry-run").stdout
    assert "" == rotation("list").stderr
    rotation("freeze")
    assert "1 freeze ended" in rotation("unfreeze", "--dry-run").stdout
    assert "is frozen" in rotation("list").stderr


def test_who_adds_a_rotation_during_a_freeze_is_told(shop: Clock) -> None:
    rotation("freeze")
    done = added("1")

    assert "is frozen" in done.stderr
    assert "goes up within a minute" not in done.stdout


def test_who_publishes_another_menu_than_the_due_one_is_told(wechat: Platform) -> None:
    added("1")
    other, due = run("menu", "publish", "2"), run("menu", "publish", "1")
    dry = run("menu", "rollback", "--dry-run")

    assert (0, 0, 0) == (other.exit_code, due.exit_code, dry.exit_code)
    sentence = "By rotation 1 version 1 is due, and takes the place of version 2 within a minute."
    assert sentence in other.stderr
    assert "caidan rotation freeze --account shop" in other.stderr
    assert sentence in dry.stderr
    assert "is due" not in due.stderr


@pytest.mark.parametrize(
    ("given", "words"), [((), "until the freeze is ended"), (("--until", "3h"), "ends, 2026-11-23 Mon 12:00.")]
)
def test_who_publishes_during_a_freeze_is_told_until_when_it_stays(
    wechat: Platform, given: tuple[str, ...], words: str
) -> None:
    added("1")
    rotation("freeze", *given)

    assert words in run("menu", "publish", "2").stderr
