"""`caidan rotation add|list|remove|enable|disable`, with a real database."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Connection

from console import rotation_weighing
from console.rotation_plan import Plan
from models.api_use import count_calls
from models.guards import stop
from models.holidays import load_year, set_day
from models.rotation_delays import Delay, note_delay
from models.rotations import Draft, RotationRow, add_rotation, rotations
from tests.console.rotating import NOW, added, in_database, rotation, told
from tests.console.runner import run
from wechat.quota import day_of

Clock = time_machine.Traveller


def rows() -> list[Any]:
    """How each rotation stands."""
    return [(row["id"], row["version"], row["state"]["word"]) for row in told("list")]


def test_what_has_no_window_is_the_base_menu(shop: Clock) -> None:
    done = added("1")

    assert "Rotation 1 of shop: version 1, base menu: always, where no other is due" in done.stdout
    assert "It is due now" in done.stdout
    assert [(1, 1, "due")] == rows()


def test_a_second_base_menu_has_to_be_wished_for(shop: Clock) -> None:
    added("1")
    refused, replaced = rotation("add", "2", "--base"), told("add", "2", "--base", "--replace")

    assert 4 == refused.exit_code
    assert "Rotation 1 is the base menu; with --replace this one takes its place." in refused.stderr
    assert 1 == replaced["replaced"]
    assert [2] == [row["version"] for row in told("list")]


def test_a_base_menu_has_no_window(shop: Clock) -> None:
    assert 4 == rotation("add", "1", "--base", "--hours", "11-14").exit_code


def test_a_week_is_told_back_in_words(shop: Clock) -> None:
    added("1")
    done = added("2", "--weekdays", "周一到周五", "--hours", "11-14", "--lead", "10m", "--note", "lunch")

    assert 0 == done.exit_code
    assert [
        "Rotation 2 of shop: version 2, Mon–Fri, 11:00–14:00 (Asia/Shanghai)",
        "  2026-11-23 Mon 11:00 – 14:00",
        "  2026-11-24 Tue 11:00 – 14:00",
        "  2026-11-25 Wed 11:00 – 14:00",
        "The menu goes up 10 min before each beginning.",
        "Phones follow within 5 minutes as a rule, and within 24 hours at the latest.",
        "Calls of /cgi-bin/menu/create on the busiest day of the next month, 2026-11-23: 2 of 1,000.",
    ] == done.stdout.splitlines()
    assert "" == done.stderr


@pytest.mark.parametrize(
    ("rule", "words", "first"),
    [
        (
            ("--from", "2026-12-01", "--until", "2026-12-04T12:00"),
            "from 2026-12-01 Tue 00:00",
            "2026-12-01T00:00+08:00",
        ),
        (("--from", "2h"), "from 2026-11-23 Mon 11:00 (Asia/Shanghai)", "2026-11-23T11:00+08:00"),
        (
            ("--cron", "0 18 29 2 *", "--duration", "1d"),
            "each time for 1 day",
            "2028-02-29T18:00+08:00",
        ),
        (("--hours", "22-2", "--weekdays", "fri,sun"), "Fri and Sun, 22:00–02:00", "2026-11-27T22:00+08:00"),
        (("--hours", "11-14", "--timezone", "Europe/Berlin"), "11:00–14:00 (Europe/Berlin)", "2026-11-23T11:00+01:00"),
        (("--days", "holidays"), "on holidays and weekends, all day (Asia/Shanghai)", "2026-11-28T00:00+08:00"),
    ],
)
def test_each_kind_of_window_is_read_in_its_time_zone(
    shop: Clock, rule: tuple[str, ...], words: str, first: str
) -> None:
    in_database(lambda connection, _account: load_year(connection, 2026))
    shown, found = rotation("add", "2", *rule, "--dry-run"), told("add", "2", *rule)

    assert words in shown.stdout
    assert datetime.fromisoformat(first) == datetime.fromisoformat(found["windows"][0]["starts_at"])


def test_a_dry_run_adds_nothing(shop: Clock) -> None:
    done, found = rotation("add", "2", "--hours", "11-14", "--dry-run"), told("add", "1", "--dry-run")

    assert "It would be added: version 2, every day, 11:00–14:00 (Asia/Shanghai)" in done.stdout
    assert (None, True) == (found["id"], found["is_base"])
    assert [] == told("list")


def test_without_a_base_menu_it_is_said_that_the_menu_stays(shop: Clock) -> None:
    assert "shop has no base menu" in added("2", "--hours", "11-14").stderr


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (("--timezone", "Asia/Beijing"), ["'Asia/Beijing' is no time zone", "Did you mean Asia/Shanghai?"]),
        (("--cron", "0 0 30 2 *", "--duration", "2h"), ["'0 0 30 2 *' never comes"]),
        (
            ("--cron", "* * * * * *", "--lead", "2d"),
            ["has six fields", "with --duration", "A lead is at most"],
        ),
        (("--cron", "0 11 * * *", "--duration", "2h", "--hours", "9-10"), ["leave --hours out"]),
        (("--duration", "2h"), ["--duration is for --cron"]),
        (("--from", "2026-12-02", "--until", "2026-12-01"), ["It would end before it begins"]),
        (("--until", "2026-11-01"), ["It is over already"]),
        (("--hours", "9-12,11-13"), ["The hours 09:00-12:00,11:00-13:00 overlap"]),
        (("--hours", "9-25"), ["at most until 24:00"]),
        (("--hours", "9-12", "--guard-share", "0", "--priority", "1001"), ["The share of a guard", "A priority is"]),
        (("--hours", "9-12", "--guard-hours", "3"), ["say with --guard-share"]),
        (("--guard-share", "50%"), ["A base menu has no guard"]),
        (("--from", "soon"), ["'soon' is no time"]),
        (("--from", "0001-01-01"), ["'0001-01-01' is too far away"]),
        (("--weekdays", "工作日"), ["give --days workdays"]),
        (("--author", "x" * 256), ["it has more than 255 characters"]),
        (("--note", "菜" * 1001), ["it has more than 1,000 characters"]),
    ],
)
def test_what_is_wrong_is_told_and_nothing_added(shop: Clock, arguments: tuple[str, ...], sentences: list[str]) -> None:
    refused = rotation("add", "2", *arguments)

    assert 4 == refused.exit_code, refused.output
    assert [] == [sentence for sentence in sentences if sentence not in refused.stderr]
    assert [] == told("list")


def test_only_saved_versions_can_be_scheduled(shop: Clock) -> None:
    assert 3 == rotation("add", "9").exit_code
    assert 4 == rotation("add", "99999999999999999999").exit_code


def test_a_conflict_is_refused_unless_it_is_meant(shop: Clock) -> None:
    added("2", "--hours", "11-14", "--weekdays", "mon-fri")
    given = ("3", "--hours", "11-14", "--weekdays", "wed")
    refused, ordered, meant = (
        rotation("add", *given),
        added(*given, "--priority", "1"),
        added(*given, "--allow-conflict"),
    )

    assert 4 == refused.exit_code
    assert "Rotation 1 (version 2) begins with it at 2026-11-25 Wed 11:00, for as long" in refused.stderr
    assert "--allow-conflict" in refused.stderr
    assert "begins with it" not in ordered.stderr
    assert "Rotation 1 (version 2) begins with it" in meant.stderr


def test_a_window_in_which_another_goes_before_is_told(shop: Clock) -> None:
    added("3", "--from", "2026-11-24", "--until", "2026-11-25", "--priority", "9")
    done = added("2", "--hours", "11-14")

    assert "  2026-11-24 Tue 11:00 – 14:00  but rotation 1 is due then" in done.stdout.splitlines()
    assert "  2026-11-23 Mon 11:00 – 14:00" in done.stdout.splitlines()


def test_years_without_holidays_are_told(shop: Clock) -> None:
    in_database(lambda connection, _account: load_year(connection, 2026))
    done, found = added("2", "--hours", "9-10", "--days", "workdays"), told("add", "3", "--hours", "9-11")

    assert "The holidays of 2027 and 2028 are not in the table" in done.stderr
    assert "caidan holiday load 2027 2028" in done.stderr
    assert [] == found["unknown_years"]


def test_a_plan_with_more_calls_than_a_day_has_is_refused_unless_forced(shop: Clock) -> None:
    added("1")
    today = day_of(NOW)

    def used(connection: Connection, account: int) -> None:
        for _ in range(999):
            count_calls(connection, account, today, ["/cgi-bin/menu/create"], NOW)

    in_database(used)
    refused, forced = rotation("add", "2", "--hours", "11-14"), added("2", "--hours", "11-14", "--force")

    assert 4 == refused.exit_code
    assert "On 2026-11-23 this takes 1,001 calls of /cgi-bin/menu/create; WeChat allows 1,000 a day." in refused.stderr
    assert "1,001 calls" in forced.stderr


def test_a_menu_that_changes_every_minute_is_refused_in_few_words(shop: Clock) -> None:
    added("1")
    refused = rotation("add", "2", "--cron", "*/2 * * * *", "--duration", "1m")

    assert 4 == refused.exit_code
    assert 1 == refused.stderr.count("/cgi-bin/menu/create")
    assert "So it is on 29 other days." in refused.stderr


def test_while_a_rotation_is_weighed_others_can_write(shop: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    added("1")
    weigh = rotation_weighing.weigh
    written = []

    def beside(*weighed: Any) -> rotation_weighing.Weighed:
        in_database(lambda connection, _account: set_day(connection, NOW.date(), False, str(len(written))))
        written.append(weighed)
        return weigh(*weighed)

    monkeypatch.setattr(rotation_weighing, "weigh", beside)
    added("2", "--hours", "11-14")
    rotation("enable", "2")

    assert 2 == len(written)


@pytest.mark.parametrize(("given", "hours"), [(("2", "--hours", "11-14"), "20:00-22:00"), (("2", "--replace"), None)])
def test_what_was_weighed_beside_other_rotations_than_there_are_is_not_added(
    shop: Clock, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], hours: str | None
) -> None:
    weigh = rotation_weighing.weigh

    def beside(plan: Plan, row: RotationRow, *more: Any) -> rotation_weighing.Weighed:
        draft = Draft(account_id=row.account_id, menu_id=row.menu_id, hours=hours)
        in_database(lambda connection, _account: add_rotation(connection, draft))
        return weigh(plan, row, *more)

    monkeypatch.setattr(rotation_weighing, "weigh", beside)
    refused = rotation("add", *given)

    assert 4 == refused.exit_code
    assert "Somebody has changed the rotations meanwhile" in refused.stderr
    assert [hours] == [row["hours"] for row in told("list")]


def test_list_tells_how_each_stands(shop: Clock) -> None:
    added("1")
    added("2", "--hours", "8-10")
    added("3", "--hours", "8-12")
    added("4", "--hours", "18-20", "--weekdays", "tue", "--note", "dinner")
    added("4", "--until", "2026-11-23T10:00", "--priority", "-1")
    rotation("disable", "3")

    found = rotation("list")

    assert [
        (1, 1, "outranked"),
        (2, 2, "due"),
        (3, 3, "disabled"),
        (4, 4, "next"),
        (5, 4, "outranked"),
    ] == rows()
    assert "waits: rotation 2 is due" in found.stdout
    assert "due now until 2026-11-23 Mon 10:00" in found.stdout
    assert "next 2026-11-24 Tue 18:00" in found.stdout
    assert "dinner" in found.stdout
    assert "Account" not in found.stdout
    shop.shift(timedelta(hours=2))
    assert (5, 4, "ended") == rows()[4]


def test_list_tells_what_a_guard_has_stopped(shop: Clock) -> None:
    added("1")
    added("2", "--hours", "8-12", "--guard-share", "50%")
    in_database(lambda connection, _account: stop(connection, 2, NOW - timedelta(hours=1), 3, 100, NOW))

    assert [(1, 1, "due"), (2, 2, "stopped")] == rows()
    assert "stopped by its guard until 2026-11-23 Mon 12:00" in rotation("list").stdout


def test_list_tells_why_a_due_menu_is_not_live(shop: Clock) -> None:
    added("1")

    def delayed(connection: Connection, account: int) -> None:
        menu = rotations(connection, account)[0].menu_id
        note_delay(connection, Delay(account, 1, menu, "refused", 48001, NOW, 3, NOW + timedelta(hours=1)))

    in_database(delayed)
    found = rotation("list")

    assert "shop: Version 1 has been due since 2026-11-23 Mon 09:00 and is not live" in found.stderr
    assert "48001" in found.stderr
    assert "refused" == told("list")[0]["delay"]["reason"]


def test_an_account_without_rotations_has_an_empty_list(shop: Clock) -> None:
    assert ("", 0) == (rotation("list").stdout, rotation("list").exit_code)
    assert 3 == rotation("list", "--account", "other").exit_code


@pytest.mark.parametrize(
    ("verb", "left"), [("remove", []), ("disable", [(1, 1, "disabled")]), ("enable", [(1, 1, "due")])]
)
def test_a_rotation_is_removed_disabled_and_enabled(shop: Clock, verb: str, left: list[Any]) -> None:
    added("1")
    if verb == "enable":
        rotation("disable", "1")
    before = rows()
    dry = rotation(verb, "1", "--dry-run")
    after_dry = rows()
    done = rotation(verb, "1")

    assert (0, before) == (dry.exit_code, after_dry)
    assert "This was a dry run: everything is as it was." in dry.stderr
    assert "rotation 1, version 1, base menu" in done.stdout
    assert "dry run" not in done.stderr
    assert left == rows()


def test_enabling_tells_of_conflicts(shop: Clock) -> None:
    added("2", "--hours", "11-14")
    rotation("disable", "1")
    added("3", "--hours", "11-14")

    assert "Rotation 2 (version 3) begins with it" in rotation("enable", "1").stderr
    assert "Nothing to do" in rotation("enable", "1").stdout


@pytest.mark.parametrize("verb", ["remove", "enable", "disable"])
def test_what_is_not_there_is_not_found(shop: Clock, verb: str) -> None:
    assert 3 == rotation(verb, "7").exit_code


def test_make_up_workdays_count(shop: Clock) -> None:
    in_database(lambda connection, _account: set_day(connection, date(2026, 11, 29), True, "调休"))
    found = told("add", "2", "--weekdays", "sun", "--hours", "0-24", "--days", "workdays")

    assert "2026-11-28T16:00:00+00:00" == found["windows"][0]["starts_at"]


def test_a_rotation_in_a_time_zone_that_is_not_known_here_can_be_removed(shop: Clock) -> None:
    added("1")

    def unsound(connection: Connection, account: int) -> None:
        menu = rotations(connection, account)[0].menu_id
        rule = {"starts_at": NOW, "timezone": "Mars/Olympus_Mons", "days": "workdays"}
        add_rotation(connection, Draft(account_id=account, menu_id=menu, **rule))

    in_database(unsound)

    assert [(1, 1, "due"), (2, 1, "unsound")] == rows()
    assert "cannot be followed; see caidan doctor" in rotation("list").stdout
    assert [0, 0, 0] == [rotation(verb).exit_code for verb in ("next", "simulate", "freeze")]
    assert "Disabled" in rotation("disable", "2").stdout
    assert "Enabled" in rotation("enable", "2").stdout
    assert "Removed" in rotation("remove", "2").stdout
    assert [(1, 1, "due")] == rows()


def test_of_several_accounts_one_is_to_be_named(shop: Clock) -> None:
    added("1")
    path = Path("caidan.toml")
    path.write_text(
        path.read_text() + '\n[[accounts]]\nname = "club"\napp_id = "wxfedcba9876543210"\ntoken = "Token"\n'
    )
    assert 0 == run("db", "upgrade").exit_code

    for arguments in (("add", "1"), ("next",), ("simulate",), ("freeze",), ("unfreeze",)):
        assert 4 == rotation(*arguments).exit_code
        assert "shop, club" in rotation(*arguments).stderr
    assert 0 == rotation("next", "--account", "club").exit_code
    assert "Account" in rotation("list").stdout
    assert [] == told("list", "--account", "club")
