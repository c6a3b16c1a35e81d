"""Letting go what is no longer to be kept, a little at a time: a process of the worker does nothing else meanwhile."""

import logging
import time
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine

from models import answers, retention
from models.db import transaction
from models.handling import DONE, DONE_KEPT, FAILED, all_gone, handled_by, let_handlings_go
from workers.answers import KEPT

log = logging.getLogger(__name__)

SECONDS = 20.0  # after which another task goes on


def retain(engine: Engine, retention_days: Mapping[str, int], now: datetime, since: str | None) -> str | None:
    """Let go what may go, for a while; where to go on, if there may be more. Raises BusyError."""
    if since is None:
        answers.let_go(engine, now - KEPT)
    limits = retention.limits(retention_days, now)
    start = datetime.fromisoformat(since) if since else retention.UNKNOWN
    gone, end, more = retention.Gone(), time.monotonic() + SECONDS, None
    for step in retention.let_go(engine, limits, start):
        gone.add(step)
        if time.monotonic() > end:
            more = gone.reached.isoformat()
            break
    if gone.rows or gone.partitions:
        log.info("expired rows gone", extra={"rows": gone.rows, "partitions": gone.partitions})
    return more


def retain_handlings(engine: Engine, retention_days: Mapping[str, int], now: datetime) -> None:
    """Let go what handlers did some days ago; and of what they failed at, what is as old as quarantine may be."""
    end, gone = time.monotonic() + SECONDS, 0
    limits = {DONE: now - DONE_KEPT, FAILED: retention.limits(retention_days, now).quarantine}
    with engine.connect() as connection:
        names = handled_by(connection)
    for name in names:
        for state, before in limits.items():
            is_over = False
            while before is not None and not is_over and time.monotonic() < end:
                with transaction(engine) as connection:
                    rows = let_handlings_go(connection, name, state, before)
                gone, is_over = gone + rows, all_gone(rows)
    if gone:
        log.info("handlings gone", extra={"rows": gone})
