"""Every task, and when it is due. Bodies are one call; what they do is elsewhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Task
from celery.schedules import crontab

from models.locks import BusyError
from models.partition import ensure_partitions
from models.retention import limits
from wechat.client import Client
from workers import batch
from workers.addresses import keep_addresses
from workers.answers import send_due
from workers.app import app, config, engine
from workers.drift import look_for_drift
from workers.forget import erase_again
from workers.guard import guard_rotations
from workers.holiday_years import warn_of_unknown_years
from workers.ingresses import Ingresses, hand_out_replies
from workers.outgoing import Outgoing
from workers.queues import EVENTS, HAND_OUT_REPLIES, MENUS, RECORD_EVENTS, ROLLUPS, UPKEEP
from workers.reconcile import reconcile
from workers.retain import retain, retain_handlings
from workers.rollup import roll_up
from workers.rotate import rotate_all
from workers.tokens import refresh_due

outgoing = Outgoing(app)
ingresses = Ingresses(outgoing)

ENSURE_PARTITIONS = "caidan.ensure_partitions"
RETAIN = "caidan.retain"
RETAIN_HANDLINGS = "caidan.retain_handlings"
ERASE_FORGOTTEN = "caidan.erase_forgotten"
KEEP_ADDRESSES = "caidan.keep_addresses"
REFRESH_TOKENS = "caidan.refresh_tokens"
LOOK_FOR_DRIFT = "caidan.look_for_drift"
ROLL_UP = "caidan.roll_up"
ROTATE_MENUS = "caidan.rotate_menus"
GUARD_ROTATIONS = "caidan.guard_rotations"
WARN_OF_UNKNOWN_YEARS = "caidan.warn_of_unknown_years"
RECONCILE = "caidan.reconcile"
SEND_ANSWERS = "caidan.send_answers"


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


@app.task(name=RETAIN_HANDLINGS, queue=UPKEEP, expires=3500)
def let_handlings_go() -> None:
    retain_handlings(engine(), config.retention_days, datetime.now(UTC))


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


@app.task(name=ROTATE_MENUS, queue=MENUS, expires=55)
def rotate_menus() -> None:
    rotate_all(engine(), config, patience=50.0)


@app.task(name=ROLL_UP, queue=ROLLUPS, expires=4)
def count_what_changed() -> None:
    now = datetime.now(UTC)
    roll_up(engine(), limits(config.retention_days, now).some_before, now)


@app.task(name=HAND_OUT_REPLIES, queue=ROLLUPS, expires=9)
def hand_out_changed_replies() -> None:
    hand_out_replies(engine(), outgoing)


@app.task(name=LOOK_FOR_DRIFT, queue=UPKEEP, expires=540)
def look_for_changed_menus() -> None:
    with Client(config.api_base_url) as client:
        look_for_drift(engine(), client, config)


@app.task(name=GUARD_ROTATIONS, queue=UPKEEP, expires=540)
def look_at_guarded_rotations() -> None:
    guard_rotations(engine(), datetime.now(UTC))


@app.task(name=WARN_OF_UNKNOWN_YEARS, queue=UPKEEP, expires=3600)
def look_for_unknown_years() -> None:
    warn_of_unknown_years(engine(), datetime.now(UTC))


@app.task(name=RECONCILE, queue=UPKEEP, expires=3500)
def compare_with_wechat() -> None:
    with Client(config.api_base_url) as client:
        reconcile(engine(), client, config, datetime.now(UTC))


@app.task(name=SEND_ANSWERS, queue=UPKEEP, expires=4)
def send_answers_again() -> None:
    send_due(engine(), config)


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
    "let go what handlers have done": {
        "task": RETAIN_HANDLINGS,
        "schedule": crontab(minute="37"),
        "options": {"queue": UPKEEP, "expires": 3500},
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
    "rotate menus": {
        "task": ROTATE_MENUS,
        "schedule": crontab(),
        "options": {"queue": MENUS, "expires": 55},
    },
    "roll up": {  # so that figures are ten seconds old at most, of which five are a slot's own
        "task": ROLL_UP,
        "schedule": timedelta(seconds=2.5),
        "options": {"queue": ROLLUPS, "expires": 2},
    },
    "hand out what doors reply": {
        "task": HAND_OUT_REPLIES,
        "schedule": timedelta(seconds=10),
        "options": {"queue": ROLLUPS, "expires": 9},
    },
    "send answers that could not be sent": {  # a minute is all that most have
        "task": SEND_ANSWERS,
        "schedule": timedelta(seconds=5),
        "options": {"queue": UPKEEP, "expires": 4},
    },
    "look for menus that were changed elsewhere": {
        "task": LOOK_FOR_DRIFT,
        "schedule": crontab(minute="5-59/10"),
        "options": {"queue": UPKEEP, "expires": 540},
    },
    "take down guarded menus that are shunned": {
        "task": GUARD_ROTATIONS,
        "schedule": crontab(minute="3-59/10"),
        "options": {"queue": UPKEEP, "expires": 540},
    },
    "say which years' holidays are not known": {  # in China's morning
        "task": WARN_OF_UNKNOWN_YEARS,
        "schedule": crontab(minute="7", hour="1"),
        "options": {"queue": UPKEEP, "expires": 3600},
    },
    "compare with what WeChat counted": {  # days that are not known, and those that were short
        "task": RECONCILE,
        "schedule": crontab(minute="27"),
        "options": {"queue": UPKEEP, "expires": 3500},
    },
}
