"""What each window of a rotation brought: the publications that it caused, with the taps that are tied to each.

Read from the rollups, which are some seconds behind the events.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from models.menu import Menu, Publication
from models.publications import PUBLISHED
from models.rollups import taps

# A phone may show a menu for a day after it is gone, WeChat's clock may be somewhat before ours, and the account's day
# another than that of UTC. More days bring nothing that is not theirs: publications are never put up twice.
_BEFORE, _AFTER = timedelta(days=2), timedelta(days=3)


@dataclass(frozen=True, slots=True)
class WindowRow:
    publication_id: int
    rotation_id: int
    version: int
    started_at: datetime
    ended_at: datetime | None  # None while it is live
    taps: int
    users: int

    def taps_per_hour(self, now: datetime) -> float:
        """While it was live."""
        hours = ((self.ended_at or now) - self.started_at) / timedelta(hours=1)
        return self.taps / hours if hours > 0 else 0.0


def windows(
    connection: Connection, account_id: int, since: datetime, until: datetime, rotation_id: int | None = None
) -> list[WindowRow]:
    """The windows that began in this time, in order, of all rotations or of one, with the taps that are tied to each.

    A window whose menu was live already when it began is no publication of its own: its taps are the former one's.
    """
    found = connection.execute(_publications(account_id, since, until, rotation_id)).all()
    if not found:
        return []
    first = min(row.started_at for row in found) - _BEFORE
    last = max(row.ended_at or until for row in found) + _AFTER
    counted = taps(connection, account_id, first.date(), last.date(), of="publication")
    counts = {row.what: (row.taps, row.users) for row in counted}
    return [_window(row, *counts.get(row.id, (0, 0))) for row in found]


def _publications(
    account_id: int, since: datetime, until: datetime, rotation_id: int | None
) -> Select[*tuple[Any, ...]]:
    columns = (Publication.id, Publication.rotation_id, Menu.version, Publication.started_at, Publication.ended_at)
    query = select(*columns).join_from(Publication, Menu, Menu.id == Publication.menu_id)
    query = query.where(Publication.account_id == account_id, Publication.outcome == PUBLISHED)
    query = query.where(Publication.started_at >= since, Publication.started_at < until)
    is_asked = Publication.rotation_id.is_not(None) if rotation_id is None else Publication.rotation_id == rotation_id
    return query.where(is_asked).order_by(Publication.started_at, Publication.id)


def _window(row: Row[*tuple[Any, ...]], taps: int, users: int) -> WindowRow:
    return WindowRow(row.id, row.rotation_id, row.version, row.started_at, row.ended_at, taps, users)
