"""Access tokens, and who is refreshing one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class AccessToken(Base):
    __tablename__ = "access_token"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    token: Mapped[str | None]  # encrypted with the configuration's secret key; null before the first
    expires_at: Mapped[datetime | None]
    refreshed_at: Mapped[datetime | None]
    source: Mapped[str | None] = mapped_column(String(64))  # the call it came from
    lease_until: Mapped[datetime | None]  # while somebody fetches one
    lease_owner: Mapped[str | None] = mapped_column(String(255))  # who does, or did last
    failures: Mapped[int] = mapped_column(default=0, server_default="0")  # to fetch one, in a row
    failure: Mapped[dict[str, Any] | None]  # the last of them
    retry_at: Mapped[datetime | None]  # after a failure; before, nobody tries again
    foreign_count: Mapped[int] = mapped_column(default=0, server_default="0")  # tokens that somebody else replaced
    foreign_at: Mapped[datetime | None]
