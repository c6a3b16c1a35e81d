"""The event as a handler gets it: what the tables know of it, with names instead of WeChat's spelling."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scan:
    """What was scanned; `code` is what a barcode says, and `symbology` which sort it is."""

    scan_type: str | None
    result: str | None
    symbology: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Photos:
    declared_count: int | None
    md5s: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """As delivered: WeChat does not say in which datum."""

    latitude: Decimal | None
    longitude: Decimal | None
    scale: int | None
    label: str | None
    poi_name: str | None
    precision: Decimal | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a follower wrote or sent; which of these there are depends on `msg_type`."""

    msg_type: str
    content: str | None
    media_id: str | None
    url: str | None
    title: str | None
    description: str | None
    format: str | None
    recognition: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One push. Times are aware UTC; `body` has every field without a name here, in WeChat's spelling.

    `attempt` is 1 the first time that the handler is called for it, by what the tables know.
    """

    id: UUID
    account: str
    app_id: str
    kind: str
    created_at: datetime  # WeChat's CreateTime
    received_at: datetime  # by the clock of the ingress
    open_id: str | None
    event_key: str | None
    wechat_menu_id: str | None
    msg_id: str | None
    body: Mapping[str, Any]
    scan: Scan | None = None
    photos: Photos | None = None
    location: Location | None = None
    message: Message | None = None
    attempt: int = 1
