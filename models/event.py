"""What happened: every push is a row of `event`, and its particulars are rows of the table of its kind.

None of these tables has a foreign key: each would cost a look-up per row and a lock on the account's row, which all
writers share, and rows of one push are written in one transaction anyway.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BY_MONTH, Base

# Kinds that a button of the menu causes; the key of each is that of its button.
MENU_KINDS = frozenset(
    {
        "click",
        "view",
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
DOCTORS = "caidan_doctor"  # the kind by which `caidan doctor` tries the way from door to tables; nobody did it


class Event(Base):
    __tablename__ = "event"
    __table_args__ = (
        Index("event_account_created", "account_id", "created_at"),  # listing, and rebuilding rollups
        Index("event_recorded", "recorded_at", "id"),  # following what arrives
        Index("event_open_id", "open_id"),  # forgetting a follower
        BY_MONTH,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(primary_key=True)  # WeChat's CreateTime
    account_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(128))
    open_id: Mapped[str | None] = mapped_column(String(128))  # FromUserName: for some kinds the platform, no follower
    event_key: Mapped[str | None]
    wechat_menu_id: Mapped[str | None] = mapped_column(String(128))
    msg_id: Mapped[str | None] = mapped_column(String(128))
    received_at: Mapped[datetime]  # by the door's clock
    recorded_at: Mapped[datetime]  # by the worker's clock, just before the commit
    publication_id: Mapped[int | None]  # the menu its user most probably saw
    body: Mapped[dict[str, Any] | None]  # every other field, in WeChat's spelling


class Detail(Base):
    """What rows of the detail tables have in common: the event they belong to."""

    __abstract__ = True

    event_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)
    created_at: Mapped[datetime] = mapped_column(primary_key=True, sort_order=-1)


class Scan(Detail):
    __tablename__ = "scan"
    __table_args__ = BY_MONTH

    scan_type: Mapped[str | None] = mapped_column(String(128))
    scan_result: Mapped[str | None]
    symbology: Mapped[str | None]  # EAN_13, CODE_128, …: null unless it is a barcode
    code: Mapped[str | None]  # what a barcode says after its symbology


class PhotoSend(Detail):
    __tablename__ = "photo_send"
    __table_args__ = BY_MONTH

    declared_count: Mapped[int | None]  # WeChat's Count, which need not be the length of its list
    listed_count: Mapped[int]


class Photo(Detail):
    __tablename__ = "photo"
    __table_args__ = BY_MONTH

    position: Mapped[int] = mapped_column(primary_key=True)  # in the list, from 0
    md5: Mapped[str | None] = mapped_column(String(128))  # no key: identical pictures repeat it


class Location(Detail):
    __tablename__ = "location"
    __table_args__ = BY_MONTH

    latitude: Mapped[Decimal | None]
    longitude: Mapped[Decimal | None]
    scale: Mapped[int | None]  # zoom of the map; larger is finer
    label: Mapped[str | None]
    poi_name: Mapped[str | None]
    precision: Mapped[Decimal | None]
    datum: Mapped[str | None] = mapped_column(String(16))  # gcj02 or wgs84; null where WeChat does not state it


class Message(Detail):
    __tablename__ = "message"
    __table_args__ = BY_MONTH

    msg_type: Mapped[str] = mapped_column(String(128))
    content: Mapped[str | None]
    media_id: Mapped[str | None]
    url: Mapped[str | None]  # of a link, or WeChat's temporary address of a picture
    title: Mapped[str | None]
    description: Mapped[str | None]
    format: Mapped[str | None] = mapped_column(String(128))  # of a voice message
    recognition: Mapped[str | None]  # what a voice message says, where WeChat listened
