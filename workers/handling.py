"""One call of a handler, from its message to what became of it. In a process of the pool, which it may take along."""

import contextlib
import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from models.config import Config
from models.db import transaction
from wechat.reply import Nothing, Reply, Text
from workers import answers
from workers.answers import answer
from workers.dispatch import Begun, Call, Outcome, begin, claim, end, hold
from workers.event_reading import handled_event
from workers.handled_event import Event
from workers.handlers import GiveUp, Handler, TryAgain

log = logging.getLogger(__name__)

# What is listed as the reason of a failure; and those that handlers give with TryAgain and GiveUp.
RAISED, TIMED_OUT, OUT_OF_MEMORY, BAD_REPLY = "raised", "timed_out", "out_of_memory", "bad_reply"
KILLED, NOT_ANSWERED, EVENT_GONE = "killed", "not_answered", "event_gone"
# What is wrong with a reply, or with the configuration, and would be so the next time.
_MISTAKES = {answers.BAD_REPLY, answers.NOT_SENDABLE, answers.NO_WINDOW, answers.NO_SECRET}
TRIES, PAUSE = 5, 1.0  # seconds; to write down an outcome that would else be had a second time

Send = Callable[[Sequence[Call]], None]
_Result = TypeVar("_Result")


class _TimeLimitReached(BaseException):
    """No Exception: handlers catch those."""


def handle(engine: Engine, config: Config, handler: Handler, call: Call, concurrency: int, send: Send) -> None:
    """See one message to its end.

    1. Make the call ours, unless it is somebody's already: messages may come twice, or late.
    2. Call the handler with the event, for as long as its time limit.
    3. Send what it replies, at most once for an event.
    4. Write down what became of it; and since there is a process free now, let the next be called.
    """
    started = time.monotonic()
    try:
        begun, event = _patiently(engine, call, lambda connection: _begin(connection, handler, call), TRIES)
    except SQLAlchemyError:
        return  # it is due again when the message is old
    if begun is None:
        return
    outcome = Outcome(EVENT_GONE) if event is None else _called_and_answered(engine, config, handler, event)
    state = finish(engine, handler, call, outcome, concurrency, send)
    _tell(begun, state, outcome, time.monotonic() - started)


def finish(
    engine: Engine,
    handler: Handler,
    call: Call,
    outcome: Outcome,
    concurrency: int,
    send: Send,
    tries: int = TRIES,
) -> str | None:
    """Write down what became of a call, and let the next one begin; its state, or None if it was written by somebody
    else, or could not be."""

    def end_and_claim(connection: Connection) -> tuple[str | None, list[Call]]:
        now = datetime.now(UTC)
        hold(connection, handler.name)
        return end(connection, handler, call, outcome, now), claim(connection, handler, concurrency, now)

    try:
        state, following = _patiently(engine, call, end_and_claim, tries)
    except SQLAlchemyError:
        return None  # its lease runs out
    send(following)
    return state


def call_handler(handler: Handler, event: Event) -> tuple[Outcome, Reply | None]:
    """What the handler says, or why it says nothing. Of what it raised, the type is kept and never the words."""
    try:
        with _time_limit(handler.time_limit):
            said = handler.function(event)
    except _TimeLimitReached:
        return Outcome(TIMED_OUT), None
    except TryAgain as error:
        return Outcome(error.reason, after=error.after, pause=error.pause), None
    except GiveUp as error:
        return Outcome(error.reason, may_retry=False), None
    except MemoryError:
        return Outcome(OUT_OF_MEMORY, "MemoryError"), None
    except (Exception, SystemExit) as error:
        return Outcome(RAISED, type(error).__qualname__[:200]), None
    return _read(said)


def _read(said: Any) -> tuple[Outcome, Reply | None]:
    reply = Text(said) if isinstance(said, str) else said
    if reply is None or isinstance(reply, Nothing):
        return Outcome(), None
    try:  # nobody has checked the types of its fields
        return Outcome(), msgspec.convert(msgspec.to_builtins(reply), Reply)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        # It would say the same the next time.
        return Outcome(BAD_REPLY, type(said).__qualname__[:200], may_retry=False), None


def _called_and_answered(engine: Engine, config: Config, handler: Handler, event: Event) -> Outcome:
    outcome, reply = call_handler(handler, event)
    if reply is None:
        return outcome
    try:
        said = answer(engine, config, event, reply, handler.name)
    except Exception as error:  # whatever it was: nothing is ever said twice
        return Outcome(NOT_ANSWERED, type(error).__qualname__[:200])
    return Outcome(said, may_retry=False) if said in _MISTAKES else outcome


def _begin(connection: Connection, handler: Handler, call: Call) -> tuple[Begun | None, Event | None]:
    begun = begin(connection, call, handler.time_limit, datetime.now(UTC))
    if begun is None:
        return None, None
    return begun, handled_event(connection, call.event_id, begun.created_at, begun.attempt)


def _patiently(engine: Engine, call: Call, work: Callable[[Connection], _Result], tries: int) -> _Result:
    """Do work in one transaction, a few times if need be.

    Raises SQLAlchemyError.
    """
    for left in reversed(range(tries)):
        try:
            with transaction(engine) as connection:
                return work(connection)
        except SQLAlchemyError as error:
            log.warning("handling waits for its tables", extra=_fields(call) | {"error": type(error).__name__})
            engine.dispose()
            if not left:
                raise
        time.sleep(PAUSE)
    raise AssertionError("tries are at least one")


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Not Celery's soft limit, whose exception is one that handlers catch, and may come while we write down."""
    former = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _interrupt(_number: int, _frame: Any) -> None:
    raise _TimeLimitReached


def _tell(begun: Begun, state: str | None, outcome: Outcome, seconds: float) -> None:
    told = {"state": state, "attempt": begun.attempt, "seconds": round(seconds, 3)}
    if outcome.reason is None:
        log.info("handler called", extra=_fields(begun.call) | told)
    else:
        failure = {"reason": outcome.reason, "error": outcome.error}
        log.warning("handler failed", extra=_fields(begun.call) | told | failure)


def _fields(call: Call) -> dict[str, Any]:
    return {"handler": call.handler, "event_id": str(call.event_id)}
