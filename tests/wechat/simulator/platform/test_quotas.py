"""Calls are counted by the day and the minute, and counters are reset so many times."""

from typing import Any

from tests.platforms import SHOP, Platform
from wechat.simulator.platform.calls import CALLS
from wechat.simulator.platform.quotas import LIMITS, OF_TESTS, day

CREATE = "cgi-bin/menu/create"
GET_IP = "cgi-bin/getcallbackip"


def call(platform: Platform, times: int = 1) -> list[int]:
    token = platform.token()
    return [platform.call("getcallbackip", token=token).get("errcode", 0) for _ in range(times)]


def quota(platform: Platform, path: str) -> Any:
    return platform.call("openapi/quota/get", {"cgi_path": path}, token=platform.token())


def test_the_limit_of_a_day_ends_at_midnight_in_beijing(platform: Platform) -> None:
    platform.holdings(quota={"limits": {GET_IP: 2}})

    assert [0, 0, 45009, 45009] == call(platform, 4)

    now = 1_700_000_000.0
    assert day(now) == "2023-11-15"  # 06:13 in Beijing
    assert day(now - 7 * 3600) == "2023-11-14"

    platform.advance(86400)

    assert [0] == call(platform)


def test_the_limit_of_a_minute_ends_with_it(platform: Platform) -> None:
    platform.holdings(quota={"minute_limits": {GET_IP: 2}})
    assert 45011 in call(platform, 5)

    platform.advance(60)

    assert [0] == call(platform)


def test_refused_calls_count_and_each_call_for_itself(platform: Platform) -> None:
    token = platform.token()
    platform.call("menu/create", {"button": []}, token=token)

    assert {"daily_limit": 1000, "used": 1, "remain": 999} == quota(platform, "/cgi-bin/menu/create")["quota"]
    assert 0 == quota(platform, "/cgi-bin/menu/get")["quota"]["used"]


def test_a_test_account_has_less(platform: Platform) -> None:
    platform.holdings(is_test=True)

    assert 100 == quota(platform, "/cgi-bin/menu/create")["quota"]["daily_limit"]
    assert 2000 == quota(platform, "/cgi-bin/menu/addconditional")["quota"]["daily_limit"]


def test_a_path_is_written_with_its_slash(platform: Platform) -> None:
    for path in ("cgi-bin/menu/create", "/menu/create", "https://api.weixin.qq.com/cgi-bin/menu/create", "", None):
        assert 76021 == quota(platform, path)["errcode"]  # type: ignore[arg-type]


def test_counters_are_reset_ten_times_a_month(platform: Platform) -> None:
    platform.holdings(quota={"limits": {GET_IP: 1}})
    assert [0, 45009] == call(platform, 2)

    with_token = [platform.call("clear_quota", {"appid": SHOP.app_id}, token=platform.token())]
    assert [0] == call(platform)
    by_secret = {"appid": SHOP.app_id, "appsecret": SHOP.app_secret}
    with_secret = [platform.call("clear_quota/v2", by_secret) for _ in range(10)]

    assert [0] == [answer["errcode"] for answer in with_token]
    assert [0] * 9 + [48006] == [answer["errcode"] for answer in with_secret]

    platform.advance(31 * 86400)

    assert 0 == platform.call("clear_quota/v2", by_secret)["errcode"]


def test_a_reset_is_for_whoever_has_the_right(platform: Platform) -> None:
    assert 40013 == platform.call("clear_quota", {"appid": "wx0"}, token=platform.token())["errcode"]
    assert 40001 == platform.call("clear_quota/v2", {"appid": SHOP.app_id, "appsecret": "0" * 32})["errcode"]
    assert 0 == platform.call("clear_quota/v2", b"", appid=SHOP.app_id, appsecret=SHOP.app_secret or "")["errcode"]


def test_one_call_is_reset_fifty_times_a_month(platform: Platform) -> None:
    platform.holdings(quota={"limits": {GET_IP: 1, CREATE: 1}})
    token = platform.token()
    call(platform, 2)
    platform.call("menu/create", {}, token=token)
    codes = [
        platform.call("openapi/quota/clear", {"cgi_path": f"/{GET_IP}"}, token=token)["errcode"] for _ in range(51)
    ]

    assert [0] * 50 + [48006] == codes
    assert [0] == call(platform)
    assert 45009 == platform.call("menu/create", {}, token=token)["errcode"]


def test_every_call_has_a_limit() -> None:
    assert CALLS.keys() <= LIMITS.keys()
    assert OF_TESTS.keys() <= LIMITS.keys()
