"""The rid of a failure tells what was asked."""

import re
from typing import Any

from tests.platforms import CAFE, SHOP, Platform, platform_of


def fail(platform: Platform, token: str) -> str:
    answer = platform.call("menu/create", {"button": [], "note": "中"}, token=token)
    found = re.search(r" rid: ([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})$", answer["errmsg"])
    assert found
    return found[1]


def ask(platform: Platform, rid: object, token: str) -> Any:
    return platform.call("openapi/rid/get", {"rid": rid}, token=token)


def test_a_failure_is_told_by_its_rid(platform: Platform) -> None:
    token = platform.token()
    rid = fail(platform, token)
    request = ask(platform, rid, token)["request"]

    assert '{"button": [], "note": "中"}' == request["request_body"]
    assert f"access_token={token[:6]}xxxx" == request["request_url"]
    assert rid in request["response_body"]
    assert "127.0.0.1" == request["client_ip"]


def test_it_is_told_for_seven_days(platform: Platform) -> None:
    rid = fail(platform, platform.token())
    platform.advance(6.9 * 86400)
    assert 0 == ask(platform, rid, platform.token())["errcode"]

    platform.advance(0.2 * 86400)

    assert 76004 == ask(platform, rid, platform.token())["errcode"]


def test_others_and_what_is_none_are_refused() -> None:
    with platform_of(SHOP, CAFE) as platform:
        rid = fail(platform, platform.token())
        of_cafe = Platform(platform.url, CAFE).token()

        assert 76003 == ask(platform, rid, of_cafe)["errcode"]
        assert 76001 == ask(platform, "0" * 8 + "-00000000-00000000", of_cafe)["errcode"]
        assert 76002 == ask(platform, "no rid", of_cafe)["errcode"]
        assert 76002 == ask(platform, None, of_cafe)["errcode"]


def test_no_trace_has_a_secret(platform: Platform) -> None:
    secret = "s3cr3t" * 6
    given = {"grant_type": "client_credential", "appid": SHOP.app_id, "secret": secret}
    platform.call("stable_token", given)
    platform.call("token", **given)
    traces = platform.state()["traces"]

    assert 2 == len(traces)
    assert secret not in str(traces)


def test_a_fault_has_a_rid_too(platform: Platform) -> None:
    token = platform.token()
    platform.fault("menu/create", errcode=-1, times=1)
    rid = fail(platform, token)

    assert '{"errcode":-1,"errmsg":"system error rid: ' in ask(platform, rid, token)["request"]["response_body"]
