"""What a worker does with a batch: record it and send the receipt; or leave it to the journal; or put it back.

Nothing here raises: an exception that leaves the task makes Celery drop the message.
"""

import logging
import time
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Engine

from wechat.event import BATCH_VERSION, Batch, decode_batch
from workers.outgoing import Outgoing
from workers.queues import DELIVERIES
from workers.record import record

log = logging.getLogger(__name__)

PATIENCE = 300.0  # seconds to wait in place for a database that is not there now; below every time limit
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
DELIVERIES_AT_MOST = 3  # a message delivered so often may be killing workers; the journal sends it again, in halves


def settle(payload: str, delivered: int, engine: Engine, outgoing: Outgoing) -> None:
    """See one message to its end.

    1. What cannot be judged here (delivered too often, or of an unknown version) is acknowledged without a receipt:
       the journal sends it again.
    2. What the database does not take now is tried again in place, with pauses, and then put back as a fresh message,
       so that waiting never counts as dying.
    3. What is recorded gets its receipt, after the commit.
    """
    if delivered >= DELIVERIES_AT_MOST:
        log.error("batch left to the journal", extra={"reason": "delivered_too_often"})
        return
    batch = _decoded(payload)
    if batch is None:
        log.error("batch left to the journal", extra={"reason": "unknown_version"})
    elif _is_recorded(engine, batch):
        outgoing.receipt(batch.receipts, batch.id)
    else:
        outgoing.put_back(payload)


def deliveries(request: Any) -> int:
    """How often a message has been delivered, this time included.

    RabbitMQ's quorum queues and the embedded broker count. Redis only says that it has given a message back, and does
    so after a quarter of an hour; that is reason enough to leave the message to the journal.
    """
    count = request.get(DELIVERIES)
    if count is not None:
        return int(count) + 1
    return DELIVERIES_AT_MOST if (request.delivery_info or {}).get("redelivered") else 1


def _decoded(payload: str) -> Batch | None:
    try:
        batch = decode_batch(payload)
    except (msgspec.MsgspecError, ValueError):
        return None
    return batch if batch.version == BATCH_VERSION else None


def _is_recorded(engine: Engine, batch: Batch) -> bool:
    """Record a batch, trying again for as long as the patience lasts; whether it is recorded now."""
    give_up = time.monotonic() + PATIENCE
    pause = FIRST_PAUSE
    while True:
        started = time.monotonic()
        try:
            recorded = record(engine, batch)
        except Exception as error:  # unknown errors too: dropping the batch is the one thing that must not happen
            log.warning("batch waits", extra={"batch": batch.id, "reason": _reason(error), "pause_seconds": pause})
        else:
            seconds = round(time.monotonic() - started, 4)
            log.info("batch recorded", extra={"batch": batch.id, "seconds": seconds} | asdict(recorded))
            return True
        if time.monotonic() + pause > give_up:
            return False
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _reason(error: Exception) -> str:
    """What is waited for, in a word; never the statement, which holds what people wrote."""
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlstate", None) or next(iter(getattr(original, "args", ())), "")
    return f"{type(original).__name__} {code if isinstance(code, int) or len(str(code)) == 5 else ''}".strip()
