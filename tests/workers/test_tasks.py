"""The tasks, the beat table and the queues that workers listen to, compared with each other."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workers.queues import LISTENING, MENUS

ROOT = Path(__file__).parents[2]
ASK = """
import json
from datetime import UTC, datetime, timedelta
from workers.tasks import app

def shortest(schedule):
    '''Seconds between two ticks, at the least.'''
    if isinstance(schedule, timedelta):
        return schedule.total_seconds()
    at, gaps = datetime(2026, 1, 1, tzinfo=UTC), []
    schedule.nowfun = lambda: at
    for _ in range(50):
        wait = schedule.remaining_estimate(at)
        gaps.append(wait.total_seconds())
        at += wait
    return min(gaps[1:])

print(json.dumps({
    "declared": sorted(app.amqp.queues),
    "tasks": {name: task.queue for name, task in app.tasks.items() if name.startswith("caidan.")},
    "beat": {
        name: entry["options"] | {"task": entry["task"], "every": shortest(entry["schedule"])}
        for name, entry in app.conf.beat_schedule.items()
    },
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a process of its own has: configured once, from its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")} | {
        "CAIDAN_DATA_DIR": str(tmp_path_factory.mktemp("tasks"))
    }
    command = [sys.executable, "-c", ASK]
    asked = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60)
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def test_each_queue_is_listened_to_by_one_worker(found: Any) -> None:
    listened = [queue for queues in LISTENING.values() for queue in queues]

    assert sorted(listened) == found["declared"]
    assert set(listened) == set(found["tasks"].values())


def test_every_tick_is_of_a_task_that_exists_on_its_queue(found: Any) -> None:
    assert {entry["task"]: entry["queue"] for entry in found["beat"].values()} == {
        name: queue for name, queue in found["tasks"].items() if name != "caidan.record_events"
    }


def test_a_tick_expires_before_the_next_one(found: Any) -> None:
    late = [name for name, entry in found["beat"].items() if not 0 < entry["expires"] < entry["every"]]

    assert [] == late


def test_menus_are_ticked_every_minute_on_a_queue_of_their_own(found: Any) -> None:
    assert {"caidan.rotate_menus"} == {name for name, queue in found["tasks"].items() if queue == MENUS}
    assert [60] == [entry["every"] for entry in found["beat"].values() if entry["task"] == "caidan.rotate_menus"]
