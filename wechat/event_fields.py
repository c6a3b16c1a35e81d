"""What an event says, field by field and as text: what replies repeat, and what their rules ask about."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import TypeAlias

from wechat.event import Event

Read: TypeAlias = Callable[[Event, tzinfo], str | None]
SCENE = "qrscene_"  # before the scene of a QR code by which somebody came to follow (PROTOCOL 5.2)


def scan_result(event: Event) -> str | None:
    return _text(event, "ScanCodeInfo", "ScanResult")


def scan_type(event: Event) -> str | None:
    return _text(event, "ScanCodeInfo", "ScanType")


def code(event: Event) -> str | None:
    """What was scanned; of a barcode what follows its symbology: `EAN_13,6911316223400`."""
    result = scan_result(event)
    if result is None or (scan_type(event) or "qrcode").strip().lower() == "qrcode":
        return result
    return result.partition(",")[2] or result


def scene(event: Event) -> str | None:
    """Of the QR code that a follower scanned, or by which somebody came to follow."""
    key = event.event_key
    if event.kind == "subscribe":
        return key.removeprefix(SCENE) if key and key.startswith(SCENE) else None
    return key if event.kind == "qrcode_scan" else None


def words(event: Event) -> str | None:
    """What somebody wrote, or said, where WeChat listened."""
    return _text(event, "Content") or _text(event, "Recognition")


def _of_place(name: str) -> Read:
    """Of a place that was chosen, or sent: the former's fields are in an element of their own."""
    return lambda event, _zone: _text(event, "SendLocationInfo", name) or _text(event, name)


def _local(form: str) -> Read:
    return lambda event, zone: event.created_at.astimezone(zone).strftime(form)


FIELDS: Mapping[str, Read] = MappingProxyType(
    {
        "kind": lambda event, _zone: event.kind,
        "account": lambda event, _zone: event.account,
        "event_key": lambda event, _zone: event.event_key,
        "scene": lambda event, _zone: scene(event),
        "scan_type": lambda event, _zone: scan_type(event),
        "scan_result": lambda event, _zone: scan_result(event),
        "code": lambda event, _zone: code(event),
        "content": lambda event, _zone: words(event),
        "latitude": _of_place("Location_X"),
        "longitude": _of_place("Location_Y"),
        "label": _of_place("Label"),
        "poi_name": _of_place("Poiname"),
        "count": lambda event, _zone: _text(event, "SendPicsInfo", "Count"),
        "created_at": _local("%Y-%m-%d %H:%M"),
        "date": _local("%Y-%m-%d"),
        "time": _local("%H:%M"),
    }
)


def _text(event: Event, *path: str) -> str | None:
    value: object = event.body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
