"""Every vector of crypto_vectors.json as the push it would be, with the replay window off: their times are old."""

from tests.ingest.conftest import Gate, OpenGate, around, signed
from tests.wechat.test_crypto import REASONS, VECTORS, Vector, vectors
from wechat.event import Event, Unreadable
from wechat.parse import parse


def gate_of(open_gate: OpenGate, vector: Vector) -> Gate:
    keys = vector.get("candidate_keys", [vector["encoding_aes_key"], None])
    account = {"app_id": vector["appid"], "aes_key": keys[0], "previous_aes_key": keys[1], "original_id": None}
    return open_gate(settings={"replay_window": 0}, token=vector["token"], **account)


def body_of(vector: Vector) -> bytes:
    return str(vector.get("post_body") or around(vector["encrypt"]).decode()).encode()


def query_of(vector: Vector) -> dict[str, str]:
    query = signed(token=vector["token"], timestamp=vector["timestamp"], nonce=vector["nonce"])
    return query | {"encrypt_type": "aes", "msg_signature": vector["msg_signature"]}


@vectors("signatures")
def test_a_plain_push_is_accepted_by_its_signature_alone(open_gate: OpenGate, vector: Vector) -> None:
    gate = open_gate(settings={"replay_window": 0}, token=vector["token"])
    query = {name: vector[name] for name in ("signature", "timestamp", "nonce")}

    answer = gate.send(query, b"<xml><MsgType>text</MsgType></xml>")

    expected = (200, b"success", 1) if vector["outcome"] == "accept" else (403, b"bad_signature", 0)
    assert expected == (answer.status_code, answer.data, len(gate.entries()))


@vectors("decrypt", outcome="accept")
def test_a_good_vector_is_stored_as_its_plain_text_would_be(open_gate: OpenGate, vector: Vector) -> None:
    gate = gate_of(open_gate, vector)

    answer = gate.send(vector.get("query") or query_of(vector), body_of(vector))

    assert (200, b"success") == (answer.status_code, answer.data)
    if not vector["plaintext"]:
        assert [] == gate.entries()
        return
    event, fields = gate.event(), parse(vector["plaintext"].encode())[0]
    rest = {"ToUserName"} if "EventKey" in fields else {"ToUserName", "debug_str"}
    assert (fields["FromUserName"], fields.get("EventKey")) == (event.open_id, event.event_key)
    assert {name: fields[name] for name in rest} == event.body
    assert (fields["Event"].lower(), int(fields["CreateTime"])) == (event.kind, event.created_at.timestamp())
    assert vector.get("expected_event_key", event.event_key) == event.event_key


@vectors("decrypt", outcome="reject")
def test_a_bad_vector_is_refused_when_forged_and_kept_raw_otherwise(open_gate: OpenGate, vector: Vector) -> None:
    gate = gate_of(open_gate, vector)
    is_forged = "first_failure" not in vector and "decrypts" not in vector

    answer = gate.send(query_of(vector), body_of(vector))

    if is_forged:
        assert (403, b"bad_signature", []) == (answer.status_code, answer.data, gate.entries())
        return
    reason = REASONS[vector["first_failure"]] if "first_failure" in vector else "dtd_refused"
    entry = gate.unreadable()
    assert (200, b"") == (answer.status_code, answer.data)
    assert (reason, body_of(vector), "shop") == (entry.reason, entry.raw, entry.account)


def test_all_vectors_through_one_door_leave_it_open(open_gate: OpenGate) -> None:
    every: list[Vector] = VECTORS["decrypt"]
    gate = gate_of(open_gate, next(vector for vector in every if vector["id"] == "rotated-key"))

    statuses = {gate.send(query_of(vector), body_of(vector)).status_code for vector in every}

    assert {200, 403} == statuses
    assert {Event, Unreadable} == {type(entry) for entry in gate.entries()}
    assert b"success" == gate.push(b"<xml><MsgType>text</MsgType></xml>").data
