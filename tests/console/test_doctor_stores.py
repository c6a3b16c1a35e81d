"""What the doctor finds in databases and brokers, real ones."""

from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from kombu import Connection
from redis import Redis

from console import checks_stores
from tests.console.examined import Told, install
from tests.platforms import Platform
from workers.queues import EVENTS, UPKEEP, work_queue


@pytest.fixture
def installation(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    return install(platform, monkeypatch, tmp_path)


def test_a_database_without_tables_is_a_failure_and_what_needs_it_is_skipped(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAIDAN_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")

    told = Told()

    assert "caidan db upgrade" in told.of("database", "failure")[0]
    assert ["skipped"] == told.levels("durability")
    assert ["skipped"] == told.levels("token")


@pytest.mark.parametrize(
    ("fixture", "settings"),
    [
        ("postgresql_database_url", ["fsync is off", "full_page_writes is off"]),
        ("mariadb_database_url", ["innodb_flush_log_at_trx_commit is 0"]),
    ],
)
def test_a_database_that_may_lose_what_it_committed_is_told(
    installation: Platform,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    fixture: str,
    settings: list[str],
) -> None:
    monkeypatch.setenv("CAIDAN_DATABASE_URL", request.getfixturevalue(fixture))  # of a careless server

    told = Told()

    assert ["fine"] == told.levels("database")
    found = told.of("durability", "failure") + told.of("durability", "warning")
    assert settings == [text.partition(":")[0] for text in found]
    assert (["fine"] if "postgresql" in fixture else ["skipped"]) == told.levels("partitions")


def test_partitions_that_are_not_ready_are_told() -> None:
    months = [date(2026, 11, 1), date(2026, 12, 1)]
    ready = {(table, month) for table in ("event", "scan") for month in months}

    (fine,), (missing,) = checks_stores.ahead(ready, months), checks_stores.ahead(ready - {("scan", months[1])}, months)

    assert ("fine", "warning") == (fine.level, missing.level)
    assert "Partitions are missing: scan 2026-12." in missing.message


def test_a_broker_that_is_down_is_told(installation: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_BROKER_URL", "redis://:hidden@127.0.0.1:9/0")

    told = Told()

    assert "The broker cannot be reached" in told.of("broker", "failure")[0]
    assert "hidden" not in told.output


def test_a_careless_redis_is_told(installation: Platform, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setenv("CAIDAN_BROKER_URL", redis_url)
    careful = Told()
    with closing(Redis.from_url(redis_url)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            told = Told()
        finally:
            client.config_set("maxmemory-policy", "noeviction")

    assert ["fine"] == careful.levels("broker")
    assert "noeviction" in told.of("broker", "warning")[0]


def test_queues_of_rabbitmq_are_compared(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, rabbitmq_url: str
) -> None:
    monkeypatch.setenv("CAIDAN_BROKER_URL", rabbitmq_url)
    before = Told()
    with Connection(rabbitmq_url) as connection:
        channel = connection.default_channel
        work_queue(UPKEEP, rabbitmq_url)(channel).declare()
        channel.queue_declare(EVENTS, durable=True, auto_delete=False)
        told = Told()
        channel.queue_delete(EVENTS)

    assert ["fine", "skipped", "skipped"] == before.levels("broker")
    failures = told.of("broker", "failure")
    assert ["The queue events has other", "Nobody reads the queue events", "Nobody reads the queue upkeep"] == [
        " ".join(text.replace(";", "").split()[:5]) for text in failures
    ]
