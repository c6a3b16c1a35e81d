"""The publisher takes snapshots from the queue of receipts, and lets the workers know that it is there."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kombu import Connection

from ingest import publish
from ingest.publish import Publisher
from ingest.snapshot import read
from models.config import DoorConfig
from tests.ingest.serving import eventually
from tests.ingest.test_publish import append, entry, eventually_pending, running, send_receipt, take, worker
from wechat.event import Batch
from workers.queues import Role, connect

__all__ = ["worker"]  # the fixture


def snapshot(revision: int, **more: object) -> dict[str, Any]:
    return {"revision": revision, "made_at": "2026-10-01T04:00:00Z", "callback_addresses": {}} | more


def send(worker: Connection, batch: Batch, *bodies: object) -> None:
    with worker.Producer() as producer:
        for body in bodies:
            producer.publish(body, exchange="", routing_key=batch.receipts, serializer="json")


def kept(folder: Path, revision: int) -> Callable[[], bool]:
    path = folder / "snapshot.json"
    return lambda: path.exists() and read(path).revision == revision


def test_snapshots_are_kept_by_revision_and_receipts_count_beside_them(
    tmp_path: Path, broker_url: str, worker: Connection
) -> None:
    append(tmp_path, 1, 2)
    with running(tmp_path, broker_url):
        batch = take(worker)
        send(worker, batch, *({"snapshot": snapshot(revision, batch=batch.id)} for revision in (3, 5, 4)))
        eventually(kept(tmp_path, 5))

        assert eventually_pending(tmp_path, 2)

        send_receipt(worker, broker_url, batch)

        assert eventually_pending(tmp_path, 0)

        send(worker, batch, {"snapshot": snapshot(6)})
        eventually(kept(tmp_path, 6))
    send(worker, batch, {"snapshot": snapshot(2)}, {"snapshot": snapshot(7, reply_rules=["for later"])})
    append(tmp_path, 3)
    with running(tmp_path, broker_url):
        assert [entry(3)] == take(worker).entries

        eventually(kept(tmp_path, 7))

    assert ["for later"] == json.loads((tmp_path / "snapshot.json").read_text())["reply_rules"]


def test_what_is_no_snapshot_and_a_disk_that_takes_none_stop_nobody(
    tmp_path: Path, embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    append(tmp_path, 1)
    (tmp_path / ".snapshot.json").mkdir()  # no draft can be here
    with connect(embedded_url, Role.WORKER) as worker, running(tmp_path, embedded_url):
        batch = take(worker)
        send(worker, batch, {"snapshot": {"revision": "new"}}, {"snapshot": snapshot(1)})
        send_receipt(worker, embedded_url, batch)

        assert eventually_pending(tmp_path, 0)

        (tmp_path / ".snapshot.json").rmdir()
        send(worker, batch, {"snapshot": snapshot(1)})
        eventually(kept(tmp_path, 1))

    told = [record.__dict__["reason"] for record in caplog.records if record.message == "snapshot not kept"]
    assert ["not_a_snapshot", "IsADirectoryError"] == told


def test_it_lets_itself_be_heard_after_a_minute_and_then_hourly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, greeted = SimpleNamespace(now=0), list[int]()
    monkeypatch.setattr(publish, "time", SimpleNamespace(monotonic=lambda: clock.now))
    (tmp_path / "journal").mkdir()
    publisher = Publisher(DoorConfig(data_dir=tmp_path))
    broker = SimpleNamespace(publish=lambda *_: greeted.append(clock.now))
    for clock.now in range(0, 3 * 3600, 10):
        publisher._greet(broker)  # type: ignore[arg-type]

    assert [60, 3660, 7260] == greeted


def test_a_publisher_that_has_nothing_to_send_lets_itself_be_heard(
    tmp_path: Path, embedded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "SILENCE", (0.1, 0.3))
    (tmp_path / "journal").mkdir()
    with connect(embedded_url, Role.WORKER) as worker, running(tmp_path, embedded_url):
        greetings = [take(worker) for _ in range(2)]
        for greeting in greetings:
            send_receipt(worker, embedded_url, greeting)
        monkeypatch.setattr(publish, "SILENCE", (0.1, 3600.0))
        append(tmp_path, 1)
        while not (batch := take(worker)).entries:
            greetings.append(batch)

        with pytest.raises(AssertionError, match="no batch came"):
            take(worker, 1.0)

    assert [([], None)] * len(greetings) == [(greeting.entries, greeting.suspect) for greeting in greetings]
    assert {batch.receipts} == {greeting.receipts for greeting in greetings}
    with closing(sqlite3.connect(tmp_path / "journal" / "reader.db")) as state:
        assert [(batch.id,)] == state.execute("SELECT id FROM batch").fetchall()
