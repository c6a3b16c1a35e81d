"""The platform is looked at and changed by whoever develops on this machine."""

import logging
import socket
import urllib.error
from typing import Any

import msgspec
import pytest

from tests.platforms import CAFE, SHOP, Platform, platform_of
from wechat.simulator.crowd import open_id
from wechat.simulator.platform.app import create_app
from wechat.simulator.platform.platform import Platform as Simulated
from wechat.simulator.platform.state import State

CLICK = {"type": "click", "name": "a", "key": "k"}


def refusal(platform: Platform, name: str, body: object, method: str | None = None) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as refused:
        platform.control(name, body, method)
    with refused.value as answer:
        return answer.code, str(msgspec.json.decode(answer.read())["error"])


def test_the_state_goes_round(platform: Platform) -> None:
    token = platform.token()
    platform.call("menu/create", {"button": [CLICK]}, token=token)
    platform.call("menu/addconditional", {"button": [CLICK], "matchrule": {"tag_id": "2"}}, token=token)
    platform.fault("menu/get", errcode=-1, times=2)
    platform.advance(10)
    state = platform.state()
    with platform_of(SHOP, CAFE) as other:
        other.load(state)
        loaded = other.state()

        assert -1 == other.call("menu/get", token=token)["errcode"]
        other.heal()
        assert 1 == len(other.call("menu/get", token=token)["conditionalmenu"])

    assert state == loaded | {"accounts": {SHOP.app_id: loaded["accounts"][SHOP.app_id]}}
    assert 20 == len(loaded["accounts"][CAFE.app_id]["followers"])  # begins anew


@pytest.mark.parametrize(
    ("name", "body", "method", "words"),
    [
        ("state", {"offset": "late"}, "PUT", "offset"),
        ("state", [], "PUT", "Expected"),
        ("clock", {}, "POST", "advance"),
        ("clock", {"advance": 1, "back": 1}, "POST", "back"),
        ("faults", {"call": "*", "explode": True}, "POST", "explode"),
        ("followers", {"followers": [{"tags": [2]}]}, "POST", "open_id"),
        ("followers", {"count": -1}, "POST", "count"),
        ("account", {"holdings": {"quotas": {}}}, "POST", "quotas"),
        ("account", {"app_id": "wx0", "holdings": {}}, "POST", SHOP.app_id),
        ("tap", {"open_id": "nobody", "button": [0]}, "POST", "nobody"),
        ("push", {"open_id": open_id(SHOP.app_id, 0), "fields": {"Content": "hi"}}, "POST", "MsgType"),
        ("console-menu", {"button": [{"name": "a", "sub_button": [CLICK]}]}, "POST", "get_current_selfmenu_info"),
    ],
)
def test_what_cannot_be_done_is_explained(platform: Platform, name: str, body: object, method: str, words: str) -> None:
    code, error = refusal(platform, name, body, method)

    assert 400 == code
    assert words in error


def test_what_does_not_exist_is_answered_with_what_does(platform: Platform) -> None:
    expected = (404, "no such action; GET /_control/help lists them")
    told = platform.control("help")

    assert expected == refusal(platform, "nothing", {}) == refusal(platform, "clock", None)
    assert ["advance"] == told["POST /_control/clock"]["fields"]
    assert "delay" in told["POST /_control/faults"]["fields"]
    assert all(action["what"] for action in told.values())


def test_of_several_accounts_one_has_to_be_named() -> None:
    with platform_of(SHOP, CAFE) as platform:
        code, error = refusal(platform, "void", {})

    assert 400 == code
    assert f"{SHOP.app_id}, {CAFE.app_id}" in error


def test_only_this_machine_is_answered() -> None:
    client = create_app(Simulated([SHOP])).test_client()

    def state(address: str) -> int:
        return client.get("/_control/state", environ_base={"REMOTE_ADDR": address}).status_code

    assert (200, 200, 403, 403) == (state("127.0.0.1"), state("::1"), state("192.168.1.5"), state("2001:db8::1"))


def test_what_is_known_of_a_follower_stays(platform: Platform) -> None:
    platform.followers({"open_id": "o1", "tags": [2], "platform": 1})
    [changed] = platform.followers({"open_id": "o1", "tags": [2, 100]})

    assert ([2, 100], 1) == (changed["tags"], changed["platform"])


def test_the_calls_are_told_in_order(platform: Platform) -> None:
    token = platform.token()
    platform.call("menu/get", token=token)
    platform.call("datacube/getinterfacesummary", {}, token=token)
    platform.call("menu/get", token="never issued")

    assert ["stable_token", "menu/get", "datacube/getinterfacesummary", "menu/get"] == [
        made["call"] for made in platform.control("calls")["calls"]
    ]
    assert [0, 46003, 61500, 40014] == platform.calls()
    assert {"stable_token": 1, "menu/get": 1, "datacube/getinterfacesummary": 1} == platform.holdings()["calls"]


def test_no_log_has_a_token(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    platform.call("menu/get", token=platform.token("token"))

    assert "" == caplog.text


def test_a_call_that_ends_early_holds_up_nobody(platform: Platform) -> None:
    host, port = platform.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /cgi-bin/menu/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")

        assert platform.token()


def test_an_empty_state_is_a_beginning() -> None:
    empty: Any = msgspec.json.decode(b"{}", type=State)
    platform = Simulated([SHOP], followers=3)
    platform.load(empty)

    assert 3 == len(platform.state.accounts[SHOP.app_id].followers)
