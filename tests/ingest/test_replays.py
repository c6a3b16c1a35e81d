"""What is asked for while the publisher runs, or before it does, is sent once more; no request is lost."""

import time
from pathlib import Path

import pytest
from kombu import Connection

from ingest import replays
from tests.ingest.test_publish import append, eventually_pending, running, send_receipt, take
from workers.queues import EVENTS, Role, connect, work_queue


@pytest.fixture
def worker(embedded_url: str) -> Connection:
    with connect(embedded_url, Role.WORKER) as connection:
        work_queue(EVENTS, embedded_url)(connection.default_channel).declare()
        yield connection


def sent(worker: Connection, folder: Path, url: str) -> int:
    """Take a batch, and say that it is in the tables; how many pushes it held."""
    batch = take(worker)
    send_receipt(worker, url, batch)
    assert eventually_pending(folder, 0)
    return len(batch.entries)


def test_what_was_asked_for_is_sent_again(worker: Connection, tmp_path: Path, embedded_url: str) -> None:
    append(tmp_path, 1, 2, 3)
    with running(tmp_path, embedded_url):
        first = sent(worker, tmp_path, embedded_url)
        replays.request(tmp_path / "journal", 0)
        again = sent(worker, tmp_path, embedded_url)

    assert (3, 3) == (first, again)
    assert [] == replays.requests(tmp_path / "journal")


def test_the_next_publisher_takes_what_was_asked_for(worker: Connection, tmp_path: Path, embedded_url: str) -> None:
    append(tmp_path, 1, 2, 3)
    with running(tmp_path, embedded_url):
        sent(worker, tmp_path, embedded_url)
    replays.request(tmp_path / "journal", 0)
    with running(tmp_path, embedded_url):
        again = sent(worker, tmp_path, embedded_url)

    assert 3 == again


def test_what_is_older_stays_where_it_is(worker: Connection, tmp_path: Path, embedded_url: str) -> None:
    append(tmp_path, 1, 2, 3)
    time.sleep(0.01)
    moment = time.time()
    time.sleep(0.01)
    append(tmp_path, 4, 5)
    with running(tmp_path, embedded_url):
        take(worker), take(worker)
        replays.request(tmp_path / "journal", moment)
        again = take(worker)

    assert 2 == len(again.entries)


def test_several_requests_wait_beside_each_other(tmp_path: Path) -> None:
    for since in (1.5, 2.5):
        replays.request(tmp_path, since)

    assert [1.5, 2.5] == sorted(since for _, since in replays.requests(tmp_path))


def test_a_file_that_is_no_request_does_not_stop_the_publisher(
    worker: Connection, tmp_path: Path, embedded_url: str
) -> None:
    append(tmp_path, 1)
    (tmp_path / "journal/replay-0.request").write_text("yesterday")
    (tmp_path / "journal/replay-1.request").mkdir()
    with running(tmp_path, embedded_url):
        assert 1 == sent(worker, tmp_path, embedded_url)
