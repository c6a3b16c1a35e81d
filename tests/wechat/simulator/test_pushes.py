"""The pushes are of every kind, realistic, and have the ids that Caidan gives them."""

import re
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from tests.wechat.simulator.accounts import ADDRESSEE, DEMO
from wechat.event import read
from wechat.parse import parse
from wechat.simulator.menu import Button
from wechat.simulator.pushes import Push, pushes

OCTOBER = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
MENU_KINDS = {
    "click", "view", "view_miniprogram", "scancode_push", "scancode_waitmsg",
    "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select",
}  # fmt: skip
OTHER_KINDS = {
    "message_text", "message_image", "message_voice", "message_video", "message_shortvideo", "message_location",
    "message_link", "subscribe", "unsubscribe", "qrcode_scan", "location_report", "templatesendjobfinish",
    "masssendjobfinish", "publishjobfinish", "subscribe_msg_popup_event", "subscribe_msg_change_event",
    "subscribe_msg_sent_event", "kf_create_session", "kf_close_session", "kf_switch_session", "annual_renew",
    "verify_expired", "qualification_verify_success", "qualification_verify_fail", "naming_verify_success",
    "naming_verify_fail", "user_info_modified", "user_authorization_revoke", "user_authorization_cancellation",
    "guide_qrcode_scan_event", "hologram_select",
}  # fmt: skip


@pytest.fixture(scope="module")
def history() -> list[Push]:
    return list(pushes(DEMO, 20_000, seed=7, period=OCTOBER))


@pytest.fixture(scope="module")
def fields(history: list[Push]) -> list[dict[str, Any]]:
    return [parse(push.message)[0] for push in history]


def test_every_kind_comes(history: list[Push]) -> None:
    assert set() == (MENU_KINDS | OTHER_KINDS) - {push.kind for push in history}


def test_ids_kinds_and_times_are_those_that_caidan_reads(history: list[Push]) -> None:
    for push in history[:3000]:
        event = read(parse(push.message)[0], ADDRESSEE, OCTOBER[0])

        assert str(event.id) == push.id
        assert event.kind == push.kind
        assert event.open_id == push.open_id
        assert event.created_at.timestamp() == push.created_at


def test_no_two_pushes_have_one_id(history: list[Push]) -> None:
    assert len(history) == len({push.id for push in history})


def test_not_even_live_and_from_few_followers() -> None:
    live = list(pushes(DEMO, 2000, followers=3))

    assert len(live) == len({push.id for push in live})


def test_the_same_seed_brings_the_same_pushes() -> None:
    first, again = (list(pushes(DEMO, 300, seed=3, period=OCTOBER)) for _ in range(2))

    assert first == again
    assert first != list(pushes(DEMO, 300, seed=4, period=OCTOBER))


def test_a_history_stays_in_its_period_and_fills_it(history: list[Push]) -> None:
    begin, end = (moment.timestamp() for moment in OCTOBER)

    assert all(begin <= push.created_at < end for push in history)
    assert end - 86400 < history[-1].created_at


def test_without_a_count_they_never_end() -> None:
    assert 50 == len(list(islice(pushes(DEMO, None), 50)))


def test_json_pushes_have_the_ids_of_xml_pushes() -> None:
    as_xml, as_json = (pushes(DEMO, 500, seed=3, period=OCTOBER, form=form) for form in ("xml", "json"))

    assert [push.id for push in as_xml] == [push.id for push in as_json]


def test_json_is_read_as_meant() -> None:
    for push in pushes(DEMO, 500, seed=3, period=OCTOBER, form="json"):
        assert push.id == str(read(parse(push.message)[0], ADDRESSEE, OCTOBER[0]).id)


def test_some_buttons_and_followers_are_much_more_active_than_others(fields: list[dict[str, Any]]) -> None:
    keys = Counter(each["EventKey"] for each in fields if each.get("Event") == "CLICK").most_common()
    people = Counter(each["FromUserName"] for each in fields).most_common()

    assert keys[0][1] > 3 * keys[-1][1]
    assert people[0][1] > 20 * people[-1][1]
    assert len(people) > 2000


def test_a_menu_of_ones_own_is_tapped() -> None:
    menu = [Button("click", "ONE"), Button("view", "https://example.com/?a=1&b=2", "77")]
    taps = [parse(push.message)[0] for push in pushes(DEMO, 300, menu=menu) if push.kind in MENU_KINDS]

    assert {("ONE", None), ("https://example.com/?a=1&b=2", "77")} == {
        (tap["EventKey"], tap.get("MenuId")) for tap in taps
    }


def test_only_links_and_mini_programs_carry_a_menu_id(fields: list[dict[str, Any]]) -> None:
    assert {"VIEW", "view_miniprogram"} == {each["Event"] for each in fields if "MenuId" in each}


def test_photo_bursts_are_of_none_to_nine_and_their_images_follow(fields: list[dict[str, Any]]) -> None:
    bursts = [each["SendPicsInfo"] for each in fields if each.get("Event", "").startswith("pic_")]
    listed = [len(burst["PicList"]["item"]) if burst["PicList"] else 0 for burst in bursts]
    images = sum(each["MsgType"] == "image" for each in fields)

    assert set(range(10)) == set(listed)
    assert images > sum(listed) * 0.95


def test_codes_are_qr_codes_and_barcodes(fields: list[dict[str, Any]]) -> None:
    scans = [each["ScanCodeInfo"] for each in fields if "ScanCodeInfo" in each]
    symbologies = {scan["ScanResult"].split(",")[0] for scan in scans if scan["ScanType"] == "barcode"}

    assert {"EAN_13", "CODE_39", "CODE_128"} == symbologies
    assert any("&" in scan["ScanResult"] for scan in scans if scan["ScanType"] == "qrcode")


def test_places_picked_are_sent_as_messages_too(fields: list[dict[str, Any]]) -> None:
    picked = [each for each in fields if each.get("Event") == "location_select"]
    sent = {
        (each["FromUserName"], each["Label"], each["Location_X"]) for each in fields if each["MsgType"] == "location"
    }
    precise = [each for each in picked if len(each["SendLocationInfo"]["Location_X"]) == len("23.134521")]
    found = sum(
        (each["FromUserName"], each["SendLocationInfo"]["Label"], each["SendLocationInfo"]["Location_X"]) in sent
        for each in precise
    )

    assert found >= len(precise) - 1 > 50


def test_the_pushes_hold_what_trips_readers(history: list[Push]) -> None:
    everything = b"".join(push.message for push in history)

    for trap in (b"\x02", b"]]]]><![CDATA[>", "😊".encode(), b"<![CDATA[ ", b"<PicList></PicList>", b"/:share"):
        assert trap in everything
    assert re.search(rb"<ScanCodeInfo>[^/]*/ScanType>\n.*\n<EventKey>", everything)


def test_message_ids_are_19_digits_and_differ(fields: list[dict[str, Any]]) -> None:
    ids = [each["MsgId"] for each in fields if each["MsgType"] != "event"]

    assert {19} == {len(each) for each in ids}
    assert len(ids) == len(set(ids))
    assert not any("MsgId" in each for each in fields if each["MsgType"] == "event")


def test_a_period_needs_a_count() -> None:
    with pytest.raises(ValueError, match="count"):
        next(pushes(DEMO, None, period=OCTOBER))
