"""What each kind of event becomes in the tables. WeChat's spelling ends here."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import String

from models import event as tables
from models.base import Base, table_of
from wechat.event import Event
from wechat.parse import Fields

Rows: TypeAlias = dict[type[Base], list[dict[str, Any]]]

_PLAIN = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")  # what fits the columns as it is, as nearly all do
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*")
_COUNT = re.compile(r"\s*-?[0-9]{1,10}\s*")
_DECIMALS = Decimal("1e-15")  # as fine as the columns, and as anything WeChat sends
_END = 1000  # where NUMERIC(18,15) ends
_INTEGERS = range(-(2**31), 2**31)
_SILENT = dict.fromkeys(("content", "media_id", "url", "title", "description", "format", "recognition"))


class RefusedError(ValueError):
    """An event that cannot be a row; `reason` is one of a few fixed words, `column` says where."""

    def __init__(self, reason: str, column: str) -> None:
        super().__init__(f"{reason}: {column}")
        self.reason = reason
        self.column = column


def rows(event: Event, account_id: int, recorded_at: datetime, publication_id: int | None = None) -> Rows:
    """The rows of an event, by table; a tap is tied to the publication that its user saw.

    Raises RefusedError.
    """
    result: Rows = {
        tables.Event: [
            {
                "id": event.id,
                "created_at": event.created_at,
                "account_id": account_id,
                "kind": event.kind,
                "open_id": event.open_id,
                "event_key": event.event_key,
                "wechat_menu_id": event.wechat_menu_id,
                "msg_id": event.msg_id,
                "received_at": event.received_at,
                "recorded_at": recorded_at,
                "publication_id": publication_id,
                "body": event.body,
            }
        ]
    }
    if of_kind := ROWS.get(event.kind):
        key = {"event_id": event.id, "created_at": event.created_at}
        for model, details in of_kind(event.body or {}).items():
            result[model] = [key | values for values in details]
    for model, values in result.items():
        _check_lengths(model, values)
    return result


def scan_rows(body: Fields) -> Rows:
    """ScanCodeInfo may be missing (PROTOCOL 4.1): the scan happened all the same.

    What is no QR code says its symbology first: `EAN_13,6911316223400`.
    """
    info = _fields(body.get("ScanCodeInfo"))
    scan_type, result = _text(info, "ScanType"), _text(info, "ScanResult")
    symbology = code = None
    if scan_type and scan_type.strip().lower() != "qrcode" and result and "," in result:
        symbology, code = result.split(",", 1)
    return {
        tables.Scan: [{"scan_type": scan_type, "scan_result": result, "symbology": symbology, "code": code}],
    }


def photo_rows(body: Fields) -> Rows:
    info = _fields(body.get("SendPicsInfo"))
    items = _fields(info.get("PicList")).get("item")
    pictures = items if isinstance(items, list) else []
    return {
        tables.PhotoSend: [{"declared_count": _integer(info, "Count"), "listed_count": len(pictures)}],
        tables.Photo: [
            {"position": position, "md5": _text(_fields(picture), "PicMd5Sum")}
            for position, picture in enumerate(pictures)
        ],
    }


def selected_place_rows(body: Fields) -> Rows:
    info = _fields(body.get("SendLocationInfo"))
    return _location(info, "Location_X", "Location_Y", poi_name=_text(info, "Poiname"))


def sent_place_rows(body: Fields) -> Rows:
    """A message like any other, and a place."""
    return _message("location") | _location(body, "Location_X", "Location_Y")


def reported_place_rows(body: Fields) -> Rows:
    return _location(body, "Latitude", "Longitude", precision=_decimal(body, "Precision"))


def text_rows(body: Fields) -> Rows:
    return _message("text", content=_text(body, "Content"))


def image_rows(body: Fields) -> Rows:
    return _message("image", media_id=_text(body, "MediaId"), url=_text(body, "PicUrl"))


def voice_rows(body: Fields) -> Rows:
    return _message(
        "voice",
        media_id=_text(body, "MediaId"),
        format=_text(body, "Format"),
        recognition=_text(body, "Recognition"),
    )


def video_rows(body: Fields) -> Rows:
    return _message("video", media_id=_text(body, "MediaId"))


def short_video_rows(body: Fields) -> Rows:
    return _message("shortvideo", media_id=_text(body, "MediaId"))


def link_rows(body: Fields) -> Rows:
    return _message("link", title=_text(body, "Title"), description=_text(body, "Description"), url=_text(body, "Url"))


ROWS: Mapping[str, Callable[[Fields], Rows]] = {
    "scancode_push": scan_rows,
    "scancode_waitmsg": scan_rows,
    "pic_sysphoto": photo_rows,
    "pic_photo_or_album": photo_rows,
    "pic_weixin": photo_rows,
    "location_select": selected_place_rows,
    "location_report": reported_place_rows,
    "message_location": sent_place_rows,
    "message_text": text_rows,
    "message_image": image_rows,
    "message_voice": voice_rows,
    "message_video": video_rows,
    "message_shortvideo": short_video_rows,
    "message_link": link_rows,
}


def _location(place: Fields, x: str, y: str, *, poi_name: str | None = None, precision: Decimal | None = None) -> Rows:
    values = {
        "latitude": _decimal(place, x),
        "longitude": _decimal(place, y),
        "scale": _integer(place, "Scale"),
        "label": _text(place, "Label"),
        "poi_name": poi_name,
        "precision": precision,
        "datum": None,  # WeChat states it for none of these; that it is GCJ-02 is hearsay (PROTOCOL 4.1)
    }
    return {tables.Location: [values]}


def _message(msg_type: str, **values: str | None) -> Rows:
    return {tables.Message: [{"msg_type": msg_type, **_SILENT, **values}]}


def _fields(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _text(fields: Fields, name: str) -> str | None:
    """The text of an element; what has children or comes twice is no text, and stays in `body` only."""
    value = fields.get(name)
    return value if isinstance(value, str) else None


def _integer(fields: Fields, name: str) -> int | None:
    text = _text(fields, name)
    number = int(text) if text and _COUNT.fullmatch(text) else None
    return number if number is not None and number in _INTEGERS else None


def _decimal(fields: Fields, name: str) -> Decimal | None:
    """The number as delivered, with its decimals; None where there is none that the column can hold."""
    text = _text(fields, name)
    if not text:
        return None
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    if len(text) > 100 or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text.strip())
    if abs(number) < _END and _decimals(number) > 15:
        number = number.quantize(_DECIMALS)
    return number if abs(number) < _END else None


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


_LIMITS: dict[type[Base], list[tuple[str, int]]] = {
    model: [
        (column.name, column.type.length)
        for column in table_of(model).columns
        if isinstance(column.type, String) and column.type.length
    ]
    for model in (tables.Event, tables.Scan, tables.PhotoSend, tables.Photo, tables.Location, tables.Message)
}


def _check_lengths(model: type[Base], rows: list[dict[str, Any]]) -> None:
    """SQLite would store what is too long; so that all databases agree, it is refused here."""
    for row in rows:
        for column, limit in _LIMITS[model]:
            if (text := row[column]) and len(text) > limit:
                raise RefusedError("too_long", column)
