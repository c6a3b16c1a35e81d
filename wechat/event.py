"""Events as they travel from the door to the tables: what a push says, its id, and batches of them."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from wechat.parse import Fields

BATCH_VERSION = 1
EPOCH = datetime(2011, 1, 1, tzinfo=UTC)  # `created_at` of a push without a usable CreateTime; WeChat opened in 2011
_MARKS, _VERSION_8 = 0xF << 76 | 3 << 62, 8 << 76 | 2 << 62  # the bits of a UUID that say what it is
_FIRST_MS = int(EPOCH.timestamp()) * 1000
_END_MS = int(datetime(2101, 1, 1, tzinfo=UTC).timestamp()) * 1000

# Kinds are the lower-case Event, but for two whose names would be taken for other things.
_RENAMED = {"location": "location_report", "scan": "qrcode_scan"}

# How WeChat spells the Event of a kind, where that is not the kind itself (PROTOCOL sections 4 and 5).
_SPELLINGS = {
    "click": "CLICK",
    "view": "VIEW",
    "location_report": "LOCATION",
    "qrcode_scan": "SCAN",
    "templatesendjobfinish": "TEMPLATESENDJOBFINISH",
    "masssendjobfinish": "MASSSENDJOBFINISH",
    "publishjobfinish": "PUBLISHJOBFINISH",
    "freepublishjobfinish": "FREEPUBLISHJOBFINISH",
    "shakearoundusershake": "ShakearoundUserShake",
    "wificonnected": "WifiConnected",
}


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag="event", tag_field="type"):
    """One push, read. Times are aware UTC; `body` holds every field that has no attribute here, in WeChat's spelling.

    `#raw` in `body` (base64 of the decrypted message) is there when its text had to be altered to be stored.
    """

    id: UUID
    app_id: str
    account: str
    kind: str
    created_at: datetime
    received_at: datetime
    open_id: str | None = None
    event_key: str | None = None
    wechat_menu_id: str | None = None
    msg_id: str | None = None
    body: dict[str, Any] | None = None


class Unreadable(msgspec.Struct, frozen=True, omit_defaults=True, tag="unreadable", tag_field="type"):
    """A push that was signed but could not be read: its bytes, for quarantine. `raw` is the body of the request."""

    id: UUID
    app_id: str
    account: str
    reason: str
    raw: bytes
    received_at: datetime
    detail: str = ""


Entry: TypeAlias = Event | Unreadable
"""What the journal holds and a batch carries."""


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one message carries; an empty one is a probe.

    `suspect` is an entry on its own that may have killed workers: bytes, for quarantine, that nobody decodes.
    """

    version: int
    id: str
    receipts: str
    entries: list[Entry] = []
    suspect: bytes | None = None


encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
decode_entry = msgspec.json.Decoder(Entry).decode
decode_batch = msgspec.json.Decoder(Batch).decode


def encode_batch(batch_id: str, receipts: str, entries: Sequence[bytes]) -> bytes:
    """A batch from entries that are encoded already: the publisher copies bytes and reads none."""
    head = {"version": BATCH_VERSION, "id": batch_id, "receipts": receipts}
    return encode(head)[:-1] + b',"entries":[' + b",".join(entries) + b"]}"


def encode_suspect(batch_id: str, receipts: str, entry: bytes) -> bytes:
    """A batch of one entry that nobody shall decode."""
    return encode(Batch(version=BATCH_VERSION, id=batch_id, receipts=receipts, suspect=entry))


@dataclass(frozen=True)
class Addressee:
    """The account a push is for, as far as reading it needs."""

    name: str
    app_id: str
    original_id: str | None = None


def read(fields: Fields, account: Addressee, received_at: datetime, altered: bytes | None = None) -> Event:
    """The event that a message's fields describe; total: whatever is missing or odd stays in `body` as it came.

    `altered` is the message itself where its text had to be altered to be read or stored; `body` keeps it, too.
    """
    rest = dict(fields)
    if altered is not None:
        rest["#raw"] = base64.b64encode(altered).decode()
    created_ms = _created_ms(fields.get("CreateTime"))
    if created_ms is not None:
        rest.pop("CreateTime", None)
    kind = _take_kind(rest)
    if account.original_id is not None and rest.get("ToUserName") == account.original_id:
        del rest["ToUserName"]
    return Event(
        id=event_id(account.app_id, fields, _FIRST_MS if created_ms is None else created_ms),
        app_id=account.app_id,
        account=account.name,
        kind=kind,
        created_at=_moment(_FIRST_MS if created_ms is None else created_ms),
        received_at=received_at,
        open_id=_take(rest, "FromUserName"),
        event_key=_take(rest, "EventKey"),
        wechat_menu_id=_take(rest, "MenuId") if "MenuId" in rest else _take(rest, "MenuID"),
        msg_id=_take(rest, "MsgId"),
        body=rest or None,
    )


def event_id(app_id: str, fields: Fields, created_ms: int) -> UUID:
    """A UUID (version 8) that sorts by time: 48 bits of `created_at` in milliseconds, then a digest of the message.

    A function of account and decrypted message alone, so a push repeated in any mode, form or key order has one id.
    """
    canonical = _encode_sorted(fields)
    digest = hashlib.blake2b(app_id.encode() + b"\0" + canonical, digest_size=10).digest()
    return _version8(created_ms << 80 | int.from_bytes(digest, "big"))


def unreadable_id(app_id: str, raw: bytes) -> UUID:
    """The id of a push that could not be read: a digest of account and raw bytes."""
    return _version8(int.from_bytes(hashlib.blake2b(app_id.encode() + b"\0" + raw, digest_size=16).digest(), "big"))


def spelling(kind: str) -> str:
    """The Event or MsgType of a kind, as WeChat usually spells it."""
    return _SPELLINGS.get(kind) or kind.removeprefix("message_")


def _version8(bits: int) -> UUID:
    return msgspec.convert((bits & ~_MARKS | _VERSION_8).to_bytes(16, "big"), UUID)  # some half of what UUID() takes


def _created_ms(create_time: object) -> int | None:
    """CreateTime in milliseconds, or None where it is missing or absurd.

    WeChat sends seconds; test tools send milliseconds, which are above 10^11.
    """
    if not isinstance(create_time, str) or len(create_time) > 15 or not create_time.isascii():
        return None
    if not create_time.strip().isdigit():
        return None
    number = int(create_time)
    milliseconds = number if number > 10**11 else number * 1000
    return milliseconds if _FIRST_MS <= milliseconds < _END_MS else None


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)  # exact: microseconds have more digits to spare


def _take_kind(rest: Fields) -> str:
    """The kind, taking MsgType and Event out of `rest` where the kind can restore them."""
    msg_type, event = rest.get("MsgType"), rest.get("Event")
    if isinstance(event, str) and event.strip() and (msg_type is None or str(msg_type).strip().lower() == "event"):
        name = event.strip().lower()
        kind, source = _RENAMED.get(name, name), "Event"
        if msg_type == "event":
            del rest["MsgType"]
    elif isinstance(msg_type, str) and msg_type.strip():
        name = msg_type.strip().lower()
        kind, source = ("event" if name == "event" else f"message_{name}"), "MsgType"
    else:
        return "unknown"
    if rest[source] == spelling(kind):
        del rest[source]
    return kind


def _take(rest: Fields, name: str) -> str | None:
    """The text of a direct child; what is no plain text (repeated, or with children of its own) stays in `rest`."""
    return rest.pop(name) if isinstance(rest.get(name), str) else None
