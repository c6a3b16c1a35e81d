"""The publisher's side of the broker: ready-made Celery messages out, receipts and snapshots in.

Built by kombu alone, since the door does without Celery. On any error the whole connection is thrown away (a late
confirm would answer the next wait), and nothing is closed politely: a frozen broker would hold us.
"""

import contextlib
import socket
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from kombu import Connection, Consumer, Producer

from workers import queues
from workers.queues import EVENTS, RECORD_EVENTS, Role, connect, is_rabbitmq, receipts, work_queue

COMPRESS_ABOVE = 4096  # bytes; zstd makes a batch a tenth at a third of a microsecond per event
HEARTBEAT_EVERY = 5.0  # seconds


class _Arrived(msgspec.Struct):
    """What workers send: the id of a batch whose entries are in the tables, with the cases by which its taps were
    attributed; or a snapshot; whatever else is neither."""

    batch: str | None = None
    taps: dict[str, int] = {}
    snapshot: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Arrived).decode


class BrokerError(Exception):
    """The broker refused, fell silent, or is gone; the message is short, and holds no payload.

    `kind` is the name of the error below, of which there are not many.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class Broker:
    """An open connection; a context manager. Every method raises BrokerError, after which it is of no more use."""

    def __init__(self, url: str, receipts_queue: str) -> None:
        self._url = url
        self._arrived: list[str] = []
        self._taps: Counter[str] = Counter()
        self._snapshots: list[bytes] = []
        self._beaten = time.monotonic()
        self._sending, self._receiving = connect(url, Role.PUBLISHER), connect(url, Role.PUBLISHER)
        self._mandatory = {"mandatory": True} if is_rabbitmq(url) else {}  # else an unroutable message is confirmed
        try:
            with _translated():
                work_queue(EVENTS, url)(self._sending.default_channel).declare()
                self._producer = Producer(self._sending.default_channel, auto_declare=False)
                queue = receipts(receipts_queue, url)(self._receiving.default_channel)
                queue.declare()
                self._consumer = Consumer(
                    self._receiving.default_channel, [queue], no_ack=True, auto_declare=False, on_message=self._note
                )
                self._consumer.consume()
        except BrokerError:
            self.throw_away()
            raise

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self.throw_away()

    def warnings(self) -> list[str]:
        """What the broker's settings endanger, in sentences."""
        with _translated():
            return queues.dangers(self._sending, self._url)

    def publish(self, batch_id: str, payload: bytes) -> None:
        """Hand one batch to the broker; on RabbitMQ return once it has confirmed."""
        body = task_body(payload)
        with _translated():
            self._producer.publish(
                body,
                exchange="",  # the default exchange knows every queue by its name; a binding can be lost
                routing_key=EVENTS,
                content_type="application/json",
                content_encoding="utf-8",
                compression="zstd" if len(body) > COMPRESS_ABOVE else None,
                delivery_mode=2,
                headers=task_headers(batch_id),
                correlation_id=batch_id,
                **self._mandatory,
            )

    def receipts(self, seconds: float) -> list[str]:
        """Wait so long, or until receipts come, and take all there are."""
        with _translated():
            with contextlib.suppress(TimeoutError, socket.timeout):
                self._receiving.drain_events(timeout=max(seconds, 0.001))
                for _ in range(1000):
                    self._receiving.drain_events(timeout=0.001)
            self._beat()
        arrived, self._arrived = self._arrived, []
        return arrived

    def taps(self) -> Counter[str]:
        """How many the receipts told of that came, by case."""
        arrived, self._taps = self._taps, Counter()
        return arrived

    def snapshots(self) -> list[bytes]:
        """Those that came while receipts were waited for, as they are: nobody has looked into them."""
        arrived, self._snapshots = self._snapshots, []
        return arrived

    def throw_away(self) -> None:
        for connection in (self._sending, self._receiving):
            with contextlib.suppress(Exception):
                connection.collect(socket_timeout=0.5)

    def _note(self, message: Any) -> None:
        with contextlib.suppress(msgspec.MsgspecError, ValueError, TypeError, RecursionError):
            arrived = _decode(message.body)
            snapshot = bytes(arrived.snapshot)
            if arrived.batch is not None and not snapshot:
                self._arrived.append(arrived.batch)
                self._taps.update(arrived.taps)
            elif arrived.batch is None and snapshot:
                self._snapshots.append(snapshot)

    def _beat(self) -> None:
        if time.monotonic() - self._beaten > HEARTBEAT_EVERY:
            self._beaten = time.monotonic()
            for connection in (self._sending, self._receiving):
                _heartbeat(connection)


def task_body(payload: bytes) -> bytes:
    """The body of Celery's message protocol 2: arguments, keywords, and what to do next.

    The batch travels as one text, opaque to kombu, whose JSON would read some objects of a push as types of its own.
    """
    argument = msgspec.json.encode(payload.decode())
    return b"[[" + argument + b'],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'


def task_headers(batch_id: str) -> dict[str, Any]:
    """The headers of Celery's message protocol 2; arguments never appear in them, since they are logged."""
    return {
        "lang": "py",
        "task": RECORD_EVENTS,
        "id": batch_id,
        "root_id": batch_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": "<batch>",
        "kwargsrepr": "{}",
        "origin": "caidan",
        "ignore_result": True,
    }


def _heartbeat(connection: Connection) -> None:
    if connection.supports_heartbeats:
        connection.heartbeat_check()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # kombu's transports raise errors of many families; to us they are all the same
        raise BrokerError(queues.explained(error), type(error).__name__) from None
