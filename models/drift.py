"""Menus that were changed elsewhere: what is live, and is not what was published."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.bulk import insert_new
from models.menu import Publication
from models.publications import PUBLISHED


class Drift(Base):
    """A row for as long as it lasts; it is about one publication, and is nothing once there is another."""

    __tablename__ = "drift"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    digest: Mapped[str] = mapped_column(String(128))  # of what is there instead
    seen_at: Mapped[datetime]  # for the first time


@dataclass(frozen=True, slots=True)
class DriftRow:
    publication_id: int
    digest: str
    seen_at: datetime


def drift_of(connection: Connection, account_id: int) -> DriftRow | None:
    """What the last look at an account found in the place of its live publication."""
    query = select(Drift.publication_id, Drift.digest, Drift.seen_at).join(
        Publication, Publication.id == Drift.publication_id
    )
    is_live = (Publication.outcome == PUBLISHED, Publication.ended_at.is_(None))
    found = connection.execute(query.where(Drift.account_id == account_id, *is_live)).one_or_none()
    return DriftRow(*found) if found else None


def note_drift(connection: Connection, account_id: int, publication_id: int, digest: str, now: datetime) -> bool:
    """Write down what is there instead of a publication; whether it is news."""
    known = drift_of(connection, account_id)
    if known and (known.publication_id, known.digest) == (publication_id, digest):
        return False
    values = {"publication_id": publication_id, "digest": digest, "seen_at": now}
    insert_new(connection, Drift, [{"account_id": account_id} | values])
    connection.execute(update(Drift).filter_by(account_id=account_id).values(values))
    return True


def end_drift(connection: Connection, account_id: int) -> bool:
    """Whether there was one."""
    return connection.execute(delete(Drift).filter_by(account_id=account_id)).rowcount > 0
