"""Celery, configured once. Each setting that differs from Celery's default has its reason beside it."""

import functools
import gc
import logging
import os
from typing import Any

import msgspec
from celery import Celery, signals
from celery.worker.consumer import Consumer
from kombu.serialization import register
from kombu.utils.json import dumps
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from models import db
from models.account import upsert_accounts
from models.config import Config, load
from workers.queues import (
    EVENTS,
    MENUS,
    ROLLUPS,
    TIME_LIMIT,
    UPKEEP,
    Role,
    dangers_at_start,
    is_rabbitmq,
    transport_options,
    work_queue,
)

log = logging.getLogger(__name__)

config = load(Config)
_url = config.broker_url.get_secret_value()


class App(Celery):
    """Celery with a worker of our own."""

    @functools.cached_property
    def Worker(self) -> Any:  # noqa: N802  # Celery's name
        """What `worker_main` runs."""
        return self.subclass_with_self("workers.worker:Worker")


# Celery reads every message twice, in the worker and in its process; this takes a third of the time of kombu's own.
register("json", dumps, msgspec.json.decode, content_type="application/json", content_encoding="utf-8")

app = App("caidan", include=["workers.tasks"])
app.conf.update(
    broker_url=_url,
    broker_transport_options=transport_options(_url, Role.WORKER),
    broker_connection_retry_on_startup=True,  # a worker may start before its broker
    broker_connection_max_retries=None,  # 100 tries are over after 47 minutes of outage
    broker_channel_error_retry=True,  # else a full Redis ends the worker
    broker_connection_timeout=2,  # seconds, as these; a broker that is not there is tried again soon
    broker_heartbeat=30,  # a silent one is noticed after two of them
    broker_pool_acquire_timeout=2,  # a receipt that cannot be sent now is none: the journal repeats
    task_queues=[work_queue(name, _url) for name in (EVENTS, UPKEEP, MENUS, ROLLUPS)],
    task_default_queue=UPKEEP,  # what says nothing else must not stand in the way of events
    task_default_exchange="",  # every queue is known to it by name; a binding can be lost
    task_default_routing_key=UPKEEP,
    task_create_missing_queues=False,  # a misspelt queue is an error, not a queue that nobody reads
    task_serializer="json",
    accept_content=["json"],  # pickle would run what the broker was made to hold
    task_ignore_result=True,  # nobody asks for results: the receipt is one
    result_backend=None,
    # A message is acknowledged after the commit, and given back when its process dies. All four are needed: with
    # late acknowledgement alone, a task that raised and one whose process was killed count as done.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_acks_on_failure=False,
    task_acks_on_timeout=False,
    task_retry_on_worker_lost=False,  # a new message would not count as delivered before
    task_time_limit=TIME_LIMIT,
    task_soft_time_limit=540,  # tried first: the batch is put back, and its process lives
    worker_prefetch_multiplier=2 if is_rabbitmq(_url) else 1,  # Redis and SQLite give out the next one at once
    # What is under way when the connection is lost is finished, and found to be known when it comes again.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_enable_prefetch_count_reduction=False,  # after a reconnect it may never rise again
    # With REMAP_SIGTERM=SIGQUIT: what is under way has so long to finish, the rest goes back. It is always waited out
    # to its end, so it is short, and an idle worker stops at once.
    worker_soft_shutdown_timeout=5,
    worker_enable_soft_shutdown_on_idle=False,
    worker_max_tasks_per_child=5000,  # what leaks anywhere below is bounded
    worker_max_memory_per_child=400_000,  # KiB, the same; a child ends between two batches
    worker_lost_wait=5,  # seconds in which a dead child's last word may still arrive; 10 hold up what it left
    worker_proc_alive_timeout=30,  # 4 seconds loop for ever on a loaded machine
    worker_enable_remote_control=False,  # health is told by progress; the embedded broker has no fanout
    worker_send_task_events=False,  # nobody listens
    worker_hijack_root_logger=False,  # logs are lines of JSON
    timezone="UTC",
)

# Native delayed delivery makes 28 queues for messages that are due later; none of ours is.
_DELAYED = "celery.worker.consumer.delayed_delivery:DelayedDelivery"
if _DELAYED in Consumer.Blueprint.default_steps:
    Consumer.Blueprint.default_steps.remove(_DELAYED)


@functools.cache
def _engine(_pid: int) -> Engine:
    return db.connect(config.database_url.get_secret_value())


def engine() -> Engine:
    """The database, with connections of this process' own: a fork must not share its parent's."""
    return _engine(os.getpid())


@signals.worker_init.connect
def _check_broker(**_: object) -> None:
    for advice in dangers_at_start(_url):
        log.warning("broker endangers events", extra={"advice": advice})


@signals.worker_init.connect
def _note_accounts(**_: object) -> None:
    """The tables learn of new accounts. Nothing waits for it: recording knows what to do about an unknown one."""
    try:
        with db.transaction(engine()) as connection:
            upsert_accounts(connection, config.accounts)
    except SQLAlchemyError as error:
        log.warning("accounts not noted", extra={"error": type(error).__name__})
    finally:
        engine().dispose()


@signals.celeryd_after_setup.connect
def _share_what_is_imported(**_: object) -> None:
    """Looking for garbage writes to what it looks at, and what is written to after a fork is there twice: 35 MB."""
    gc.collect()
    gc.freeze()


@signals.worker_process_init.connect
def _spare_what_is_imported(**_: object) -> None:
    """Looking through all modules for garbage, again and again, took a sixth of the time of recording."""
    gc.freeze()
