"""Access tokens, and who is refreshing one."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class AccessToken(Base):
    __tablename__ = "access_token"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    token: Mapped[str | None]  # encrypted with the configuration's secret key; null before the first
    expires_at: Mapped[datetime | None]
    refreshed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(255))
