"""The settings that Celery works with in the end, on each broker."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workers.batch import PATIENCE
from workers.queues import TIME_LIMIT, VISIBILITY_TIMEOUT

ROOT = Path(__file__).parents[2]
BROKERS = {"embedded": "caidan+sqlite:////nowhere/broker.db", "redis": "redis://host/0", "rabbitmq": "amqp://host//"}
SETTINGS = {
    # a message is acknowledged after its commit, and by nothing else
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_acks_on_failure": False,
    "task_acks_on_timeout": False,
    "task_retry_on_worker_lost": False,
    # nothing is answered, and nothing executed that came as data
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    # queues are declared, not made up
    "task_create_missing_queues": False,
    "task_default_exchange": "",
    # limits
    "task_time_limit": 600,
    "task_soft_time_limit": 540,
    "worker_max_tasks_per_child": 5000,
    "worker_max_memory_per_child": 400_000,
    "worker_lost_wait": 5,
    "worker_proc_alive_timeout": 30,
    "worker_soft_shutdown_timeout": 5,
    "worker_enable_soft_shutdown_on_idle": False,
    # brokers come and go
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_channel_error_retry": True,
    "broker_connection_timeout": 2,
    "broker_heartbeat": 30,
    "broker_pool_acquire_timeout": 2,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_enable_prefetch_count_reduction": False,
    # nobody talks about the work
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "worker_hijack_root_logger": False,
}
ASK = """
import json, sys
from celery.worker.consumer import Consumer
import workers.tasks
from workers.app import app
print(json.dumps({
    "settings": {name: app.conf[name] for name in json.load(sys.stdin)},
    "queues": {name: [queue.durable, queue.queue_arguments] for name, queue in app.amqp.queues.items()},
    "steps": list(map(str, Consumer.Blueprint.default_steps)),
    "late": {task.acks_late for name, task in app.tasks.items() if name.startswith("caidan.")} == {True},
}))
"""


@pytest.fixture(scope="module", params=BROKERS)
def broker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def found(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a process of its own has: configured once, from its environment."""
    folder = tmp_path_factory.mktemp("app")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")} | {
        "CAIDAN_DATA_DIR": str(folder),
        "CAIDAN_BROKER_URL": BROKERS[broker],
        "CAIDAN_SECRET_KEY": "of no use to anybody",
        "CAIDAN_ACCOUNTS": '[{"name": "shop", "app_id": "wx0123456789abcdef", "token": "token"}]',
    }
    names = json.dumps([*SETTINGS, "broker_transport_options", "worker_prefetch_multiplier"])
    asked = subprocess.run(
        [sys.executable, "-c", ASK], input=names, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60
    )
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def test_every_setting_is_as_it_must_be(found: Any) -> None:
    assert SETTINGS == {name: value for name, value in found["settings"].items() if name in SETTINGS}


def test_every_task_is_acknowledged_late(found: Any) -> None:
    assert found["late"]


def test_only_rabbitmq_gives_out_more_than_is_worked_at(found: Any, broker: str) -> None:
    assert (2 if broker == "rabbitmq" else 1) == found["settings"]["worker_prefetch_multiplier"]


def test_queues_outlive_the_broker_and_drop_nothing(found: Any, broker: str) -> None:
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000} if broker == "rabbitmq" else None

    assert {name: [True, arguments] for name in ("events", "upkeep", "menus", "rollups")} == found["queues"]


def test_brokers_are_spoken_to_as_they_need_it(found: Any, broker: str) -> None:
    options = found["settings"]["broker_transport_options"]
    expected = {
        "embedded": {},
        "redis": {
            "visibility_timeout": 900,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,
            "socket_connect_timeout": 5,
            "retry_on_timeout": False,
            "health_check_interval": 10,
        },
        "rabbitmq": {"confirm_publish": True, "confirm_timeout": 2},
    }

    assert expected[broker] == options


def test_no_queues_for_later_are_made(found: Any) -> None:
    assert found["steps"]
    assert [] == [step for step in found["steps"] if "DelayedDelivery" in step]


def test_every_limit_leaves_room_for_the_next() -> None:
    # A batch waits, and is put back; else it is told to end, then ended, and only then given to another worker.
    limits = [PATIENCE, SETTINGS["task_soft_time_limit"], TIME_LIMIT, VISIBILITY_TIMEOUT]

    assert limits == sorted(limits)
    assert TIME_LIMIT == SETTINGS["task_time_limit"]
