"""What becomes of a message: a receipt, a fresh message, or silence, after which the journal repeats."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from sqlalchemy import Engine, func, select

from models.db import connect as connect_database
from models.event import Event
from tests.pushes import batch_of, event_of, push
from tests.servers import free_port
from tests.workers.settling import make_app, waiting
from wechat.event import encode
from workers import batch
from workers.outgoing import Outgoing
from workers.queues import EVENTS, RECORD_EVENTS, Role, connect, receipts, work_queue

PAYLOAD = encode(batch_of(event_of(push()))).decode()


@pytest.fixture
def outgoing(broker_url: str) -> Iterator[Outgoing]:
    app = make_app(broker_url)
    with connect(broker_url, Role.WORKER) as connection:
        work_queue(EVENTS, broker_url)(connection.default_channel).declare()
        receipts("receipts.test", broker_url)(connection.default_channel).declare()
    yield Outgoing(app)
    app.close()


@pytest.fixture
def tables(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect_database(sqlite_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def no_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database that nobody has upgraded, and a worker that waits half a second for that to happen."""
    monkeypatch.setattr(batch, "PATIENCE", 0.5)
    engine = connect_database(f"sqlite:///{tmp_path / 'empty.db'}")
    yield engine
    engine.dispose()


def test_what_is_recorded_gets_its_receipt(broker_url: str, outgoing: Outgoing, tables: Engine) -> None:
    batch.settle(PAYLOAD, 1, tables, outgoing)

    assert [{"batch": "00" * 16}] == [message.payload for message in waiting(broker_url, "receipts.test")]
    assert [] == waiting(broker_url, EVENTS)
    with tables.connect() as connection:
        assert 1 == connection.scalar(select(func.count()).select_from(Event))


def test_what_cannot_be_recorded_now_is_put_back_as_a_fresh_message(
    broker_url: str, outgoing: Outgoing, no_tables: Engine
) -> None:
    batch.settle(PAYLOAD, 2, no_tables, outgoing)

    assert [] == waiting(broker_url, "receipts.test")
    (message,) = waiting(broker_url, EVENTS)
    assert RECORD_EVENTS == message.headers["task"]
    assert "<batch>" == message.headers["argsrepr"]
    assert not message.headers.get("x-delivery-count")
    assert [PAYLOAD] == message.decode()[0]


@pytest.mark.parametrize(
    ("payload", "delivered"),
    [
        pytest.param(PAYLOAD, 3, id="delivered a third time"),
        pytest.param(PAYLOAD.replace('"version":1', '"version":2'), 1, id="another version"),
        pytest.param("no JSON", 1, id="no batch"),
    ],
)
def test_what_cannot_be_judged_is_left_to_the_journal(
    embedded_url: str, tables: Engine, payload: str, delivered: int
) -> None:
    app = make_app(embedded_url)

    batch.settle(payload, delivered, tables, Outgoing(app))

    assert [] == waiting(embedded_url, EVENTS)
    assert [] == waiting(embedded_url, "receipts.test")
    app.close()


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_gone_raises_nothing(scheme: str, tables: Engine, no_tables: Engine) -> None:
    app = make_app(f"{scheme}://127.0.0.1:{free_port()}//")

    batch.settle(PAYLOAD, 1, tables, Outgoing(app))
    batch.settle(PAYLOAD, 1, no_tables, Outgoing(app))

    app.close()


def test_a_broker_that_is_full_raises_nothing(redis_url: str, tables: Engine, no_tables: Engine) -> None:
    app = make_app(redis_url)
    with Connection(redis_url) as connection:
        client = connection.default_channel.client
        client.config_set("maxmemory", "1")
        try:
            batch.settle(PAYLOAD, 1, tables, Outgoing(app))
            batch.settle(PAYLOAD, 1, no_tables, Outgoing(app))
        finally:
            client.config_set("maxmemory", "0")

    assert [] == waiting(redis_url, EVENTS) + waiting(redis_url, "receipts.test")
    app.close()


def test_deliveries_are_counted_by_the_broker_or_taken_for_too_many() -> None:
    class Request(dict[str, Any]):
        delivery_info: dict[str, Any] = {}  # noqa: RUF012

    fresh, third, redis = Request(), Request({"x-delivery-count": 2}), Request()
    redis.delivery_info = {"redelivered": True}

    assert [1, 3, 3] == [batch.deliveries(request) for request in (fresh, third, redis)]
