"""One push has one id, however often and in whatever form it comes; two pushes have two."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wechat import crypto
from wechat.event import EPOCH, Addressee, Event, read, unreadable_id
from wechat.parse import parse
from wechat.simulator.wire import Bare, write_xml

SHOP = Addressee("shop", "wx1234567890abcdef", "gh_0a1b2c3d4e5f")
KEY = crypto.decode_key("5YTZWhHanluh8NlyUjOeOXQ0BuFej0DPAYUxQvVDNM7")
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
TAP = {
    "ToUserName": "gh_0a1b2c3d4e5f",
    "FromUserName": "oMgHVjngRipVsoxg6TuX3vz6glDg",
    "CreateTime": 1795233600,
    "MsgType": "event",
    "Event": "pic_weixin",
    "EventKey": "rselfmenu_1_2",
    "SendPicsInfo": {"Count": 2, "PicList": {"item": [{"PicMd5Sum": "aa"}, {"PicMd5Sum": "bb"}]}},
}

# Text as a follower may send it, and both XML and JSON can carry it.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20
)
NAME = st.from_regex(r"[A-Z][a-z]{0,8}", fullmatch=True)
VALUE = st.recursive(
    TEXT | st.integers(), lambda child: st.dictionaries(NAME, child, min_size=1, max_size=4), max_leaves=8
)
MESSAGE = st.dictionaries(NAME, VALUE, min_size=1, max_size=6).map(lambda rest: {**TAP, **rest})


def event(message: bytes, account: Addressee = SHOP) -> Event:
    return read(parse(message)[0], account, NOON)


def as_json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


def shuffled(fields: Any, random: Any) -> Any:
    if isinstance(fields, list):
        return [shuffled(item, random) for item in fields]
    if not isinstance(fields, dict):
        return fields
    names = list(fields)
    random.shuffle(names)
    return {name: shuffled(fields[name], random) for name in names}


@settings(max_examples=50)
@given(MESSAGE, st.randoms(use_true_random=False))
def test_key_order_and_json_or_xml_do_not_change_the_id(fields: dict[str, Any], random: Any) -> None:
    ids = {event(write(order)).id for write in (write_xml, as_json) for order in (fields, shuffled(fields, random))}

    assert 1 == len(ids)


@settings(max_examples=50)
@given(MESSAGE, st.sampled_from(["", "\n", "\r\n\t", "    "]))
def test_white_space_between_elements_does_not_change_the_id(fields: dict[str, Any], space: str) -> None:
    message = write_xml(fields)
    inside = message.removeprefix(b"<xml>").removesuffix(b"</xml>").decode()
    spaced = f"{space}<xml>{space}{inside}{space}</xml>{space}".encode()

    assert event(message).id == event(spaced).id
    assert event(as_json(fields)).id == event(json.dumps(fields, indent=3).encode()).id


@settings(max_examples=50)
@given(MESSAGE)
def test_a_push_repeated_encrypted_has_the_same_id(fields: dict[str, Any]) -> None:
    message = write_xml(fields)
    repeated = crypto.decrypt(crypto.encrypt(message, KEY, SHOP.app_id), KEY, SHOP.app_id)

    assert event(message).id == event(repeated).id


def test_numbers_are_text_whether_bare_in_cdata_or_in_json() -> None:
    forms = [
        write_xml({**TAP, "CreateTime": written}) for written in (1795233600, "1795233600", Bare("1795233600"))
    ] + [as_json({**TAP, "CreateTime": written}) for written in (1795233600, "1795233600")]

    assert 1 == len({event(form).id for form in forms})


@pytest.mark.parametrize(
    "difference",
    [
        {"EventKey": "another"},
        {"FromUserName": "oMgHVjngRipVsoxg6TuX3vz6gldg"},
        {"CreateTime": 1795233601},
        {"Event": "pic_sysphoto"},
        {"ToUserName": "gh_another"},
        {"MsgId": 1},
        {"SendPicsInfo": {"Count": 2, "PicList": {"item": [{"PicMd5Sum": "bb"}, {"PicMd5Sum": "aa"}]}}},
        {"Somthing": ""},
    ],
)
def test_pushes_that_differ_in_anything_have_two_ids(difference: dict[str, Any]) -> None:
    assert event(write_xml(TAP)).id != event(write_xml({**TAP, **difference})).id


def test_the_same_push_to_two_accounts_has_two_ids() -> None:
    other = Addressee("other", "wx0000000000000000", SHOP.original_id)

    assert event(write_xml(TAP)).id != event(write_xml(TAP), other).id


def test_an_account_that_is_renamed_keeps_its_ids() -> None:
    renamed = Addressee("boutique", SHOP.app_id)

    assert event(write_xml(TAP)).id == event(write_xml(TAP), renamed).id


def test_the_time_of_receipt_has_no_part_in_the_id() -> None:
    fields = parse(write_xml(TAP))[0]

    assert read(fields, SHOP, NOON).id == read(fields, SHOP, EPOCH).id


def test_the_id_is_a_uuid_of_version_8_that_begins_with_the_time() -> None:
    found = event(write_xml(TAP)).id

    assert (8, RFC_4122) == (found.version, found.variant)
    assert 1795233600_000 == found.int >> 80


@given(st.integers(1_300_000_000, 4_000_000_000), st.integers(1_300_000_000, 4_000_000_000))
def test_ids_sort_by_time(one: int, other: int) -> None:
    first, second = (event(write_xml({**TAP, "CreateTime": when})) for when in (one, other))

    assert (first.created_at < second.created_at) == (first.id.bytes[:6] < second.id.bytes[:6])


@pytest.mark.parametrize(
    "absurd",
    ["0", "-1", "", " ", "soon", "1e9", "1293839999", "4133980800", "253402300799", "9" * 15, "9" * 400, "１７", "+5"],
)
def test_an_absurd_create_time_is_the_epoch_and_stays_in_the_body(absurd: str) -> None:
    found = event(write_xml({**TAP, "CreateTime": absurd}))

    assert EPOCH == found.created_at
    assert absurd == (found.body or {})["CreateTime"]
    assert int(EPOCH.timestamp() * 1000) == found.id.int >> 80


def test_a_missing_create_time_is_the_epoch() -> None:
    fields = {name: value for name, value in TAP.items() if name != "CreateTime"}

    assert EPOCH == event(write_xml(fields)).created_at


def test_two_absurd_create_times_have_two_ids() -> None:
    assert event(write_xml({**TAP, "CreateTime": "0"})).id != event(write_xml({**TAP, "CreateTime": "-1"})).id


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1795233600", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        (" 1795233600\n", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ("1795233600123", datetime(2026, 11, 21, 4, 0, 0, 123000, tzinfo=UTC)),
        ("1293840000", EPOCH),
        ("4133980799", datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_create_time_is_read_in_seconds_or_milliseconds(written: str, expected: datetime) -> None:
    found = event(write_xml({**TAP, "CreateTime": written}))

    assert expected == found.created_at
    assert "CreateTime" not in (found.body or {})


def test_unreadable_bytes_have_an_id_of_account_and_bytes() -> None:
    found = unreadable_id("wx1", b"<xml")

    assert UUID(str(found)) == unreadable_id("wx1", b"<xml")
    assert 3 == len({found, unreadable_id("wx2", b"<xml"), unreadable_id("wx1", b"<xm")})
    assert (8, RFC_4122) == (found.version, found.variant)
