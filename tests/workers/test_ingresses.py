"""Ingresses are known by the receipts they get, and are handed a snapshot each."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine, func, select

from ingest import snapshot as door
from models.account import account_ids
from models.db import connect, transaction
from models.ingress import Ingress, put_addresses
from tests.servers import free_port
from tests.workers.settling import make_app, waiting
from workers import ingresses, outgoing
from workers.ingresses import Ingresses, hand_out
from workers.outgoing import Outgoing

NOW = datetime(2026, 10, 1, 4, tzinfo=UTC)
DAY = timedelta(days=1)
A, B = "receipts.test-ingresses-a", "receipts.test-ingresses-b"


@pytest.fixture
def tables(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sending(broker_url: str) -> Iterator[Outgoing]:
    app = make_app(broker_url)
    for queue in (A, B):
        with app.connection() as connection:
            connection.SimpleQueue(queue).close()
    yield Outgoing(app)
    app.close()


@pytest.fixture
def embedded(embedded_url: str) -> Iterator[Outgoing]:
    app = make_app(embedded_url)
    yield Outgoing(app)
    app.close()


def snapshots(url: str, queue: str) -> list[Any]:
    """What an ingress finds in its queue, without the receipts."""
    bodies = [message.payload for message in waiting(url, queue)]
    return [body["snapshot"] for body in bodies if "batch" not in body]


def seen(tables: Engine) -> dict[str, datetime]:
    with tables.connect() as connection:
        return {row.queue: row.seen_at for row in connection.execute(select(Ingress))}


def test_a_new_ingress_is_handed_what_the_door_can_read(
    broker_url: str, sending: Outgoing, tables: Engine, tmp_path: Path
) -> None:
    with transaction(tables) as connection:
        ids = account_ids(connection, {"wx1": "shop"})
        put_addresses(connection, ids["wx1"], ("1.2.3.4", "101.226.0.0/16"), datetime.now(UTC))
    noting = Ingresses(sending)
    for _ in range(3):
        sending.receipt(A, "ab" * 16)
        noting.note(tables)

    (sent,) = snapshots(broker_url, A)
    assert [] == snapshots(broker_url, B)
    assert {A} == seen(tables).keys()
    assert door.keep(tmp_path / "snapshot.json", json.dumps(sent).encode())
    read = door.read(tmp_path / "snapshot.json")
    assert {"wx1": ("1.2.3.4", "101.226.0.0/16")} == read.callback_addresses
    assert timedelta() < datetime.now(UTC) - read.made_at < timedelta(minutes=5)


def test_all_that_are_known_are_handed_the_same_and_a_revision_that_rises(
    broker_url: str, sending: Outgoing, tables: Engine
) -> None:
    noting = Ingresses(sending)
    for queue in (A, B):
        sending.receipt(queue, "ab" * 16)
    noting.note(tables)
    hand_out(tables, sending)
    hand_out(tables, sending)

    of_a, of_b = (snapshots(broker_url, queue) for queue in (A, B))
    revisions = [one["revision"] for one in of_b]
    assert sorted(set(revisions)) == revisions
    assert of_a[1:] == of_b[1:]
    assert (3, 3) == (len(of_a), len(of_b))


def test_an_ingress_is_written_down_once_an_hour(tables: Engine, embedded: Outgoing) -> None:
    with time_machine.travel(NOW) as clock:
        noting, found = Ingresses(embedded), []
        for minutes in (0, 1, 58, 2, 59, 2):
            clock.shift(timedelta(minutes=minutes))
            embedded.receipt(A, "ab" * 16)
            noting.note(tables)
            found.append(round((seen(tables)[A] - NOW) / timedelta(minutes=1)))

    assert [0, 0, 0, 61, 61, 122] == found


def test_what_is_noted_costs_no_statement(tables: Engine, embedded: Outgoing) -> None:
    noting = Ingresses(embedded)
    embedded.receipt(A, "ab" * 16)
    noting.note(tables)
    gone = connect("sqlite:////nowhere/at/all.db")
    embedded.receipt(A, "ab" * 16)
    noting.note(gone)

    assert set() == embedded.receipted


def test_a_database_that_is_not_ready_is_told_once_an_hour_and_raises_nothing(
    tmp_path: Path, embedded_url: str, embedded: Outgoing, caplog: pytest.LogCaptureFixture
) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'empty.db'}")
    noting = Ingresses(embedded)
    for _ in range(3):
        embedded.receipt(A, "ab" * 16)
        noting.note(engine)
    engine.dispose()

    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert ["ingress not noted"] == [record.message for record in warnings]
    assert "INSERT" not in str(warnings[0].__dict__)
    assert [{"batch": "ab" * 16}] * 3 == [message.payload for message in waiting(embedded_url, A)]


def test_an_ingress_that_is_gone_gets_nothing_more(tables: Engine, embedded_url: str, embedded: Outgoing) -> None:
    noting = Ingresses(embedded)
    with time_machine.travel(NOW) as clock:
        for queue in (A, B):
            embedded.receipt(queue, "ab" * 16)
        noting.note(tables)
        clock.shift(6 * DAY)
        embedded.receipt(B, "ab" * 16)
        noting.note(tables)
        clock.shift(2 * DAY)
        hand_out(tables, embedded)

        assert {B} == seen(tables).keys()
        assert (1, 2) == tuple(len(snapshots(embedded_url, queue)) for queue in (A, B))

        embedded.receipt(A, "ab" * 16)
        noting.note(tables)

        assert 1 == len(snapshots(embedded_url, A))


def test_a_list_that_could_not_be_renewed_for_a_week_is_left_out(
    tables: Engine, embedded_url: str, embedded: Outgoing
) -> None:
    with transaction(tables) as connection:
        ids = account_ids(connection, {"wx1": "shop", "wx2": "cafe"})
        put_addresses(connection, ids["wx1"], ("1.2.3.4",), NOW)
        put_addresses(connection, ids["wx2"], ("1.2.3.5",), NOW + 2 * DAY)
    with time_machine.travel(NOW) as clock:
        for _ in range(2):
            clock.shift(4 * DAY)
            embedded.receipt(A, "ab" * 16)
            Ingresses(embedded).note(tables)
            hand_out(tables, embedded)

    both, one = {"wx1": ["1.2.3.4"], "wx2": ["1.2.3.5"]}, {"wx2": ["1.2.3.5"]}
    assert [both, both, one] == [sent["callback_addresses"] for sent in snapshots(embedded_url, A)]


def test_what_an_ingress_would_not_take_is_not_sent(
    tables: Engine,
    embedded_url: str,
    embedded: Outgoing,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(outgoing, "SNAPSHOT_BYTES", 50)
    embedded.receipt(A, "ab" * 16)
    Ingresses(embedded).note(tables)

    told = [(one.message, one.__dict__["reason"]) for one in caplog.records if one.levelno == logging.ERROR]
    assert [("snapshot not sent", "too_large")] == told
    assert [] == snapshots(embedded_url, A)


def test_a_broker_that_is_gone_raises_nothing(tables: Engine, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(f"redis://127.0.0.1:{free_port()}//")
    sending = Outgoing(app)
    sending.receipt(A, "ab" * 16)
    Ingresses(sending).note(tables)
    app.close()

    assert ["receipt not sent", "snapshot not sent"] == [
        record.message for record in caplog.records if record.levelno == logging.WARNING
    ]
    with tables.connect() as connection:
        assert 1 == connection.scalar(select(func.count()).select_from(Ingress))
    assert ingresses.GONE_AFTER == timedelta(days=7)
