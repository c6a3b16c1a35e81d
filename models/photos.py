"""What was sent by the menu's buttons for photos."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from models.asked import Accounts, detailed
from models.event import Event, Photo, PhotoSend


@dataclass(frozen=True, slots=True)
class ButtonRow:
    """The pictures of a button: as WeChat declared their number, and as it listed them."""

    kind: str  # pic_sysphoto, pic_photo_or_album or pic_weixin
    event_key: str | None
    sends: int
    users: int
    declared: int
    listed: int
    differing: int  # sends whose two numbers are not the same
    empty: int  # sends without a picture: perhaps a video, perhaps given up

    @property
    def per_send(self) -> float:
        return self.listed / self.sends


@dataclass(frozen=True, slots=True)
class SizeRow:
    pictures: int  # listed in one send
    sends: int
    users: int


@dataclass(frozen=True, slots=True)
class SharedPicture:
    md5: str
    users: int
    times: int
    first_at: datetime
    last_at: datetime


def by_button(connection: Connection, accounts: Accounts, since: datetime, until: datetime) -> list[ButtonRow]:
    """The button that was used most first."""
    declared, listed = PhotoSend.declared_count, PhotoSend.listed_count
    query = select(
        Event.kind,
        Event.event_key,
        func.count(),
        func.count(Event.open_id.distinct()),
        func.coalesce(func.sum(declared), 0),
        func.sum(listed),
        _sends_where(and_(declared.is_not(None), declared != listed)),
        _sends_where(listed == 0),
    )
    query = detailed(query, PhotoSend, accounts, since, until).group_by(Event.kind, Event.event_key)
    query = query.order_by(func.count().desc(), Event.kind, Event.event_key)
    # MySQL's sums are decimal.
    return [ButtonRow(row[0], row[1], *map(int, row[2:])) for row in connection.execute(query)]


def per_send(connection: Connection, accounts: Accounts, since: datetime, until: datetime) -> list[SizeRow]:
    """How many sends were of one picture, of two, …; the fewest pictures first."""
    query = select(PhotoSend.listed_count, func.count(), func.count(Event.open_id.distinct()))
    query = detailed(query, PhotoSend, accounts, since, until).group_by(PhotoSend.listed_count)
    return [SizeRow(*row) for row in connection.execute(query.order_by(PhotoSend.listed_count))]


def shared(
    connection: Connection, accounts: Accounts, since: datetime, until: datetime, at_least: int, top: int = 20
) -> list[SharedPicture]:
    """Pictures that at least so many different followers sent: handed on, rather than taken."""
    users = func.count(Event.open_id.distinct())
    query: Select[*tuple[Any, ...]] = select(
        Photo.md5, users, func.count(), func.min(Event.created_at), func.max(Event.created_at)
    )
    query = detailed(query, Photo, accounts, since, until).where(Photo.md5.is_not(None), Photo.md5 != "")
    query = query.group_by(Photo.md5).having(users >= at_least).order_by(users.desc(), Photo.md5)
    return [SharedPicture(*row[:5]) for row in connection.execute(query.limit(top))]


def _sends_where(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))
