"""What is signed but cannot be read: silenced with an empty answer, and its bytes kept for quarantine."""

import pytest

from ingest.push import MAX_BYTES
from tests.ingest.conftest import AES_KEY, APP_ID, Gate, OpenGate, around, sealed, signed
from tests.pushes import push
from wechat.crypto import decode_key, encrypt
from wechat.event import unreadable_id

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
CONTENTS = {
    "truncated": (push()[:-20], "bad_xml"),
    "two roots": (push() + push(), "bad_xml"),
    "bare text": (b"success", "bad_xml"),
    "empty": (b"", "empty_body"),
    "white space": (b" \r\n\t", "empty_body"),
    "not UTF-8": (push(key="x").replace(b"<EventKey>x", b"<EventKey>\xff\xfe"), "not_utf8"),
    "GBK": ("<xml><Content>菜单</Content></xml>".encode("gbk"), "not_utf8"),
    "UTF-16": ("<xml><Content>菜单</Content></xml>".encode("utf-16"), "not_utf8"),
    "a surrogate in UTF-8": (push().replace(b"menu", b"\xed\xa0\x80"), "not_utf8"),
    "an escaped surrogate": (push(key="&#xD800;"), "bad_xml"),
    "an escaped NUL": (push(key="&#0;"), "bad_xml"),
    "DTD": (b"<!DOCTYPE xml>" + push(), "dtd_refused"),
    "DTD elsewhere": (b'<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd">' + push(), "dtd_refused"),
    "entity bomb": (f'<!DOCTYPE xml [<!ENTITY l0 "ha">{LAUGHS}]>'.encode() + push(key="&l9;"), "dtd_refused"),
    "file": (b'<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + push(key="&f;"), "dtd_refused"),
    "undeclared entity": (push(key="&nbsp;"), "bad_xml"),
    "deep XML": (b"<xml>" + b"<a>" * 30 + b"</a>" * 30 + b"</xml>", "too_deep"),
    "very deep XML": (b"<xml>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</xml>", "too_deep"),
    "deep JSON": (b'{"a":' * 30 + b"1" + b"}" * 30, "too_deep"),
    "JSON cut short": (b'{"MsgType": "text", ', "bad_json"),
    "JSON list": (b'[{"MsgType": "text"}]', "not_a_push"),
    "HTML": (b"<!DOCTYPE html><html><body>502</body></html>", "dtd_refused"),
    "HTML without a DTD": (b"<html><body><p>502</p></body></html>", "not_a_push"),
    "another root": (b"<message><MsgType>text</MsgType></message>", "not_a_push"),
    "a form": (b"MsgType=text&Content=hello", "bad_xml"),
    "binary": (bytes(range(256)), "not_utf8"),
    "NULs": (b"\0" * 100, "bad_xml"),
}
each_content = pytest.mark.parametrize(("content", "reason"), CONTENTS.values(), ids=CONTENTS)


def goes_on(gate: Gate) -> bool:
    """A good push afterwards is answered and stored as ever."""
    before = len(gate.entries())
    return b"success" == gate.push(push()).data and before + 1 == len(gate.entries())


@each_content
def test_an_unreadable_plain_push_is_kept_raw(gate: Gate, content: bytes, reason: str) -> None:
    answer = gate.push(content)

    entry = gate.unreadable()
    assert (200, b"") == (answer.status_code, answer.data)
    assert (reason, content, "shop", APP_ID) == (entry.reason, entry.raw, entry.account, entry.app_id)
    assert unreadable_id(APP_ID, content) == entry.id
    assert goes_on(gate)


@each_content
def test_an_unreadable_encrypted_push_is_kept_as_it_came(gate: Gate, content: bytes, reason: str) -> None:
    ciphertext = gate.encrypted(content)
    body = around(ciphertext)

    answer = gate.send(sealed(ciphertext), body)

    if not content:  # a decrypted message of zero length is said to be no message
        assert (200, b"success", []) == (answer.status_code, answer.data, gate.entries())
        return
    assert (200, b"") == (answer.status_code, answer.data)
    assert (reason, body) == (gate.unreadable().reason, gate.unreadable().raw)
    assert goes_on(gate)


@each_content
def test_what_should_hold_a_ciphertext_and_does_not_is_kept_raw(gate: Gate, content: bytes, reason: str) -> None:
    answer = gate.send(sealed(gate.encrypted(push())), content)

    assert (200, b"") == (answer.status_code, answer.data)
    assert (reason, content) == (gate.unreadable().reason, gate.unreadable().raw)
    assert goes_on(gate)


@pytest.mark.parametrize("body", [push(), b"{}", b"<xml><Encrypt><a>1</a></Encrypt></xml>", b'{"Encrypt": ["a", "b"]}'])
def test_a_push_said_to_be_encrypted_without_a_ciphertext_is_kept_raw(gate: Gate, body: bytes) -> None:
    answer = gate.send(sealed("no such text"), body)

    assert (200, b"") == (answer.status_code, answer.data)
    assert ("no_ciphertext", body) == (gate.unreadable().reason, gate.unreadable().raw)


def test_a_push_encrypted_for_another_account_is_kept_raw(gate: Gate) -> None:
    ciphertext = encrypt(push(), decode_key(AES_KEY), "wxAnotherAccount")

    answer = gate.send(sealed(ciphertext), around(ciphertext))

    assert (200, b"", "wrong_app_id") == (answer.status_code, answer.data, gate.unreadable().reason)
    assert goes_on(gate)


@pytest.mark.parametrize("junk", ["", "A", "====", "not base64!", "菜单", "\ud800", "QUJD", "A" * 20_000])
def test_a_signed_text_that_is_no_ciphertext_is_kept_raw(gate: Gate, junk: str) -> None:
    body = f'{{"Encrypt": "{junk}"}}'.encode("utf-8", "backslashreplace")
    stored = junk.replace("\ud800", "\ufffd")

    answer = gate.send(sealed(stored), body)

    assert (200, b"", body) == (answer.status_code, answer.data, gate.unreadable().raw)
    assert gate.unreadable().reason in {"bad_base64", "bad_block_length", "bad_padding"}
    assert goes_on(gate)


def test_an_encrypted_push_to_an_account_without_a_key_is_kept_raw(open_gate: OpenGate) -> None:
    gate = open_gate(aes_key=None)

    answer = gate.push(push(), "security")

    assert (200, b"", "no_aes_key") == (answer.status_code, answer.data, gate.unreadable().reason)


def test_very_deep_json_does_not_exhaust_the_stack(gate: Gate) -> None:
    answer = gate.push(b'{"a":' * 10_000 + b"1" + b"}" * 10_000)

    assert (200, b"") == (answer.status_code, answer.data)
    assert gate.unreadable().reason in {"bad_json", "too_deep"}  # Python's releases differ in what they bear
    assert goes_on(gate)


def test_an_unreadable_push_repeated_has_one_id(gate: Gate) -> None:
    for _ in range(3):
        gate.push(b"<xml><half")

    assert 1 == len({entry.id for entry in gate.entries()})
    assert 3 == len(gate.entries())


def test_the_greatest_push_is_kept_whole_whether_read_or_not(gate: Gate) -> None:
    room = MAX_BYTES - len(push(key=""))

    answers = [gate.push(push(key="菜" * (room // 3) + "x" * (room % 3))), gate.push(b"\xff" * MAX_BYTES)]

    assert [b"success", b""] == [answer.data for answer in answers]
    assert 2 == len(gate.entries())


def test_a_form_with_the_right_signature_is_no_push(gate: Gate) -> None:
    answer = gate.send(signed(), b"MsgType=text", content_type="application/x-www-form-urlencoded")

    assert (200, b"", b"MsgType=text") == (answer.status_code, answer.data, gate.unreadable().raw)
