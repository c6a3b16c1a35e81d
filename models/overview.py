"""How it goes, in a few figures. Each is read by an index, so that asking costs a large database little."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from models.event import Event
from models.quarantine import Quarantine


@dataclass(frozen=True, slots=True)
class Overview:
    """Events by when they were recorded."""

    last_hour: int
    last_day: int
    last_recorded_at: datetime | None
    quarantined: int  # and not replayed


def overview(connection: Connection, now: datetime) -> Overview:
    def recorded(within: timedelta) -> int:
        query = select(func.count()).select_from(Event).where(Event.recorded_at >= now - within)
        return connection.scalar(query) or 0

    waiting = select(func.count()).select_from(Quarantine).where(Quarantine.replayed_at.is_(None))
    return Overview(
        last_hour=recorded(timedelta(hours=1)),
        last_day=recorded(timedelta(days=1)),
        last_recorded_at=connection.scalar(select(func.max(Event.recorded_at))),
        quarantined=connection.scalar(waiting) or 0,
    )
