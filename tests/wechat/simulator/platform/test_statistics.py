"""The platform's books agree with what it pushed."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.platforms import Platform
from tests.wechat.simulator.doors import Reply, in_turn, open_door

BEIJING = timedelta(hours=8)


def at(platform: Platform, moment: str) -> None:
    """Set the platform's clock, by Beijing time."""
    then = datetime.fromisoformat(moment).replace(tzinfo=UTC) - BEIJING
    platform.advance(then.timestamp() - platform.control("clock", {"advance": 0})["now"])


def summary(platform: Platform, begin: str, end: str | None = None, kind: str = "") -> Any:
    body = {"begin_date": begin, "end_date": end or begin}
    return platform.call(f"datacube/getinterfacesummary{kind}", body, token=platform.token())


def test_attempts_and_failures_are_counted_by_hour_and_day(platform: Platform) -> None:
    platform.followers({"open_id": "o1"})
    slow = Reply(after=0.05)
    with open_door(in_turn(Reply(500), Reply(), slow, Reply())) as door:
        platform.push_to(door.url)
        at(platform, "2026-10-10 10:59:00")
        platform.push("o1", MsgType="text", Content="one")
        at(platform, "2026-10-10 11:00:01")
        platform.push("o1", MsgType="text", Content="two")
        at(platform, "2026-10-11 00:00:01")
        platform.push("o1", MsgType="text", Content="three")
    at(platform, "2026-10-12 08:00:01")
    days = summary(platform, "2026-10-01", "2026-10-11")["list"]
    hours = summary(platform, "2026-10-10", kind="hour")["list"]

    assert [("2026-10-10", 3, 1), ("2026-10-11", 1, 0)] == [
        (day["ref_date"], day["callback_count"], day["fail_count"]) for day in days
    ]
    assert [(1000, 2, 1), (1100, 1, 0)] == [
        (hour["ref_hour"], hour["callback_count"], hour["fail_count"]) for hour in hours
    ]
    assert 50 <= hours[1]["total_time_cost"] == hours[1]["max_time_cost"] == days[0]["max_time_cost"]
    assert days[0]["total_time_cost"] == sum(hour["total_time_cost"] for hour in hours)


def test_yesterday_is_complete_at_eight(platform: Platform) -> None:
    platform.holdings(statistics={"2026-10-10T23": {"callback_count": 5}})
    at(platform, "2026-10-11 07:59:50")
    assert [] == summary(platform, "2026-10-10")["list"]

    platform.advance(20)

    assert 5 == summary(platform, "2026-10-10")["list"][0]["callback_count"]


def test_nothing_is_known_before_december_2014(platform: Platform) -> None:
    platform.holdings(statistics={"2014-11-30T23": {"callback_count": 5}, "2014-12-01T00": {"callback_count": 6}})

    assert ["2014-12-01"] == [day["ref_date"] for day in summary(platform, "2014-11-15", "2014-12-05")["list"]]


@pytest.mark.parametrize(
    ("begin", "end", "kind", "code"),
    [
        ("2026-10-01", "2026-10-30", "", 0),
        ("2026-10-01", "2026-10-31", "", 61500),
        ("2026-10-01", "2026-10-02", "hour", 61500),
        ("2026-10-02", "2026-10-01", "", 61500),
        ("2026-11-09", "2026-11-10", "", 61500),  # today
        ("2026-11-09", "2026-11-09", "hour", 0),
        ("2026/10/01", "2026-10-01", "", 61500),
        ("", "", "", 61500),
    ],
)
def test_a_span_has_its_limits(platform: Platform, begin: str, end: str, kind: str, code: int) -> None:
    at(platform, "2026-11-10 12:00:00")

    assert code == summary(platform, begin, end or "", kind).get("errcode", 0)


def test_they_are_for_verified_accounts(platform: Platform) -> None:
    platform.holdings(is_verified=False)

    assert 48001 == summary(platform, time.strftime("%Y-%m-%d"))["errcode"]
