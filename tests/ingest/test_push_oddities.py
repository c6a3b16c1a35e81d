"""What is odd and read all the same: absurd times, characters that no table holds, forms that nobody documented."""

import base64
from datetime import UTC, datetime

import pytest

from tests.ingest.conftest import APP_ID, Gate, OpenGate, around, sealed
from tests.pushes import event_of, push
from wechat.event import EPOCH, Addressee, Event

each_mode = pytest.mark.parametrize("mode", ["plain", "compatible", "security", "json"])


def text(content: str) -> bytes:
    return f"<xml><MsgType>text</MsgType><Content><![CDATA[{content}]]></Content></xml>".encode()


YEAR_9999 = ["253370764800", "253370764800000"]  # in seconds, which read as milliseconds is 1978, and in milliseconds


@each_mode
@pytest.mark.parametrize("time", [*YEAR_9999, "0", "-1", "", "soon", "1e9", "9" * 30, "1.5"])
def test_an_absurd_time_becomes_2011_and_stays_in_the_body(gate: Gate, mode: str, time: str) -> None:
    answer = gate.push(push().replace(b"1790000000", time.encode()), mode)

    event = gate.event()
    assert (b"success", EPOCH, {"CreateTime": time}) == (answer.data, event.created_at, event.body)


@each_mode
@pytest.mark.parametrize("time", ["1790000000", "1790000000000", " 1790000000 "])
def test_seconds_and_milliseconds_are_one_moment(gate: Gate, mode: str, time: str) -> None:
    gate.push(push().replace(b"1790000000", time.encode()), mode)

    event = gate.event()
    assert (datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC), None) == (event.created_at, event.body)


@pytest.mark.parametrize("time", ["0", "-1", "253370764800000", "null", "1e300", "true", "[1, 2]", '{"a": 1}'])
def test_an_absurd_time_in_json_is_an_event_too(gate: Gate, time: str) -> None:
    answer = gate.push(f'{{"MsgType": "event", "Event": "CLICK", "CreateTime": {time}}}'.encode())

    event = gate.event()
    assert (b"success", EPOCH, "click") == (answer.data, event.created_at, event.kind)
    assert {"CreateTime"} == set(event.body or {})


@each_mode
@pytest.mark.parametrize("sign", ["\x00", "\x02", "\x10", "\x1d", "\ufffe", "\uffff"])
def test_a_forbidden_character_is_dropped_and_the_message_kept(gate: Gate, mode: str, sign: str) -> None:
    message = text(f"一{sign}二")

    answer = gate.push(message, mode)

    body = gate.event().body or {}
    assert (b"success", "一二") == (answer.data, body["Content"])
    assert message == base64.b64decode(body["#raw"])


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udfff", "\\ud800\\ud800", "\0"])
def test_what_no_table_holds_is_replaced_in_json_and_the_message_kept(gate: Gate, escape: str) -> None:
    message = f'{{"MsgType": "text", "Content": "a{escape}b", "Fi{escape}eld": "1"}}'.encode()

    answer = gate.push(message)

    body = gate.event().body or {}
    assert (b"success", "a\ufffdb") == (answer.data, body["Content"].replace("\ufffd\ufffd", "\ufffd"))
    assert message == base64.b64decode(body["#raw"])


@pytest.mark.parametrize("sign", ["\\u0000", "\\ud800"])
@pytest.mark.parametrize("field", ["FromUserName", "Event", "EventKey", "MenuId", "MsgId", "CreateTime", "MsgType"])
def test_they_are_replaced_in_every_field(gate: Gate, field: str, sign: str) -> None:
    said = {"MsgType": "event", "Event": "CLICK", "FromUserName": "oUser", "CreateTime": "1790000000"} | {field: sign}
    pairs = ", ".join(f'"{name}": "{value}"' for name, value in said.items())

    answer = gate.push(f"{{{pairs}}}".encode())

    assert (200, b"success") == (answer.status_code, answer.data)
    assert "\ufffd" in repr(gate.event()).replace("\\ufffd", "\ufffd")


def test_a_push_without_any_field_is_an_event_of_unknown_kind(gate: Gate) -> None:
    answers = [gate.push(message) for message in (b"<xml><A/></xml>", b"{}", b'{"MsgType": null}')]

    kinds = {entry.kind for entry in gate.entries() if isinstance(entry, Event)}
    assert [b"success"] * 3 == [answer.data for answer in answers]
    assert {"unknown"} == kinds


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b'<?xml version="1.0" encoding="utf-8"?>\n', b"\n \n"])
def test_what_third_parties_put_in_front_does_no_harm(gate: Gate, prefix: bytes) -> None:
    gate.push(push())
    gate.push(prefix + push())

    assert 1 == len({entry.id for entry in gate.entries()})


def test_the_plain_half_of_a_compatible_push_is_ignored(gate: Gate) -> None:
    ciphertext = gate.encrypted(push(key="true"))

    answer = gate.send(sealed(ciphertext), around(ciphertext, push(key="forged", user="oForged"), "compatible"))

    event = gate.event()
    assert (b"success", "true", "oUser") == (answer.data, event.event_key, event.open_id)
    assert event_of(push(key="true"), Addressee("shop", APP_ID)).id == event.id


def test_a_push_naming_another_original_id_is_stored_and_counted(open_gate: OpenGate) -> None:
    gate = open_gate(name="counted", original_id="gh_ours")

    gate.push(push())
    gate.push(push().replace(b"gh_e136c6e50636", b"gh_ours"))

    measures = gate.client.get("/metrics").text
    assert 'caidan_other_recipients_total{account="counted"} 1.0' in measures
    assert [{"ToUserName": "gh_e136c6e50636"}, None] == [
        entry.body for entry in gate.entries() if isinstance(entry, Event)
    ]


@pytest.mark.parametrize(
    "form",
    [
        "<xml><Encrypt>{}</Encrypt></xml>",
        "<xml>\r\n  <Encrypt\n><![CDATA[{}]]></Encrypt>\r\n</xml>",
        "<xml><!-- <Encrypt><![CDATA[QUJD]]></Encrypt> --><Encrypt><![CDATA[{}]]></Encrypt></xml>",
        "<xml><A><Encrypt><![CDATA[QUJD]]></Encrypt></A><Encrypt><![CDATA[{}]]></Encrypt></xml>",
        "<xml><Encrypt><![CDATA[{}]]></Encrypt>",  # cut short behind what is signed
    ],
)
def test_a_ciphertext_is_found_however_it_is_wrapped(gate: Gate, form: str) -> None:
    ciphertext = gate.encrypted(push(key="STOCK"))
    answer = gate.send(sealed(ciphertext), form.format(ciphertext).encode())

    assert (b"success", "STOCK") == (answer.data, gate.event().event_key)


def test_what_follows_a_ciphertext_of_somebody_elses_is_read_before_it_is_refused(gate: Gate) -> None:
    body = around(gate.encrypted(push()))[:-3]
    answer = gate.send(sealed("another"), body)

    assert (200, "bad_xml", body) == (answer.status_code, gate.unreadable().reason, gate.unreadable().raw)
