"""What is not WeChat's, or not any more: refused, and nothing of it stored."""

import time

import pytest
import time_machine
from werkzeug.test import TestResponse

from ingest.push import RELEASED
from tests.ingest.conftest import TOKEN, Gate, OpenGate, around, sealed, signed
from tests.pushes import push
from wechat.crypto import signature

NOW = RELEASED + 30 * 86400
DAY = 86400


def is_refused(gate: Gate, answer: TestResponse, reason: str = "bad_signature") -> bool:
    """403 with its reason and nothing stored; and the door goes on."""
    refused = (403, reason, []) == (answer.status_code, answer.text, gate.entries())
    return refused and b"success" == gate.push(push()).data and 1 == len(gate.entries())


@pytest.mark.parametrize("query", ["", "signature=", "nonce=1&timestamp=2", "signature=%ff&timestamp=%00", "=&&;=%"])
def test_an_unsigned_push_is_refused(gate: Gate, query: str) -> None:
    assert is_refused(gate, gate.send(query, push()))


@pytest.mark.parametrize("changed", ["signature", "timestamp", "nonce"])
def test_a_wrongly_signed_push_is_refused(gate: Gate, changed: str) -> None:
    query = signed()

    answer = gate.send(query | {changed: query[changed][:-1] + "x"}, push())

    assert is_refused(gate, answer)


@pytest.mark.parametrize("token", ["", "menuTok2025", "menutok2024"])
def test_a_push_signed_with_another_token_is_refused(gate: Gate, token: str) -> None:
    assert is_refused(gate, gate.send(signed(token=token), push()))


def test_an_upper_case_signature_is_refused(gate: Gate) -> None:
    query = signed()

    assert is_refused(gate, gate.send(query | {"signature": query["signature"].upper()}, push()))


@pytest.mark.parametrize("mode", ["security", "compatible", "json"])
def test_a_body_exchanged_under_a_captured_query_is_refused(gate: Gate, mode: str) -> None:
    captured = sealed(gate.encrypted(push()))

    answer = gate.send(captured, around(gate.encrypted(push(key="forged")), push(key="forged"), mode))

    assert is_refused(gate, answer)


@pytest.mark.parametrize("dropped", ["signature", "msg_signature"])
def test_an_encrypted_push_needs_both_signatures(gate: Gate, dropped: str) -> None:
    ciphertext = gate.encrypted(push())
    query = sealed(ciphertext)
    del query[dropped]

    assert is_refused(gate, gate.send(query, around(ciphertext)))


@pytest.mark.parametrize("encrypt_type", ["raw", "", "AES", "aes256", "none", "\x00"])
def test_a_changed_encrypt_type_does_not_make_an_encrypted_push_plain(gate: Gate, encrypt_type: str) -> None:
    ciphertext = gate.encrypted(push(key="true"))
    body = around(ciphertext, push(key="forged"), "compatible")

    answer = gate.send(sealed(ciphertext) | {"encrypt_type": encrypt_type}, body)

    assert (200, b"success", "true") == (answer.status_code, answer.data, gate.event().event_key)


@pytest.mark.parametrize("encrypt_type", ["aes", "AES", "aes256", "\x00"])
def test_a_plain_push_that_claims_to_be_encrypted_is_refused(gate: Gate, encrypt_type: str) -> None:
    answer = gate.send(signed() | {"encrypt_type": encrypt_type, "msg_signature": ""}, around(gate.encrypted(push())))

    assert is_refused(gate, answer)


@pytest.mark.parametrize("encrypt_type", ["raw", "RAW", ""])
def test_a_plain_push_may_say_so(gate: Gate, encrypt_type: str) -> None:
    assert b"success" == gate.send(signed() | {"encrypt_type": encrypt_type}, push()).data


@time_machine.travel(NOW)
@pytest.mark.parametrize("mode", ["plain", "security"])
@pytest.mark.parametrize("age", [DAY + 1, 30 * DAY, -DAY - 1])
def test_a_push_outside_the_replay_window_is_refused(gate: Gate, mode: str, age: int) -> None:
    answer = gate.push(push(), mode, timestamp=str(int(NOW) - age))

    assert is_refused(gate, answer, "outside_replay_window")


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("age", [DAY, 0, -DAY])
def test_a_push_inside_the_replay_window_is_accepted(gate: Gate, age: int) -> None:
    assert b"success" == gate.push(push(), timestamp=str(int(NOW) - age)).data


@time_machine.travel(NOW)
@pytest.mark.parametrize("timestamp", ["", "0", "-1", "now", "1e9", "١٧٩٠٠٠٠٠٠٠", "9" * 40, f"{NOW * 1000:.0f}"])
def test_a_timestamp_that_is_none_is_outside_the_window(gate: Gate, timestamp: str) -> None:
    assert is_refused(gate, gate.push(push(), timestamp=timestamp), "outside_replay_window")


@time_machine.travel(NOW)
def test_a_captured_signature_with_its_timestamp_moved_into_the_nonce_is_refused(gate: Gate) -> None:
    captured = signed(timestamp="1714036504", nonce="1514711492")

    answer = gate.send({"signature": captured["signature"], "nonce": "15147114921714036504"}, push())

    assert signature(TOKEN, "15147114921714036504", "") == captured["signature"]
    assert is_refused(gate, answer, "outside_replay_window")


@pytest.mark.parametrize("clock", [0, RELEASED - 1])
def test_a_clock_older_than_the_program_refuses_nobody(gate: Gate, clock: float) -> None:
    with time_machine.travel(clock):
        answer = gate.push(push(), timestamp=str(int(RELEASED) + 400 * DAY))

    assert (200, b"success") == (answer.status_code, answer.data)


def test_no_window_refuses_nobody(open_gate: OpenGate) -> None:
    gate = open_gate(settings={"replay_window": 0})

    assert b"success" == gate.push(push(), timestamp="1").data


def test_a_nonce_that_was_seen_is_accepted_again(gate: Gate) -> None:
    query = signed(timestamp=str(int(time.time())))

    answers = [gate.send(query, push(), environ_base={"REMOTE_ADDR": f"10.0.0.{host}"}) for host in (1, 2, 3)]

    assert [b"success"] * 3 == [answer.data for answer in answers]
    assert 1 == len({entry.id for entry in gate.entries()})


def test_the_way_of_one_account_is_closed_to_the_pushes_of_another(open_gate: OpenGate) -> None:
    gate = open_gate(token="theirToken9")

    assert 403 == gate.push(push(), token=TOKEN).status_code
    assert [] == gate.entries()


@pytest.mark.parametrize("account", ["nobody", "", "SHOP", "shop/", "商店", "shop%00", "../wechat/shop"])
def test_a_push_to_an_unknown_account_is_not_found(gate: Gate, account: str) -> None:
    answer = gate.client.post(f"/wechat/{account}", query_string=signed(), data=push())

    assert (404, "unknown_account", []) == (answer.status_code, answer.text, gate.entries())
