"""Webhooks: what is posted, how it is signed, and what is made of each answer."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from models.webhooks import Webhook
from tests.servers import free_port
from tests.wechat.simulator.doors import Door, Reply, always, open_door
from wechat.event import Addressee, read
from wechat.parse import parse
from workers.event_reading import typed
from workers.handled_event import Event
from workers.handlers import GiveUp, TryAgain
from workers.webhook import PAUSE, handler_of, post, wait

SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlYw=="
OTHER = "whsec_" + "b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgbw=="
PUSHES = Path(__file__).parents[1] / "pushes"
ROOT = Path(__file__).parents[2]


def webhook(url: str, **changes: Any) -> Webhook:
    return Webhook(**{"name": "crm", "url": url, "secret": SecretStr(SECRET)} | changes)


def pushed(name: str) -> Event:
    fields = parse((PUSHES / f"{name}.xml").read_bytes())[0]
    event = read(fields, Addressee("shop", "wx1", "gh_e136c6e50636"), datetime(2026, 11, 21, tzinfo=UTC))
    return typed(event)


EVENT = replace(pushed("event_CLICK"), id=UUID(int=7))


def reason(door: Door, **changes: Any) -> str:
    with pytest.raises((TryAgain, GiveUp)) as caught:
        post(webhook(door.url + "/hook", **changes), EVENT)
    raised = caught.value
    assert raised.__context__ is None
    assert isinstance(raised, TryAgain | GiveUp)
    return raised.reason


def verify_of(readme: str) -> Callable[..., bool]:
    """The function that the README gives to whoever gets the posts."""
    [block] = re.findall(r"```python\n(import base64.*?)```", (ROOT / readme).read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    return names["verify"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_signature_is_verified_as_the_readme_says(readme: str) -> None:
    verify = verify_of(readme)
    with open_door(always(Reply(204, b""))) as door:
        post(webhook(door.url), EVENT)
        post(webhook(door.url, previous_secret=SecretStr(OTHER)), EVENT)
    plain, changing = door.requests
    headers = {name.lower(): value for name, value in plain.headers.items()}
    both = {name.lower(): value for name, value in changing.headers.items()}

    assert verify(headers, plain.body, SECRET)
    assert not verify(headers, plain.body, OTHER)
    assert not verify(headers, plain.body + b" ", SECRET)
    assert not verify(headers | {"webhook-id": "another"}, plain.body, SECRET)
    assert not verify(headers | {"webhook-timestamp": "1700000000"}, plain.body, SECRET)
    assert verify(both, changing.body, SECRET)
    assert verify(both, changing.body, OTHER)
    assert str(EVENT.id) == headers["webhook-id"]


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the libraries of Standard Webhooks: its secret, message and signature."""
    from workers.webhook import signed

    hook = webhook("http://localhost/", secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    headers = signed(hook, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == headers["webhook-signature"]


def test_an_event_is_told_with_the_names_of_the_tables() -> None:
    with open_door(always(Reply())) as door:
        post(webhook(door.url + "/hook?a=1"), pushed("event_scancode_waitmsg"))
    [request] = door.requests
    told = json.loads(request.body)

    assert ("/hook", {"a": "1"}) == (request.path, request.query)
    assert ["data", "timestamp", "type"] == sorted(told)
    assert "scancode_waitmsg" == told["type"] == told["data"]["kind"]
    assert told["timestamp"] == told["data"]["created_at"]
    assert told["data"]["scan"].keys() == {"scan_type", "result", "symbology", "code"}
    assert not told["data"].keys() & {"photos", "location", "message", "attempt"}


@pytest.mark.parametrize("name", sorted(path.stem for path in PUSHES.glob("*.xml")))
def test_every_push_can_be_told(name: str) -> None:
    with open_door(always(Reply())) as door:
        post(webhook(door.url), pushed(name))

    assert json.loads(door.requests[0].body)["data"]["id"] == str(pushed(name).id)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (301, "redirected"),
        (302, "redirected"),
        (307, "redirected"),
        (400, "status_400"),
        (401, "status_401"),
        (404, "status_404"),
        (500, "status_500"),
        (502, "status_502"),
    ],
)
def test_every_other_status_is_a_failure_to_be_tried_again(status: int, word: str) -> None:
    with open_door(always(Reply(status, b"whatever"))) as door:
        assert word == reason(door)
    assert 1 == len(door.requests)  # nothing was followed


def test_a_server_that_wants_no_more_is_not_asked_again() -> None:
    with open_door(always(Reply(410))) as door, pytest.raises(GiveUp, match="status_410"):
        post(webhook(door.url), EVENT)


def test_a_server_that_is_slow_to_answer_is_not_waited_for() -> None:
    with open_door(always(Reply(after=0.5))) as door:
        assert "timed_out" == reason(door, timeout=0.1)


def test_connections_that_fail_are_told_by_a_word() -> None:
    with open_door(always(Reply(body=None))) as door:
        assert "dropped" == reason(door)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert "connect_failed" == reason(Door(f"http://127.0.0.1:{port}"))

    with open_door(always(Reply())) as door:
        assert "bad_certificate" == reason(Door(door.url.replace("http:", "https:")))


@contextmanager
def raw(answer: bytes) -> Iterator[str]:
    """A server that says this, whatever it is asked."""
    import threading

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_a_server_that_speaks_no_http_is_a_failure() -> None:
    with raw(b"SSH-2.0-OpenSSH_9.2\r\n") as url:
        assert "dropped" == reason(Door(url))


@pytest.mark.parametrize(
    ("status", "header", "after"),
    [(503, "7", 7.0), (429, "120", 120.0), (429, "999999", 3600.0), (429, "Fri, 01 Jan 2027", None), (500, "7", None)],
)
def test_a_server_that_asks_for_patience_gets_it(status: int, header: str, after: float | None) -> None:
    answer = f"HTTP/1.1 {status} X\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode()
    with raw(answer) as url, pytest.raises(TryAgain) as caught:
        post(webhook(url), EVENT)

    assert (f"status_{status}", after) == (caught.value.reason, caught.value.after)


def test_a_server_out_of_reach_is_not_tried_for_each_event() -> None:
    with pytest.raises(TryAgain) as unreached:
        post(webhook(f"http://127.0.0.1:{free_port()}/"), EVENT)
    with raw(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n") as url, pytest.raises(TryAgain) as failing:
        post(webhook(url), EVENT)

    assert ("connect_failed", PAUSE) == (unreached.value.reason, unreached.value.pause)
    assert ("status_500", 0.0) == (failing.value.reason, failing.value.pause)


def test_the_waits_grow_over_hours_and_are_never_quite_alike() -> None:
    handler = handler_of(webhook("https://example.com/"))
    waits = [handler.wait(attempt) for attempt in range(1, handler.retries + 1)]

    assert 4 <= waits[0] <= 6
    assert all(0.8 * 3600 <= one <= 1.2 * 3600 for one in waits[6:])
    assert 5 * 3600 < sum(waits) < 9 * 3600
    assert wait(3) != wait(3)


def test_its_settings_are_those_of_its_handler() -> None:
    given = webhook("https://x.cn/", accounts=("shop",), kinds=("click", "pic_*"), rate="5/s", timeout=3, concurrency=4)
    handler = handler_of(given)

    assert ("webhook.crm", ("click", "pic_*"), ("shop",), "5/s", 4) == (
        handler.name,
        handler.kinds,
        handler.accounts,
        handler.rate,
        handler.concurrency,
    )
    assert handler.time_limit > 3


def test_neither_address_nor_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with open_door(always(Reply(500, b"a word of theirs"))) as door:
        reason(door)

    assert not [record for record in caplog.records if "/hook" in record.getMessage()]
    assert SECRET not in caplog.text
    assert SECRET not in repr(webhook("https://x.cn/"))
