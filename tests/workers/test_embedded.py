"""The embedded broker towards one process: what is delivered, and what becomes of it."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Consumer, Exchange, Queue
from kombu.exceptions import ChannelError

from models import disk
from workers import leases, queues


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"caidan+sqlite:///{tmp_path}/new/broker.db"


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with queues.connect(url, queues.Role.WORKER) as connection:
        yield connection


def publish(connection: Connection, *bodies: Any, queue: str = "events", **options: Any) -> None:
    with connection.Producer() as producer:
        for body in bodies:
            producer.publish(body, exchange="", routing_key=queue, **options)


def get(connection: Connection, queue: str = "events", no_ack: bool = False) -> Any:
    return connection.default_channel.basic_get(queue, no_ack=no_ack)


def drain(connection: Connection) -> None:
    """Deliver whatever there is to deliver."""
    while True:
        try:
            connection.drain_events(timeout=0.1)
        except TimeoutError:
            return


def consumer(connection: Connection, received: list[Any], *names: str, prefetch: int = 0, **options: Any) -> Consumer:
    channel = connection.channel()
    channel.basic_qos(prefetch_count=prefetch)
    wanted = [Queue(name, channel=channel) for name in names]
    return Consumer(channel, wanted, auto_declare=False, on_message=lambda message: received.append(message), **options)


def test_messages_arrive_in_the_order_of_publishing(connection: Connection) -> None:
    publish(connection, 1, 2, 3)
    received: list[Any] = []
    with consumer(connection, received, "events"):
        drain(connection)

    assert [1, 2, 3] == [message.decode() for message in received]


def test_queues_take_turns(connection: Connection) -> None:
    publish(connection, 1, 2, 3, queue="events")
    publish(connection, "a", "b", "c", queue="upkeep")
    received: list[Any] = []
    with consumer(connection, received, "events", "upkeep"):
        drain(connection)

    assert {1, "a"} == {message.decode() for message in received[:2]}
    assert {2, "b"} == {message.decode() for message in received[2:4]}


def test_an_acknowledged_message_is_gone(connection: Connection, url: str) -> None:
    publish(connection, 1)
    get(connection).ack()
    connection.close()
    with queues.connect(url, queues.Role.WORKER) as other:
        assert get(other) is None


def test_a_rejected_message_returns_at_once_and_is_counted(connection: Connection) -> None:
    publish(connection, 1, 2)
    first = get(connection)
    first.reject(requeue=True)
    again = get(connection)

    assert [1, 1] == [message.decode() for message in (first, again)]
    assert [0, 1] == [message.headers[queues.DELIVERIES] for message in (first, again)]
    assert [False, True] == [message.delivery_info["redelivered"] for message in (first, again)]


def test_a_message_rejected_for_good_is_gone(connection: Connection) -> None:
    publish(connection, 1)
    get(connection).reject(requeue=False)

    assert get(connection) is None


def test_what_is_unacknowledged_is_given_back_on_closing(connection: Connection, url: str) -> None:
    publish(connection, 1)
    held = get(connection)
    connection.close()
    with queues.connect(url, queues.Role.WORKER) as other:
        again = get(other)

        assert 1 == again.decode()
        held.ack()  # too late: the message is another's
        again.reject(requeue=True)

        assert 1 == get(other).decode()


def test_no_more_is_delivered_than_may_be_held(connection: Connection) -> None:
    publish(connection, 1, 2, 3)
    received: list[Any] = []
    with consumer(connection, received, "events", prefetch=2):
        drain(connection)

        assert [1, 2] == [message.decode() for message in received]
        received[0].ack()
        drain(connection)

        assert 3 == received[2].decode()


def test_a_consumer_that_never_acknowledges_leaves_nothing(connection: Connection) -> None:
    publish(connection, 1, 2)
    received: list[Any] = []
    with consumer(connection, received, "events", no_ack=True):
        drain(connection)
    publish(connection, 3)

    assert 3 == get(connection, no_ack=True).decode()
    assert 2 == len(received)
    assert 0 == connection.default_channel.store.delete("events")


def test_purging_spares_what_is_held_and_deleting_does_not(connection: Connection) -> None:
    publish(connection, 1, 2, 3)
    held = get(connection)
    channel = connection.default_channel

    assert 2 == channel.queue_declare("events").message_count
    assert 2 == channel.queue_purge("events")
    held.reject(requeue=True)
    channel.queue_delete("events", if_empty=True)

    assert 1 == channel.queue_declare("events").message_count
    channel.queue_delete("events")

    assert 0 == channel.queue_declare("events").message_count


@pytest.mark.parametrize("timeout", [0, 0.05])
def test_waiting_in_vain_times_out(connection: Connection, timeout: float) -> None:
    with consumer(connection, [], "events"), pytest.raises(TimeoutError):
        connection.drain_events(timeout=timeout)


def test_many_threads_may_publish(connection: Connection) -> None:
    connection.connect()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: publish(connection, n), range(200)))
    received: list[Any] = []
    with consumer(connection, received, "events"):
        drain(connection)

    assert set(range(200)) == {message.decode() for message in received}


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_a_large_body_arrives_as_it_was(connection: Connection, compression: str | None) -> None:
    body = {"text": "点菜单🍜" * 60_000}
    publish(connection, body, compression=compression)

    assert body == get(connection).decode()


def test_bytes_arrive_as_they_were(connection: Connection) -> None:
    publish(connection, b"\x00\xff", content_type="application/octet-stream", content_encoding="binary")

    assert b"\x00\xff" == get(connection).body


def test_a_holder_keeps_its_message_while_it_works(
    connection: Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", 1.0)
    monkeypatch.setattr(leases, "RENEWAL", 0.1)
    publish(connection, 1, 2)
    held = get(connection)
    time.sleep(1.5)
    with queues.connect(url, queues.Role.WORKER) as other:
        assert 2 == get(other).decode()  # what is held does not block what follows
        assert get(other) is None
    held.ack()
    get(connection).ack()

    assert 0 == connection.default_channel.store.delete("events")


def test_who_lost_its_lease_cannot_acknowledge(
    connection: Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", 0.1)
    publish(connection, 1)
    lost = get(connection)
    time.sleep(0.2)
    with queues.connect(url, queues.Role.WORKER) as other:
        again = get(other)
        lost.ack()
        again.reject(requeue=True)

        assert 2 == get(other).headers[queues.DELIVERIES]


def test_a_lease_from_before_the_clock_was_set_back_has_run_out(connection: Connection) -> None:
    publish(connection, 1)
    store = connection.default_channel.store
    store.change("UPDATE message SET leased_until = ?", (time.time() + 3600,))

    assert 1 == store.ready("events")
    assert 1 == get(connection).decode()


def test_a_broker_that_others_lock_for_long_is_a_lost_connection(
    connection: Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "PATIENCE", 0.1)
    connection.connect()
    other = sqlite3.connect(url.removeprefix("caidan+sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(connection.connection_errors):
        publish(connection, 1)
    other.close()
    publish(connection, 2)

    assert 2 == get(connection).decode()


def test_exchanges_route_within_the_process_that_declares_them(connection: Connection) -> None:
    queue = Queue("events", Exchange("pushes"), routing_key="push")
    with connection.Producer() as producer:
        producer.publish(1, exchange="pushes", routing_key="push", declare=[queue])
        with pytest.raises(ChannelError, match="no queue is bound to 'pushes' by 'pull'"):
            producer.publish(2, exchange="pushes", routing_key="pull")

    assert 1 == get(connection).decode()


def test_remote_control_is_refused_in_words(connection: Connection) -> None:
    with pytest.raises(NotImplementedError, match="no fanout exchanges, and so neither remote control"):
        Exchange("control", type="fanout")(connection.default_channel).declare()


def test_a_network_disk_is_refused(connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "mounts", lambda: [(tmp_path.resolve(), "nfs4")])
    with pytest.raises(disk.NetworkDiskError):
        connection.connect()


@pytest.mark.parametrize("url", ["caidan+sqlite:///", "caidan+sqlite:///:memory:", "caidan+postgresql://host/name"])
def test_an_address_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the embedded broker is a file"):
        Connection(url).connect()
