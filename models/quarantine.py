"""What could not be recorded, and who is not to be."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.types import Raw


class Quarantine(Base):
    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_quarantined", "quarantined_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)  # the event's, or the digest of what could not be read
    account_id: Mapped[int | None]  # unknown where an entry was so suspect that nobody read it
    reason: Mapped[str] = mapped_column(String(64))  # one of a few fixed words
    detail: Mapped[str]
    raw: Mapped[bytes] = mapped_column(Raw)  # body of the request; of an event that was refused, its JSON
    received_at: Mapped[datetime | None]
    quarantined_at: Mapped[datetime]
    replayed_at: Mapped[datetime | None]


class Forgotten(Base):
    __tablename__ = "forgotten"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    open_id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    forgotten_at: Mapped[datetime]  # what was created before is dropped, should it arrive again


def open_id_hash(app_id: str, open_id: str) -> str:
    """How a follower is known after being forgotten: a digest over AppID and openid.

    Without a key: openids are random, so their digests cannot be guessed, and a lost key would un-forget everyone.
    """
    return hashlib.blake2b(f"{app_id}\0{open_id}".encode(), digest_size=32).hexdigest()
