"""WeChat takes `success`, nothing, or a reply for an answer, and nothing else."""

from typing import Any

import pytest

from tests.wechat.simulator.accounts import DEMO
from wechat import crypto
from wechat.simulator.answer import Answer, understand
from wechat.simulator.request import MODES, Mode
from wechat.simulator.wire import write_xml

COMMON = {"ToUserName": "o1", "FromUserName": DEMO.to_user, "CreateTime": 1}
TEXT = COMMON | {"MsgType": "text", "Content": "你好"}
REPLY = write_xml(TEXT)
encrypted_modes = pytest.mark.parametrize("mode", ["compatible", "security"])


def sealed(message: bytes, token: str = DEMO.token, timestamp: str = "1713424427") -> bytes:
    encrypt = crypto.encrypt(message, DEMO.key, DEMO.app_id)
    signature = crypto.signature(token, timestamp, "415670741", encrypt)
    return write_xml({"Encrypt": encrypt, "MsgSignature": signature, "TimeStamp": timestamp, "Nonce": "415670741"})


def push(**fields: object) -> bytes:
    return write_xml({"ToUserName": DEMO.to_user, "FromUserName": "o1", "CreateTime": 1, **fields})


def outcome(reply: dict[str, Any], to: bytes | None = None) -> tuple[str, str]:
    answer = understand(200, write_xml(reply), DEMO, "plain", to)
    return answer.outcome, answer.detail


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("body", "outcome"), [(b"success", "success"), (b"", "empty")])
def test_success_and_nothing_are_acknowledgements_in_every_mode(mode: Mode, body: bytes, outcome: str) -> None:
    answer = understand(200, body, DEMO, mode)

    assert outcome == answer.outcome
    assert answer.is_acknowledged


@pytest.mark.parametrize(
    "body",
    [b"SUCCESS", b"success\n", b'{"errcode": 0}', b"<html></html>", b"<xml></xml>", b"ok", b"\xff", REPLY[:-6]],
)
def test_anything_else_is_not_understood(body: bytes) -> None:
    assert Answer("failed", "not understood") == understand(200, body, DEMO, "plain")


@pytest.mark.parametrize("status", [201, 302, 403, 404, 500, 503])
def test_any_other_status_is_a_refusal(status: int) -> None:
    assert Answer("refused", f"status {status}") == understand(status, b"success", DEMO, "plain")


@pytest.mark.parametrize("mode", ["plain", "compatible"])
def test_a_plain_reply_is_understood_where_the_push_was_legible(mode: Mode) -> None:
    answer = understand(200, REPLY, DEMO, mode)

    assert "reply" == answer.outcome
    assert answer.reply == TEXT | {"CreateTime": "1"}


@encrypted_modes
def test_an_encrypted_reply_is_understood(mode: Mode) -> None:
    answer = understand(200, sealed(REPLY), DEMO, mode)

    assert "reply" == answer.outcome
    assert answer.reply == TEXT | {"CreateTime": "1"}


def test_security_mode_wants_an_encrypted_reply() -> None:
    assert "failed" == understand(200, REPLY, DEMO, "security").outcome


@encrypted_modes
@pytest.mark.parametrize("body", [sealed(REPLY, token="another"), sealed(REPLY, timestamp="[1713424427]")])
def test_a_reply_that_is_signed_wrongly_is_not_understood(mode: Mode, body: bytes) -> None:
    assert "failed" == understand(200, body, DEMO, mode).outcome


@pytest.mark.parametrize("changes", [{"ToUserName": ""}, {"FromUserName": ""}, {"CreateTime": "[1]"}, {"MsgType": ""}])
def test_a_reply_needs_every_common_field(changes: dict[str, str]) -> None:
    assert ("failed", "not understood") == outcome(TEXT | changes)


ARTICLE = {"Title": "t", "Description": "d", "PicUrl": "http://x/p", "Url": "http://x/"}


@pytest.mark.parametrize(
    "payload",
    [
        {"MsgType": "image", "Image": {"MediaId": "m"}},
        {"MsgType": "voice", "Voice": {"MediaId": "m"}},
        {"MsgType": "video", "Video": {"MediaId": "m"}},
        {"MsgType": "video", "Video": {"MediaId": "m", "Title": "t", "Description": "d"}},
        {"MsgType": "music", "Music": {"ThumbMediaId": "m", "MusicUrl": "http://x/"}},
        {"MsgType": "news", "ArticleCount": 1, "Articles": {"item": [ARTICLE]}},
        {"MsgType": "news", "ArticleCount": 2, "Articles": {"item": [ARTICLE, ARTICLE]}},
        {"MsgType": "transfer_customer_service"},
        {"MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "a@b"}},
    ],
)
def test_each_type_of_reply_is_understood(payload: dict[str, Any]) -> None:
    assert ("reply", "") == outcome(COMMON | payload, push(MsgType="event", Event="CLICK", EventKey="k"))


@pytest.mark.parametrize(
    "payload",
    [
        {"MsgType": "text"},
        {"MsgType": "text", "Content": ""},
        {"MsgType": "image", "MediaId": "m"},
        {"MsgType": "image", "Image": {}},
        {"MsgType": "voice", "Voice": {"MediaId": ""}},
        {"MsgType": "music", "Music": {"MediaId": "m"}},
        {"MsgType": "news", "ArticleCount": 2, "Articles": {"item": [ARTICLE]}},
        {"MsgType": "news", "ArticleCount": 0, "Articles": {}},
        {"MsgType": "mpnews", "Mpnews": {"MediaId": "m"}},
    ],
)
def test_a_reply_needs_what_its_type_needs(payload: dict[str, Any]) -> None:
    assert ("failed", "not understood") == outcome(COMMON | payload)


def test_a_text_has_2048_bytes_at_most() -> None:
    assert ("reply", "") == outcome(TEXT | {"Content": "中" * 682 + "ab"})
    assert ("failed", "text too long") == outcome(TEXT | {"Content": "中" * 683})


@pytest.mark.parametrize("changes", [{"ToUserName": "o2"}, {"FromUserName": "gh_2"}, {"ToUserName": DEMO.to_user}])
def test_a_reply_swaps_the_names_of_its_push(changes: dict[str, str]) -> None:
    expected = ("failed", "names not swapped")

    assert expected == outcome(TEXT | changes, push(MsgType="text", Content="hi", MsgId=1))


@pytest.mark.parametrize(
    "event", ["VIEW", "view_miniprogram", "LOCATION", "unsubscribe", "TEMPLATESENDJOBFINISH", "click"]
)
def test_some_events_must_not_be_answered(event: str) -> None:
    assert ("failed", "not answerable") == outcome(TEXT, push(MsgType="event", Event=event, EventKey="k"))
