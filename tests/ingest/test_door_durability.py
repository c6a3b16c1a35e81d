"""While nothing can be made durable, pushes are answered 503; and afterwards as if nothing had been."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.journal import Journal
from tests.ingest.conftest import Gate, OpenGate, signed
from tests.pushes import push


def eventually(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def takes_pushes(gate: Gate) -> bool:
    return bool(gate.push(push()).data == b"success")


@pytest.fixture(params=["taken away", "not a directory", "full"])
def broken(request: pytest.FixtureRequest, open_gate: OpenGate, tmp_path: Path) -> tuple[Gate, str, Callable[[], None]]:
    """A door that cannot write, the reason that it gives, and how to mend it."""
    directory = tmp_path / "journal"
    gate = open_gate(settings={"journal_limit": 1 << 20})
    if request.param == "full":
        hoard = directory / f"slot-99-{'0' * 13}-{'0' * 16}.journal"
        hoard.write_bytes(b"\0" * (2 << 20))
        return gate, "journal_full", hoard.unlink
    shutil.move(directory, tmp_path / "elsewhere")
    if request.param == "not a directory":
        directory.touch()

    def mend() -> None:
        directory.unlink(missing_ok=True)
        shutil.move(tmp_path / "elsewhere", directory)

    return gate, "journal_failed", mend


Broken = tuple[Gate, str, Callable[[], None]]


@pytest.mark.parametrize("body", [push(), b"<html/>"], ids=["read", "unreadable"])
@pytest.mark.parametrize("mode", ["plain", "security"])
def test_a_push_that_cannot_be_kept_is_to_be_sent_again(broken: Broken, body: bytes, mode: str) -> None:
    gate, reason, _ = broken

    answer = gate.push(body, mode)

    assert (503, reason) == (answer.status_code, answer.text)


def test_pushes_are_taken_again_once_they_can_be_kept(broken: Broken) -> None:
    gate, _, mend = broken
    gate.push(push())

    mend()

    assert eventually(lambda: takes_pushes(gate))
    assert "menu" == gate.event().event_key


def test_a_door_that_cannot_write_is_alive_and_not_ready(broken: Broken) -> None:
    gate, reason, mend = broken

    health, ready = gate.client.get("/healthz"), gate.client.get("/readyz")

    assert 200 == health.status_code
    assert (503, {"ready": False, "reason": reason}) == (ready.status_code, ready.json)

    mend()

    assert eventually(lambda: gate.client.get("/readyz").status_code == 200)


def test_what_would_not_be_kept_anyway_is_answered_as_ever(broken: Broken) -> None:
    gate, _, _ = broken
    query = signed()

    answers = [
        gate.send(query | {"signature": "0"}, push()),
        gate.send(query, b"x" * 70_000),
        gate.client.post("/wechat/nobody"),
        gate.push(b"", "security"),
        gate.client.get("/wechat/shop", query_string=query | {"echostr": "1"}),
    ]

    assert [403, 413, 404, 200, 200] == [answer.status_code for answer in answers]


def test_a_failure_is_counted_and_logged_with_its_reason(broken: Broken, caplog: pytest.LogCaptureFixture) -> None:
    gate, reason, _ = broken

    gate.push(push())

    refused = [record.__dict__["reason"] for record in caplog.records if record.message == "push not accepted"]
    assert [reason] == refused
    assert f'outcome="{reason}"' in gate.client.get("/metrics").text


def test_two_doors_of_one_host_keep_their_pushes_side_by_side(open_gate: OpenGate) -> None:
    one, other = open_gate(), open_gate()

    answers = [one.push(push(key="1")), other.push(push(key="2"))]

    assert [b"success"] * 2 == [answer.data for answer in answers]
    assert 2 == len(one.entries()) == len(other.entries())


def test_a_journal_that_was_closed_can_be_opened_again(gate: Gate) -> None:
    gate.push(push())

    Journal(gate.directory, 1 << 30).close()

    assert 1 == len(gate.entries())
