"""The door replies at once by rules that it holds in memory: encrypted alike, and never to what must get `success`."""

import logging
import re
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

import ingest.app
from ingest import replies
from ingest.account import Account
from ingest.push import ACCEPTED, Received
from ingest.replies import Replies
from ingest.snapshot import read
from tests.ingest.conftest import AES_KEY, APP_ID, TOKEN, Gate, OpenGate, around, sealed
from tests.ingest.replying import BACK, STOCK, default, hand, opened, put
from tests.ingest.serving import eventually
from tests.pushes import event_of, push
from wechat.event import Event
from wechat.parse import parse
from wechat.reply import Nothing, Text
from wechat.reply_rules import Match, Rule

OLD_TOKEN, OLD_KEY = "formerTok2023", "A" * 43
SUCCESS = (200, b"success")
XML, PLAIN = "text/xml; charset=utf-8", "text/plain; charset=utf-8"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.app, "EVERY", 0.02)


def said(answer: Any) -> tuple[int, bytes]:
    return answer.status_code, answer.data


def counted(gate: Gate) -> dict[str, int]:
    """Replies by what came of them; the measures of all tests of a process are in one place."""
    pattern = rf'caidan_replies_total\{{account="{gate.account.name}",outcome="(\w+)"\}} (\S+)'
    return {outcome: int(float(count)) for outcome, count in re.findall(pattern, gate.client.get("/metrics").text)}


def content(gate: Gate, key: str = "STOCK") -> str | None:
    """What a tap is told, if anything."""
    answer = gate.push(push(key=key))
    return None if answer.data == b"success" else parse(answer.data)[0]["Content"]


def test_a_tap_is_replied_to_once_it_is_stored(tmp_path: Path, open_gate: OpenGate) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate(name="replied")
    answer = gate.push(push(key="STOCK"))

    expected = {"ToUserName": "oUser", "FromUserName": "gh_e136c6e50636", "MsgType": "text", "Content": "有货 STOCK"}
    told = parse(answer.data)[0]
    assert told.pop("CreateTime").isdecimal()
    assert expected == told
    assert (200, XML) == (answer.status_code, answer.headers["Content-Type"])
    assert "STOCK" == gate.event().event_key
    assert SUCCESS == said(gate.push(push(key="OTHER")))
    assert {"replied": 1, "no_rule": 1} == counted(gate)
    assert (
        'caidan_pushes_total{account="replied",mode="plain",outcome="replied"} 1.0' in gate.client.get("/metrics").text
    )


@pytest.mark.parametrize("mode", ["compatible", "security"])
def test_a_reply_to_an_encrypted_push_is_encrypted_and_signed_anew(
    mode: str, tmp_path: Path, open_gate: OpenGate
) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate()
    first, second = (gate.push(push(key="STOCK"), mode).data for _ in range(2))

    assert "有货 STOCK" == opened(first)["Content"] == opened(second)["Content"]
    assert b"Content" not in first
    assert first != second  # by fresh random bytes
    assert (b"success", PLAIN) == ((none := gate.push(push(key="OTHER"), mode)).data, none.headers["Content-Type"])


@pytest.mark.parametrize("key", [AES_KEY, OLD_KEY])
@pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN])
def test_the_key_and_the_token_that_worked_are_used(key: str, token: str, tmp_path: Path, open_gate: OpenGate) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate(previous_token=OLD_TOKEN, previous_aes_key=OLD_KEY)
    ciphertext = gate.encrypted(push(key="STOCK"), key)
    answer = gate.send(sealed(ciphertext, token=token), around(ciphertext))

    assert "有货 STOCK" == opened(answer.data, token, key)["Content"]


def test_a_repeated_push_gets_the_same_reply(tmp_path: Path, open_gate: OpenGate) -> None:
    hand(tmp_path, STOCK, default(Text("anything")))
    gate = open_gate()
    replies = [content(gate) for _ in range(4)]

    assert ["有货 STOCK"] * 4 == replies


@pytest.mark.parametrize("event", ["LOCATION", "unsubscribe", "VIEW", "view_miniprogram", "MASSSENDJOBFINISH", "new"])
@pytest.mark.parametrize("mode", ["plain", "security"])
def test_what_must_get_success_gets_it_whatever_the_rules_say(
    event: str, mode: str, tmp_path: Path, open_gate: OpenGate
) -> None:
    hand(tmp_path, default(Text("anything")))
    gate = open_gate(name="must-not")
    before = counted(gate)

    assert SUCCESS == said(gate.push(push(event), mode))
    assert before == counted(gate)


def test_a_push_that_is_not_durable_gets_no_reply(
    tmp_path: Path, open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate()
    gate.app.extensions["door"].journal.close()
    before = counted(gate)

    assert 503 == gate.push(push(key="STOCK")).status_code
    assert before == counted(gate)


def test_what_is_refused_or_unreadable_gets_no_reply(tmp_path: Path, open_gate: OpenGate) -> None:
    hand(tmp_path, default(Text("anything")))
    gate = open_gate()

    assert 403 == gate.push(push(), token="guess").status_code
    assert (200, b"") == said(gate.push(push()[:-1]))
    assert SUCCESS == said(gate.push(b"", "security"))


def test_a_push_as_json_gets_no_xml(tmp_path: Path, open_gate: OpenGate) -> None:
    hand(tmp_path, default(Text("anything")))
    gate = open_gate()
    message = b'{"ToUserName": "gh_e136c6e50636", "FromUserName": "oUser", "MsgType": "text", "Content": "hello"}'

    assert [SUCCESS] * 2 == [said(gate.push(message, mode)) for mode in ("plain", "json")]
    assert SUCCESS == said(gate.push(b"\xef\xbb\xbf\n" + message))


def test_nothing_is_a_reply_that_is_success(tmp_path: Path, open_gate: OpenGate) -> None:
    silent = Rule(id=2, name="silent", priority=1, key=Match("STOCK"), reply=Nothing())
    hand(tmp_path, STOCK, silent)
    gate = open_gate(name="silent")

    assert SUCCESS == said(gate.push(push(key="STOCK"), "security"))
    assert {"nothing": 1} == counted(gate)


@pytest.mark.parametrize(
    ("original_id", "to", "sender"),
    [
        (None, "<ToUserName>gh_1</ToUserName>", "gh_1"),
        ("gh_2", "<ToUserName>gh_1</ToUserName>", "gh_1"),
        ("gh_2", "<ToUserName>gh_2</ToUserName>", "gh_2"),
        ("gh_2", "", "gh_2"),
        ("gh_2", "<ToUserName/>", "gh_2"),
        ("gh_2", "<ToUserName><a>1</a></ToUserName>", "gh_2"),
        (None, "", None),
        (None, "<ToUserName/>", None),
    ],
)
def test_the_sender_is_whom_the_push_was_for(
    original_id: str | None, to: str, sender: str | None, tmp_path: Path, open_gate: OpenGate
) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate(original_id=original_id)
    message = push(key="STOCK").replace(b"<ToUserName>gh_e136c6e50636</ToUserName>", to.encode())
    answer = gate.push(message)

    assert sender == (parse(answer.data)[0]["FromUserName"] if answer.data != b"success" else None)


def test_a_push_of_nobody_gets_no_reply_and_is_counted(tmp_path: Path, open_gate: OpenGate) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate(name="nobody")

    assert SUCCESS == said(gate.push(push(key="STOCK", user="")))
    assert {"no_names": 1} == counted(gate)


def test_a_fault_of_ours_costs_a_reply_and_no_push(
    tmp_path: Path, open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"{TOKEN} {push().decode()}")

    hand(tmp_path, STOCK)
    gate = open_gate(name="faulty")
    monkeypatch.setattr(replies, "passive", fail)

    assert SUCCESS == said(gate.push(push(key="STOCK")))
    assert isinstance(gate.entries()[0], Event)
    assert {"failed": 1} == counted(gate)
    lines = [(record.message, record.__dict__["error"]) for record in caplog.records if record.levelno > logging.INFO]
    assert [("push not replied to", "RuntimeError")] == lines


def test_a_reply_is_not_worth_a_line(tmp_path: Path, open_gate: OpenGate, caplog: pytest.LogCaptureFixture) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate()
    for mode in ("plain", "security"):
        gate.push(push(key="STOCK"), mode)

    assert [] == caplog.records


def test_rules_are_each_accounts_own(tmp_path: Path, open_gate: OpenGate) -> None:
    hand(tmp_path, STOCK, app_id="wxanother")

    assert SUCCESS == said(open_gate().push(push(key="STOCK")))


def test_rules_come_and_go_while_the_door_runs(tmp_path: Path, open_gate: OpenGate) -> None:
    gate = open_gate()
    first = content(gate)
    hand(tmp_path, STOCK)
    eventually(lambda: content(gate) == "有货 STOCK")
    hand(tmp_path, msgspec.structs.replace(STOCK, reply=Text("卖完了")), revision=2)
    eventually(lambda: content(gate) == "卖完了")
    put(tmp_path, {}, revision=3)
    eventually(lambda: content(gate) is None)

    assert first is None


def test_a_snapshot_of_a_worker_that_knows_of_no_rules_takes_none_away(tmp_path: Path) -> None:
    heard, account = Replies(), Account("shop", APP_ID, "gh_e136c6e50636")
    received = Received(ACCEPTED, event_of(push(key="STOCK")), may_reply=True)
    outcomes = []
    for revision, given in enumerate([{APP_ID: {"rules": [STOCK]}}, None, {}], start=1):
        put(tmp_path, given, revision)

        assert [] == heard.hear(read(tmp_path / "snapshot.json"))
        outcomes.append(heard.answer(account, received).outcome)

    assert ["replied", "replied", "accepted"] == outcomes


@pytest.mark.parametrize(
    "bad", [1, {"rules": "STOCK"}, {"rules": [{"id": 1}]}, {"rules": [], "menus": {"live_version": "x"}}]
)
def test_rules_that_cannot_be_read_change_nothing_but_are_told(
    bad: object, tmp_path: Path, open_gate: OpenGate, caplog: pytest.LogCaptureFixture
) -> None:
    hand(tmp_path, STOCK)
    gate = open_gate()
    other = {"rules": [STOCK], "menus": {}}
    put(tmp_path, {gate.account.app_id: bad, "wxanother": other}, revision=2)
    eventually(lambda: [record for record in caplog.records if record.message == "reply rules not understood"])

    assert "有货 STOCK" == content(gate)
    told = [record for record in caplog.records if record.message == "reply rules not understood"]
    assert [gate.account.app_id] == [record.__dict__["app_id"] for record in told]


def test_a_rule_of_a_later_version_is_passed_over_and_told(
    tmp_path: Path, open_gate: OpenGate, caplog: pytest.LogCaptureFixture
) -> None:
    hand(tmp_path, msgspec.structs.replace(STOCK, id=7, reply=Text("{moon_phase}")), STOCK)
    gate = open_gate()

    assert "有货 STOCK" == content(gate)
    told = [(record.__dict__["app_id"], record.__dict__["rules"]) for record in caplog.records]
    assert [(gate.account.app_id, (7,))] == told


def test_a_thousand_rules_are_compiled_off_the_threads_of_requests(
    tmp_path: Path, open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    compiles = replies._compiled
    monkeypatch.setattr(
        replies, "_compiled", lambda *given: compiled.append(threading.current_thread().name) or compiles(*given)
    )
    gate = open_gate()
    hand(tmp_path, *(Rule(id=number, name=str(number), key=Match(f"K{number}"), reply=BACK) for number in range(1000)))
    eventually(lambda: content(gate, "K999") == "有货 K999")
    before = len(compiled)
    for number in range(20):
        assert f"有货 K{number}" == content(gate, f"K{number}")

    assert ["looking"] * before == compiled
