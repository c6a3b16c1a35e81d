"""`caidan platform`: WeChat's servers on this machine, as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.console.processes import until
from tests.console.runner import run
from tests.platforms import CAFE, SHOP, Platform
from tests.servers import free_port
from tests.wechat.simulator.doors import Reply, always, open_door

ACCOUNTS = f"""
[[accounts]]
name = "shop"
app_id = "{SHOP.app_id}"
app_secret = "{SHOP.app_secret}"
token = "{SHOP.token}"
aes_key = "{SHOP.aes_key}"

[[accounts]]
name = "cafe"
app_id = "{CAFE.app_id}"
token = "{CAFE.token}"
"""
MENU = {"button": [{"type": "click", "name": "a", "key": "k"}]}


@pytest.fixture(autouse=True)
def configured() -> None:
    Path("caidan.toml").write_text(ACCOUNTS)


@contextmanager
def running(*arguments: str, language: str = "en") -> Iterator[tuple[Platform, "subprocess.Popen[str]"]]:
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "console.cli", "platform", "--bind", address, *arguments]
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"LANGUAGE": language, "PYTHONPATH": root}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    platform = Platform(f"http://{address}")
    try:
        until(lambda: process.poll() is not None or _is_up(platform))
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield platform, process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stderr.close()


def _is_up(platform: Platform) -> bool:
    try:
        return bool(platform.control("faults"))
    except OSError:
        return False


def end(process: "subprocess.Popen[str]", how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    process.send_signal(how)
    _output, words = process.communicate(timeout=20)
    return process.returncode, words


def test_it_serves_the_accounts_of_the_configuration() -> None:
    with running("--followers", "7") as (platform, process):
        token = platform.token()
        state = platform.state()
        cafe = Platform(platform.url, CAFE).call(
            "token", grant_type="client_credential", appid=CAFE.app_id, secret=CAFE.app_secret or ""
        )
        code, words = end(process, signal.SIGINT)

    assert token
    assert {SHOP.app_id: 7, CAFE.app_id: 7} == {
        app_id: len(own["followers"]) for app_id, own in state["accounts"].items()
    }
    assert 40001 == cafe["errcode"]
    assert 0 == code
    assert f"Set CAIDAN_API_BASE_URL={platform.url}" in words
    assert "Account cafe has no app_secret" in words


def test_the_state_is_kept_in_a_file() -> None:
    with running("--account", "shop", "--state", "wechat.json", "--fault", "menu/get:errcode=-1:times=1") as (
        platform,
        process,
    ):
        token = platform.token()
        platform.call("menu/create", MENU, token=token)
        assert -1 == platform.call("menu/get", token=token)["errcode"]
        assert 0 == end(process)[0]
    with running("--state", "wechat.json", language="zh") as (platform, process):
        menu = platform.call("menu/get", token=token)
        code, words = end(process)

    assert "menu" in menu
    assert 0 == code
    assert "模拟" in words
    assert 0o600 == Path("wechat.json").stat().st_mode & 0o777
    assert ["caidan.toml", "var", "wechat.json"] == sorted(path.name for path in Path().iterdir())


def test_followers_tap_the_menu_of_the_moment() -> None:
    with (
        open_door(always(Reply())) as door,
        running("--account", "shop", "--push-to", door.url, "--rate", "200", "--mode", "security") as (
            platform,
            process,
        ),
    ):
        platform.call("menu/create", MENU, token=platform.token())
        until(lambda: len(door.requests) > 30)
        counted = platform.holdings()["statistics"]
        code, _words = end(process)

    assert 0 == code
    assert sum(hour["callback_count"] for hour in counted.values()) > 20
    assert {"/wechat/shop"} == {request.path for request in door.requests}
    assert all("msg_signature" in request.query for request in door.requests)


def test_chats_are_printed_as_they_happen() -> None:
    with running("--account", "shop", "--show-chats") as (platform, process):
        platform.followers({"open_id": "o1"})
        platform.push("o1", MsgType="text", Content="有货吗")
        message = {"touser": "o1", "msgtype": "text", "text": {"content": "三件\n和一件"}}
        platform.call("message/custom/send", message, token=platform.token())
        assert process.stdout
        lines = [process.stdout.readline().split(" ", 1)[1] for _ in range(2)]

    assert ["shop o1 → message_text 有货吗\n", "shop o1 ← text 三件 和一件 (service)\n"] == lines


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--account", "bar"], 3, "bar"),
        (["--fault", "*:explode"], 4, "explode"),
        (["--push-to", "http://example.com"], 4, "this machine"),
        (["--push-to", "http://127.0.0.1:1", "--mode", "security"], 2, "cafe has no aes_key"),
        (["--bind", "8001"], 4, "HOST:PORT"),
        (["--rate", "0"], 4, "--rate"),
        (["--state", "no/such/folder/state.json"], 2, "No such file"),
        (["--state", "caidan.toml"], 4, "caidan.toml is no state"),
    ],
)
def test_what_cannot_be_done_is_explained(arguments: list[str], code: int, words: str) -> None:
    refused = run("platform", "--bind", f"127.0.0.1:{free_port()}", *arguments)

    assert code == refused.exit_code, refused.output
    assert words in refused.stderr


def test_a_taken_address_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = run("platform", "--bind", f"127.0.0.1:{taken.getsockname()[1]}")

    assert 2 == refused.exit_code
    assert "--bind" in refused.stderr


def test_a_file_that_is_no_state_stays_as_it_is() -> None:
    Path("other.json").write_text(json.dumps({"accounts": [1]}))

    assert 4 == run("platform", "--state", "other.json").exit_code
    assert '{"accounts": [1]}' == Path("other.json").read_text()
