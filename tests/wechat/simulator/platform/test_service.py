"""Messages to followers: what opens the door, for how many, and for how long."""

from typing import Any

import pytest

from tests.platforms import Platform

TEXT = {"msgtype": "text", "text": {"content": "中" * 600}}


@pytest.fixture
def token(platform: Platform) -> str:
    platform.followers({"open_id": "o1"})
    return platform.token()


def send(platform: Platform, token: str, **changes: Any) -> int:
    return int(platform.call("message/custom/send", {"touser": "o1", **TEXT, **changes}, token=token)["errcode"])


def until_refused(platform: Platform, token: str) -> tuple[int, int]:
    """How many were taken, and the code of the next."""
    for count in range(50):
        if code := send(platform, token):
            return count, code
    return 50, 0


EVENT = {"MsgType": "event"}
DAYS = 48 * 3600


@pytest.mark.parametrize(
    ("fields", "count", "seconds"),
    [
        ({"MsgType": "text", "Content": "hi"}, 5, DAYS),
        ({"MsgType": "image", "PicUrl": "http://x", "MediaId": "m"}, 5, DAYS),
        ({"MsgType": "text", "Content": "good", "bizmsgmenuid": "101"}, 3, 60),
        (EVENT | {"Event": "CLICK", "EventKey": "k"}, 3, 60),
        (EVENT | {"Event": "scancode_push", "EventKey": "k"}, 3, 60),
        (EVENT | {"Event": "scancode_waitmsg", "EventKey": "k"}, 3, 60),
        (EVENT | {"Event": "subscribe", "EventKey": ""}, 3, 60),
        (EVENT | {"Event": "SCAN", "EventKey": "1"}, 3, 60),
        (EVENT | {"Event": "subscribe", "EventKey": "last_trade_no_1"}, 50, DAYS),
    ],
)
def test_an_action_opens_the_door(
    platform: Platform, token: str, fields: dict[str, Any], count: int, seconds: float
) -> None:
    platform.push("o1", **fields)
    platform.advance(seconds - 5)
    taken, code = until_refused(platform, platform.token())

    assert (count, 45047 if count < 50 else 0) == (taken, code)

    platform.advance(6)

    assert 45015 == send(platform, platform.token())


@pytest.mark.parametrize("event", ["VIEW", "view_miniprogram", "pic_weixin", "location_select", "LOCATION"])
def test_other_events_open_nothing(platform: Platform, token: str, event: str) -> None:
    platform.push("o1", **EVENT, Event=event, EventKey="k")

    assert 45015 == send(platform, token)


def test_the_door_that_closes_first_is_used_first(platform: Platform, token: str) -> None:
    platform.push("o1", MsgType="text", Content="hi")
    platform.push("o1", **EVENT, Event="CLICK", EventKey="k")
    assert [0] * 3 == [send(platform, token) for _ in range(3)]

    platform.advance(61)

    assert (5, 45047) == until_refused(platform, token)


def test_who_leaves_closes_the_door(platform: Platform, token: str) -> None:
    platform.push("o1", MsgType="text", Content="hi")
    platform.push("o1", **EVENT, Event="unsubscribe", EventKey="")

    assert 45015 == send(platform, token)
    assert platform.holdings()["followers"]["o1"]["follows"] is False


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"touser": ""}, 41009),
        ({"touser": "o2"}, 40003),
        ({"msgtype": "smell"}, 40008),
        ({"msgtype": "image"}, 41006),
        ({"msgtype": "image", "image": "m"}, 41006),
        ({"text": {"content": ""}}, 44004),
        ({"text": {"content": "中" * 683}}, 45002),
        ({"msgtype": "news", "news": {"articles": []}}, 44003),
        ({"msgtype": "news", "news": {"articles": [{}, {}]}}, 45008),
        ({"msgtype": "news", "news": {"articles": 5}}, 44003),
        ({"msgtype": "mpnewsarticle", "mpnewsarticle": {}}, 53600),
        ({"customservice": {"kf_account": "nobody"}}, 65401),
    ],
)
def test_a_wrong_message_is_refused_and_costs_nothing(
    platform: Platform, token: str, changes: dict[str, Any], code: int
) -> None:
    platform.push("o1", MsgType="text", Content="hi")

    assert code == send(platform, token, **changes)
    assert (5, 45047) == until_refused(platform, token)


def test_what_was_sent_is_kept(platform: Platform, token: str) -> None:
    platform.holdings(media_ids=["known"])
    platform.push("o1", MsgType="text", Content="hi")

    assert 40007 == send(platform, token, msgtype="voice", voice={"media_id": "other"})
    assert 0 == send(platform, token, msgtype="voice", voice={"media_id": "known"})
    [sent] = platform.holdings()["sent"]
    assert ("o1", {"media_id": "known"}) == (sent["touser"], sent["voice"])


def test_a_body_that_cannot_be_read_is_told(platform: Platform, token: str) -> None:
    for body in (b"touser=o1", b'{"touser"', b"[]", b'"text"', b"\xff"):
        assert 47001 == platform.call("message/custom/send", body, token=token)["errcode"]


def typing(platform: Platform, token: str, command: str = "Typing") -> int:
    answer = platform.call("message/custom/typing", {"touser": "o1", "command": command}, token=token)
    return int(answer["errcode"])


def test_typing_follows_an_action_and_not_itself(platform: Platform, token: str) -> None:
    assert 45080 == typing(platform, token)

    platform.push("o1", MsgType="text", Content="hi")

    assert 45072 == typing(platform, token, "Yawning")
    assert [0, 45081] == [typing(platform, token), typing(platform, token)]
    assert [0, 0] == [typing(platform, token, "CancelTyping"), typing(platform, token)]
    assert 0 == send(platform, token)
    assert 0 == typing(platform, token)

    platform.advance(16)
    assert 0 == typing(platform, token)

    platform.advance(16)
    assert 45080 == typing(platform, token)


def test_a_template_is_sent_to_who_follows(platform: Platform, token: str) -> None:
    platform.followers({"open_id": "gone", "follows": False})
    platform.holdings(templates=["t1"])

    def template(**changes: Any) -> Any:
        body = {"touser": "o1", "template_id": "t1", "data": {}, **changes}
        return platform.call("message/template/send", body, token=token)

    first, second = template(client_msg_id="once"), template()

    assert (0, 0) == (first["errcode"], second["errcode"])
    assert first["msgid"] != second["msgid"]
    assert 45065 == template(client_msg_id="once")["errcode"]
    assert 43004 == template(touser="gone")["errcode"]
    assert 40037 == template(template_id="t2")["errcode"]
    assert 40003 == template(touser="o2")["errcode"]
