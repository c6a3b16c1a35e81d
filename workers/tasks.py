"""Every task, and when it is due. Bodies are one call; what they do is elsewhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Task
from celery.schedules import crontab

from models.locks import BusyError
from models.partition import ensure_partitions
from wechat.client import Client
from workers import batch
from workers.addresses import keep_addresses
from workers.app import app, config, engine
from workers.drift import look_for_drift
from workers.forget import erase_again
from workers.ingresses import Ingresses
from workers.outgoing import Outgoing
from workers.queues import EVENTS, RECORD_EVENTS, UPKEEP
from workers.retain import retain
from workers.tokens import refresh_due

outgoing = Outgoing(app)
ingresses = Ingresses(outgoing)

ENSURE_PARTITIONS = "caidan.ensure_partitions"
RETAIN = "caidan.retain"
ERASE_FORGOTTEN = "caidan.erase_forgotten"
KEEP_ADDRESSES = "caidan.keep_addresses"
REFRESH_TOKENS = "caidan.refresh_tokens"
LOOK_FOR_DRIFT = "caidan.look_for_drift"


@app.task(name=RECORD_EVENTS, bind=True, queue=EVENTS)
def record_events(task: "Task[Any, Any]", payload: str) -> None:
    times = batch.deliveries(task.request)
    batch.settle(payload, times, engine(), outgoing, forget_unsubscribed=config.forget_on_unsubscribe)
    ingresses.note(engine())


@app.task(name=ENSURE_PARTITIONS, queue=UPKEEP, expires=3600, throws=(BusyError,))
def create_partitions() -> None:
    ensure_partitions(engine(), datetime.now(UTC).date())


@app.task(name=RETAIN, queue=UPKEEP, throws=(BusyError,))
def let_expired_go(since: str | None = None) -> None:
    if more := retain(engine(), config.retention_days, datetime.now(UTC), since):
        let_expired_go.delay(more)


@app.task(name=ERASE_FORGOTTEN, queue=UPKEEP)
def erase_forgotten(seconds: int) -> None:
    now = datetime.now(UTC)
    erase_again(engine(), now - timedelta(seconds=seconds), now)


@app.task(name=KEEP_ADDRESSES, queue=UPKEEP, expires=3500)
def keep_callback_addresses() -> None:
    with Client(config.api_base_url) as client:
        keep_addresses(engine(), client, config, outgoing)


@app.task(name=REFRESH_TOKENS, queue=UPKEEP, expires=55)
def refresh_tokens() -> None:
    with Client(config.api_base_url) as client:
        refresh_due(engine(), client, config)


@app.task(name=LOOK_FOR_DRIFT, queue=UPKEEP, expires=540)
def look_for_changed_menus() -> None:
    with Client(config.api_base_url) as client:
        look_for_drift(engine(), client, config)


# Beat only ticks: a tick lost or sent twice harms nothing.
app.conf.beat_schedule = {
    "create partitions": {
        "task": ENSURE_PARTITIONS,
        "schedule": crontab(minute="17", hour="*/6"),
        "options": {"queue": UPKEEP, "expires": 3600},
    },
    "let expired events go": {  # in China's night
        "task": RETAIN,
        "schedule": crontab(minute="31", hour="19"),
        "options": {"queue": UPKEEP, "expires": 3600},
    },
    "erase who has left, and what came late": {
        "task": ERASE_FORGOTTEN,
        "schedule": crontab(minute="*/10"),
        "args": (1800,),
        "options": {"queue": UPKEEP, "expires": 540},
    },
    "erase what journals brought back": {  # for as long as any of them may hold it, twice over
        "task": ERASE_FORGOTTEN,
        "schedule": crontab(minute="43", hour="20"),
        "args": (2 * max(config.journal_retention, 86400),),
        "options": {"queue": UPKEEP, "expires": 3600},
    },
    "keep the callback addresses": {  # those that are a day old are asked for
        "task": KEEP_ADDRESSES,
        "schedule": crontab(minute="53"),
        "options": {"queue": UPKEEP, "expires": 3500},
    },
    "refresh tokens": {  # those that somebody has asked for, in the minutes before they end
        "task": REFRESH_TOKENS,
        "schedule": crontab(),
        "options": {"queue": UPKEEP, "expires": 55},
    },
    "look for menus that were changed elsewhere": {
        "task": LOOK_FOR_DRIFT,
        "schedule": crontab(minute="5-59/10"),
        "options": {"queue": UPKEEP, "expires": 540},
    },
}
