"""What a worker tells of the taps that it has recorded: to the ingress in the receipt, and in its log."""

import logging
from datetime import UTC, datetime

import pytest

from models.db import connect
from tests.pushes import batch_of, event_of, push
from tests.workers.put_up import put_up
from tests.workers.settling import make_app, waiting
from wechat.event import encode
from workers.batch import settle
from workers.outgoing import Outgoing
from workers.queues import Role, receipts
from workers.queues import connect as connect_broker

NOON = 1_790_000_000


def test_a_receipt_and_the_log_count_taps_by_case_once(
    sqlite_database_url: str, embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    engine, app = connect(sqlite_database_url), make_app(embedded_url)
    batch = batch_of(*(event_of(push(key=key, at=NOON + 5)) for key in "abx"))
    with connect_broker(embedded_url, Role.WORKER) as connection:
        receipts(batch.receipts, embedded_url)(connection.default_channel).declare()
    put_up(engine, "ab", datetime.fromtimestamp(NOON, UTC))

    for _ in range(2):
        settle(encode(batch).decode(), 1, engine, Outgoing(app))

    first, second = (message.payload for message in waiting(embedded_url, batch.receipts))
    logged = [vars(line)["taps"] for line in caplog.records if line.message == "batch recorded"]
    assert {"batch": batch.id, "taps": {"live": 2, "unknown": 1}} == first
    assert {"batch": batch.id} == second
    assert [{"live": 2, "unknown": 1}, {}] == logged
    app.close()
    engine.dispose()
