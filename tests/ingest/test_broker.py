import gc
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from kombu import Connection, Queue

from ingest.broker import Broker, BrokerError
from tests.servers import free_port
from wechat.event import Unreadable, decode_batch, encode, encode_batch
from workers.queues import EVENTS, RECORD_EVENTS, Role, connect, receipts, transport_options

_hosts = count(1)


@pytest.fixture
def receipts_queue() -> str:
    return f"receipts.test-broker-{next(_hosts)}"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        yield server.getsockname()[1]


@pytest.fixture
def dropping_port() -> Iterator[int]:
    """Where whoever connects is cut off."""

    class CutOff(socketserver.BaseRequestHandler):
        pass

    with socketserver.TCPServer(("127.0.0.1", 0), CutOff) as server:
        server.request_queue_size = 100
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join()


def unreachable(scheme: str, port: int) -> str:
    return f"{scheme}://127.0.0.1:{port}//"


def take(url: str) -> tuple[dict[str, object], object]:
    """The next message as a worker gets it."""
    with connect(url, Role.WORKER) as connection:
        queue = Queue(EVENTS)(connection.default_channel)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            message = queue.get()
            if message is not None:
                message.ack()
                return message.headers, message.payload
            time.sleep(0.01)
    raise AssertionError("no message in ten seconds")


def descriptors() -> int:
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


@pytest.mark.parametrize("size", [3, 5000], ids=["small", "large"])
def test_a_batch_arrives_as_a_message_that_celery_can_read(broker_url: str, receipts_queue: str, size: int) -> None:
    # Text that kombu's JSON would take for something of its own, and bytes beyond ASCII.
    raw = ('{"__type__": "datetime", "__value__": "您好"}' * size).encode()
    entry = Unreadable(UUID(int=8), "wx1", "shop", "bad_xml", raw, datetime(2026, 1, 2, tzinfo=UTC))
    with Broker(broker_url, receipts_queue) as broker:
        broker.publish("ab" * 16, encode_batch("ab" * 16, receipts_queue, [encode(entry)]))
        headers, (arguments, keywords, rest) = take(broker_url)  # type: ignore[misc]
    batch = decode_batch(arguments[0])

    assert (RECORD_EVENTS, "ab" * 16, "<batch>") == (headers["task"], headers["id"], headers["argsrepr"])
    assert ({}, {"callbacks", "errbacks", "chain", "chord"}) == (keywords, set(rest))
    assert (1, "ab" * 16, receipts_queue, [entry]) == (batch.version, batch.id, batch.receipts, batch.entries)


def test_receipts_arrive_and_anything_else_is_no_receipt(broker_url: str, receipts_queue: str) -> None:
    with Broker(broker_url, receipts_queue) as broker, connect(broker_url, Role.WORKER) as connection:
        receipts(receipts_queue, broker_url)(connection.default_channel).declare()
        with connection.Producer() as producer:
            for body in ({"batch": "one"}, ["no", "receipt"], {"batch": "two"}):
                producer.publish(body, exchange="", routing_key=receipts_queue, serializer="json")
            producer.publish(b"\xff", exchange="", routing_key=receipts_queue, content_type="application/data")
        arrived: list[str] = []
        for _ in range(50):
            arrived += broker.receipts(0.1)
            if len(arrived) >= 2:
                break

        assert ["one", "two"] == arrived
        assert broker.receipts(0.0) == []


def test_receipts_and_snapshots_are_never_taken_for_each_other(broker_url: str, receipts_queue: str) -> None:
    snapshot = {"revision": 1, "batch": "one", "你好": [None]}
    sent: list[object] = [
        *({"batch": "one"}, {"snapshot": snapshot}, {"batch": "two", "more": {"batch": "no"}}, {"snapshot": 5}),
        *({"batch": "both", "snapshot": snapshot}, {"batch": None}, {"batch": 7}, {"batch": {"batch": "no"}}),
        *({"snapshot": snapshot, "batch": None, "more": 1}, {"Batch": "no"}, {}, "batch", None, {"batch": "last"}),
    ]
    with Broker(broker_url, receipts_queue) as broker, connect(broker_url, Role.WORKER) as connection:
        receipts(receipts_queue, broker_url)(connection.default_channel).declare()
        with connection.Producer() as producer:
            for body in sent:
                producer.publish(body, exchange="", routing_key=receipts_queue, serializer="json")
        arrived: list[str] = []
        for _ in range(50):
            arrived += broker.receipts(0.1)
            if "last" in arrived:
                break

        assert ["one", "two", "last"] == arrived
        assert [snapshot, 5, snapshot] == [json.loads(one) for one in broker.snapshots()]
        assert [] == broker.snapshots()


def test_no_receipts_take_no_longer_than_asked(broker_url: str, receipts_queue: str) -> None:
    with Broker(broker_url, receipts_queue) as broker:
        started = time.monotonic()

        assert broker.receipts(0.02) == []
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_refuses_is_told_in_seconds(scheme: str, receipts_queue: str) -> None:
    started = time.monotonic()

    with pytest.raises(BrokerError, match="refused"):
        Broker(unreachable(scheme, free_port()), receipts_queue)

    assert time.monotonic() - started < 3


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_never_answers_is_told_in_seconds(scheme: str, silent_port: int, receipts_queue: str) -> None:
    started = time.monotonic()

    with pytest.raises(BrokerError):
        Broker(unreachable(scheme, silent_port), receipts_queue)

    assert time.monotonic() - started < 6


def test_a_folder_that_is_none_is_told(tmp_path: Path, receipts_queue: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BrokerError, match=r"FileExistsError|NotADirectoryError"):
        Broker(f"caidan+sqlite:///{tmp_path}/file/broker.db", receipts_queue)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_thousand_failures_leave_no_connection_and_no_thread(
    scheme: str, dropping_port: int, receipts_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect_impatiently(url: str, role: Role) -> Connection:
        return Connection(url, transport_options=transport_options(url, role), connect_timeout=0.001)

    monkeypatch.setattr("ingest.broker.connect", connect_impatiently)
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _seconds: None)
    url = unreachable(scheme, dropping_port)
    before = (descriptors(), threading.active_count())
    for _ in range(1000):
        with pytest.raises(BrokerError):
            Broker(url, receipts_queue)
    gc.collect()  # kombu's connections refer to each other

    assert descriptors() <= before[0] + 5
    assert threading.active_count() <= before[1]


def test_connections_that_are_thrown_away_are_closed(broker_url: str, receipts_queue: str) -> None:
    Broker(broker_url, receipts_queue).throw_away()  # loads whatever it loads once
    before = (descriptors(), threading.active_count())
    for _ in range(20):
        with Broker(broker_url, receipts_queue) as broker:
            broker.publish("ab" * 16, encode_batch("ab" * 16, receipts_queue, []))

    assert descriptors() <= before[0] + 5
    assert threading.active_count() <= before[1] + 1


def test_a_queue_with_other_arguments_is_told_in_words(rabbitmq_url: str, receipts_queue: str) -> None:
    with Connection(rabbitmq_url) as connection:
        Queue(EVENTS, durable=True)(connection.default_channel).declare()

    with pytest.raises(BrokerError, match=r"the queue events exists with another x-.* delete the queue"):
        Broker(rabbitmq_url, receipts_queue)


def test_a_queue_that_was_deleted_is_noticed_and_declared_again(rabbitmq_url: str, receipts_queue: str) -> None:
    payload = encode_batch("ab" * 16, receipts_queue, [])
    with Broker(rabbitmq_url, receipts_queue) as broker, Connection(rabbitmq_url) as connection:
        broker.publish("ab" * 16, payload)
        connection.default_channel.queue_delete(EVENTS)
        with pytest.raises(BrokerError):
            broker.publish("ab" * 16, payload)

    with Broker(rabbitmq_url, receipts_queue) as broker:
        broker.publish("ab" * 16, payload)

        assert json.loads(str(take(rabbitmq_url)[1][0][0]))["id"] == "ab" * 16  # type: ignore[index]
