import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from kombu import Connection, Queue
from pydantic import SecretStr

from ingest.journal import _take_slot
from ingest.journal_files import status
from ingest.publish import LEAST_LINGER, Publisher
from ingest.segment import SegmentWriter
from models.config import DoorConfig
from tests.servers import free_port
from wechat.event import Batch, Unreadable, decode_batch, encode
from workers.queues import EVENTS, Role, connect, receipts, work_queue


def entry(number: int) -> Unreadable:
    return Unreadable(UUID(int=number), "wx1", "shop", "bad_xml", b"%d" % number, datetime(2026, 1, 2, tzinfo=UTC))


def append(folder: Path, *numbers: int) -> None:
    """As a process of the door does: in a slot that it holds, since what nobody holds is taken for finished."""
    directory = folder / "journal"
    directory.mkdir(exist_ok=True)
    with closing(_take_slot(directory)) as slot, closing(SegmentWriter(directory, slot.number)) as writer:
        writer.append([encode(entry(number)) for number in numbers])


@contextmanager
def running(folder: Path, url: str) -> Iterator[threading.Event]:
    """A publisher, told to stop in the end, which it does within seconds."""
    publisher = Publisher(DoorConfig(data_dir=folder, broker_url=SecretStr(url)))
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def worker(broker_url: str) -> Iterator[Connection]:
    with connect(broker_url, Role.WORKER) as connection:
        work_queue(EVENTS, broker_url)(connection.default_channel).declare()
        yield connection


def take(worker: Connection, seconds: float = 30.0) -> Batch:
    """The next batch, acknowledged."""
    queue = Queue(EVENTS)(worker.default_channel)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = queue.get()
        if message is not None:
            message.ack()
            return decode_batch(message.payload[0][0])
        time.sleep(0.01)
    raise AssertionError("no batch came")


def send_receipt(worker: Connection, url: str, batch: Batch) -> None:
    receipts(batch.receipts, url)(worker.default_channel).declare()
    with worker.Producer() as producer:
        producer.publish({"batch": batch.id}, exchange="", routing_key=batch.receipts, serializer="json")


def eventually_pending(folder: Path, expected: int) -> bool:
    deadline = time.monotonic() + 30
    while status(folder / "journal").pending != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return status(folder / "journal").pending == expected


def test_a_journal_goes_to_the_broker_and_receipts_let_it_go(
    tmp_path: Path, broker_url: str, worker: Connection
) -> None:
    append(tmp_path, *range(1200))
    with running(tmp_path, broker_url):
        batches = [take(worker) for _ in range(3)]

        assert [500, 500, 200] == [len(batch.entries) for batch in batches]
        assert [entry(number) for number in range(1200)] == [one for batch in batches for one in batch.entries]
        assert eventually_pending(tmp_path, 1200)

        for batch in batches:
            send_receipt(worker, broker_url, batch)

        assert eventually_pending(tmp_path, 0)


def test_batches_gather_even_while_receipts_come(tmp_path: Path, broker_url: str, worker: Connection) -> None:
    directory = tmp_path / "journal"
    directory.mkdir()
    taken, begun = 0, time.monotonic()
    with (
        closing(_take_slot(directory)) as slot,
        closing(SegmentWriter(directory, slot.number)) as writer,
        running(tmp_path, broker_url),
    ):
        while taken < 60:
            writer.append([encode(entry(number)) for number in range(5)])
            time.sleep(0.002)  # however fast the disk, no batch is full, which would go out at once
            if (message := Queue(EVENTS)(worker.default_channel).get()) is not None:
                taken += 1
                message.ack()
                send_receipt(worker, broker_url, decode_batch(message.payload[0][0]))

        assert time.monotonic() - begun > 59 * LEAST_LINGER


def test_what_comes_while_it_runs_goes_out_too(tmp_path: Path, broker_url: str, worker: Connection) -> None:
    (tmp_path / "journal").mkdir()
    with running(tmp_path, broker_url):
        for number in range(3):
            append(tmp_path, number)

            assert [entry(number)] == take(worker).entries


def test_a_successor_sends_nothing_twice_and_takes_the_receipts(
    tmp_path: Path, broker_url: str, worker: Connection
) -> None:
    append(tmp_path, 1, 2)
    with running(tmp_path, broker_url):
        batch = take(worker)
    send_receipt(worker, broker_url, batch)
    append(tmp_path, 3)
    with running(tmp_path, broker_url):
        assert [entry(3)] == take(worker).entries
        assert eventually_pending(tmp_path, 1)


@pytest.mark.parametrize("damage", ["lost", "overwritten", "in the middle"])
def test_without_its_state_everything_is_sent_again(tmp_path: Path, embedded_url: str, damage: str) -> None:
    append(tmp_path, 1, 2)
    state = tmp_path / "journal" / "reader.db"
    with connect(embedded_url, Role.WORKER) as worker:
        with running(tmp_path, embedded_url):
            first = take(worker)
        if damage == "lost":
            state.unlink()
        elif damage == "overwritten":
            state.write_bytes(b"no database at all" * 500)
        else:
            whole = state.read_bytes()
            state.write_bytes(whole[:4096] + b"\x55" * (len(whole) - 4096))
        with running(tmp_path, embedded_url):
            again = take(worker)

    assert first.entries == again.entries
    assert first.id != again.id
    assert first.receipts == again.receipts
    assert (damage != "lost") == bool(list(state.parent.glob("reader.damaged-*")))


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_refuses_is_tried_until_told_to_stop(tmp_path: Path, scheme: str) -> None:
    append(tmp_path, 1)
    with running(tmp_path, f"{scheme}://127.0.0.1:{free_port()}//"):
        time.sleep(0.5)

    assert status(tmp_path / "journal").pending == 1


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_never_answers_does_not_hold_the_publisher(tmp_path: Path, scheme: str) -> None:
    append(tmp_path, 1)
    server = socket.create_server(("127.0.0.1", 0), backlog=50)
    with server, running(tmp_path, f"{scheme}://127.0.0.1:{server.getsockname()[1]}//"):
        time.sleep(0.5)

    assert status(tmp_path / "journal").pending == 1


def test_a_broker_that_comes_late_gets_everything(tmp_path: Path, embedded_url: str) -> None:
    append(tmp_path, 1)
    place = tmp_path / "broker.db"
    place.mkdir()  # no file can be here
    with running(tmp_path, embedded_url):
        time.sleep(0.3)
        place.rmdir()
        with connect(embedded_url, Role.WORKER) as worker:
            assert [entry(1)] == take(worker).entries


def test_a_second_publisher_waits_for_the_first_to_end(tmp_path: Path, embedded_url: str) -> None:
    account = '[{"name": "shop", "app_id": "wx1", "token": "t"}]'
    own = {"DATA_DIR": str(tmp_path), "BROKER_URL": embedded_url, "ACCOUNTS": account}
    environment = os.environ | {f"CAIDAN_{name}": value for name, value in own.items()}
    journal = tmp_path / "journal"
    command = [sys.executable, "-m", "ingest.publish"]
    with connect(embedded_url, Role.WORKER) as worker, subprocess.Popen(command, env=environment) as first:
        append(tmp_path, 1)
        batch = take(worker, 30)
        with subprocess.Popen(command, env=environment) as second:
            time.sleep(1)

            assert second.poll() is None
            assert status(journal).publisher_running

            first.kill()
            first.wait()
            append(tmp_path, 2)
            taken = take(worker, 30)
            if not taken.entries:  # it took over before there was anything, and asked first what became of batch 1
                taken = take(worker, 30)
            second.terminate()

            assert [entry(2)] == taken.entries

            assert second.wait(20) == 0
            assert [entry(1)] == batch.entries
            assert not status(journal).publisher_running


def test_a_look_at_the_journal_harms_nobody(tmp_path: Path) -> None:
    """Not even where the publisher removes a segment meanwhile."""
    journal = tmp_path / "journal"
    append(tmp_path, 1, 2, 3)
    before = sorted(path.name for path in journal.iterdir())
    said = status(journal)

    assert (3, 3, False) == (said.entries, said.pending, said.publisher_running)
    assert before == sorted(path.name for path in journal.iterdir())
    assert status(tmp_path / "nowhere").segments == []


def test_the_binding_is_on_record_before_a_batch_is_sent(tmp_path: Path, embedded_url: str) -> None:
    append(tmp_path, 1)
    with connect(embedded_url, Role.WORKER) as worker, running(tmp_path, embedded_url):
        batch = take(worker)
        with closing(sqlite3.connect(tmp_path / "journal" / "reader.db")) as state:
            assert [(batch.id, 1, 1)] == state.execute("SELECT id, first, last FROM batch").fetchall()
