"""The embedded broker between processes, some of which are killed or fork."""

import multiprocessing
import os
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Consumer, Queue

from workers import leases, queues

SPAWN = multiprocessing.get_context("spawn")
SHORT_LEASE, SHORT_RENEWAL = 1.5, 0.3
MESSAGES = 300


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"caidan+sqlite:///{tmp_path}/broker.db"


@pytest.fixture
def _short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", SHORT_LEASE)
    monkeypatch.setattr(leases, "RENEWAL", SHORT_RENEWAL)


def publish(url: str, queue: str, *bodies: Any) -> None:
    with queues.connect(url, queues.Role.PUBLISHER) as connection, connection.Producer() as producer:
        for body in bodies:
            producer.publish(body, exchange="", routing_key=queue)


def take_one(connection: Connection, queue: str, within: float = 5) -> Any:
    """The next message, waited for as celery waits: by draining events."""
    taken: list[Any] = []
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    with Consumer(channel, [Queue(queue)], auto_declare=False, on_message=taken.append):
        connection.drain_events(timeout=within)
    return taken[0]


def publish_many(url: str, first: int) -> None:
    publish(url, "events", *range(first, first + MESSAGES))


def pass_on(url: str) -> None:
    """Consume until nothing has come for a second, and say what was consumed."""
    with queues.connect(url, queues.Role.WORKER) as connection, connection.Producer() as producer:
        while True:
            try:
                message = take_one(connection, "events", within=1)
            except TimeoutError:
                return
            producer.publish([os.getpid(), message.decode()], exchange="", routing_key="passed")
            message.ack()


def hold(url: str) -> None:
    leases.LEASE, leases.RENEWAL = SHORT_LEASE, SHORT_RENEWAL
    with queues.connect(url, queues.Role.WORKER) as connection:
        take_one(connection, "events")
        publish(url, "held", "yes")
        time.sleep(60)


def fork_while_holding(url: str) -> None:
    with queues.connect(url, queues.Role.WORKER) as connection:
        held = take_one(connection, "events")
        child = os.fork()
        if not child:
            with connection.Producer() as producer:  # even what was open before the fork may be used
                producer.publish(held.decode() + 1, exchange="", routing_key="answers")
            publish(url, "answers", held.decode() + 2)
            held.ack()  # not the child's to give away
            connection.close()
            os._exit(0)
        os.waitpid(child, 0)
        publish(url, "answers", connection.default_channel.store.ready("events"))
        held.ack()


def start(function: Any, *arguments: Any) -> BaseProcess:
    process = SPAWN.Process(target=function, args=arguments)
    process.start()
    return process


def test_several_processes_publish_and_consume_each_message_once(url: str) -> None:
    processes = [start(publish_many, url, 0), start(publish_many, url, MESSAGES), *(start(pass_on, url) for _ in "ab")]
    for process in processes:
        process.join(30)

    assert [0, 0, 0, 0] == [process.exitcode for process in processes]
    with queues.connect(url, queues.Role.WORKER) as connection:
        passed = [take_one(connection, "passed").decode() for _ in range(2 * MESSAGES)]

        assert list(range(2 * MESSAGES)) == sorted(number for _, number in passed)
        assert 0 == connection.default_channel.store.delete("events")


@pytest.mark.usefixtures("_short_leases")
def test_what_a_killed_consumer_held_is_delivered_again(url: str) -> None:
    publish(url, "events", 1, 2)
    holder = start(hold, url)
    with queues.connect(url, queues.Role.WORKER) as connection:
        take_one(connection, "held", within=20)
        time.sleep(SHORT_LEASE + 1)  # while it lives, it keeps what it has

        assert 2 == take_one(connection, "events").decode()
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
        again = take_one(connection, "events")

        assert 1 == again.decode()
        assert 1 == again.headers[queues.DELIVERIES]


def test_a_fork_takes_nothing_from_its_parent(url: str) -> None:
    publish(url, "events", 10)
    process = start(fork_while_holding, url)
    process.join(20)
    with queues.connect(url, queues.Role.WORKER) as connection:
        answers = [take_one(connection, "answers").decode() for _ in range(3)]

        assert [11, 12, 0] == answers  # 0: the child's end did not make the message free
        assert 0 == connection.default_channel.store.delete("events")
