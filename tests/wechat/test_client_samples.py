"""What the client sends and reads, by the samples of WeChat's documentation."""

import json
import socket
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import SecretStr

from tests.wechat.answering import answering, reply
from wechat.answers import InterfaceUse, Ping, Quota, Resolution, Token
from wechat.client import Client
from wechat.errcodes import Invalid, NotPermitted, RateLimited, WeChatError

SAMPLES = Path(__file__).parents[1] / "api"
TOKEN = SecretStr("ACCESS_TOKEN")
SECRET = SecretStr("APPSECRET")
DAY = date(2014, 12, 7)

Call = Callable[[Client], object]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def body_of(name: str) -> Any:
    return sample(f"{name}.request")["body"]


def exchanged(call: Call, body: object) -> tuple[bytes, object]:
    """The request that the client made, and what it made of the answer."""
    requests: list[bytes] = []

    def answer(connection: socket.socket, request: bytes) -> None:
        requests.append(request)
        connection.sendall(reply(json.dumps(body, ensure_ascii=False).encode()))

    with answering(answer) as url, Client(url) as client:
        result = call(client)
    return requests[0], result


CALLS: dict[str, Call] = {
    "token": lambda client: client.token("APPID", SECRET),
    "stable_token": lambda client: client.stable_token("APPID", SECRET),
    "stable_token_force": lambda client: client.stable_token("APPID", SECRET, force_refresh=True),
    "menu_create": lambda client: client.create_menu(TOKEN, body_of("menu_create")),
    "menu_get": lambda client: client.get_menu(TOKEN),
    "menu_delete": lambda client: client.delete_menu(TOKEN),
    "menu_addconditional": lambda client: client.add_conditional(TOKEN, body_of("menu_addconditional")),
    "menu_delconditional": lambda client: client.delete_conditional(TOKEN, "208379533"),
    "menu_trymatch": lambda client: client.try_match(TOKEN, "weixin"),
    "get_current_selfmenu_info": lambda client: client.current_menu(TOKEN),
    "getcallbackip": lambda client: client.callback_addresses(TOKEN),
    "get_api_domain_ip": lambda client: client.api_addresses(TOKEN),
    "callback_check": lambda client: client.check_callback(TOKEN),
    "message_custom_send_text": lambda client: client.send_message(TOKEN, body_of("message_custom_send_text")),
    "message_custom_typing": lambda client: client.set_typing(TOKEN, "OPENID"),
    "message_template_send": lambda client: client.send_template(TOKEN, body_of("message_template_send")),
    "clear_quota": lambda client: client.clear_quota(TOKEN, "wx448f04719cd48f69"),
    "openapi_quota_get": lambda client: client.quota(TOKEN, "/cgi-bin/message/custom/send"),
    "openapi_quota_clear": lambda client: client.clear_quota_of(TOKEN, "/channels/ec/basics/info/get"),
    "openapi_rid_get": lambda client: client.rid_report(TOKEN, "61725984-6126f6f9-040f19c4"),
}

RESPONSES = {
    "stable_token_force": "stable_token.response",
    "get_current_selfmenu_info": "get_current_selfmenu_info_api.response",
    "message_custom_send_text": "message_custom_send.response",
    "message_custom_typing": "message_custom_send.response",
}


@pytest.mark.parametrize("name", CALLS)
def test_a_request_is_as_documented(name: str) -> None:
    expected = sample(f"{name}.request")

    request, _result = exchanged(CALLS[name], sample(RESPONSES.get(name, f"{name}.response"))["body"])
    head, _blank, body = request.partition(b"\r\n\r\n")
    method, target, _version = head.decode().split("\r\n")[0].split(" ")

    assert expected["method"] == method
    assert expected["path"] == urlsplit(target).path
    assert expected["query"] == dict(parse_qsl(urlsplit(target).query))
    assert expected["body"] == (json.loads(body) if body else None)
    assert b"\\u" not in body


def test_statistics_are_asked_for_as_documented() -> None:
    expected = json.loads((SAMPLES / "datacube_getinterfacesummary.request.json").read_text())

    request, _result = exchanged(lambda client: client.interface_summary(TOKEN, DAY, DAY), {"list": []})

    assert request.startswith(b"POST /datacube/getinterfacesummary?access_token=ACCESS_TOKEN ")
    assert expected == json.loads(request.partition(b"\r\n\r\n")[2])


def test_the_counters_are_reset_with_the_secret_both_ways() -> None:
    given = {"appid": "wx888888888888", "appsecret": "APPSECRET"}

    request, _result = exchanged(
        lambda client: client.clear_quota_by_secret("wx888888888888", SECRET), sample("clear_quota_v2.response")["body"]
    )

    assert sample("clear_quota_v2.request")["query"] == given
    assert request.startswith(b"POST /cgi-bin/clear_quota/v2?appid=wx888888888888&appsecret=APPSECRET ")
    assert given == json.loads(request.partition(b"\r\n\r\n")[2])


def read(call: Call, name: str) -> Any:
    return exchanged(call, sample(name)["body"])[1]


def test_a_token_has_its_remaining_life() -> None:
    token = read(CALLS["stable_token"], "stable_token_reused.response")

    assert Token(SecretStr("ACCESS_TOKEN"), timedelta(seconds=345)) == token
    assert "ACCESS_TOKEN" not in repr(token)


def test_ids_of_menus_are_text_wherever_they_come_from() -> None:
    menu = read(CALLS["menu_get"], "menu_get_conditional.response")

    assert "208379533" == read(CALLS["menu_addconditional"], "menu_addconditional.response")
    assert ("208396938", "208396993") == (menu.menuid, menu.conditional[0].menuid)
    assert 2 == menu.conditional[0].matchrule["group_id"]
    assert ["今日歌曲", "菜单"] == [button["name"] for button in menu.conditional[0].button]


def test_a_menu_without_personalised_ones_has_no_id() -> None:
    menu = read(CALLS["menu_get"], "menu_get.response")

    assert (None, ()) == (menu.menuid, menu.conditional)
    assert 3 == len(menu.button)


def test_no_menu_is_no_error() -> None:
    assert read(CALLS["menu_get"], "menu_get.response.error") is None


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_match_is_read_in_both_shapes(wrapped: bool) -> None:
    body = sample("menu_trymatch.response")["body"]

    _request, buttons = exchanged(CALLS["menu_trymatch"], {"menu": body} if wrapped else body)

    assert body["button"] == buttons


def test_the_current_menu_is_read_in_both_shapes() -> None:
    for name, count in (("api", 2), ("console", 3)):
        menu = read(CALLS["get_current_selfmenu_info"], f"get_current_selfmenu_info_{name}.response")

        assert (True, count) == (menu.is_open, len(menu.button))


def test_addresses_may_be_blocks() -> None:
    addresses = read(CALLS["getcallbackip"], "getcallbackip_cidr.response")

    assert ("127.0.0.1", "127.0.0.2", "101.226.103.0/25") == addresses


def test_the_check_of_the_callback_url_is_in_numbers() -> None:
    check = read(CALLS["callback_check"], "callback_check.response")

    assert Resolution("111.161.64.40", "UNICOM") == check.dns[0]
    assert Ping("111.161.64.48", "UNICOM", 0.0, 21.434) == check.pings[1]


def test_statistics_are_in_numbers() -> None:
    hour = {"ref_date": "2014-12-07", "ref_hour": 2300, "callback_count": 3, "fail_count": 1}
    hour |= {"total_time_cost": 40, "max_time_cost": 30}

    _request, days = exchanged(
        lambda client: client.interface_summary(TOKEN, DAY, DAY), sample("datacube_getinterfacesummary.response")
    )
    _request, hours = exchanged(lambda client: client.interface_hours(TOKEN, DAY), {"list": [hour]})

    assert (InterfaceUse(DAY, None, 36974, 67, 14994291, 5044),) == days
    assert (InterfaceUse(DAY, 23, 3, 1, 40, 30),) == hours


def test_a_quota_and_a_request_of_the_past_are_reported() -> None:
    report = read(CALLS["openapi_rid_get"], "openapi_rid_get.response")

    assert Quota(500000, 12, 499988, 10000, 60) == read(CALLS["openapi_quota_get"], "openapi_quota_get.response")
    assert datetime(2021, 10, 25, 10, 11, 44, tzinfo=UTC) == report.invoked_at
    assert ("access_token=***", 30, "113.xx.70.51") == (report.url, report.cost_ms, report.client_ip)


def test_a_template_message_has_an_id() -> None:
    assert "200228332" == read(CALLS["message_template_send"], "message_template_send.response")


@pytest.mark.parametrize(
    ("name", "response", "kind", "errcode"),
    [
        ("menu_create", "menu_create.response.error", Invalid, 40018),
        ("menu_create", "menu_create.response.error_charset", Invalid, 40033),
        ("menu_addconditional", "menu_addconditional.response.error_privacy", Invalid, 65320),
        ("message_custom_send_text", "message_custom_send.response.error", NotPermitted, 45015),
        ("message_custom_send_text", "message_custom_send.response.error_count", RateLimited, 45047),
        ("clear_quota", "clear_quota.response.error", RateLimited, 48006),
    ],
)
def test_a_refusal_is_an_exception(name: str, response: str, kind: type[WeChatError], errcode: int) -> None:
    with pytest.raises(kind) as raised:
        read(CALLS[name], response)

    assert errcode == raised.value.errcode
    assert sample(f"{name}.request")["path"] == raised.value.call
    assert ("6351f0e3-4fa90897-25a38569" if errcode == 40033 else None) == raised.value.rid or errcode == 45015
