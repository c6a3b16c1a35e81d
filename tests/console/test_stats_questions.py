"""The other questions of `caidan stats`, with what was counted by hand in tests/console/asked.py."""

from typing import Any

import pytest
from sqlalchemy import update

from models.db import connect, transaction
from models.event import Location
from tests.console.asked import URL, cells, stats, told

pytestmark = pytest.mark.usefixtures("asked_shop")

VERBS = ("paths TODAY", "funnel", "cohorts", "scans", "photos", "places", "health")


def part(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def lines(*arguments: str) -> list[str]:
    """Without what only parts them."""
    done = stats(*arguments, "--account", "shop")
    assert 0 == done.exit_code, done.output
    return [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip(" ─")]


def test_two_versions_are_compared_since_the_day_on_which_the_first_was_live() -> None:
    found = told("compare", "1", "2")

    assert "2026-11-09T00:00:00+08:00" == found["since"]
    (whole,) = found["whole"]
    assert (12, 4, 4, 6, 3, 4, "too_few") == tuple(
        whole[name]
        for name in (
            "first_taps",
            "first_users",
            "first_active",
            "second_taps",
            "second_users",
            "second_active",
            "verdict",
        )
    )
    assert (3.0, 1.5, -0.25) == (
        whole["first_taps_per_active"],
        whole["second_taps_per_active"],
        whole["share_estimate"],
    )
    assert whole["share_low"] < -0.25 < whole["share_high"]
    assert [
        ("今日菜单", "TODAY", "每日推荐", "target", 5, 1),
        ("官网", URL, None, "none", 2, None),
        ("扫一扫", "SCAN", "扫码", "target", 2, 0),
        ("拍照", "PHOTO", None, "none", 2, None),
        ("附近", "NEAR", None, "target", 1, 2),
        ("优惠券", "COUPON", None, "none", None, 3),
    ] == part(found["buttons"], "name", "key", "other", "aligned_by", "first_taps", "second_taps")
    assert [11 * 86_400 + 3 * 3_600, 2 * 86_400 + 22 * 3_600] == [
        found[side]["live_seconds"] for side in ("first", "second")
    ]


def test_what_is_live_is_so_until_now_and_no_longer() -> None:
    assert 9 * 3_600 == told("compare", "1", "2", "today")["second"]["live_seconds"]


def test_people_see_versions_side_by_side() -> None:
    found = lines("compare", "1", "2")

    assert "12 -> 6 100.0% -> 75.0% -69.9 … +28.1 too few people" in found
    assert "官网 2 -> - 25.0% -> - in one only" in found
    assert "2: live for 2 days 22 h, 4 active followers, of whom 3 tapped, 2.00 times each" in found


def test_publications_are_compared_as_well_as_versions() -> None:
    by_version, by_publication = told("compare", "1", "2"), told("compare", "1", "2", "--publications")

    assert by_version == by_publication


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("1", "3"), "Version 3 of shop was never live"),
        (("1", "3", "--publications"), "There is no publication 3 of shop"),
    ],
)
def test_what_was_never_live_is_not_compared(arguments: tuple[str, ...], sentence: str) -> None:
    done = stats("compare", *arguments, "--account", "shop")

    assert 3 == done.exit_code
    assert sentence in done.stderr


def test_a_window_of_a_rotation_is_told_with_what_it_brought() -> None:
    found = told("rotation")["windows"]

    assert [(2, 1, 2, "2026-11-20T11:00:00+08:00", None, 6, 3, 2.0)] == part(
        found, "publication", "rotation", "version", "started_at", "ended_at", "taps", "users", "taps_per_user"
    )
    assert 6 / 70 == pytest.approx(found[0]["taps_per_hour"])
    assert [] == told("rotation", "--rotation", "7")["windows"]
    assert [] == told("rotation", "last-month")["windows"]


def test_paths_tell_what_came_before_and_after() -> None:
    found = told("paths", "TODAY", "this-month")

    today = {"kind": "click", "key": "TODAY", "name": "每日推荐"}
    assert (today, 6, 4) == (found["button"], found["taps"], found["users"])
    assert [([], None, 4, 2), (["subscribe"], "subscribe", 2, 2)] == part(
        found["before"], "steps", "named", "taps", "users"
    )
    assert {(None, 4, 3), ("扫码 > 附近", 1, 1), ("官网", 1, 1)} == set(part(found["after"], "named", "taps", "users"))
    assert 2 / 3 == found["before"][0]["share"]
    assert ["the session begins here 4 2 66.7% " + "#" * 20] == lines("paths", "TODAY", "this-month")[3:4]


def test_a_short_pause_parts_sessions() -> None:
    found = told("paths", "TODAY", "this-month", "--gap", "4m", "--steps", "1", "--table", "before")

    assert [([], 5), (["subscribe"], 1)] == part(found["before"], "steps", "taps")
    assert "after" not in found


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("paths", "TODY"), 3, "There is no button 'TODY'; did you mean: TODAY?"),
        (("paths", "TODAY", "--kind", "view"), 3, "There is no button 'TODAY'"),
        (("paths", "TODAY", "--gap", "0"), 4, "--gap has to be longer than nothing."),
        (("paths", "TODAY", "--gap", "soon"), 4, "'soon' is no duration"),
        (("funnel", "--step", "follow"), 4, "A funnel has two steps or more"),
        (("funnel", "--within", "0"), 4, "A funnel has two steps or more"),
        (("funnel", "--step", "follow", "--step", "tab"), 4, "'tab' is no step; there is: follow, unfollow, tap"),
        (("funnel", "--step", "follow", "--step", "scan=SCAN"), 4, "of a button it is tap=BUTTON"),
        (("funnel", "--step", "follow", "--step", "tap=TODY"), 3, "There is no button 'TODY'"),
        (("cohorts", "--last", "12h"), 4, "This is counted by whole days"),
        (("scans", "--button", "nothing"), 3, "There is no button 'nothing'"),
        (("health", "tomorrow"), 4, "'tomorrow' is no time"),
    ],
)
def test_what_cannot_be_answered_is_said(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    done = stats(*arguments, "--account", "shop")

    assert (code, "") == (done.exit_code, done.stdout)
    assert sentence in done.stderr


def test_a_funnel_counts_who_came_how_far() -> None:
    steps = [word for step in ("follow", "tap=TODAY", "scan", "place") for word in ("--step", step)]
    names = ("step", "users", "share", "share_of_previous", "median_minutes")

    assert [
        ("follow", 2, 1.0, None, None),
        ("tap=TODAY", 2, 1.0, 1.0, 3.5),
        ("scan", 1, 0.5, 0.5, 5.0),
        ("place", 1, 0.5, 1.0, 10.0),
    ] == part(told("funnel", "--last", "2w", "--within", "30m", *steps)["steps"], *names)
    assert [("follow", 2), ("tap=TODAY", 1), ("scan", 0)] == part(
        told("funnel", "--last", "2w", "--within", "4m", *steps[:6])["steps"], "step", "users"
    )
    assert [("follow", 1), ("tap=TODAY", 1), ("scan", 1)] == part(
        told("funnel", "2026-11-18", "--within", "4m", "--after", "previous", *steps[:6])["steps"], "step", "users"
    )


def test_cohorts_tell_who_came_back() -> None:
    found, shown = told("cohorts", "--last", "2w", "--weeks", "2"), lines("cohorts", "--last", "2w", "--weeks", "2")

    assert [
        ("2026-11-09", 1, 1.0, 0.0, 1, 0),
        ("2026-11-16", 4, 0.25, None, 1, None),
        ("2026-11-23", 0, None, None, None, None),
    ] == part(found["cohorts"], "week", "users", "share_1", "share_2", "returned_1", "returned_2")
    assert ["2026-11-09 1 100.0% 0.0%", "2026-11-16 4 25.0%", "2026-11-23 0"] == shown[3:]


def test_scans_are_told_by_code_kind_and_button() -> None:
    found = told("scans")

    assert {("6901234567892", "ean_13", 1, 1), ("https://example.com/a", "url", 1, 1)} == set(
        part(found["codes"], "code", "kind", "scans", "users")
    )
    assert {("扫码", "SCAN", "ean_13", 1, 1), ("扫码", "SCAN", "url", 1, 1)} == set(
        part(found["kinds"], "name", "key", "code_kind", "scans", "codes")
    )
    assert [("扫码", "SCAN", "scancode_waitmsg", 2, 2)] == part(
        found["buttons"], "name", "key", "kind", "scans", "users"
    )
    assert found["codes"] == found["new"]
    assert ["https://example.com/a"] == [row["code"] for row in told("scans", "2026-11-19", "--table", "new")["new"]]
    assert 1 == len(told("scans", "--top", "1", "--button", "扫码")["codes"])


def test_photos_are_told_as_declared_and_as_listed() -> None:
    found = told("photos")

    assert [("拍照", "PHOTO", 2, 2, 4, 2, 1.0, 1, 0)] == part(
        found["buttons"], "name", "key", "sends", "users", "declared", "listed", "per_send", "differing", "empty"
    )
    assert [(1, 2, 2)] == part(found["sends"], "photos", "sends", "users")
    assert [("0" * 32, 2, 2)] == part(found["shared"], "md5", "users", "times")
    assert [] == told("photos", "--people", "3")["shared"]


def test_places_that_few_chose_are_hidden() -> None:
    found, done = told("places"), stats("places", "--account", "shop")

    assert [("一号店", "人民南路1号", 2, 2)] == part(found["names"], "name", "address", "times", "users")
    assert [("ws0e6", 3, 3)] == part(found["cells"], "geohash", "times", "users")
    assert (1, 1, 0) == tuple(found[name] for name in ("names_hidden", "names_hidden_times", "cells_hidden"))
    assert "二号店" not in done.output
    assert "1 name is hidden: fewer than 2 people chose each (1 × in all)." in done.stderr


def test_health_tells_delays_and_what_is_not_right() -> None:
    found = told("health", "--since", "2026-11-17")

    assert ["to_door", "to_table", "in_house"] == [row["way"] for row in found["delays"]]
    assert 2000 == found["delays"][0]["p50_ms"] == found["delays"][0]["most_ms"]
    assert (16, 0, 0, True) == tuple(found[name] for name in ("events", "late", "early", "has_live_menu"))
    assert [("OLD", 1, 1)] == part(found["unattributed"], "key", "taps", "unattributed")
    assert {("PHOTO", 2), ("OLD", 1), (URL, 1)} == set(part(found["gone"], "key", "taps"))
    assert [] == found["untapped"]
    assert ["COUPON", "SCAN"] == sorted(
        row["key"] for row in told("health", "2026-11-23")["untapped"] if row["key"] != "NEAR"
    )


def test_health_of_an_account_without_a_menu_says_so() -> None:
    done = stats("health", "--account", "cafe")

    assert 0 == done.exit_code
    assert "No menu of Caidan's is live" in done.stderr


def test_a_silent_hour_is_told_when_nothing_of_it_can_be_under_way_any_more() -> None:
    found = told("health", "today", "--account", "cafe")["silence"]

    assert [("2026-11-23T07:00:00+08:00", "2026-11-23T08:00:00+08:00", 3600, 10)] == part(
        found, "begin", "end", "seconds", "missing"
    )


@pytest.mark.parametrize("verb", ["rotation", "compare 1 2", *VERBS])
def test_a_time_without_events_has_an_answer_in_every_form(verb: str) -> None:
    arguments = (*verb.split(), "last-month")

    assert 0 == stats(*arguments, "--account", "shop", "--lang", "zh").exit_code
    assert told(*arguments)
    assert cells(*arguments)[0]


def test_csv_is_as_excel_reads_it(asked_shop: object) -> None:
    engine = connect("sqlite:///var/caidan.db")
    with transaction(engine) as connection:
        connection.execute(update(Location).values(poi_name='=1+"1",\n2'))
    engine.dispose()
    plain, bom, excel = (
        stats("places", "--csv", *more, "--account", "shop").stdout_bytes.decode()
        for more in ([], ["--bom"], ["--excel"])
    )

    assert 'name,address,times,users\r\n"=1+""1"",\n2",人民南路1号,3,3\r\n' == plain
    assert "\ufeff" + plain == bom
    assert bom.replace('"=1', "\"'=1") == excel


def test_no_answer_names_a_person() -> None:
    names = {f'"o{who}"' for who in "ABCDE"}

    for verb in ("buttons", "rotation", "compare 1 2", *VERBS):
        done = stats(*verb.split(), "--account", "shop", "--json")

        assert set() == {name for name in names if name in done.stdout}, verb
