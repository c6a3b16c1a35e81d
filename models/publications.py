"""What was published, and what is live: a publication is live from `started_at` until `ended_at`, if it was published.

One at a time per account is under way: its row, without an outcome, is the claim that keeps others out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from models.account import lock
from models.base import table_of
from models.menu import Menu, Publication, PublicationMenu

PUBLISHED, REFUSED, FAILED, ABANDONED = "published", "refused", "failed", "abandoned"
# Without a sign of life, after which whoever is publishing is taken for dead: less than from one tick to the next, so
# that this one goes on where the other was killed. It may be as short, for who has lost a claim makes no further call.
CLAIM = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class PublicationRow:
    id: int
    account_id: int
    version: int
    cause: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    errcode: int | None


class UnderWayError(Exception):
    """Somebody else is publishing for this account, since `since`."""

    def __init__(self, since: datetime) -> None:
        super().__init__(f"since {since}")
        self.since = since


def claim(
    connection: Connection, account_id: int, menu_id: int, cause: str, now: datetime, rotation_id: int | None = None
) -> int:
    """Begin a publication, alone; its id. Within a transaction.

    Raises UnderWayError.
    """
    lock(connection, account_id)
    if (since := under_way_since(connection, account_id, now)) is not None:
        raise UnderWayError(since)
    under_way = (Publication.account_id == account_id, Publication.outcome.is_(None))
    connection.execute(update(Publication).where(*under_way).values(outcome=ABANDONED, ended_at=now, alive_at=None))
    values = {"account_id": account_id, "menu_id": menu_id, "cause": cause, "rotation_id": rotation_id}
    made = connection.execute(insert(table_of(Publication)).values(**values, started_at=now, alive_at=now))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def keep(connection: Connection, publication_id: int, now: datetime) -> bool:
    """Give a sign of life; False if the claim is lost, and all further calls are another's to make."""
    mine = (Publication.id == publication_id, Publication.outcome.is_(None))
    return connection.execute(update(Publication).where(*mine).values(alive_at=now)).rowcount == 1


def under_way_since(connection: Connection, account_id: int, now: datetime) -> datetime | None:
    """Since when somebody has been publishing for this account; nothing of whoever is taken for dead."""
    alive_at = func.coalesce(Publication.alive_at, Publication.started_at)
    query = select(Publication.started_at).where(Publication.account_id == account_id, Publication.outcome.is_(None))
    # A sign that is later than now was given before the clock was set back.
    return connection.scalar(query.where(alive_at > now - CLAIM, alive_at <= now))


def finish(connection: Connection, publication_id: int, menu_ids: Mapping[int, str], now: datetime) -> bool:
    """Note that it is live now, under WeChat's ids by position, and no other; False if it has lost its claim."""
    mine = (Publication.id == publication_id, Publication.outcome.is_(None))
    if connection.execute(update(Publication).where(*mine).values(outcome=PUBLISHED, alive_at=None)).rowcount != 1:
        return False
    account_id = connection.scalar(select(Publication.account_id).where(Publication.id == publication_id))
    former = (Publication.account_id == account_id, Publication.outcome == PUBLISHED, Publication.ended_at.is_(None))
    connection.execute(update(Publication).where(*former, Publication.id != publication_id).values(ended_at=now))
    rows = [
        {"publication_id": publication_id, "position": position, "wechat_menu_id": menu_id}
        for position, menu_id in sorted(menu_ids.items())
    ]
    if rows:
        connection.execute(insert(PublicationMenu), rows)
    return True


def fail(connection: Connection, publication_id: int, outcome: str, errcode: int | None, now: datetime) -> None:
    mine = (Publication.id == publication_id, Publication.outcome.is_(None))
    values = {"outcome": outcome, "errcode": errcode, "ended_at": now, "alive_at": None}
    connection.execute(update(Publication).where(*mine).values(values))


def live(connection: Connection, account_id: int) -> PublicationRow | None:
    """What Caidan published last, and nobody has replaced through Caidan."""
    is_live = (Publication.outcome == PUBLISHED, Publication.ended_at.is_(None))
    return _first(connection, _rows(account_id).where(*is_live))


def is_doubtful(connection: Connection, account_id: int) -> bool:
    """Whether something was tried since the last publication, and did not come to its end: it may be there in part."""
    tried = select(Publication.outcome).where(Publication.account_id == account_id).order_by(Publication.id.desc())
    found = connection.execute(tried.limit(1)).one_or_none()
    return found is not None and found.outcome != PUBLISHED


def before_live(connection: Connection, account_id: int) -> PublicationRow | None:
    """The publication of another version that was live before the one that is."""
    current = live(connection, account_id)
    query = _rows(account_id).where(Publication.outcome == PUBLISHED, Publication.ended_at.is_not(None))
    return _first(connection, query.where(Menu.version != current.version) if current else query)


def publications(connection: Connection, account_id: int, limit: int = 50) -> Sequence[PublicationRow]:
    """The newest first."""
    return [PublicationRow(*row) for row in connection.execute(_rows(account_id).limit(limit))]


def of_version(connection: Connection, account_id: int, version: int) -> Sequence[PublicationRow]:
    """Those of a version that followers saw, the newest first."""
    query = _rows(account_id).where(Menu.version == version, Publication.outcome == PUBLISHED)
    return [PublicationRow(*row) for row in connection.execute(query)]


def wechat_ids(connection: Connection, publication_id: int) -> dict[int, str]:
    """WeChat's ids of what a publication put up, by position."""
    query = select(PublicationMenu.position, PublicationMenu.wechat_menu_id)
    found = connection.execute(query.where(PublicationMenu.publication_id == publication_id))
    return {row.position: row.wechat_menu_id for row in found}


def _first(connection: Connection, query: Select[*tuple[Any, ...]]) -> PublicationRow | None:
    found = connection.execute(query.limit(1)).one_or_none()
    return PublicationRow(*found) if found else None


def _rows(account_id: int) -> Select[*tuple[Any, ...]]:
    columns = (Publication.id, Publication.account_id, Menu.version, Publication.cause, Publication.started_at)
    query = select(*columns, Publication.ended_at, Publication.outcome, Publication.errcode)
    query = query.join_from(Publication, Menu, Menu.id == Publication.menu_id)
    return query.where(Publication.account_id == account_id).order_by(
        Publication.started_at.desc(), Publication.id.desc()
    )
