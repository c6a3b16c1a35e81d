"""When which menu is due."""

import datetime

from sqlalchemy import Date, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Rotation(Base):
    """A rule that makes a menu due. One without window and cron is the account's base menu, one at most."""

    __tablename__ = "rotation"
    __table_args__ = (Index("rotation_account", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    menu_id: Mapped[int] = mapped_column(ForeignKey("menu.id"))
    starts_at: Mapped[datetime.datetime | None]
    ends_at: Mapped[datetime.datetime | None]
    cron: Mapped[str | None] = mapped_column(String(255))
    duration: Mapped[int | None]  # seconds that each start of the cron expression lasts
    weekdays: Mapped[str | None] = mapped_column(String(64))
    hours: Mapped[str | None] = mapped_column(String(255))
    days: Mapped[str] = mapped_column(String(16))  # all, workdays or holidays
    timezone: Mapped[str] = mapped_column(String(64))
    priority: Mapped[int]
    lead: Mapped[int]  # seconds by which the menu is put up before it is due: clients cache menus
    guard_share: Mapped[float | None] = mapped_column(Float)
    guard_hours: Mapped[int | None]
    enabled: Mapped[bool]
    author: Mapped[str | None] = mapped_column(String(255))
    note: Mapped[str | None]


class Holiday(Base):
    """A day that is not what its weekday says."""

    __tablename__ = "holiday"

    date: Mapped[datetime.date] = mapped_column(Date, primary_key=True)
    is_workday: Mapped[bool]  # true for a weekend day that is worked in exchange
    name: Mapped[str] = mapped_column(String(255))


class Freeze(Base):
    """A time in which an account's menu stays as it is."""

    __tablename__ = "freeze"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    starts_at: Mapped[datetime.datetime] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime.datetime]
    note: Mapped[str | None]
