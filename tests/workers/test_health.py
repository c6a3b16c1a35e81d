"""A worker that is of no use ends itself; what others on its host can learn of it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workers.running import Running
from tests.workers.settling import BATCH, wait_until
from workers import health
from workers.health import DEAF_AFTER, STUCK_AFTER, Glance, Hearing, LifeSign, silences, stuck
from workers.queues import LISTENING

NOTHING = Glance({}, taken=0, moved_at=0.0)
DEAFENED = """
from celery import signals
health.LOOK_EVERY, health.DEAF_AFTER = 0.1, 0.5
@signals.worker_ready.connect(weak=False)
def deafen(sender, **_):
    sender.task_consumer.cancel()
"""


def is_running(pid: int) -> bool:
    """Where nobody takes leave of the dead, they stay in the table."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return state[:1] not in ("", "Z")


def test_a_message_is_held_since_it_was_first_seen() -> None:
    glance = NOTHING.next(["a"], 1, 10.0).next(["a", "b"], 2, 20.0).next(["a", "b"], 2, 30.0)

    assert Glance({"a": 10.0, "b": 20.0}, taken=2, moved_at=20.0) == glance


def test_messages_that_came_and_went_between_two_looks_count() -> None:
    assert 10.0 == NOTHING.next([], 5, 10.0).moved_at


@pytest.mark.parametrize(
    ("glance", "seconds", "reason"),
    [
        pytest.param(NOTHING, 10 * STUCK_AFTER, None, id="nothing to do"),
        pytest.param(Glance({"a": 0.0}, 1, 0.0), STUCK_AFTER, None, id="waits for a database"),
        pytest.param(Glance({"a": 0.0}, 1, 0.0), STUCK_AFTER + 1, "finishes_nothing", id="pool is stuck"),
        pytest.param(Glance({"a": 0.0}, 9, 1000.0), STUCK_AFTER + 1, None, id="others before it took long"),
        pytest.param(Glance({"a": 0.0}, 9, 2000.0), 2 * STUCK_AFTER + 1, "keeps_a_message", id="child is stuck"),
    ],
)
def test_a_worker_that_holds_messages_and_finishes_none_is_stuck(
    glance: Glance, seconds: float, reason: str | None
) -> None:
    assert reason == stuck(glance, seconds)


def test_a_database_is_waited_for_and_a_statement_without_being_stuck() -> None:
    from models.db import GRACE_SECONDS, STATEMENT_SECONDS
    from workers.batch import PATIENCE

    assert PATIENCE + STATEMENT_SECONDS + GRACE_SECONDS < STUCK_AFTER


def test_the_broker_is_asked_only_when_nothing_came_for_a_while() -> None:
    hearing = Hearing(now=0.0)

    assert not hearing.is_due(NOTHING, DEAF_AFTER)
    assert hearing.is_due(NOTHING, DEAF_AFTER + 1)
    assert not hearing.is_due(Glance({"a": 0.0}, 1, 0.0), 10 * DEAF_AFTER)
    assert not hearing.is_due(Glance({}, 1, 10.0), DEAF_AFTER + 1)


def test_a_worker_is_deaf_when_it_twice_did_not_hear_of_messages_that_wait() -> None:
    hearing = Hearing(now=0.0)
    moved = Glance({}, taken=1, moved_at=70.0)

    assert not hearing.is_deaf(NOTHING, 61.0, has_messages=True)
    assert not hearing.is_due(NOTHING, 61.0 + DEAF_AFTER)
    assert not hearing.is_deaf(moved, 140.0, has_messages=True)
    assert not hearing.is_deaf(moved, 210.0, has_messages=False)
    assert not hearing.is_deaf(moved, 280.0, has_messages=True)
    assert hearing.is_deaf(moved, 350.0, has_messages=True)


def test_a_worker_is_seen_for_as_long_as_its_process_lives(tmp_path: Path) -> None:
    ours = os.fork()
    if not ours:
        LifeSign(tmp_path)
        time.sleep(60)
    wait_until(lambda: len(silences(tmp_path)) == 1)
    os.utime(tmp_path / "00", (0, time.time() - 100))

    assert 100 <= silences(tmp_path)[0] < 200

    os.kill(ours, signal.SIGKILL)
    os.waitpid(ours, 0)

    assert [] == silences(tmp_path)


def test_where_none_ever_ran_none_is_seen(tmp_path: Path) -> None:
    assert [] == silences(tmp_path / "worker")


def test_systemd_is_told_only_while_every_part_lives(tmp_path: Path) -> None:
    living = []
    for part in LISTENING:
        assert not health.every_part_lives(tmp_path)

        if not (ours := os.fork()):
            LifeSign(health.folder(tmp_path, part))
            time.sleep(60)
        living.append(ours)
        wait_until(lambda part=part: bool(silences(health.folder(tmp_path, part))))

    assert health.every_part_lives(tmp_path)

    os.utime(health.folder(tmp_path, "menus") / "00", (0, time.time() - 100))

    assert not health.every_part_lives(tmp_path)

    for ours in living:
        os.kill(ours, signal.SIGKILL)
        os.waitpid(ours, 0)


def test_systemd_is_told_where_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    health.tell_systemd()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        health.tell_systemd()

        assert b"WATCHDOG=1" == systemd.recv(100)


def test_the_verb_says_whether_a_worker_does_its_work(embedded_url: str, run_worker: Callable[..., Running]) -> None:
    worker, menus = (run_worker(embedded_url, "health.LOOK_EVERY = 0.1", part) for part in ("events", "menus"))
    worker.wait_for(" ready.", 2)

    assert (0, "") == (worker.health().returncode, worker.health().stderr)

    worker.process.send_signal(signal.SIGSTOP)
    os.utime(worker.folder / "worker" / "00", (0, time.time() - 100))
    silent = worker.health()

    assert 1 == silent.returncode
    assert "no sign of life for 10" in silent.stderr

    for one, folder in ((menus, "worker/menus"), (worker, "worker")):
        one.kill()
        dead = worker.health()

        assert 3 == dead.returncode
        assert f"No worker runs here, as far as {worker.folder}/{folder} tells" in dead.stderr


def test_a_worker_whose_pool_is_frozen_ends_and_the_next_records_its_batch(
    embedded_url: str, run_worker: Callable[..., Running]
) -> None:
    worker = run_worker(embedded_url, "health.LOOK_EVERY, health.STUCK_AFTER = 0.1, 0.5")
    worker.wait_for(" ready.")
    child = worker.child()
    os.kill(child, signal.SIGSTOP)
    worker.send()

    assert 1 == worker.process.wait(30)
    assert ["finishes_nothing"] == worker.reasons("worker ended")
    wait_until(lambda: not is_running(child))

    worker.start()
    worker.wait_for("batch recorded")

    assert len(BATCH.entries) == worker.stored()


def test_a_worker_to_which_nothing_comes_ends(embedded_url: str, run_worker: Callable[..., Running]) -> None:
    worker = run_worker(embedded_url, DEAFENED)
    worker.wait_for(" ready.")
    worker.send()

    assert 1 == worker.process.wait(30)
    assert ["hears_of_no_message"] == worker.reasons("worker ended")
