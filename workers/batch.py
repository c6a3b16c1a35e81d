"""What a worker does with a batch: record it and send the receipt; or leave it to the journal; or put it back.

Nothing here raises: an exception that leaves the task makes Celery drop the message.
"""

import logging
import time
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Engine

from models import refusal
from wechat.event import BATCH_VERSION, Batch, decode_batch
from workers.outgoing import Outgoing
from workers.queues import DELIVERIES
from workers.record import Recorded, TooManyRefusedError, record

log = logging.getLogger(__name__)

# Seconds. Under load, looking for new publications with every batch costs up to a tenth of recording it; and WeChat is
# called after the tables are told of a publication, so that no tap of it comes so soon.
MAY_LAG = 0.1
PATIENCE = 300.0  # seconds to wait in place for a database that is not there now; below every time limit
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
DELIVERIES_AT_MOST = 3  # a message delivered so often may be killing workers; the journal sends it again, in halves


def settle(
    payload: str, delivered: int, engine: Engine, outgoing: Outgoing, *, forget_unsubscribed: bool = False
) -> None:
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
    elif recorded := _recorded(engine, batch, forget_unsubscribed):
        outgoing.receipt(batch.receipts, batch.id, recorded.taps)
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
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return batch if batch.version == BATCH_VERSION else None


def _recorded(engine: Engine, batch: Batch, forget_unsubscribed: bool) -> Recorded | None:
    """Record a batch, trying again for as long as the patience lasts; None if it is not recorded now."""
    began = time.monotonic()
    pause = FIRST_PAUSE
    while True:
        started = time.monotonic()
        try:
            recorded = record(engine, batch, forget_unsubscribed=forget_unsubscribed, may_lag=MAY_LAG)
        except Exception as error:  # unknown errors too: dropping the batch is the one thing that must not happen
            reason, code = refusal.explained(error)
            if isinstance(error, TooManyRefusedError):
                reason = "too_many_refused"
            waits = {"batch": batch.id, "reason": reason, "code": code}
            # Old connections are not used again: after a failover they may lead to a server that only reads.
            engine.dispose()
        else:
            seconds = round(time.monotonic() - started, 4)
            log.info("batch recorded", extra={"batch": batch.id, "seconds": seconds} | asdict(recorded))
            return recorded
        waited = time.monotonic() - began
        if waited + pause > PATIENCE:
            log.error("batch put back", extra=waits | {"waited_seconds": round(waited)})
            return None
        log.warning("batch waits", extra=waits | {"pause_seconds": pause})
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
