"""A chat, as the follower sees it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.platforms import SHOP, Platform
from tests.wechat.simulator.doors import Reply, Request, always, open_door
from wechat import crypto
from wechat.parse import Fields, parse
from wechat.simulator.platform import conversation
from wechat.simulator.platform.state import Holdings
from wechat.simulator.request import MODES, Mode
from wechat.simulator.wire import write_xml

CLICK = {"MsgType": "event", "Event": "CLICK", "EventKey": "STOCK"}
SCAN = {"MsgType": "event", "Event": "scancode_waitmsg", "EventKey": "S", "ScanCodeInfo": {"ScanResult": "42"}}


@pytest.fixture(autouse=True)
def _follower(platform: Platform) -> None:
    platform.followers({"open_id": "o1"})


def turns(platform: Platform, open_id: str = "o1") -> list[tuple[str, ...]]:
    found = platform.conversation(open_id)["turns"]
    return [tuple(turn.get(name, "") for name in ("by", "kind", "text", "how")) for turn in found]


def replying(payload: Fields, mode: Mode = "plain") -> Callable[[int, Request], Reply]:
    """A server that answers each push with this."""

    def reply(_number: int, request: Request) -> Reply:
        message = parse(request.body)[0]
        if mode != "plain":
            message = parse(crypto.decrypt(message["Encrypt"], SHOP.key, SHOP.app_id))[0]
        names = {"ToUserName": message["FromUserName"], "FromUserName": message["ToUserName"], "CreateTime": 1}
        body = write_xml(names | payload)
        return Reply(body=body if mode == "plain" else _sealed(body))

    return reply


def _sealed(body: bytes) -> bytes:
    encrypt = crypto.encrypt(body, SHOP.key, SHOP.app_id)
    signature = crypto.signature(SHOP.token, "1", "2", encrypt)
    return write_xml({"Encrypt": encrypt, "MsgSignature": signature, "TimeStamp": 1, "Nonce": "2"})


@pytest.mark.parametrize("mode", MODES)
def test_it_shows_what_was_said_and_answered(platform: Platform, mode: Mode) -> None:
    with open_door(replying({"MsgType": "text", "Content": "有货"}, mode)) as door:
        platform.push_to(door.url, mode)
        [pushed] = platform.push("o1", MsgType="text", Content="有货吗")

    assert ("reply", "") == (pushed["answer"], pushed["detail"])
    assert [("follower", "message_text", "有货吗", ""), ("account", "text", "有货", "passive")] == turns(platform)


def test_who_taps_without_an_answer_sees_none(platform: Platform) -> None:
    with open_door(always(Reply())) as door:
        platform.push_to(door.url)
        platform.push("o1", **CLICK)

    assert [("follower", "click", "STOCK", "")] == turns(platform)


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (Reply(500), "status 500"),
        (Reply(body=b"<html></html>"), "not understood"),
        (Reply(body=write_xml({"ToUserName": "o2"})), "not understood"),
    ],
)
def test_a_bad_answer_is_an_outage_to_the_follower(platform: Platform, reply: Reply, detail: str) -> None:
    with open_door(always(reply)) as door:
        platform.push_to(door.url)
        platform.push("o1", **CLICK)

    assert ("wechat", "outage", conversation.OUTAGE, detail) == turns(platform)[-1]


def test_a_reply_to_somebody_else_is_an_outage(platform: Platform) -> None:
    with open_door(replying({"ToUserName": "o2", "MsgType": "text", "Content": "x"})) as door:
        platform.push_to(door.url)
        platform.push("o1", **CLICK)

    assert ("wechat", "outage", conversation.OUTAGE, "names not swapped") == turns(platform)[-1]


@pytest.mark.parametrize(
    ("fields", "count"), [(CLICK, 8), (SCAN, 8), ({"MsgType": "text", "Content": "hi"}, 1)], ids=["tap", "scan", "text"]
)
def test_surplus_articles_are_not_shown(platform: Platform, fields: dict[str, Any], count: int) -> None:
    items = [{"Title": f"t{number}", "Description": "", "PicUrl": "http://x/p", "Url": ""} for number in range(9)]
    news = {"MsgType": "news", "ArticleCount": 9, "Articles": {"item": items}}
    with open_door(replying(news)) as door:
        platform.push_to(door.url)
        platform.push("o1", **fields)

    assert " · ".join(f"t{number}" for number in range(count)) == turns(platform)[-1][2]


def test_who_scans_for_an_answer_waits_until_one_comes(platform: Platform) -> None:
    platform.push("o1", **SCAN)

    assert platform.conversation("o1")["is_waiting"]

    message = {"touser": "o1", "msgtype": "text", "text": {"content": "三件"}}
    platform.call("message/custom/send", message, token=platform.token())

    assert not platform.conversation("o1")["is_waiting"]
    assert ("account", "text", "三件", "service") == turns(platform)[-1]


def test_places_that_phones_report_are_not_in_the_chat(platform: Platform) -> None:
    with open_door(always(Reply(500))) as door:
        platform.push_to(door.url)
        platform.push("o1", MsgType="event", Event="LOCATION", Latitude="1", Longitude="2", Precision="3")

    assert [] == turns(platform)


def test_chats_of_all_are_told_from_a_number_on(platform: Platform) -> None:
    platform.followers({"open_id": "o2"})
    platform.push("o1", MsgType="text", Content="1")
    seen = platform.conversation()["turns"][-1]["number"]
    platform.push("o2", MsgType="text", Content="2")

    assert ["o1", "o2"] == [turn["open_id"] for turn in platform.conversation()["turns"]]
    assert ["2"] == [turn["text"] for turn in platform.conversation(since=seen)["turns"]]


def test_the_oldest_turns_are_forgotten() -> None:
    own = Holdings()
    for number in range(conversation.MOST + 2):
        conversation.send(own, {"touser": "o1", "msgtype": "text", "text": {"content": str(number)}}, 0.0)
    kept = [turn.text for turn in conversation.turns(own, "o1")]

    assert conversation.MOST == len(kept)
    assert ["2", str(conversation.MOST + 1)] == [kept[0], kept[-1]]
