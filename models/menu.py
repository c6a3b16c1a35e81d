"""Menus, by version, and when each was live."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Menu(Base):
    """A version of an account's menu; never changed once saved."""

    __tablename__ = "menu"
    __table_args__ = (UniqueConstraint("account_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(String(128))  # of the definition in canonical form
    definition: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    author: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]


class Publication(Base):
    """A menu version going live, or failing to."""

    __tablename__ = "publication"
    __table_args__ = (Index("publication_account_started", "account_id", "started_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    menu_id: Mapped[int] = mapped_column(ForeignKey("menu.id"))
    cause: Mapped[str] = mapped_column(String(64))
    rotation_id: Mapped[int | None] = mapped_column(ForeignKey("rotation.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    alive_at: Mapped[datetime | None]  # the last sign of whoever is publishing; null once that has ended
    outcome: Mapped[str | None] = mapped_column(String(64))
    errcode: Mapped[int | None]


class PublicationMenu(Base):
    """WeChat's own ids of what a publication put up."""

    __tablename__ = "publication_menu"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)  # 0 is the default menu, then the personalised ones
    wechat_menu_id: Mapped[str] = mapped_column(String(128))
