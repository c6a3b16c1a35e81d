"""What `caidan doctor` and `caidan status` say of rotations."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from console.checks import Finding
from console.checks_rotation import rotation
from models import guards
from models.api_use import count_calls
from models.db import connect, transaction
from models.freezes import freeze
from models.rotation_delays import Delay, note_delay
from models.rotations import base_rotation, set_enabled
from tests.console.examined import Told, install
from tests.console.runner import run
from tests.platforms import Platform
from tests.workers.guarded import DAY, HOUR, Guarded
from wechat.client import CREATE_MENU
from wechat.quota import day_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 10, 21, 4, tzinfo=UTC)  # there, on a Wednesday
MINUTE = timedelta(minutes=1)


@pytest.fixture
def guarded(sqlite_database_url: str) -> Iterator[Guarded]:
    engine = connect(sqlite_database_url)
    yield Guarded(engine, NOON - DAY)
    engine.dispose()


def found(guarded: Guarded, now: datetime = NOON) -> list[Finding]:
    with guarded.engine.connect() as connection:
        return list(rotation(connection, "shop", SHANGHAI, now))


def said(guarded: Guarded, level: str, now: datetime = NOON) -> list[str]:
    """The messages of a level, with the advice."""
    return [f"{one.message} {one.advice}".strip() for one in found(guarded, now) if one.level == level]


def delay(guarded: Guarded, reason: str, errcode: int | None = None, menu_id: int | None = None) -> None:
    held_up = Delay(guarded.account_id, 2, menu_id or guarded.sale, reason, errcode, NOON - HOUR, 3, NOON + 10 * MINUTE)
    with transaction(guarded.engine) as connection:
        note_delay(connection, held_up)


def sale(guarded: Guarded, **rule: object) -> int:
    """Let the other menu be due since eleven."""
    return guarded.add(menu_id=guarded.sale, **({"starts_at": NOON - HOUR, "ends_at": NOON + HOUR} | rule))


def test_an_account_without_rotations_is_passed_over(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    with engine.connect() as connection:
        levels = [one.level for one in rotation(connection, "shop", SHANGHAI, NOON)]
    engine.dispose()

    assert ["skipped"] == levels


def test_the_menu_that_is_due_and_live_is_fine_and_the_next_is_told(guarded: Guarded) -> None:
    guarded.add(menu_id=guarded.sale, hours="14:00-15:00")

    (message,) = said(guarded, "fine")

    assert "Version 1 is due, and live. Version 2 is next, at 2026-10-21 Wed 14:00." == message
    assert 1 == len(found(guarded))


def test_where_nothing_is_due_the_live_menu_stays(guarded: Guarded) -> None:
    guarded.add(menu_id=guarded.sale, hours="14:00-15:00")
    with transaction(guarded.engine) as connection:
        set_enabled(connection, base_rotation(connection, guarded.account_id).id, enabled=False)  # type: ignore[union-attr]

    (message,) = said(guarded, "fine")

    assert "No menu is due at this time; the live one stays. Version 2 is next, at 2026-10-21 Wed 14:00." == message


@pytest.mark.parametrize(
    ("reason", "errcode", "level", "words"),
    [
        ("unreachable", None, "failure", "WeChat cannot be reached"),
        ("quota", None, "failure", "would not suffice"),
        ("refused", 40018, "failure", "Save a version that WeChat takes"),
        ("refused", 40164, "failure", "IP allow-list"),
        ("refused", 48001, "failure", "接口权限"),
        ("refused", None, "failure", "WeChat refuses it"),
        ("under_way", None, "warning", "somebody is publishing"),
        ("frozen", None, "warning", "caidan rotation unfreeze"),
        ("unreadable", None, "failure", "caidan rotation list"),
        ("not_configured", None, "failure", "app_secret"),
        ("not_as_published", None, "failure", "shows something else"),
        ("token_rejected", 40001, "failure", "stable_token"),
        ("busy", -1, "failure", "2026-10-21 Wed 12:10"),
        ("a word of tomorrow", None, "failure", "a word of tomorrow"),
    ],
)
def test_why_a_due_menu_is_not_live_is_told(
    guarded: Guarded, reason: str, errcode: int | None, level: str, words: str
) -> None:
    sale(guarded)
    delay(guarded, reason, errcode)

    (message,) = said(guarded, level)

    assert message.startswith("Version 2 has been due since 2026-10-21 Wed 11:00 and is not live: ")
    assert words in message
    assert [errcode is not None] == [one.is_refusal for one in found(guarded) if one.level == level]


def test_a_menu_that_nobody_tried_is_a_failure_after_some_minutes(guarded: Guarded) -> None:
    sale(guarded)
    delay(guarded, "unreachable", menu_id=guarded.base)  # of another time

    assert ["Version 2 goes up within a minute."] == said(guarded, "fine", NOON - HOUR + MINUTE)
    assert ["Version 2 is due and not live, and nobody has tried"] == [
        message.partition(".")[0] for message in said(guarded, "failure", NOON - HOUR + 3 * MINUTE)
    ]


def test_a_freeze_that_lasts_is_a_warning(guarded: Guarded) -> None:
    with transaction(guarded.engine) as connection:
        freeze(connection, guarded.account_id, NOON - HOUR, NOON + HOUR, "stocktaking")
        freeze(connection, guarded.account_id, NOON + DAY, NOON + 2 * DAY)

    (message,) = said(guarded, "warning")

    assert "until 2026-10-21 Wed 13:00.  stocktaking" in message
    sale(guarded)
    assert [] == said(guarded, "failure")  # before the first tick has found that it is frozen


def test_what_a_guard_did_is_told_for_a_week(guarded: Guarded) -> None:
    rotation_id = sale(guarded, guard_share=0.5, ends_at=NOON + 20 * DAY)
    with transaction(guarded.engine) as connection:
        guards.stop(connection, rotation_id, NOON - HOUR, 1, 1040, NOON)

    (message,) = said(guarded, "warning")

    assert "took down version 2 of rotation 2: 1 taps, where 1,040 are usual" in message
    assert ["Version 1 is due, and live."] == said(guarded, "fine")
    assert [] == said(guarded, "warning", NOON + 7 * DAY)


def test_rotations_that_are_never_due_again_or_cannot_be_followed_are_told(guarded: Guarded) -> None:
    over = sale(guarded, starts_at=NOON - 2 * DAY, ends_at=NOON - DAY)
    sale(guarded, starts_at=NOON - 2 * DAY, ends_at=NOON - DAY, enabled=False)
    leap = guarded.add(menu_id=guarded.sale, cron="0 0 29 2 *", duration=3600)
    lost = guarded.add(menu_id=guarded.sale, hours="11:00-13:00", timezone="Mars/Olympus")

    assert [f"Rotation {over} is never due again. Remove it with: caidan rotation remove {over}"] == said(
        guarded, "warning"
    )
    (message,) = said(guarded, "failure")
    assert message.startswith(f"Rotation {lost} cannot be followed: 'Mars/Olympus' is no time zone")
    assert "2028-02-29" not in "".join(said(guarded, "fine"))  # too far away
    assert leap


def test_holidays_that_are_not_known_are_a_warning(guarded: Guarded) -> None:
    guarded.add(menu_id=guarded.sale, days="holidays", hours="20:00-21:00")

    assert [True] == ["caidan holiday load 2026" in message for message in said(guarded, "warning")]
    assert 2 == len(said(guarded, "warning", NOON + 40 * DAY))


def test_calls_that_would_not_suffice_are_a_warning(guarded: Guarded) -> None:
    guarded.add(menu_id=guarded.sale, cron="* * * * *", duration=30)
    guarded.publish(guarded.sale, NOON)

    (message,) = said(guarded, "warning")

    assert "today takes 1,440 calls of /cgi-bin/menu/create; WeChat allows 1,000." in message

    with transaction(guarded.engine) as connection:
        count_calls(connection, guarded.account_id, day_of(NOON), [CREATE_MENU], NOON)
    (message,) = said(guarded, "warning")

    assert "today takes 1,441 calls of" in message


@pytest.fixture
def installed(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Guarded]:
    """An installation in which a sale is due, and the base menu live."""
    install(platform, monkeypatch, tmp_path)
    engine = connect(f"sqlite:///{tmp_path / 'var' / 'caidan.db'}")
    now = datetime.now(UTC)
    guarded = Guarded(engine, now - DAY)
    guarded.add(menu_id=guarded.sale, starts_at=now - HOUR, ends_at=now + HOUR)
    yield guarded
    engine.dispose()


def test_the_doctor_looks_at_the_rotations_of_each_account(installed: Guarded) -> None:
    told = Told()

    assert ["failure"] == told.levels("rotation")
    assert {"shop"} == {line["account"] for line in told.lines if line["check"] == "rotation"}
    assert "轮换" in run("doctor", "--lang", "zh").stdout


def test_status_shows_what_is_due_and_what_is_in_its_way(installed: Guarded) -> None:
    now = datetime.now(UTC)
    with transaction(installed.engine) as connection:
        note_delay(connection, Delay(installed.account_id, 2, installed.sale, "frozen", None, now, 0, now))
        freeze(connection, installed.account_id, now - HOUR, now + HOUR)
        guards.stop(connection, 2, now - DAY, 1, 40, now)
    told, shown = json.loads(run("status", "--json").stdout)["rotations"]["shop"], run("status").stdout

    assert (2, 1, "frozen") == (told["due"], told["next"]["version"], told["delay"]["reason"])
    assert [1, 1] == [len(told["frozen"]), len(told["stopped"])]
    for words in ("Due menu of shop  ", "the menu is frozen", "version 1, ", "took down version 2"):
        assert words in shown
