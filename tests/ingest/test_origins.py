"""What the door does with pushes from elsewhere: count, log or refuse them; never where it cannot know."""

import json
import re
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import app
from ingest.snapshot import keep
from tests.ingest.conftest import APP_ID, Gate, OpenGate, signed
from tests.pushes import push

WECHAT, STRANGER, PROXY = "101.226.103.61", "8.8.8.8", "10.0.0.9"


def tell(folder: Path, *texts: str, app_id: str = APP_ID, age: timedelta = timedelta(), revision: int = 1) -> None:
    made_at = (datetime.now(UTC) - age).isoformat()
    snapshot = {"revision": revision, "made_at": made_at, "callback_addresses": {app_id: texts}}
    keep(folder / "snapshot.json", json.dumps(snapshot).encode())


def send(gate: Gate, peer: str, forwarded: str | None = None) -> tuple[int, bytes]:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    answer = gate.send(signed(), push(), headers=headers, environ_base={"REMOTE_ADDR": peer})
    return answer.status_code, answer.data


def counted(gate: Gate) -> Counter[tuple[str, str]]:
    """Pushes to this account so far, by origin and outcome."""
    name, page = gate.account.name, gate.client.get("/metrics").text
    pattern = rf'caidan_push_origins_total\{{account="{name}",origin="(\w+)",outcome="(\w+)"\}} (\S+)'
    return Counter({(origin, outcome): int(float(count)) for origin, outcome, count in re.findall(pattern, page)})


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    found = [record.__dict__ for record in caplog.records if record.message == "push from elsewhere"]
    return [(one["account"], one["reason"], one["address"]) for one in found]


def test_pushes_are_counted_by_origin_and_all_accepted(
    tmp_path: Path, open_gate: OpenGate, caplog: pytest.LogCaptureFixture
) -> None:
    tell(tmp_path, "101.226.0.0/16")
    gate = open_gate(name="counting", settings={"trusted_proxies": (PROXY,)})

    answers = [send(gate, *sender) for sender in [(WECHAT,), (STRANGER,), (PROXY, WECHAT), (PROXY, STRANGER), (PROXY,)]]
    gate.push(push(), token="wrong")

    assert [(200, b"success")] * 5 == answers
    assert {
        ("known", "accepted"): 2,
        ("foreign", "accepted"): 2,
        ("unknown", "accepted"): 1,
        ("foreign", "bad_signature"): 1,
    } == counted(gate)
    assert [] == said(caplog)


def test_pushes_from_elsewhere_are_logged_with_their_address(
    tmp_path: Path, open_gate: OpenGate, caplog: pytest.LogCaptureFixture
) -> None:
    tell(tmp_path, WECHAT)
    gate = open_gate(settings={"trusted_proxies": (PROXY,), "foreign_pushes": "log"})

    answers = [send(gate, *sender) for sender in [(WECHAT,), (PROXY, f"{WECHAT}, {STRANGER}"), (PROXY,)]]
    gate.push(push(), token="wrong")

    assert [(200, b"success")] * 3 == answers
    assert [("shop", "accepted", STRANGER), ("shop", "bad_signature", "127.0.0.1")] == said(caplog)


def test_pushes_from_elsewhere_are_refused_and_not_stored(
    tmp_path: Path, open_gate: OpenGate, caplog: pytest.LogCaptureFixture
) -> None:
    tell(tmp_path, WECHAT)
    gate = open_gate(name="refusing", settings={"trusted_proxies": (PROXY,), "foreign_pushes": "refuse"})

    refused = [send(gate, *sender) for sender in [(STRANGER,), (PROXY, STRANGER), (STRANGER, WECHAT)]]

    assert [(403, b"foreign_address")] * 3 == refused
    assert [] == gate.entries()
    assert {("foreign", "foreign_address"): 3} == counted(gate)
    assert [("refusing", "foreign_address", STRANGER)] * 3 == said(caplog)
    assert [(200, b"success")] * 3 == [send(gate, WECHAT), send(gate, PROXY, WECHAT), send(gate, PROXY, "?")]


@pytest.mark.parametrize(
    "told", ["nothing", "of another account", "long ago", "an empty list", "a list of riddles", "nonsense"]
)
def test_nobody_is_refused_where_the_addresses_are_not_known(
    tmp_path: Path, open_gate: OpenGate, caplog: pytest.LogCaptureFixture, told: str
) -> None:
    if told == "of another account":
        tell(tmp_path, WECHAT, app_id="wx0")
    elif told == "long ago":
        tell(tmp_path, WECHAT, age=timedelta(days=9))
    elif told == "an empty list":
        tell(tmp_path)
    elif told == "a list of riddles":
        tell(tmp_path, WECHAT, "tencent.example.com")
    elif told == "nonsense":
        (tmp_path / "snapshot.json").write_text("{")
    gate = open_gate(name=f"told-{told.replace(' ', '-')}", settings={"foreign_pushes": "refuse"})

    assert (200, b"success") == send(gate, STRANGER)
    assert {("unknown", "accepted"): 1} == counted(gate)
    assert {
        "a list of riddles": ["callback addresses not understood"],
        "nonsense": ["snapshot ignored"],
    }.get(told, []) == [record.message for record in caplog.records]


def test_the_door_hears_of_new_addresses_while_it_runs(
    tmp_path: Path, open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "EVERY", 0.02)
    gate = open_gate(settings={"foreign_pushes": "refuse"})

    assert 200 == send(gate, STRANGER)[0]

    for revision, listed, status in [(1, WECHAT, 403), (2, STRANGER, 200), (3, WECHAT, 403)]:
        tell(tmp_path, listed, revision=revision)
        give_up = time.monotonic() + 10
        while send(gate, STRANGER)[0] != status:
            assert time.monotonic() < give_up, "the door has not heard of it"
            time.sleep(0.02)


def test_a_door_that_is_closed_listens_no_more(open_gate: OpenGate) -> None:
    before = set(threading.enumerate())
    gate = open_gate()
    (looking,) = [one for one in threading.enumerate() if one.name == "looking" and one not in before]

    gate.app.extensions["door"].journal.close()
    looking.join(timeout=10)

    assert not looking.is_alive()


def test_the_url_may_be_verified_from_anywhere(tmp_path: Path, open_gate: OpenGate) -> None:
    tell(tmp_path, WECHAT)
    gate = open_gate(settings={"foreign_pushes": "refuse"})

    answer = gate.client.get("/wechat/shop", query_string=signed() | {"echostr": "415"})

    assert (200, b"415") == (answer.status_code, answer.data)


def test_names_that_strangers_make_up_have_no_origin(tmp_path: Path, open_gate: OpenGate) -> None:
    tell(tmp_path, WECHAT)
    gate = open_gate(settings={"foreign_pushes": "refuse"})

    answer = gate.client.post("/wechat/nobody", environ_base={"REMOTE_ADDR": STRANGER})

    assert (404, b"unknown_account") == (answer.status_code, answer.data)
    assert 'caidan_push_origins_total{account="unknown"' not in gate.client.get("/metrics").text
