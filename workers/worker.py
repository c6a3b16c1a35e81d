"""Celery's worker, which always comes to its end: once it has begun to stop, and once it is of no use."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from billiard.process import active_children
from celery import bootsteps
from celery.apps import worker
from celery.concurrency.asynpool import AsynPool, ResultHandler
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

    def install_platform_tweaks(self, worker: Any) -> None:
        super().install_platform_tweaks(worker)
        for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            signal.signal(number, Results.first(signal.getsignal(number)))

    def look(self, held: Any) -> None:
        self.glance = self.glance.next([request.id for request in held], state.all_total_count[0], time.monotonic())

    def stop(self, *arguments: Any, **settings: Any) -> None:
        """As Celery's, and the end of the process if that takes too long."""
        end = threading.Timer(self.patience, _end, ["does_not_stop"])
        end.daemon = True
        end.start()
        super().stop(*arguments, **settings)


class Results(ResultHandler):
    """Takes in what became of a task before any signal is heeded. Celery stops inside of a signal's handler, and waits
    there for all results: for ever for one in the middle of which the signal came."""

    _is_taking = False
    _signals: ClassVar[list[Callable[[], None]]] = []

    @classmethod
    def first(cls, handler: Any) -> Any:
        """The handler of a signal, once no result is being taken in."""

        def handle(*arguments: Any) -> None:
            if cls._is_taking:
                cls._signals.append(partial(handler, *arguments))
            elif callable(handler):
                handler(*arguments)

        return handle

    def _make_process_result(self, hub: Any) -> Any:
        take = super()._make_process_result(hub)

        def take_whole(fileno: int) -> None:
            Results._is_taking = True
            try:
                take(fileno)
            finally:
                Results._is_taking = False
            while self._signals:
                self._signals.pop(0)()

        return take_whole


AsynPool.ResultHandler = Results


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
