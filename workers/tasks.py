"""Every task, and when it is due. Bodies are one call; what they do is elsewhere."""

from datetime import UTC, datetime
from typing import Any

from celery import Task
from celery.schedules import crontab

from models.db import transaction
from models.partition import ensure_partitions
from workers import batch
from workers.app import app, engine
from workers.outgoing import Outgoing
from workers.queues import EVENTS, RECORD_EVENTS, UPKEEP

outgoing = Outgoing(app)

ENSURE_PARTITIONS = "caidan.ensure_partitions"


@app.task(name=RECORD_EVENTS, bind=True, queue=EVENTS)
def record_events(task: "Task[Any, Any]", payload: str) -> None:
    batch.settle(payload, batch.deliveries(task.request), engine(), outgoing)


@app.task(name=ENSURE_PARTITIONS, queue=UPKEEP, expires=3600)
def create_partitions() -> None:
    with transaction(engine()) as connection:
        ensure_partitions(connection, datetime.now(UTC).date())


# Beat only ticks: a tick lost or sent twice harms nothing.
app.conf.beat_schedule = {
    "create partitions": {
        "task": ENSURE_PARTITIONS,
        "schedule": crontab(minute="17", hour="*/6"),
        "options": {"queue": UPKEEP, "expires": 3600},
    },
}
