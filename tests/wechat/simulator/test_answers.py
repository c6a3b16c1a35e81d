"""WeChat takes `success`, nothing, or a reply for an answer, and nothing else."""

import pytest

from tests.wechat.simulator.accounts import DEMO
from wechat import crypto
from wechat.simulator.answer import Answer, understand
from wechat.simulator.request import MODES, Mode
from wechat.simulator.wire import write_xml

REPLY = write_xml({"ToUserName": "o1", "FromUserName": "gh_1", "CreateTime": 1, "MsgType": "text", "Content": "你好"})
encrypted_modes = pytest.mark.parametrize("mode", ["compatible", "security"])


def sealed(message: bytes, token: str = DEMO.token) -> bytes:
    encrypt = crypto.encrypt(message, DEMO.key, DEMO.app_id)
    signature = crypto.signature(token, "1713424427", "415670741", encrypt)
    return write_xml({"Encrypt": encrypt, "MsgSignature": signature, "TimeStamp": 1713424427, "Nonce": "415670741"})


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
    assert Answer("reply") == understand(200, REPLY, DEMO, mode)


@encrypted_modes
def test_an_encrypted_reply_is_understood(mode: Mode) -> None:
    assert Answer("reply") == understand(200, sealed(REPLY), DEMO, mode)


def test_security_mode_wants_an_encrypted_reply() -> None:
    assert "failed" == understand(200, REPLY, DEMO, "security").outcome


@encrypted_modes
def test_a_reply_that_is_signed_wrongly_is_not_understood(mode: Mode) -> None:
    assert "failed" == understand(200, sealed(REPLY, token="another"), DEMO, mode).outcome


def test_a_reply_needs_every_common_field() -> None:
    body = write_xml({"ToUserName": "", "FromUserName": "gh_1", "CreateTime": 1, "MsgType": "text", "Content": "x"})

    assert "failed" == understand(200, body, DEMO, "plain").outcome
