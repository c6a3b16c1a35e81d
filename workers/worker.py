"""Celery's worker, which always comes to its end: once it has begun to stop, and once it is of no use."""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from billiard.process import active_children
from celery import bootsteps
from celery.apps import worker
from celery.worker import state
from celery.worker.consumer.tasks import Tasks

from workers import health
from workers.app import app, config
from workers.queues import HANDLERS, LISTENING, Role, connect

log = logging.getLogger(__name__)


class Worker(worker.Worker):
    """After what Celery calls an unrecoverable error its worker stops, and may hang in it: a pool that was being
    refilled when a child was killed never ends. Whoever supervises us starts a new one, but only once this one is gone;
    what it holds is given back by the broker, or sent again by the journal."""

    patience = 60.0  # seconds; a warm shutdown under load takes half of them

    def on_start(self) -> None:
        super().on_start()
        self.glance = health.Glance({}, 0, time.monotonic())
        threading.Thread(target=_watch, args=(self,), name="watch", daemon=True).start()

    def look(self, held: Any) -> None:
        self.glance = self.glance.next([request.id for request in held], state.all_total_count[0], time.monotonic())

    def stop(self, *arguments: Any, **settings: Any) -> None:
        """As Celery's, and the end of the process if that takes too long."""
        end = threading.Timer(self.patience, _end, ["does_not_stop"])
        end.daemon = True
        end.start()
        super().stop(*arguments, **settings)


class Look(bootsteps.StartStopStep):
    """Lets the worker see what it holds, from its event loop, where nothing of that changes meanwhile."""

    requires = (Tasks,)

    def register_with_event_loop(self, consumer: Any, hub: Any) -> None:
        hub.call_repeatedly(health.LOOK_EVERY, lambda: consumer.controller.look(state.reserved_requests))

    def stop(self, consumer: Any) -> None:
        """The connection is lost, and with it what was held."""
        consumer.controller.look([])


app.steps["consumer"].add(Look)


def _watch(worker: Worker) -> None:
    """Give signs of life until there is a reason to end. A thread: the event loop may be what is stuck."""
    sign = _sign()
    hearing = health.Hearing(time.monotonic())
    while True:
        now, glance = time.monotonic(), worker.glance
        if reason := health.stuck(glance, now):
            _end(reason)
        if hearing.is_due(glance, now) and hearing.is_deaf(glance, now, _has_messages()):
            _end("hears_of_no_message")
        if sign is not None:
            with suppress(OSError):
                sign.give()
        time.sleep(health.LOOK_EVERY)


def _sign() -> health.LifeSign | None:
    try:
        return health.LifeSign(health.folder(config.data_dir, _part()))
    except OSError as error:
        log.warning("worker cannot give signs of life", extra={"reason": str(error)})
        return None


def _part() -> str:
    """Which of `LISTENING` this is, by the queues that it listens to; handlers have others."""
    parts = (part for part, queues in LISTENING.items() if queues[0] in app.amqp.queues.consume_from)
    return next(parts, HANDLERS)


def _has_messages() -> bool:
    """Whether a queue of ours has messages that nobody has taken; not while the broker cannot be reached."""
    with suppress(Exception), connect(app.conf.broker_url, Role.PUBLISHER) as connection:  # errors of many families
        for queue in app.amqp.queues.consume_from.values():
            if queue(connection.default_channel).queue_declare(passive=True).message_count:
                return True
    return False


def _end(reason: str) -> None:
    """Of this process and its pool: a child that is stuck would outlive it."""
    log.critical("worker ended", extra={"reason": reason})
    for child in active_children():
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    os._exit(1)
