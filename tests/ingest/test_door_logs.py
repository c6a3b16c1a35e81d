"""What the door says of pushes: a fixed reason and the account's name; never who, what, or with which secret.

Every other test that opens a door looks through its log for secrets as well (`open_gate`).
"""

import logging

import pytest

import ingest.push
from tests.ingest.conftest import AES_KEY, TOKEN, Gate, around, sealed, signed, tells_a_secret
from tests.pushes import push

PLAIN = logging.LogRecord("", 0, "", 0, "", None, None).__dict__.keys() | {"message", "asctime", "taskName"}


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Each line's words and fields."""
    fields = ({key: value for key, value in record.__dict__.items() if key not in PLAIN} for record in caplog.records)
    return [{"said": record.message} | field for record, field in zip(caplog.records, fields, strict=True)]


def test_an_accepted_push_is_not_worth_a_line(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    gate.push(push())
    gate.push(push(), "security")
    gate.client.get("/wechat/shop", query_string=signed())

    assert [] == lines(caplog)


def test_each_push_that_is_not_accepted_is_one_line_with_its_reason(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    ciphertext = gate.encrypted(push(), "A" * 43)

    gate.push(push(), token="guess")
    gate.push(push()[:-1])
    gate.send(sealed(ciphertext), around(ciphertext))
    gate.send(signed(), b"x" * 70_000)
    gate.client.post(f"/wechat/oUser?{TOKEN}")

    said = [(line["said"], line["account"]) for line in lines(caplog)]
    reasons = [line["reason"] for line in lines(caplog)]
    assert [("push not accepted", "shop")] * 4 + [("push not accepted", "unknown")] == said
    assert ["bad_signature", "bad_xml", "too_large", "unknown_account"] == reasons[:2] + reasons[3:]
    assert all({"said", "account", "reason"} == line.keys() for line in lines(caplog))


@pytest.mark.parametrize(("faulty", "mode"), [("read_event", "plain"), ("_signed_ciphertext", "security")])
def test_a_fault_of_ours_costs_no_push_and_tells_nothing_of_it(
    gate: Gate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, faulty: str, mode: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"{TOKEN} {push().decode()}")

    monkeypatch.setattr(ingest.push, faulty, fail)

    ciphertext = gate.encrypted(push())
    query, body = (signed(), push()) if mode == "plain" else (sealed(ciphertext), around(ciphertext))

    answer = gate.send(query, body)

    entry = gate.unreadable()
    assert (200, b"", "reader_failed", body) == (answer.status_code, answer.data, entry.reason, entry.raw)
    assert {"said": "push not read", "account": "shop", "error": "RuntimeError"} == lines(caplog)[0]


@pytest.mark.parametrize("secret", [TOKEN, AES_KEY, "oUser", "oOpenIdInTheQuery"])
@pytest.mark.parametrize("where", ["msg", "reason"])
def test_a_secret_in_a_log_would_be_noticed(gate: Gate, secret: str, where: str) -> None:
    record = logging.makeLogRecord({"msg": "fine", where: f"about {secret}"})

    assert tells_a_secret(record, [gate])
    assert not tells_a_secret(logging.makeLogRecord({"msg": "fine"}), [gate])
