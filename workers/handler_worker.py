"""The worker of handlers: a Celery worker of its own, the only process that imports packages of a user's.

Each handler is a task of its own on a queue of its own. What is to be called is looked for by a thread of the main
process; the processes of the pool call it, and when they die, the main process knows of it.
"""

import logging
import os
import resource
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from billiard.exceptions import WorkerLostError
from celery import signals
from celery.worker.request import Request
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from models.bulk import insert_new
from models.config import Config
from models.db import transaction
from models.handling import HandlerRow
from workers.app import app, config, engine
from workers.dispatch import LOOK_EVERY, MARGIN, START_PATIENCE, Call, Outcome, claim, is_due, withdraw
from workers.handler_packages import installed, load
from workers.handlers import Handler, registered
from workers.handling import KILLED, TIMED_OUT, finish, handle
from workers.queues import HANDLERS, handler_queue, handler_task

log = logging.getLogger(__name__)

TELL_EVERY = 60.0  # seconds between two times that the tables are told which handlers there are
_ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}


def shares(wanted: Mapping[str, int], processes: int) -> dict[str, int]:
    """How many processes each handler may take: so many as it wants where there are enough for all; else its share, at
    least one, so that a slow one is never in the way of the others."""
    asked = sum(wanted.values())
    if asked <= processes:
        return dict(wanted)
    return {name: max(1, count * processes // asked) for name, count in wanted.items()}


def prepare(config: Config) -> tuple[list[str], int]:
    """Load what there is and make tasks of it; the queues to listen to, and how many processes they take."""
    if config.webhooks:
        from workers.webhook import register_webhooks

        register_webhooks(config)
    load(installed())
    handlers = registered()
    allowed = shares({name: handler.concurrency for name, handler in handlers.items()}, config.handler_processes)
    url = config.broker_url.get_secret_value()
    queues = [handler_queue(name, url) for name in sorted(handlers)] or [handler_queue(HANDLERS, url)]
    # Handlers are interrupted by a limit of our own (workers/handling.py), and what waits does so in the table.
    app.conf.update(task_queues=queues, task_soft_time_limit=None, worker_prefetch_multiplier=1)
    dispatcher = Dispatcher(handlers, allowed)
    for handler in handlers.values():
        _make_task(handler, dispatcher)
    signals.worker_ready.connect(dispatcher.start, weak=False)
    signals.worker_process_init.connect(_limit_memory, weak=False)
    return [queue.name for queue in queues], max(1, sum(allowed.values()))


class Dispatcher:
    """Finds what is due, and sends the messages by which it is begun; tells the tables which handlers there are; and
    writes down what became of calls whose processes cannot do so any more. All in one thread, begun after the pool."""

    def __init__(self, handlers: Mapping[str, Handler], allowed: Mapping[str, int]) -> None:
        self.handlers, self.allowed = handlers, allowed
        self.ended: SimpleQueue[tuple[Call, Outcome]] = SimpleQueue()
        self._told_at = -TELL_EVERY

    def start(self, **_: object) -> None:
        threading.Thread(target=self._run, name="dispatch", daemon=True).start()

    def send(self, calls: Sequence[Call]) -> None:
        """A message for each; what the broker does not take is due again soon. Raises nothing."""
        unsent: list[Call] = []
        for call in calls:
            if unsent:  # it would not take the others either, and each try takes seconds
                unsent.append(call)
                continue
            try:
                app.tasks[handler_task(call.handler)].apply_async(
                    (str(call.event_id), call.token),
                    argsrepr="<call>",
                    expires=START_PATIENCE.total_seconds(),
                    retry_policy=_ONCE_MORE,
                )
            except Exception as error:  # kombu's transports raise errors of many families
                log.warning("handler not sent for", extra={"error": type(error).__name__, "handler": call.handler})
                unsent.append(call)
        if unsent:
            with suppress(SQLAlchemyError), transaction(engine()) as connection:
                withdraw(connection, unsent, datetime.now(UTC))

    def _run(self) -> None:
        while True:
            try:
                calls = self._turn()
            except Exception as error:  # the database's, as a rule: it is looked again, and again
                log.warning("handlers not dispatched", extra={"error": type(error).__name__})
                time.sleep(1)
            else:
                self.send(calls)
            with suppress(Empty):
                call, outcome = self.ended.get(timeout=LOOK_EVERY.total_seconds())
                self._finish(call, outcome)

    def _finish(self, call: Call, outcome: Outcome) -> None:
        """Once: if it cannot be written down now, the lease runs out."""
        following: list[Call] = []
        with _unforked() as tables:
            finish(
                tables,
                self.handlers[call.handler],
                call,
                outcome,
                self.allowed[call.handler],
                following.extend,
                tries=1,
            )
        self.send(following)

    def _turn(self) -> list[Call]:
        calls: list[Call] = []
        with _unforked() as tables:
            if time.monotonic() - self._told_at >= TELL_EVERY:
                tell(tables, self.handlers.values(), datetime.now(UTC))
                self._told_at = time.monotonic()
            for name, handler in self.handlers.items():
                now, at_most = datetime.now(UTC), self.allowed[name]
                with tables.connect() as connection:
                    due = is_due(connection, handler, at_most, now)
                if due:
                    with transaction(tables) as connection:
                        calls += claim(connection, handler, at_most, now)
        return calls


def tell(tables: Engine, handlers: Iterable[Handler], now: datetime) -> None:
    """Tell the tables which handlers there are: from now on events are noted for them."""
    with transaction(tables) as connection:
        there = set(connection.scalars(select(HandlerRow.name)))
        for handler in sorted(handlers, key=lambda one: one.name):
            values = {
                "kinds": list(handler.kinds),
                "event_key": handler.key,
                "accounts": list(handler.accounts),
                "is_ordered": handler.ordered,
                "seen_at": now,
            }
            if handler.name in there:
                connection.execute(update(HandlerRow).where(HandlerRow.name == handler.name).values(values))
            else:
                new = {"name": handler.name, **values, "free_at": now}
                insert_new(connection, HandlerRow, [new])


_forking = threading.Lock()
os.register_at_fork(before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_forking.release)


@contextmanager
def _unforked() -> Iterator[Engine]:
    """The database, while the pool gets no new process: on SQLite, a process that is forked while its parent has a
    connection believes in locks that it does not have (workers/leases.py)."""
    with _forking:
        tables = engine()
        try:
            yield tables
        finally:
            if tables.dialect.name == "sqlite":
                tables.dispose()


class _Request(Request):  # type: ignore[misc]
    """A message as the main process sees it, which alone knows how a process of the pool died."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        super().on_timeout(soft, timeout)
        if not soft:
            self._ended(Outcome(TIMED_OUT))

    def on_failure(self, exc_info: Any, *arguments: Any, **settings: Any) -> Any:
        raised = exc_info.exception
        if isinstance(getattr(raised, "exc", raised), WorkerLostError | SystemExit):  # wrapped, as a rule
            self._ended(Outcome(KILLED))
        return super().on_failure(exc_info, *arguments, **settings)

    def _ended(self, outcome: Outcome) -> None:
        event_id, token = self.args
        self.task.dispatcher.ended.put((Call(self.task.handler.name, UUID(event_id), token), outcome))


def _make_task(handler: Handler, dispatcher: Dispatcher) -> None:
    at_most = dispatcher.allowed[handler.name]

    def run(event_id: str, token: int) -> None:
        call = Call(handler.name, UUID(event_id), token)
        handle(engine(), config, handler, call, at_most, dispatcher.send)

    app.task(
        run,
        name=handler_task(handler.name),
        queue=handler_queue(handler.name, config.broker_url.get_secret_value()).name,
        # The table knows what is to be done, and the broker may forget it: nothing comes twice on its account.
        acks_late=False,
        time_limit=handler.time_limit + MARGIN.total_seconds(),
        Request=_Request,
        handler=handler,
        dispatcher=dispatcher,
    )


def _limit_memory(**_: object) -> None:
    """What a handler may take beyond what there is already; then it gets a MemoryError, where the kernel would end
    whom it likes."""
    with suppress(OSError, ValueError):  # where there is no such file there is no such limit, either
        there = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = there + (config.handler_memory << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
