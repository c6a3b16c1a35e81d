"""`caidan up` as a person meets it: everything runs, what dies comes back, Ctrl-C ends it all."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.console import processes
from tests.console.processes import until
from tests.servers import free_port

pytestmark = pytest.mark.skipif(not processes.PROC.exists(), reason="reads /proc")


@pytest.fixture
def address() -> str:
    return f"127.0.0.1:{free_port()}"


@contextmanager
def _up(address: str) -> Iterator[subprocess.Popen[str]]:
    """In the current folder, ready, with its words in a file `words`."""
    command = [sys.executable, "-m", "console.cli", "up", "--bind", address]
    with Path("words").open("w") as words:
        process = subprocess.Popen(command, env=os.environ | {"CAIDAN_SECRET_KEY": "k"}, stderr=words, text=True)
    try:
        until(lambda: _is_ready(address))
        yield process
    finally:
        everybody = processes.children(process.pid)
        process.kill()
        process.wait()
        for pid in filter(processes.is_alive, everybody):
            os.kill(pid, signal.SIGKILL)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=2):
            return True
    except OSError:
        return False


def _running(process: subprocess.Popen[str], words: str) -> list[int]:
    return [pid for pid in processes.children(process.pid) if words in processes.command(pid)]


def test_everything_runs_and_ctrl_c_ends_it(address: str) -> None:
    with _up(address) as up:
        until(lambda: len(_running(up, "console.cli worker")) > 1)  # with its pool
        everybody = processes.children(up.pid)
        door = _running(up, "ingest.serve")[0]
        seen_by_the_door = processes.environment(door)
        names = " ".join(map(processes.command, everybody))
        up.send_signal(signal.SIGINT)

        assert 0 == up.wait(60)
        assert not any(map(processes.is_alive, everybody))

    assert all(name in names for name in ("ingest.serve", "ingest.publish", "console.cli worker", "console.cli beat"))
    assert "CAIDAN_SECRET_KEY" not in seen_by_the_door
    assert address == seen_by_the_door["CAIDAN_BIND"]


def test_a_role_that_dies_comes_back_and_none_outlives_a_killed_up(address: str) -> None:
    with _up(address) as up:
        until(lambda: len(_running(up, "console.cli worker")) > 1)
        killed = _running(up, "console.cli worker")
        os.kill(min(killed), signal.SIGKILL)
        until(lambda: set(_running(up, "console.cli worker")) - set(killed))
        everybody = processes.children(up.pid)
        up.kill()

        until(lambda: not any(map(processes.is_alive, everybody + killed)))

    assert "worker ended (SIGKILL); started again in 0.2 s." in Path("words").read_text()


def test_an_address_that_is_taken_ends_with_2_and_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "console.cli", "up", "--bind", address]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert 2 == ended.returncode
    assert f"{address} cannot be bound" in ended.stderr


@pytest.mark.parametrize("role", ["up", "ingest", "worker", "beat"])
def test_a_role_without_a_configuration_lists_the_problems(role: str) -> None:
    Path("caidan.toml").write_text('replay_windw = 1\ningest_threads = "many"\n')
    ended = subprocess.run([sys.executable, "-m", "console.cli", role], capture_output=True, text=True, timeout=60)

    assert 2 == ended.returncode
    assert "did you mean replay_window?" in ended.stderr
    assert "ingest_threads:" in ended.stderr
    assert "Traceback" not in ended.stderr
