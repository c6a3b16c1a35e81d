"""An installation that runs, WeChat simulated around it, and followers who are answered later, by a handler."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.platforms import SHOP, Platform, platform_of
from tests.pushes import SAMPLES, event_of, sample
from tests.servers import free_port
from tests.wechat.simulator.doors import Door, Reply, Request, always, open_door
from tests.workers.handled import package
from tests.workers.settling import wait_until
from wechat.parse import Fields, parse
from wechat.simulator.request import MODES, Mode

ENVELOPE = ("ToUserName", "FromUserName", "CreateTime", "MsgId")
# One push of each kind.
FILES = {event_of(sample(one["file"])).kind: one["file"] for one in SAMPLES if one["file"].endswith(".xml")}
PUSHES: dict[str, Fields] = {
    kind: {name: value for name, value in parse(sample(file))[0].items() if name not in ENVELOPE}
    for kind, file in FILES.items()
}
# PROTOCOL 7.4, written down once more: a message, a tap on one of three types of button, following, scanning a code.
OPENING = {"click", "scancode_push", "scancode_waitmsg", "subscribe", "qrcode_scan"}
KEY = b"k" * 32
HANDLERS = """
@on("*", concurrency=4)
def everything(event):
    return f"{event.kind}: {event.account}"
"""


@dataclass
class Installed:
    """`caidan up`, what it is between, and its tables."""

    folder: Path
    url: str
    platform: Platform
    listener: Door

    def handlings(self) -> dict[str, tuple[str, str | None, str]]:
        """State and reason of each, by the follower; and the kind."""
        query = """SELECT event.open_id, handling.state, handling.reason, event.kind FROM handling
            JOIN event ON event.id = handling.event_id WHERE handling.handler = 'everything'"""
        with contextlib.closing(sqlite3.connect(self.folder / "var" / "caidan.db")) as connection:
            return {open_id: tuple(rest) for open_id, *rest in connection.execute(query)}

    def log(self) -> str:
        return (self.folder / "up.log").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("later")
    package(folder / "site", "later_handlers", HANDLERS)
    bind = f"127.0.0.1:{free_port()}"
    with platform_of(SHOP, followers=0) as platform, open_door(always(Reply(204, b""))) as listener:
        account = {name: getattr(SHOP, name) for name in ("name", "app_id", "token", "aes_key", "original_id")}
        webhook = {"name": "crm", "url": listener.url, "secret": "whsec_" + base64.b64encode(KEY).decode()}
        webhook |= {"kinds": ["click", "message_*"]}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")} | {
            "CAIDAN_BIND": bind,
            "CAIDAN_SECRET_KEY": "of no use to anybody",
            "CAIDAN_API_BASE_URL": platform.url,
            "CAIDAN_ACCOUNTS": json.dumps([account | {"app_secret": SHOP.app_secret}]),
            "CAIDAN_WEBHOOKS": json.dumps([webhook]),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), str(folder / "site")]),
        }
        command = [sys.executable, "-m", "console.cli", "up"]
        with (folder / "up.log").open("wb") as log:
            up = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: _are_there(folder, "everything", "webhook.crm") and _is_ready(bind), 150)
            yield Installed(folder, f"http://{bind}", platform, listener)
        finally:
            up.send_signal(signal.SIGINT)
            assert 0 == up.wait(90)


def _is_ready(bind: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{bind}/readyz", timeout=2):
            return True
    except OSError:
        return False


def _are_there(folder: Path, *handlers: str) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(folder / "var" / "caidan.db")) as connection:
            return set(handlers) <= {name for (name,) in connection.execute("SELECT name FROM handler")}
    except sqlite3.Error:
        return False


def _said(platform: Platform, open_id: str) -> list[tuple[str, ...]]:
    turns = platform.conversation(open_id)["turns"]
    return [(turn["kind"], turn["text"], turn.get("how", "")) for turn in turns if turn["by"] != "follower"]


def _push_each_kind(installed: Installed, mode: Mode, prefix: str) -> dict[str, str]:
    """The follower of each kind, a new one."""
    platform = installed.platform
    platform.push_to(installed.url, mode)
    followers = {kind: f"{prefix}-{mode}-{kind}" for kind in PUSHES}
    platform.followers(*({"open_id": open_id} for open_id in followers.values()))
    for kind, fields in PUSHES.items():
        [pushed] = platform.push(followers[kind], **fields)
        assert ("success", kind) == (pushed["answer"], pushed["kind"])
    return followers


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_is_answered_if_it_may_be(installed: Installed, mode: Mode) -> None:
    followers = _push_each_kind(installed, mode, "o-answered")

    def ended() -> dict[str, Any]:
        found = installed.handlings()
        return {kind: found.get(open_id, ("",)) for kind, open_id in followers.items()}

    wait_until(lambda: all(row[0] in ("done", "failed") for row in ended().values()), 60)
    opening = {kind for kind in PUSHES if kind.startswith("message_") or kind in OPENING}

    assert OPENING < opening
    assert {
        kind: ("done", None, kind) if kind in opening else ("failed", "no_window", kind) for kind in PUSHES
    } == ended()
    assert {kind: [("text", f"{kind}: shop", "service")] if kind in opening else [] for kind in PUSHES} == {
        kind: _said(installed.platform, open_id) for kind, open_id in followers.items()
    }
    assert not installed.platform.conversation(followers["scancode_waitmsg"])["is_waiting"]


def test_a_webhook_is_told_of_what_it_asked_for(installed: Installed) -> None:
    asked = {kind for kind in PUSHES if kind == "click" or kind.startswith("message_")}
    followers = [_push_each_kind(installed, mode, "o-told") for mode in MODES]
    expected = {of_kind[kind] for of_kind in followers for kind in asked}

    def told() -> list[Request]:
        return [one for one in installed.listener.requests if _open_id(one).startswith("o-told-")]

    wait_until(lambda: {_open_id(one) for one in told()} >= expected, 60)
    for request in told():
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
        signature = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()

        assert f"v1,{signature}" == headers["webhook-signature"]

    assert expected == {_open_id(one) for one in told()}


def _open_id(request: Request) -> str:
    return json.loads(request.body)["data"]["open_id"]
