"""`caidan console`, as a process."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.console.processes import children, is_alive, until
from tests.console.runner import run
from tests.servers import free_port


@pytest.fixture
def address() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def server(asked_shop: object, address: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "console.cli", "console", "--bind", address]
    with Path("out").open("wb") as out:
        process = subprocess.Popen(
            command, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}, stdout=out, stderr=out
        )
    until(lambda: process.poll() is not None or is_up(address))
    yield process
    process.kill()
    process.wait()


def is_up(address: str) -> bool:
    try:
        return httpx2.get(f"http://{address}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_it_answers_and_ends_with_all_that_it_started(server: "subprocess.Popen[bytes]", address: str) -> None:
    token = run("api-token", "add", "Ann", "--account", "shop").stdout.strip()
    with httpx2.Client(base_url=f"http://{address}/api/v1/", headers={"Authorization": f"Bearer {token}"}) as client:
        answer = client.get("accounts/shop/buttons")  # by the clock of the machine, so nobody knows of which days
        revoked = run("api-token", "revoke", "1")
        refused = client.get("accounts/shop/buttons")

    assert (200, "shop") == (answer.status_code, answer.json()["account"])
    assert (0, 401) == (revoked.exit_code, refused.status_code)
    assert token not in Path("out").read_text()

    started = children(server.pid)
    server.send_signal(signal.SIGTERM)

    assert 0 == server.wait(30)
    assert started
    until(lambda: not any(map(is_alive, started)))


def test_an_address_that_is_taken_is_said_at_once(asked_shop: object, address: str) -> None:
    host, port = address.split(":")
    with socket.create_server((host, int(port))):
        done = run("console", "--bind", address)

    assert 2 == done.exit_code
    assert "cannot be bound" in done.stderr


def test_a_database_without_tables_is_said_at_once(asked_shop: object, address: str) -> None:
    Path("var/caidan.db").unlink()

    done = run("console", "--bind", address)

    assert 2 == done.exit_code
    assert "caidan db upgrade" in done.stderr
