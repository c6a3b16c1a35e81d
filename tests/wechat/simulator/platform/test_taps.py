"""Followers tap what they see, and it is pushed as from WeChat."""

import threading
import time
from typing import Any

import pytest

from tests.platforms import SHOP, Platform, platform_of
from tests.wechat.simulator.doors import Door, Reply, always, in_turn, open_door
from wechat import crypto
from wechat.parse import parse
from wechat.simulator.platform.platform import Platform as Simulated
from wechat.simulator.platform.traffic import Traffic

LINK = {"type": "view", "name": "link", "url": "https://example.com/?a=1"}
APP = {"type": "miniprogram", "name": "app", "url": "http://x.cn", "appid": "wx1", "pagepath": "pages/index?a=1"}
MENU = [
    {"type": "click", "name": "a", "key": "k"},
    {"name": "menu", "sub_button": [LINK, APP, {"type": "media_id", "name": "m", "media_id": "m"}]},
    {"name": "more", "sub_button": [{"type": "location_select", "name": "place", "key": "p"}]},
]


@pytest.fixture
def token(platform: Platform) -> str:
    token = platform.token()
    platform.call("menu/create", {"button": MENU}, token=token)
    platform.followers({"open_id": "o1"})
    return token


def received(door: Door) -> list[dict[str, Any]]:
    return [parse(request.body)[0] for request in door.requests]


def test_a_tap_is_pushed_and_answered(platform: Platform, token: str) -> None:
    with open_door(always(Reply())) as door:
        platform.push_to(door.url)
        [pushed] = platform.tap("o1", [0])["pushed"]
    [message] = received(door)

    assert ("click", "success", 1) == (pushed["kind"], pushed["answer"], pushed["attempts"])
    assert ("o1", SHOP.original_id, "CLICK", "k") == tuple(
        message[name] for name in ("FromUserName", "ToUserName", "Event", "EventKey")
    )
    assert "MenuId" not in message
    assert "/wechat/shop" == door.requests[0].path
    assert crypto.is_signed(
        door.requests[0].query["signature"],
        SHOP.token,
        *(door.requests[0].query[name] for name in ("timestamp", "nonce")),
    )


def test_links_and_mini_programs_name_the_menu_they_stand_in(platform: Platform, token: str) -> None:
    rule = {"matchrule": {"tag_id": "100"}}
    personalised = platform.call("menu/addconditional", {"button": [LINK], **rule}, token=token)["menuid"]
    default = platform.call("menu/get", token=token)["menu"]["menuid"]
    platform.followers({"open_id": "o2", "tags": [100]})
    with open_door(always(Reply())) as door:
        platform.push_to(door.url)
        platform.tap("o1", "link")
        platform.tap("o1", "pages/index?a=1")
        platform.tap("o2", [0])

    assert [
        ("VIEW", "https://example.com/?a=1", str(default)),
        ("view_miniprogram", "pages/index?a=1", str(default)),
        ("VIEW", "https://example.com/?a=1", personalised),
    ] == [(message["Event"], message["EventKey"], message["MenuId"]) for message in received(door)]


def test_materials_push_nothing(platform: Platform, token: str) -> None:
    assert [] == platform.tap("o1", "m")["pushed"]


def test_a_place_is_followed_by_its_message(platform: Platform, token: str) -> None:
    pushed = platform.tap("o1", "place")["pushed"]

    assert ["location_select", "message_location"] == [push["kind"] for push in pushed]
    assert [""] * 2 == [push["answer"] for push in pushed]  # there is no callback


def test_a_changed_menu_is_seen_after_five_minutes(platform: Platform, token: str) -> None:
    old = platform.tap("o1", "k")["menu_id"]
    platform.call("menu/create", {"button": [LINK]}, token=token)

    assert old == platform.tap("o1", "k")["menu_id"]

    platform.advance(301)
    new = platform.tap("o1", "link")["menu_id"]

    assert old != new


def test_who_follows_again_sees_it_at_once(platform: Platform, token: str) -> None:
    platform.tap("o1", "k")
    platform.call("menu/create", {"button": [LINK]}, token=token)
    for event in ("unsubscribe", "subscribe"):
        platform.push("o1", MsgType="event", Event=event, EventKey="")

    assert ["view"] == [push["kind"] for push in platform.tap("o1", [0])["pushed"]]


def test_encrypted_pushes_can_be_read(platform: Platform, token: str) -> None:
    with open_door(always(Reply(body=b""))) as door:
        platform.push_to(door.url + "/wechat/other", "security")
        [pushed] = platform.tap("o1", "k")["pushed"]
    sealed = received(door)[0]["Encrypt"]
    message = crypto.decrypt(sealed, crypto.decode_key(SHOP.aes_key or ""), SHOP.app_id)

    assert b"<![CDATA[CLICK]]>" in message
    assert "/wechat/other" == door.requests[0].path
    assert "empty" == pushed["answer"]


def test_a_push_is_tried_three_times(platform: Platform, token: str) -> None:
    with open_door(in_turn(Reply(500), Reply(500), Reply())) as door:
        platform.push_to(door.url)
        [pushed] = platform.tap("o1", "k")["pushed"]

    assert ("success", 3) == (pushed["answer"], pushed["attempts"])


def simulated(followers: int = 30) -> Simulated:
    return Simulated([SHOP], followers)


def run(platform: Simulated, door: Door, count: int, rate: float = 500.0) -> list[dict[str, Any]]:
    traffic = Traffic(platform, rate, seed=1)
    traffic.start()
    end = time.monotonic() + 30
    while len(door.requests) < count and time.monotonic() < end:
        time.sleep(0.01)
    traffic.stop()
    return received(door)


def test_followers_tap_what_is_live() -> None:
    with platform_of(SHOP, followers=30) as running, open_door(always(Reply())) as door:
        token = running.token()
        running.call("menu/create", {"button": MENU}, token=token)
        platform = simulated()
        platform.load(platform_state(running))
        platform.state.accounts[SHOP.app_id].callback_url = door.url
        messages = run(platform, door, 200)
        taps = {(message["Event"], message["EventKey"]) for message in messages if message.get("Event") in EVENTS}

    assert {
        ("CLICK", "k"),
        ("VIEW", LINK["url"]),
        ("view_miniprogram", APP["pagepath"]),
        ("location_select", "p"),
    } == taps
    counted = platform.state.accounts[SHOP.app_id].statistics
    assert len(messages) == sum(hour.callback_count for hour in counted.values())
    assert len(messages) == len({request.body for request in door.requests})


EVENTS = ("CLICK", "VIEW", "view_miniprogram", "location_select", "scancode_push")


def platform_state(running: Platform) -> Any:
    import msgspec

    from wechat.simulator.platform.state import State

    return msgspec.convert(running.state(), State, strict=False)


def test_without_a_menu_nobody_taps() -> None:
    platform = simulated()
    with open_door(always(Reply())) as door:
        platform.state.accounts[SHOP.app_id].callback_url = door.url
        messages = run(platform, door, 100)

    assert not {message.get("Event") for message in messages} & set(EVENTS)
    assert any(message["MsgType"] == "text" for message in messages)


def test_who_comes_and_goes_is_kept() -> None:
    platform = simulated(followers=5)
    with open_door(always(Reply())) as door:
        platform.state.accounts[SHOP.app_id].callback_url = door.url
        messages = run(platform, door, 300, rate=2000.0)
    events = [(message.get("Event"), message["FromUserName"]) for message in messages]
    followers = platform.state.accounts[SHOP.app_id].followers

    assert {"subscribe", "unsubscribe"} <= {event for event, _person in events}
    assert {person for event, person in events if event == "subscribe"} <= followers.keys()
    assert len(followers) > 5
    assert any(not follower.follows for follower in followers.values())


def test_traffic_ends_though_the_callback_does_not_answer() -> None:
    platform, done = simulated(), threading.Event()

    def silent(_number: int, _request: Any) -> Reply:
        done.wait(10)
        return Reply()

    with open_door(silent) as door:
        platform.state.accounts[SHOP.app_id].callback_url = door.url
        traffic = Traffic(platform, 1000.0)
        traffic.start()
        time.sleep(0.1)
        threading.Timer(0.2, done.set).start()
        traffic.stop()

    assert done.is_set()
