"""`caidan worker` as a whole: menus are seen to while nothing else is, and it ends with all that it has started."""

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

from ingest.broker import Broker
from tests.console import processes
from tests.console.processes import until
from tests.workers.rotating import Rotating, a_menu, rotating_on
from tests.workers.settling import BATCH, make_app
from tests.workers.shop import KEY, SHOP
from wechat.event import encode
from workers.queues import LISTENING, MENUS, UPKEEP, Role, connect, work_queue

pytestmark = pytest.mark.skipif(not processes.PROC.exists(), reason="reads /proc")

ROOT = Path(__file__).parents[2]
BACKLOG = 200


@pytest.fixture
def rotating(sqlite_database_url: str) -> Iterator[Rotating]:
    with rotating_on(sqlite_database_url) as rotating:
        yield rotating


@contextmanager
def running(folder: Path, broker_url: str, rotating: Rotating) -> Iterator[subprocess.Popen[bytes]]:
    """`caidan worker` with one process for events, supervised by a systemd that listens at `folder`/notify."""
    assert SHOP.app_secret is not None
    account = {"name": SHOP.name, "app_id": SHOP.app_id, "token": "t", "app_secret": SHOP.app_secret.get_secret_value()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")} | {
        "CAIDAN_DATA_DIR": str(folder),
        "CAIDAN_BROKER_URL": broker_url,
        "CAIDAN_DATABASE_URL": f"sqlite:///{folder / 'caidan.db'}",
        "CAIDAN_API_BASE_URL": rotating.platform.url,
        "CAIDAN_SECRET_KEY": KEY.get_secret_value(),
        "CAIDAN_ACCOUNTS": json.dumps([account]),
        "CAIDAN_WORKER_PROCESSES": "1",
        "NOTIFY_SOCKET": str(folder / "notify"),
    }
    command = [sys.executable, "-m", "console.cli", "worker"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        everybody = processes.children(process.pid)
        process.kill()
        process.wait()
        for pid in filter(processes.is_alive, everybody):
            os.kill(pid, signal.SIGKILL)


def pool(worker: subprocess.Popen[bytes], part: str) -> list[int]:
    """The processes of a part that do its work."""
    found = [pid for pid in processes.children(worker.pid) if f"--only={part}" in processes.command(pid)]
    return [pid for pid in found if set(processes.children(pid)).isdisjoint(found)]


def test_a_menu_is_switched_while_everything_else_waits(broker_url: str, rotating: Rotating, tmp_path: Path) -> None:
    rotating.add(a_menu("base"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        with running(tmp_path, broker_url, rotating) as worker:
            until(lambda: (tmp_path / "log").read_text().count(" ready.") == len(LISTENING))
            until(lambda: (len(pool(worker, "events")), len(pool(worker, "menus"))) == (1, 3))

            assert b"WATCHDOG=1" == systemd.recv(100)

            (busy,) = pool(worker, "events")
            os.kill(busy, signal.SIGSTOP)
            send_a_backlog(broker_url)
            send(broker_url, "caidan.rotate_menus", MENUS)
            until(lambda: rotating.live() == 1)
            left = waiting(broker_url)
            everybody = processes.children(worker.pid)
            os.kill(busy, signal.SIGCONT)
            # A process that is told to stop while it is handed half a task is waited for until it is killed.
            until(lambda: waiting(broker_url) < left)
            worker.terminate()

            assert 0 == worker.wait(60)
            assert not any(map(processes.is_alive, everybody))

    assert left > BACKLOG - 10  # but for those that the worker holds


def send_a_backlog(broker_url: str) -> None:
    with Broker(broker_url, "receipts.of-another") as broker:
        for _message in range(BACKLOG):
            broker.publish(BATCH.id, encode(BATCH))
    send(broker_url, "caidan.keep_addresses", UPKEEP)


def send(broker_url: str, task: str, queue: str) -> None:
    """As beat does."""
    with make_app(broker_url) as app:
        app.conf.update(
            task_queues=[work_queue(name, broker_url) for name in (UPKEEP, MENUS)], task_default_exchange=""
        )
        app.send_task(task, queue=queue, expires=55)


def waiting(broker_url: str) -> int:
    with connect(broker_url, Role.WORKER) as connection:
        queue = work_queue("events", broker_url)(connection.default_channel)
        return int(queue.queue_declare(passive=True).message_count)
