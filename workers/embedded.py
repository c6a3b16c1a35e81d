"""The embedded broker: a kombu transport on SQLite, so that one machine needs no broker beside it."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import virtual

from models.disk import refuse_network_disk
from workers.leases import Store

SCHEME = "sqlite:///"  # what kombu leaves of caidan+sqlite:///PATH
BUSY_PAUSE, IDLE_PAUSE = 0.01, 0.05  # seconds between two looks at the table
LOOK_EVERY = 0.02  # the same, in celery's event loop


class QoS(virtual.QoS):
    """What a channel holds unacknowledged; celery acknowledges from another thread than the consuming one."""

    def ack(self, delivery_tag: str) -> None:
        self._settle(self.channel.store.acknowledge, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        store = self.channel.store
        self._settle(store.release if requeue else store.acknowledge, delivery_tag)

    def _settle(self, settle: Callable[[str], None], delivery_tag: str) -> None:
        try:
            settle(delivery_tag)
        finally:
            super().ack(delivery_tag)
            self.channel.store.wake.set()  # there is room for another message


class Channel(virtual.Channel):
    QoS = QoS
    body_encoding = None  # SQLite stores bytes as they are

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self.store: Store = connection.store

    def exchange_declare(self, exchange: str | None = None, type: str = "direct", **kwargs: Any) -> None:  # noqa: A002
        if type and type not in Transport.implements.exchange_type:
            raise NotImplementedError(
                f"the embedded broker has no {type} exchanges, and so neither remote control (celery inspect, celery "
                "control) nor celery's events; use Redis or RabbitMQ for those"
            )
        super().exchange_declare(exchange, type, **kwargs)

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any) -> None:  # noqa: ARG002
        if not (if_empty and self._size(queue)):
            self.store.delete(queue)
            self.state.queue_bindings_delete(queue)

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[[Any], Any], consumer_tag: str, **kwargs: Any
    ) -> None:
        def settled(message: Any) -> Any:
            self.store.acknowledge(message.delivery_tag)
            return callback(message)

        super().basic_consume(queue, no_ack, settled if no_ack else callback, consumer_tag, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        message = super().basic_get(queue, no_ack, **kwargs)
        if message is not None and no_ack:
            self.store.acknowledge(message.delivery_tag)
        return message

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002
        return self.store.take(queue)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:  # noqa: ARG002
        self.store.put(queue, message)

    def _size(self, queue: str) -> int:
        return self.store.ready(queue)

    def _purge(self, queue: str) -> int:
        return self.store.purge(queue)

    def _restore(self, message: Any) -> None:
        """On closing. What cannot be given back now returns when its lease runs out; kombu would dump it to a file."""
        with suppress(sqlite3.OperationalError):
            self.store.release(message.delivery_tag)

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        """Bindings live in the memory of each process: a missing one must not swallow what is published."""
        queues: list[str] = super()._lookup(exchange, routing_key, default)
        if not queues and self.typeof(exchange).type == "direct":
            raise ChannelError(
                f"no queue is bound to {exchange!r} by {routing_key!r} in this process; "
                "declare the queue, or publish to its name through the default exchange"
            )
        return queues


class Transport(virtual.Transport):
    Channel = Channel
    # Without an event loop the processes of celery's pool share one pipe, and who reads it holds a lock: one that is
    # killed while idle takes the lock along, and nothing is ever done again.
    implements = virtual.Transport.implements.extend(asynchronous=True)
    driver_type = "sqlite"
    driver_name = "sqlite3"
    connection_errors = (*virtual.Transport.connection_errors, sqlite3.OperationalError)
    store: Store
    _pause = BUSY_PAUSE
    _loop: Any = None

    def driver_version(self) -> str:
        return sqlite3.sqlite_version

    def establish_connection(self) -> Any:
        path = _path(self.client.hostname)
        refuse_network_disk(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.store = Store(path)
        return super().establish_connection()

    def close_connection(self, connection: Any) -> None:
        try:
            super().close_connection(connection)  # gives back what is unacknowledged
        finally:
            self.store.close()
            if self._loop is not None:
                self._loop.on_tick.discard(self._look)

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:  # noqa: ARG002
        """Look whenever something has happened, as there may be room for a message; the timer is something, too."""
        loop.on_tick.add(self._look)
        loop.call_repeatedly(LOOK_EVERY, lambda: None)
        self._loop = loop

    def _look(self) -> None:
        """Deliver what there is, and room for."""
        with suppress(Empty):
            while True:
                self.cycle.get(self._deliver)

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # noqa: ARG002
        """Deliver one message, or raise TimeoutError; look less often as long as there is nothing."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self.store.wake.clear()
            try:
                self.cycle.get(self._deliver)
            except Empty:
                left = self._pause if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError from None
                self.store.wake.wait(min(self._pause, left))
                self._pause = min(self._pause * 1.25, IDLE_PAUSE)
            else:
                self._pause = BUSY_PAUSE
                return


def _path(url: str) -> Path:
    path = url.removeprefix(SCHEME)
    if path in ("", url, ":memory:"):
        raise ValueError("the embedded broker is a file: caidan+sqlite:///PATH")
    return Path(path).absolute()
