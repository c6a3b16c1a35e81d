"""Workers that are killed, and stopped, while they are busy: their batch comes back."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.workers.running import Running
from tests.workers.settling import BATCH, wait_until
from wechat.event import encode
from workers import batch
from workers.queues import EVENTS, Role, connect, work_queue

LIMITED = "app.conf.task_time_limit, app.conf.task_soft_time_limit = 3, None"


@pytest.mark.parametrize("broker", ["embedded", "rabbitmq"])
def test_a_batch_whose_process_is_killed_comes_back(
    broker: str, run_worker: Callable[..., Running], request: pytest.FixtureRequest
) -> None:
    worker = run_worker(request.getfixturevalue(f"{broker}_url"), LIMITED)
    with worker.locked():
        worker.send()
        worker.wait_for("batch waits")
        os.kill(worker.child(), signal.SIGKILL)
        worker.wait_for("Worker exited prematurely")
    worker.wait_for("batch recorded")

    with worker.locked():
        worker.send()
        worker.wait_for("Hard time limit (3s) exceeded")
    worker.wait_for("batch recorded", 2)

    assert [0, len(BATCH.entries)] == [line["repeated"] for line in worker.lines() if line["event"] == "batch recorded"]
    assert len(BATCH.entries) == worker.stored()
    assert [BATCH.id] * 2 == worker.receipts(2)


def test_on_redis_it_is_left_to_the_journal(redis_url: str, run_worker: Callable[..., Running]) -> None:
    """Which cannot be told how often it was delivered."""
    worker = run_worker(redis_url)
    with worker.locked():
        worker.send()
        worker.wait_for("batch waits")
        os.kill(worker.child(), signal.SIGKILL)
        worker.wait_for("batch left to the journal")

    assert 0 == worker.stored()
    assert [] == worker.receipts()


def test_a_batch_after_which_memory_is_short_is_recorded_once(
    embedded_url: str, run_worker: Callable[..., Running]
) -> None:
    worker = run_worker(embedded_url, "app.conf.worker_max_memory_per_child = 1")
    children = []
    for count in range(1, 3):
        worker.send()
        worker.wait_for("batch recorded", count)
        wait_until(lambda: worker.child() not in children)
        children.append(worker.child())

    assert len(BATCH.entries) == worker.stored()
    assert [BATCH.id] * 2 == worker.receipts(2)


def test_a_batch_of_a_worker_that_is_killed_is_recorded_by_the_next(
    rabbitmq_url: str, run_worker: Callable[..., Running]
) -> None:
    worker = run_worker(rabbitmq_url)
    with worker.locked():
        worker.send()
        worker.wait_for("batch waits")
        worker.kill()
    worker.start()
    worker.wait_for("batch recorded")

    assert len(BATCH.entries) == worker.stored()
    assert [BATCH.id] == worker.receipts(1)


@pytest.mark.parametrize(
    ("signals", "seconds"),
    [
        pytest.param([signal.SIGTERM], 1, id="told to stop"),
        pytest.param([signal.SIGQUIT] * 3, 600, id="told to stop at once"),
    ],
)
def test_a_busy_worker_that_is_stopped_gives_its_batch_back(
    signals: list[signal.Signals], seconds: int, embedded_url: str, run_worker: Callable[..., Running]
) -> None:
    worker = run_worker(embedded_url, f"app.conf.worker_soft_shutdown_timeout = {seconds}")
    with worker.locked():
        worker.send()
        worker.wait_for("batch waits")
        for number in signals:
            worker.process.send_signal(number)
            time.sleep(0.5)  # two of the same kind would be one

        worker.process.wait(30)
    worker.start()
    worker.wait_for("batch recorded")

    assert len(BATCH.entries) == worker.stored()


TOLD_TO_STOP = """
import os, signal
from billiard.pool import READY, ResultHandler
make = ResultHandler._make_methods
told = []

def make_methods(results):
    make(results)
    note = results.on_state_change

    def on_state_change(task):
        if task[0] == READY and not told:
            told.append(os.kill(os.getpid(), signal.SIGTERM))
        note(task)

    results.on_state_change = on_state_change

ResultHandler._make_methods = make_methods
"""


def test_a_worker_that_is_told_to_stop_while_it_hears_of_a_result_stops(
    embedded_url: str, run_worker: Callable[..., Running]
) -> None:
    worker = run_worker(embedded_url, TOLD_TO_STOP)
    worker.send()

    assert 0 == worker.process.wait(30)
    assert len(BATCH.entries) == worker.stored()


def test_a_batch_is_not_dropped_however_often_it_was_given_back(rabbitmq_url: str) -> None:
    with connect(rabbitmq_url, Role.WORKER) as connection:
        channel = connection.default_channel
        queue = work_queue(EVENTS, rabbitmq_url)(channel)
        queue.declare()
        connection.Producer().publish(encode(BATCH), routing_key=EVENTS, exchange="")
        for _ in range(30):
            wait_until(lambda: queue.queue_declare(passive=True).message_count == 1)
            queue.get().reject(requeue=True)
        wait_until(lambda: queue.queue_declare(passive=True).message_count == 1)
        message = queue.get(no_ack=True)

    assert batch.DELIVERIES_AT_MOST < int(message.headers["x-delivery-count"])
