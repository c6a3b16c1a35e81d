from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from models.event import Location, Message, Photo, PhotoSend, Scan
from tests.pushes import RECEIVED_AT, event_of, push
from wechat.event import Event
from workers.rows import ROWS, RefusedError, Rows, rows

ODD: list[Any] = ["", " ", "text", None, [], {}, ["a", {"b": "c"}], {"#text": "a", "@b": "c"}, {"item": "x"}, 7, True]


def event(kind: str, body: dict[str, Any] | None) -> Event:
    return Event(UUID(int=1), "wx1", "shop", kind, RECEIVED_AT, RECEIVED_AT, body=body)


def rows_of(kind: str, body: dict[str, Any] | None) -> Rows:
    return rows(event(kind, body), 1, RECEIVED_AT)


def test_a_barcode_is_split_at_its_first_comma() -> None:
    (row,) = rows_of("scancode_push", {"ScanCodeInfo": {"ScanType": "barcode", "ScanResult": "CODE_128,A,B"}})[Scan]

    assert ("barcode", "CODE_128,A,B", "CODE_128", "A,B") == tuple(row.values())[2:]


@pytest.mark.parametrize(
    ("scan_type", "result"),
    [("qrcode", "a,b"), ("QRCode ", "a,b"), ("", "a,b"), (None, "a,b"), ("barcode", "123"), ("barcode", "")],
)
def test_what_is_no_barcode_with_a_symbology_is_kept_whole(scan_type: str | None, result: str) -> None:
    (row,) = rows_of("scancode_waitmsg", {"ScanCodeInfo": {"ScanType": scan_type, "ScanResult": result}})[Scan]

    assert (result, None, None) == (row["scan_result"], row["symbology"], row["code"])


def test_a_scan_without_its_particulars_is_a_scan_all_the_same() -> None:
    (row,) = rows_of("scancode_push", None)[Scan]

    assert [None] * 4 == list(row.values())[2:]


def test_photos_are_listed_in_order_with_repeats() -> None:
    pictures = [{"PicMd5Sum": "bb"}, {"PicMd5Sum": "aa"}, {"PicMd5Sum": "bb"}]
    made = rows_of("pic_weixin", {"SendPicsInfo": {"Count": "2", "PicList": {"item": pictures}}})

    assert [(0, "bb"), (1, "aa"), (2, "bb")] == [(row["position"], row["md5"]) for row in made[Photo]]
    assert (2, 3) == (made[PhotoSend][0]["declared_count"], made[PhotoSend][0]["listed_count"])


@pytest.mark.parametrize("count", ["two", "", None, "9" * 10, "9" * 5000, "²", [], "1.5"])
def test_a_count_that_is_no_number_is_null(count: Any) -> None:
    made = rows_of("pic_weixin", {"SendPicsInfo": {"Count": count, "PicList": ""}})

    assert (None, 0) == (made[PhotoSend][0]["declared_count"], made[PhotoSend][0]["listed_count"])
    assert made[Photo] == []


@pytest.mark.parametrize(
    "text", ["23", "0", "-0.5", "31.257036285476", "113.352425000", "1e2", " 7 ", "0.123456789012345"]
)
def test_coordinates_are_the_numbers_that_were_delivered(text: str) -> None:
    (row,) = rows_of("location_report", {"Latitude": text})[Location]

    assert Decimal(text.strip()) == row["latitude"]


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-inf", "1e999", "1000", "999.9999999999999999", "1_0", "１２", "23N", "9" * 60_000, ".", ""],
)
def test_a_coordinate_that_is_no_number_or_beyond_any_is_null(text: str) -> None:
    (row,) = rows_of("message_location", {"Location_X": text, "Location_Y": "1", "Label": "x"})[Location]

    assert (None, Decimal(1), "x") == (row["latitude"], row["longitude"], row["label"])


def test_more_decimals_than_a_column_has_are_rounded() -> None:
    (row,) = rows_of("location_report", {"Latitude": "1.23456789012345678"})[Location]

    assert Decimal("1.234567890123457") == row["latitude"]


@pytest.mark.parametrize("kind", sorted(ROWS))
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_shapes_are_no_reason_to_fail(kind: str, odd: Any) -> None:
    names = (
        "ScanCodeInfo",
        "SendPicsInfo",
        "SendLocationInfo",
        "Location_X",
        "Latitude",
        "Scale",
        "Content",
        "MediaId",
    )
    inner = ("ScanType", "ScanResult", "Count", "PicList", "Location_X", "Label", "item")

    assert rows_of(kind, dict.fromkeys(names, odd))
    assert rows_of(kind, dict.fromkeys(names, dict.fromkeys(inner, odd)))
    assert rows_of(kind, {"SendPicsInfo": {"PicList": {"item": [odd, odd]}}})


def test_an_unknown_kind_is_an_event_and_nothing_more() -> None:
    made = rows(event_of(push("user_scan_product", more="<Country>x</Country>")), 1, RECEIVED_AT)

    assert ["event"] == [model.__tablename__ for model in made]


@pytest.mark.parametrize(("kind", "body"), [("x" * 129, None), ("message_voice", {"Format": "x" * 129})])
def test_what_is_too_long_for_its_column_is_refused(kind: str, body: dict[str, Any] | None) -> None:
    with pytest.raises(RefusedError) as caught:
        rows_of(kind, body)

    assert caught.value.reason == "too_long"


def test_a_picture_message_keeps_its_address() -> None:
    (row,) = rows_of("message_image", {"PicUrl": "http://p", "MediaId": "m"})[Message]

    assert ("image", "http://p", "m") == (row["msg_type"], row["url"], row["media_id"])
