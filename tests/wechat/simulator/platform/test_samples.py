"""Every sample of the documentation is answered as there, given what it presupposes."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import tests
from tests.platforms import SHOP, Platform, platform_of
from wechat.simulator.account import Account

FOLDER = Path(tests.__file__).with_name("api")
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())["files"]


def sample(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def nothing(_platform: Platform) -> None:
    pass


def a_menu(platform: Platform) -> None:
    assert 0 == platform.call("menu/create", sample("menu_create.request")["body"], token=platform.token())["errcode"]


def as_got(platform: Platform) -> None:
    menu = sample("menu_get.response")["body"]["menu"]
    platform.call("menu/create", menu, token=platform.token())


def as_got_with_personalised(platform: Platform) -> None:
    """With fields that cannot be set any more."""
    got = sample("menu_get_conditional.response")["body"]
    one = {"menu_id" if name == "menuid" else name: value for name, value in got["conditionalmenu"][0].items()}
    platform.holdings(menu={"menu_id": 208396938, "button": got["menu"]["button"]}, conditional=[one])


def a_personalised_menu(platform: Platform) -> None:
    platform.holdings(last_menu_id=208379531)
    a_menu(platform)
    platform.call("menu/addconditional", sample("menu_addconditional.request")["body"], token=platform.token())


def a_menu_before_that_id(platform: Platform) -> None:
    platform.holdings(last_menu_id=208379531)
    a_menu(platform)


def a_match(platform: Platform) -> None:
    platform.followers({"open_id": "o1", "wechat_id": "weixin"})
    platform.call("menu/create", sample("menu_trymatch.response")["body"], token=platform.token())


def through_the_api(platform: Platform) -> None:
    menu = json.loads(json.dumps(sample("get_current_selfmenu_info_api.response")["body"]["selfmenu_info"]))
    menu["button"][1]["sub_button"] = menu["button"][1]["sub_button"]["list"]
    platform.call("menu/create", menu, token=platform.token())


def in_the_console(platform: Platform) -> None:
    platform.console_menu(sample("get_current_selfmenu_info_console.response")["body"]["selfmenu_info"]["button"])


def a_follower(platform: Platform) -> None:
    platform.followers({"open_id": "OPENID"})


def a_message(platform: Platform) -> None:
    a_follower(platform)
    platform.push("OPENID", MsgType="text", Content="hello")


def five_answers(platform: Platform) -> None:
    a_message(platform)
    for _ in range(5):
        platform.call("message/custom/send", body_of("message_custom_send_text"), token=platform.token())


def a_token_about_to_end(platform: Platform) -> None:
    platform.token()
    platform.advance(7200 - 345.9)


def a_callback(platform: Platform) -> None:
    found = sample("callback_check.response")["body"]["ping"]
    lines = [
        {"ip": each["ip"], "operator": each["from_operator"], "milliseconds": float(each["time"][:-2])}
        for each in found
    ]
    platform.holdings(callback_url="http://127.0.0.1/wechat/shop", lines=lines)


def addresses(name: str) -> Callable[[Platform], None]:
    return lambda platform: platform.load(platform.state() | {"callback_ips": sample(name)["body"]["ip_list"]})


def resets_used_up(platform: Platform) -> None:
    for _ in range(10):
        ok = platform.call("clear_quota", {"appid": platform.account.app_id}, token=platform.token())
        assert 0 == ok["errcode"]


def twelve_calls(platform: Platform) -> None:
    today = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d")
    platform.holdings(quota={"day": today, "used": {"cgi-bin/message/custom/send": 12}})


def a_failure_of_2021(platform: Platform) -> None:
    trace = sample("openapi_rid_get.response")["body"]["request"]
    platform.advance(trace["invoke_time"] + 3600 - time.time())
    rid = sample("openapi_rid_get.request")["body"]["rid"]
    platform.load(platform.state() | {"traces": {rid: {"app_id": platform.account.app_id, **trace}}})


def pushes_of_2014(platform: Platform) -> None:
    [figures] = sample("datacube_getinterfacesummary.response")["list"]
    hour = {name: figures[name] for name in figures if name != "ref_date"}
    platform.holdings(statistics={"2014-12-07T10": hour})


Given = Callable[[Platform], None]
OK = "clear_quota.response"
# What is asked, what the answer has to be, and what it presupposes.
CASES: list[tuple[str, str, Given]] = [
    ("token.request", "token.response", nothing),
    ("stable_token.request", "stable_token.response", nothing),
    ("stable_token.request", "stable_token_reused.response", a_token_about_to_end),
    ("stable_token_force.request", "stable_token.response", nothing),
    ("getcallbackip.request", "getcallbackip.response", addresses("getcallbackip.response")),
    ("getcallbackip.request", "getcallbackip_cidr.response", addresses("getcallbackip_cidr.response")),
    ("get_api_domain_ip.request", "get_api_domain_ip.response", nothing),
    ("callback_check.request", "callback_check.response", a_callback),
    ("clear_quota.request", "clear_quota.response", nothing),
    ("clear_quota.request", "clear_quota.response.error", resets_used_up),
    ("clear_quota_v2.request", "clear_quota_v2.response", nothing),
    ("openapi_quota_clear.request", "openapi_quota_clear.response", nothing),
    ("openapi_quota_get.request", "openapi_quota_get.response", twelve_calls),
    ("openapi_rid_get.request", "openapi_rid_get.response", a_failure_of_2021),
    ("menu_create.request", "menu_create.response", nothing),
    ("menu_create_alltypes.request", "menu_create.response", nothing),
    ("menu_get.request", "menu_get.response", as_got),
    ("menu_get.request", "menu_get_conditional.response", as_got_with_personalised),
    ("menu_get.request", "menu_get.response.error", nothing),
    ("menu_delete.request", "menu_delete.response", a_menu),
    ("menu_addconditional.request", "menu_addconditional.response", a_menu_before_that_id),
    ("menu_addconditional_withdrawn.request", "menu_addconditional.response.error_privacy", a_menu),
    ("menu_delconditional.request", "menu_delconditional.response", a_personalised_menu),
    ("menu_trymatch.request", "menu_trymatch.response", a_match),
    ("get_current_selfmenu_info.request", "get_current_selfmenu_info_api.response", through_the_api),
    ("get_current_selfmenu_info.request", "get_current_selfmenu_info_console.response", in_the_console),
    ("message_custom_send_text.request", "message_custom_send.response.error", a_follower),
    ("message_custom_send_text.request", "message_custom_send.response.error_count", five_answers),
    ("message_custom_typing.request", OK, a_message),
    ("message_template_send.request", "message_template_send.response", a_follower),
    ("datacube_getinterfacesummary.request", "datacube_getinterfacesummary.response", pushes_of_2014),
    *(
        (each["file"].removesuffix(".json"), "message_custom_send.response", a_message)
        for each in MANIFEST
        if each["file"].startswith("message_custom_send_")
    ),
]
# Answers that have no request of their own: to a sample with a change to its body.
CHANGED: list[tuple[str, Callable[[bytes], bytes], str, Given]] = [
    ("menu_create.request", lambda body: body.replace("菜单".encode(), b"seventeen letters"), "error", nothing),
    ("menu_create.request", lambda body: body.replace(b"qq.com", rb"qq.com?a=1\u0026b=2"), "error_charset", nothing),
    ("menu_addconditional.request", lambda body: body.replace(b"tag_id", b"tag"), "error", a_menu),
]


def body_of(name: str) -> Any:
    return sample(f"{name}.request")["body"]


def account_of(request: Any) -> Account:
    """The account that a sample is about."""
    given = {**request.get("query", {}), **(request.get("body") or {})}
    secret = given.get("secret") or given.get("appsecret") or SHOP.app_secret
    return replace(SHOP, app_id=given.get("appid", SHOP.app_id), app_secret=secret)


def ask(platform: Platform, request: Any, change: Callable[[bytes], bytes]) -> Any:
    path, query = request["path"], dict(request["query"])
    if "access_token" in query:
        query["access_token"] = platform.token()
    body = None if request["method"] == "GET" else json.dumps(request["body"], ensure_ascii=False).encode()
    return platform.send(f"{path}?{urlencode(query)}", None if body is None else change(body))


def as_request(name: str) -> Any:
    found = sample(name)
    if "path" in found:
        return found
    path = name.removesuffix(".request").replace("_", "/")
    return {"method": "POST", "path": f"/{path}", "query": {"access_token": "ACCESS_TOKEN"}, "body": found}


def blurred(value: Any) -> Any:
    """Without what is another with every call: tokens, links of the console's media, rids and hints."""
    if isinstance(value, dict):
        if value.get("type") in ("img", "voice", "video"):
            value = value | {"value": f"a link to {value['type']}"}
        if "access_token" in value:
            value = value | {"access_token": "a token"}
        if "errmsg" in value:
            value = value | {"errmsg": re.sub(r" (hint: \[\w+\]|rid: [-0-9a-f]{26})$", "", value["errmsg"])}
        return {name: blurred(each) for name, each in value.items()}
    return [blurred(each) for each in value] if isinstance(value, list) else value


def check(request: Any, response: str, given: Given, change: Callable[[bytes], bytes] = bytes) -> None:
    expected = sample(response)
    with platform_of(account_of(request)) as platform:
        given(platform)
        answer = ask(platform, request, change)

    assert blurred(expected.get("body", expected)) == blurred(answer)
    assert json.dumps(blurred(expected.get("body", expected))) == json.dumps(blurred(answer))  # types and order, too


@pytest.mark.parametrize(("request_name", "response", "given"), CASES)
def test_a_sample_is_answered_as_documented(request_name: str, response: str, given: Given) -> None:
    check(as_request(request_name), response, given)


@pytest.mark.parametrize(("request_name", "change", "response", "given"), CHANGED)
def test_what_is_wrong_is_refused_as_documented(
    request_name: str, change: Callable[[bytes], bytes], response: str, given: Given
) -> None:
    name = request_name.removesuffix(".request")
    check(as_request(request_name), f"{name}.response.{response}", given, change)


def test_an_unknown_account_is_refused_as_documented(platform: Platform) -> None:
    query = sample("token.request")["query"]

    answer = platform.call("token", **query)

    assert blurred(sample("token.response.error")["body"]) == blurred(answer)


def test_the_catalogue_of_types_is_no_menu(platform: Platform) -> None:
    menu = body_of("menu_create_docsample_alltypes")

    assert 40016 == platform.call("menu/create", menu, token=platform.token())["errcode"]


def test_every_sample_is_used() -> None:
    used = {name for request_name, response, _given in CASES for name in (request_name, response)}
    used |= {name.replace(".request", f".response.{end}") for name, _change, end, _given in CHANGED}
    used |= {"token.response.error", "menu_create_docsample_alltypes.request"}

    assert {each["file"].removesuffix(".json") for each in MANIFEST} == used
