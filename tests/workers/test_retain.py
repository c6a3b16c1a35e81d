"""What is expired goes a little at a time, each task leaving the rest to another."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from models.event import Event
from tests.pushes import batch_of, event_of, push
from workers import retain as module
from workers.record import record
from workers.retain import retain

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)

SCRIPT = """
import json
from datetime import UTC, datetime
import migrations
from kombu import Connection
from tests.pushes import batch_of, event_of, push
from workers import retain
from workers.app import app, engine
from workers.queues import UPKEEP
from workers.record import record
from workers.tasks import let_expired_go

retain.SECONDS = 0.0
migrations.upgrade(engine())
now = int(datetime.now(UTC).timestamp())
record(engine(), batch_of(*(event_of(push(at=now - days * 86400)) for days in (3, 9, 10))))
let_expired_go()
with Connection(app.conf.broker_url) as connection, connection.SimpleQueue(UPKEEP) as queue:
    message = queue.get(timeout=5)
assert message.headers["task"] == let_expired_go.name == app.conf.beat_schedule["let expired events go"]["task"]
(since,), *_ = json.loads(message.body)
let_expired_go(since)
print(engine().connect().exec_driver_sql("SELECT count(*) FROM event").scalar())
"""


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Event)) or 0


def test_the_rest_is_left_to_another(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    moments = [int((NOW - timedelta(days=days)).timestamp()) for days in (1, 8, 9, 10)]
    record(database, batch_of(*(event_of(push(at=moment)) for moment in moments)))

    left, since = [], retain(database, {"default": 7}, NOW, None)
    while since is not None:
        left.append(count(database))
        since = retain(database, {"default": 7}, NOW, since)

    assert [3, 2, 1] == left


def test_all_is_done_at_once_where_there_is_time(database: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    moments = [int((NOW - timedelta(days=days)).timestamp()) for days in (1, 8, 9)]
    record(database, batch_of(*(event_of(push(at=moment)) for moment in moments)))

    assert retain(database, {"default": 7}, NOW, None) is None
    assert 1 == count(database)
    assert [{"click": 2}] == [line.rows for line in caplog.records if line.message == "expired rows gone"]


def test_the_task_sends_itself_on(tmp_path: Path) -> None:
    (tmp_path / "caidan.toml").write_text(
        "secret_key = 'k'\n[retention_days]\nclick = 7\n[[accounts]]\nname = 'shop'\napp_id = 'wx1'\ntoken = 't'\n"
    )

    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env={"PYTHONPATH": root}, capture_output=True, text=True
    )

    assert "1" == done.stdout.strip(), done.stderr
