"""The pusher behaves towards a server as WeChat does."""

import socket
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.wechat.simulator.accounts import DEMO
from tests.wechat.simulator.doors import Door, Reply, always, in_turn, open_door
from wechat.simulator.account import Account
from wechat.simulator.connection import NotLocalError, target
from wechat.simulator.deliveries import Faults
from wechat.simulator.ledger import Line
from wechat.simulator.pusher import Pusher
from wechat.simulator.pushes import pushes
from wechat.simulator.report import Report

OCTOBER = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def push(url: str, count: int = 1, **settings: Any) -> tuple[Report, list[Line]]:
    lines: list[Line] = []
    pusher = Pusher(url, DEMO, **{"threads": 2, "timeout": 2.0, "pause": 0.01} | settings)
    return pusher.run(pushes(DEMO, count, period=OCTOBER), lines.append), lines


def attempts(door: Door) -> int:
    return len(door.requests)


def test_every_push_arrives_once_and_is_in_the_ledger() -> None:
    source = list(pushes(DEMO, 200, period=OCTOBER))
    with open_door(always(Reply())) as door:
        report, lines = push(door.url, 200, threads=8)

    assert {each.message for each in source} == {request.body for request in door.requests}
    assert 200 == attempts(door) == report.sent == len(lines)
    assert {(each.id, each.kind) for each in source} == {(line.id, line.kind) for line in lines}
    assert {"success"} == {line.answer for line in lines}
    assert report.is_fine
    assert {"p50", "p99", "max"} == report.latencies().keys()


def test_connections_are_kept_alive() -> None:
    with open_door(always(Reply())) as door:
        push(door.url, 50, threads=3)

    assert 3 >= len({request.connection for request in door.requests})


def test_the_headers_and_the_path_are_wechats() -> None:
    with open_door(always(Reply())) as door:
        push(door.url)

    assert "/wechat/demo" == door.requests[0].path
    assert "text/xml" == door.requests[0].headers["Content-Type"]
    assert "Mozilla/4.0" == door.requests[0].headers["User-Agent"]


@pytest.mark.parametrize(
    ("bad", "answer", "detail"),
    [
        (Reply(503, b""), "refused", "status 503"),
        (Reply(200, b'{"errcode": 0}'), "failed", "not understood"),
        (Reply(body=None), "failed", "RemoteDisconnected"),
        (Reply(after=0.3), "failed", "timeout"),
    ],
)
def test_what_is_not_acknowledged_is_sent_three_times_unchanged(bad: Reply, answer: str, detail: str) -> None:
    with open_door(always(bad)) as door:
        report, [line] = push(door.url, timeout=0.1)

    assert (answer, detail, 3) == (line.answer, line.detail, line.attempts)
    assert 3 == attempts(door)
    assert 1 == len({(request.body, tuple(request.query.items())) for request in door.requests})
    assert 1 == report.unacknowledged
    assert not report.is_fine
    assert {} == report.latencies()


def test_no_attempt_follows_an_acknowledgement() -> None:
    with open_door(in_turn(Reply(500), Reply(body=b""))) as door:
        report, [line] = push(door.url)

    assert ("empty", 2) == (line.answer, line.attempts)
    assert report.is_fine


def test_a_server_that_is_down_is_tried_three_times() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _, [line] = push(f"http://127.0.0.1:{unused.getsockname()[1]}")

    assert ("failed", "ConnectionRefusedError", 3) == (line.answer, line.detail, line.attempts)


def test_patience_repeats_until_it_is_acknowledged() -> None:
    with open_door(in_turn(*[Reply(503)] * 7, Reply())) as door:
        report, [line] = push(door.url, patience=30.0)

    assert ("success", 8) == (line.answer, line.attempts)
    assert report.is_fine


def test_patience_ends() -> None:
    with open_door(always(Reply(503))) as door:
        _, [line] = push(door.url, patience=0.05)

    assert "refused" == line.answer
    assert 3 < line.attempts


def test_an_answer_that_trickles_in_too_late_is_late() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_trickle, args=(server,))
        thread.start()
        _, [line] = push(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.1, attempts=1)
        thread.join()

    assert ("failed", "timeout") == (line.answer, line.detail)


def _trickle(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        for part in (b"HTTP/1.1 200 OK\r\n", b"Content-Length: 7\r\n", b"\r\n", b"success"):
            time.sleep(0.05)
            connection.sendall(part)


def test_a_wrong_signature_is_tried_once_and_has_to_be_refused() -> None:
    with open_door(always(Reply(403))) as door:
        report, lines = push(door.url, 30, faults=Faults(corrupt=1.0))
    forged = [line for line in lines if line.damage == "wrong_signature"]

    assert forged
    assert {(None, "refused", 1)} == {(line.id, line.answer, line.attempts) for line in forged}
    assert 0 == report.wrongly_acknowledged
    assert 30 - len(forged) == report.unacknowledged


def test_a_server_that_takes_forgeries_is_reported() -> None:
    with open_door(always(Reply())) as door:
        report, _ = push(door.url, 30, faults=Faults(corrupt=1.0))

    assert report.wrongly_acknowledged
    assert not report.is_fine


def test_repeats_are_in_the_ledger_as_such() -> None:
    with open_door(always(Reply())) as door:
        report, lines = push(door.url, 100, faults=Faults(repeat=1.0))

    assert 200 == len(lines) == attempts(door)
    assert 100 == report.repeats == len({line.id for line in lines})


def test_the_rate_is_kept() -> None:
    with open_door(always(Reply())) as door:
        report, _ = push(door.url, 10, rate=50.0)

    assert report.elapsed > 0.15  # ten slots of 20 ms, of which some 50 ms may be caught up


def test_a_failing_ledger_stops_the_run() -> None:
    def full(_line: Line) -> None:
        raise OSError("disk full")

    with open_door(always(Reply())) as door, pytest.raises(OSError, match="disk full"):
        Pusher(door.url, DEMO, threads=4).run(pushes(DEMO, None), full)


def test_a_mode_without_its_key_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no aes_key"):
        Pusher("http://127.0.0.1:1", Account("demo", "wx1", "token"), "security")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", ("127.0.0.1", 8000, "/wechat/demo")),
        ("http://127.0.0.1:8000/", ("127.0.0.1", 8000, "/wechat/demo")),
        ("http://localhost", ("localhost", 80, "/wechat/demo")),
        ("http://[::1]:8000/wechat/other", ("::1", 8000, "/wechat/other")),
    ],
)
def test_a_url_is_a_base_or_a_callback(url: str, expected: tuple[str, int, str]) -> None:
    assert expected == target(url, "demo")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://192.168.1.1:8000",
        "http://0.0.0.0:8000",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "https://127.0.0.1",
        "http://127.0.0.1:99999",
        "127.0.0.1:8000",
        "",
        "http://[::1",
    ],
)
def test_nothing_but_this_machine_is_pushed_to(url: str) -> None:
    with pytest.raises(NotLocalError, match=r"127\.0\.0\.1"):
        Pusher(url, DEMO)
