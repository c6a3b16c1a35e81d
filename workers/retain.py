"""Letting go what is no longer to be kept, a little at a time: a process of the worker does nothing else meanwhile."""

import logging
import time
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine

from models import retention

log = logging.getLogger(__name__)

SECONDS = 20.0  # after which another task goes on


def retain(engine: Engine, retention_days: Mapping[str, int], now: datetime, since: str | None) -> str | None:
    """Let go what may go, for a while; where to go on, if there may be more. Raises BusyError."""
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
