"""A batch that a worker is seeing to while something happens to the database, and what the broker holds afterwards."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Queue
from sqlalchemy import Engine, func, select

from models.event import Event
from models.quarantine import Quarantine
from tests.pushes import batch_of, event_of, push
from wechat.event import encode
from workers import batch
from workers.outgoing import Outgoing
from workers.queues import EVENTS, Role, transport_options

# Too large for the pages that an empty table has already.
BATCH = batch_of(*(event_of(push(key="k" * 2000, at=1_790_000_000 + number)) for number in range(20)))


class Settling:
    """What a worker does with one batch, in a thread of its own, with a broker of its own."""

    def __init__(self, engine: Engine, broker_url: str, log: pytest.LogCaptureFixture) -> None:
        self.engine = engine
        self._broker_url, self._log = broker_url, log
        self._app = make_app(broker_url)
        arguments = encode(BATCH).decode(), 1, engine, Outgoing(self._app)
        self._thread = threading.Thread(target=batch.settle, args=arguments, daemon=True)

    def begin(self) -> None:
        """Unless it has begun."""
        if self._thread.ident is None:
            self._thread.start()

    def wait_for(self, reason: str, code: str) -> None:
        """Until the worker has said that this is what it waits for, and by which code of the database it knows."""
        wait_until(lambda: (reason, code) in self.waits() or not self._thread.is_alive())

        assert (reason, code) in self.waits()

    def waits(self) -> set[tuple[str, str]]:
        """The reasons the worker has given so far, with their codes."""
        waits = [vars(record) for record in list(self._log.records) if record.message == "batch waits"]
        return {(wait["reason"], wait["code"]) for wait in waits}

    def end(self) -> None:
        """Once nothing is in its way: everything is stored once, and told once, and nothing is left over."""
        self._thread.join(60)
        self._app.close()

        assert not self._thread.is_alive()
        with self.engine.connect() as connection:
            stored, different = connection.execute(select(func.count(), func.count(Event.id.distinct()))).one()
            assert 0 == connection.scalar(select(func.count()).select_from(Quarantine))
        assert (len(BATCH.entries), len(BATCH.entries)) == (stored, different)
        assert [{"batch": BATCH.id}] == [message.payload for message in waiting(self._broker_url, BATCH.receipts)]
        assert [] == waiting(self._broker_url, EVENTS)


def make_app(url: str) -> Celery:
    app = Celery("test", broker=url, set_as_current=False)
    app.conf.broker_transport_options = transport_options(url, Role.WORKER)
    return app


def waiting(url: str, queue: str) -> list[Any]:
    """The messages of a queue, taken off it."""
    found = []
    with Connection(url) as connection:
        bound = Queue(queue)(connection.default_channel)
        while message := bound.get(no_ack=True, accept=["json"]):
            found.append(message)
    return found


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"not so after {seconds} seconds"
        time.sleep(0.02)
