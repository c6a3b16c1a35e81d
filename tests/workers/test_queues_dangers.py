"""What is wrong with a broker is said in words, by asking real ones."""

import logging
import threading
from pathlib import Path

import pytest
from kombu import Connection, Queue
from pydantic import SecretStr

from ingest.broker import Broker, BrokerError
from ingest.publish import Publisher
from models.config import DoorConfig
from tests.servers import free_port
from workers import queues
from workers.queues import EVENTS, TIME_LIMIT, VISIBILITY_TIMEOUT, Role, connect


def configure(url: str, **settings: str) -> None:
    with Connection(url) as connection:
        for name, value in settings.items():
            connection.default_channel.client.config_set(name.replace("_", "-"), value)


def warnings(url: str) -> list[str]:
    with connect(url, Role.PUBLISHER) as connection:
        return queues.dangers(connection, url)


@pytest.fixture
def careless_redis(redis_url: str) -> str:
    """A Redis as it comes, and worse; put right again at the end."""
    configure(redis_url, appendonly="no", save="", maxmemory_policy="allkeys-lru")
    yield redis_url
    configure(redis_url, appendonly="yes", maxmemory_policy="noeviction")


def test_of_a_broker_that_keeps_what_it_is_given_nothing_is_said(broker_url: str) -> None:
    assert [] == warnings(broker_url)
    assert [] == queues.dangers_at_start(broker_url)


def test_a_redis_that_forgets_is_noticed(careless_redis: str) -> None:
    memory, eviction = warnings(careless_redis)

    assert "Redis keeps nothing on disk" in memory
    assert "(allkeys-lru)" in eviction
    assert [memory, eviction] == queues.dangers_at_start(careless_redis)


def test_a_redis_that_writes_snapshots_keeps_something(careless_redis: str) -> None:
    configure(careless_redis, save="3600 1", maxmemory_policy="noeviction")

    assert [] == warnings(careless_redis)

    configure(careless_redis, save="")


def test_of_a_redis_that_may_not_be_asked_nothing_is_said(careless_redis: str) -> None:
    with Connection(careless_redis) as connection:
        client = connection.default_channel.client
        client.acl_setuser(
            "limited", enabled=True, passwords=["+secret"], keys=["*"], channels=["*"], commands=["+@all", "-config"]
        )

    assert [] == warnings(careless_redis.replace("redis://", "redis://limited:secret@"))


def test_a_visibility_timeout_below_the_time_limit_is_noticed(redis_url: str) -> None:
    with Connection(redis_url, transport_options={"visibility_timeout": 60}) as connection:
        (said,) = queues.dangers(connection, redis_url)

    assert said.startswith(f"visibility_timeout is 60 seconds, and a batch may take {TIME_LIMIT}")


def test_our_own_visibility_timeout_is_long_enough() -> None:
    assert [] == queues.dangers_of_visibility(VISIBILITY_TIMEOUT)
    assert queues.dangers_of_visibility(TIME_LIMIT)


@pytest.fixture
def classic_queue(rabbitmq_url: str) -> str:
    with Connection(rabbitmq_url) as connection:
        Queue(EVENTS, durable=True)(connection.default_channel).declare()
    yield rabbitmq_url
    with Connection(rabbitmq_url) as connection:
        connection.default_channel.queue_delete(EVENTS)


def test_a_queue_with_other_arguments_is_named_with_what_to_do(classic_queue: str) -> None:
    with pytest.raises(BrokerError) as raised:
        Broker(classic_queue, "receipts.test-checks")

    said = str(raised.value)
    assert said.startswith("the queue events exists with another x-queue-type (received")
    assert "'quorum'" in said
    assert "delete the queue" in said
    assert "PreconditionFailed" == raised.value.kind
    assert [said] == queues.dangers_at_start(classic_queue)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_worker_may_start_before_its_broker(scheme: str) -> None:
    assert [] == queues.dangers_at_start(f"{scheme}://127.0.0.1:{free_port()}//")


def test_the_publisher_says_it_once(careless_redis: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "journal").mkdir()
    publisher = Publisher(DoorConfig(data_dir=tmp_path, broker_url=SecretStr(careless_redis)))
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    thread.start()
    while sum(record.message == "broker connected" for record in caplog.records) < 2:
        with Connection(careless_redis) as connection:
            connection.default_channel.client.client_kill_filter(_type="normal", skipme=True)
        stop.wait(0.1)
    stop.set()
    thread.join(10)

    said = [record.__dict__["advice"] for record in caplog.records if record.message == "broker endangers events"]
    assert 2 == len(said) == len(set(said))
