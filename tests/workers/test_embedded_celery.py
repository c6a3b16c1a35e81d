"""The embedded broker under a real celery worker, which is killed in parts and as a whole."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery, Task
from kombu import Queue

from workers import leases, queues

ROOT = Path(__file__).parents[2]
DIRECTORY = "EMBEDDED_TEST_DIRECTORY"  # set for the worker, which imports this module for its app
SETTINGS = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_acks_on_failure": False,
    "task_acks_on_timeout": False,
    "task_ignore_result": True,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_lost_wait": 1,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "task_queues": [Queue("events", routing_key="events")],
    "task_default_queue": "events",
}


def make_app(directory: str) -> Celery:
    app = Celery(broker=f"caidan+sqlite:///{directory}/broker.db", set_as_current=False, config_source=SETTINGS)

    @app.task(name="note", bind=True)
    def note(self: Task, word: str, seconds: float) -> None:
        deliveries = self.request.headers[queues.DELIVERIES]
        with Path(directory, "notes").open("a") as notes:
            notes.write(f"{word} {deliveries} {os.getpid()}\n")
        time.sleep(seconds)

    return app


if DIRECTORY in os.environ:
    leases.LEASE, leases.RENEWAL = 2.0, 0.4
    app = make_app(os.environ[DIRECTORY])


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started = []
    command = [sys.executable, "-m", "celery", "-A", __name__, "worker", "-c", "1", "--without-heartbeat"]

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("ab") as log:
            environment = os.environ | {DIRECTORY: str(tmp_path)}
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=ROOT))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def notes(directory: Path, expected: int) -> list[list[str]]:
    """What the tasks have written, once that is as much as expected."""
    path = directory / "notes"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= expected:
            return [line.split() for line in lines]
        time.sleep(0.05)
    raise AssertionError((directory / "log").read_text())


def test_a_task_survives_its_child_and_its_worker(
    tmp_path: Path, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    app = make_app(str(tmp_path))
    worker = start_worker()
    app.send_task("note", ("slow", 60), queue="events")
    child = int(notes(tmp_path, 1)[0][2])
    os.kill(child, signal.SIGKILL)
    notes(tmp_path, 2)
    worker.kill()
    worker.wait()
    start_worker()

    assert [["slow", "0"], ["slow", "1"], ["slow", "2"]] == [note[:2] for note in notes(tmp_path, 3)]


def test_a_child_killed_while_idle_takes_nothing_along(
    tmp_path: Path, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    app = make_app(str(tmp_path))
    start_worker()
    app.send_task("note", ("before", 0), queue="events")
    child = int(notes(tmp_path, 1)[0][2])
    time.sleep(0.5)  # until it waits for its next task
    os.kill(child, signal.SIGKILL)
    app.send_task("note", ("after", 0), queue="events")

    assert ["before", "after"] == [note[0] for note in notes(tmp_path, 2)]


def test_a_stopped_worker_ends_its_task_and_gives_back_the_next(
    tmp_path: Path, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    app = make_app(str(tmp_path))
    worker = start_worker()
    app.send_task("note", ("one", 2.5), queue="events")  # longer than a lease
    notes(tmp_path, 1)
    app.send_task("note", ("two", 0), queue="events")
    worker.terminate()

    assert 0 == worker.wait(30)
    start_worker()

    assert [["one", "0"], ["two", "0"]] == [note[:2] for note in notes(tmp_path, 2)]
