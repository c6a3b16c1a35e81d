"""`caidan stats buttons`: taps and users, counted by hand in tests/console/asked.py."""

from typing import Any

import pytest
import time_machine

from models.account import account_ids
from models.db import connect, transaction
from models.menu_versions import save_version
from tests.console.asked import SHOP, URL, cells, stats, told
from tests.console.rotating import NOW
from wechat.menu import digest, read, write

Clock = time_machine.Traveller

pytestmark = pytest.mark.usefixtures("asked_shop")


def counts(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_each_button_is_told_with_its_name_and_the_time_before() -> None:
    found = told("buttons")

    assert [
        ("每日推荐", "TODAY", "click", 3, 3, 1.0, 3, 3, 0.0),
        ("优惠券", "COUPON", "click", 3, 2, 1.5, 0, 0, None),
        ("附近", "NEAR", "location_select", 3, 3, 1.0, 0, 0, None),
        ("拍照", "PHOTO", "pic_sysphoto", 2, 2, 1.0, 0, 0, None),
        ("扫码", "SCAN", "scancode_waitmsg", 2, 2, 1.0, 0, 0, None),
        (None, "OLD", "click", 1, 1, 1.0, 0, 0, None),
        ("官网", URL, "view", 1, 1, 1.0, 1, 1, 0.0),
    ] == [tuple(row.values()) for row in sorted(found["rows"], key=lambda row: (-row["taps"], _order(row["key"])))]
    assert [3, 3, 3, 2, 2, 1, 1] == [row["taps"] for row in found["rows"]]
    assert ("shop", "Asia/Shanghai", "2026-11-17T00:00:00+08:00", "2026-11-24T00:00:00+08:00") == tuple(
        found[name] for name in ("account", "timezone", "since", "until")
    )
    assert {
        "taps": 15,
        "users": 5,
        "taps_per_user": 3.0,
        "taps_before": 4,
        "users_before": 3,
        "change": 2.75,
    } == found["total"]


def _order(key: str) -> int:
    return ["TODAY", "COUPON", "NEAR", "PHOTO", "SCAN", "OLD", URL].index(key)


def test_people_see_a_table_with_bars_and_the_sums() -> None:
    done = stats("buttons", "--account", "shop")
    lines = done.stdout.splitlines()

    assert 0 == done.exit_code
    assert "shop  2026-11-17 to 2026-11-23 (Asia/Shanghai)" == lines[0]
    assert ["Button", "Taps", "Users", "Per", "user", "Taps", "before", "Change"] == lines[3].split()
    assert ["每日推荐", "3", "3", "1.00", "3", "+0.0%", "#" * 20] == lines[5].split()
    assert ["OLD", "1", "1", "1.00", "0", "#" * 7] == next(line.split() for line in lines if "OLD" in line)
    assert "Together: taps 15, users 5; before: taps 4, users 3" == lines[-1]
    assert "The time is not over yet" in done.stderr


def test_a_time_that_is_over_is_compared_without_a_word() -> None:
    assert "" == stats("buttons", "last-week", "--account", "shop").stderr


def test_by_day_each_day_is_there_beside_its_like() -> None:
    found = cells("buttons", "--by", "day", "--of", "version")

    assert ["period", "version", "taps", "users", "taps_per_user", "taps_before", "users_before", "change"] == found[0]
    assert 1 + 3 * 7 == len(found)
    assert ["2026-11-18", "1", "3", "1", "3.0", "0", "0", ""] in found
    assert ["2026-11-19", "1", "4", "2", "2.0", "1", "1", "3.0"] in found
    assert ["2026-11-23", "1", "0", "0", "", "3", "2", "-1.0"] in found
    assert ["2026-11-20", "2", "5", "3", "1.6666666666666667", "0", "0", ""] in found
    assert ["2026-11-21", "", "1", "1", "1.0", "0", "0", ""] in found


def test_people_see_the_course_of_time_as_a_line_of_signs() -> None:
    done = stats("buttons", "--by", "day", "--account", "shop")

    lines = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines() if "_" in line}

    assert {
        "每日推荐": "_@@___@",
        "优惠券": "___@___",
        "附近": "_+_@___",
        "拍照": "__@_@__",
        "扫码": "_@@____",
        "OLD": "____@__",
        "官网": "__@____",
    } == lines


def test_by_hour_there_is_nothing_of_what_is_to_come() -> None:
    found = cells("buttons", "today", "--by", "hour", "--button", "TODAY")

    assert [f"2026-11-23T0{hour}:00:00+08:00" for hour in range(10)] == [row[0] for row in found[1:]]
    assert ["0"] * 8 + ["1", "0"] == [row[4] for row in found[1:]]


def test_weeks_and_months_are_told_by_their_first_day() -> None:
    weeks = told("buttons", "--by", "week", "--last", "2w", "--of", "menu")["rows"]
    months = told("buttons", "--by", "month", "this-month", "--button", "每日推荐")["rows"]

    assert [
        ("2026-11-09", None, None, 1, 1),
        ("2026-11-16", None, None, 16, 5),
        ("2026-11-23", None, None, 1, 1),
        ("2026-11-09", "Default menu", "100", 0, 0),
        ("2026-11-16", "Default menu", "100", 1, 1),
        ("2026-11-23", "Default menu", "100", 0, 0),
    ] == counts(weeks, "period", "name", "menu_id", "taps", "users")
    assert [("2026-11-01", 6, 4, 0)] == counts(months, "period", "taps", "users", "taps_before")


def test_kinds_are_of_all_events() -> None:
    found = told("buttons", "--of", "kind")["rows"]

    assert {
        ("click", 7, 4, 3),
        ("location_select", 3, 3, 0),
        ("pic_sysphoto", 2, 2, 0),
        ("scancode_waitmsg", 2, 2, 0),
        ("subscribe", 1, 1, 1),
        ("view", 1, 1, 1),
    } == set(counts(found, "kind", "taps", "users", "taps_before"))


def test_users_of_several_buttons_count_once() -> None:
    found = told("buttons", "--button", "TODAY", "--button", "附近")

    assert {("TODAY", 3, 3), ("NEAR", 3, 3)} == set(counts(found["rows"], "key", "taps", "users"))
    assert (6, 4, 3, 3) == tuple(found["total"][name] for name in ("taps", "users", "taps_before", "users_before"))


def test_accounts_stand_side_by_side() -> None:
    found = told("buttons", "--of", "account", "--account", "cafe")
    done = stats("buttons", "--of", "account", "--json")

    assert [("cafe", 1, 1)] == counts(found["rows"], "account", "taps", "users")
    assert 0 == done.exit_code
    assert ["shop", "cafe"] == [
        line.split()[0] for line in stats("buttons", "--of", "account").stdout.splitlines()[5:7]
    ]


def test_an_account_without_taps_is_there_as_well() -> None:
    found = cells("buttons", "--of", "account", "2026-11-22")

    assert [["shop", "0", "0", "", "2", "2", "-1.0"]] == found[1:]
    assert [["shop", "0", "0", "", "0", "0", ""]] == cells("buttons", "--of", "account", "last-month")[1:]


def test_a_draft_names_no_button_that_the_live_menu_has() -> None:
    menu = read({"menu": {"button": [{"name": name, "type": "click", "key": name} for name in ("TODAY", "OLD")]}})
    engine = connect("sqlite:///var/caidan.db")
    with transaction(engine) as connection:
        shop = account_ids(connection, {SHOP.app_id: SHOP.name})[SHOP.app_id]
        save_version(connection, shop, write(menu), digest(menu), now=NOW)
    engine.dispose()

    names = {row["key"]: row["name"] for row in told("buttons")["rows"]}

    assert ("每日推荐", "OLD") == (names["TODAY"], names["OLD"])


def test_without_events_the_answer_is_empty() -> None:
    found, done = told("buttons", "last-month"), stats("buttons", "last-month", "--account", "shop")

    assert ([], 0, None) == (found["rows"], found["total"]["taps"], found["total"]["change"])
    assert ["nothing", "Together: taps 0, users 0; before: taps 0, users 0"] == [
        line.strip() for line in done.stdout.splitlines()[2:]
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--last", "3h", "--account", "shop"), 4, "This is counted by whole days"),
        (("--since", "2026-11-20T12:00", "--account", "shop"), 4, "This is counted by whole days"),
        (("last-weak", "--account", "shop"), 4, "'last-weak' is no time"),
        ((), 4, "Say with --account which one: shop, cafe"),
        (("--account", "nobody"), 3, "There is no account 'nobody'"),
        (("--account", "shop", "--button", "TODY"), 3, "There is no button 'TODY'; did you mean: TODAY?"),
        (("--account", "shop", "--button", "¿?"), 3, "There is no button '¿?': no key, URL or name of one."),
        (("--of", "account", "--button", "TODAY"), 4, "--button is about one account"),
        (("--account", "shop", "--csv", "--json"), 4, "Give one of --json, --csv and --html."),
        (("--account", "shop", "--bom"), 4, "--bom and --excel are for CSV only."),
    ],
)
def test_what_cannot_be_answered_is_said(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    done = stats("buttons", *arguments)

    assert (code, "") == (done.exit_code, done.stdout)
    assert sentence in done.stderr


def test_all_of_it_is_said_in_chinese_too() -> None:
    done = stats("buttons", "--account", "shop", "--lang", "zh")

    assert "shop  2026-11-17 至 2026-11-23（Asia/Shanghai）" in done.stdout
    assert "合计：点击 15 次，5 人；上一段时间：4 次，3 人" in done.stdout
    assert "这段时间尚未结束" in done.stderr
