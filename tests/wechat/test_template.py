from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wechat.rules import captured, event, said, scanned, tap
from wechat import template
from wechat.event import Event
from wechat.event_fields import FIELDS
from wechat.reply import Article, Image, Music, News, Nothing, Reply, Text, Video

SHANGHAI = ZoneInfo("Asia/Shanghai")


def filled(one: Reply, of: Event) -> Reply:
    return template.compile_reply(one)(of, SHANGHAI)


def text(written: str, of: Event) -> str:
    found = filled(Text(written), of)
    assert isinstance(found, Text)
    return found.content


@pytest.mark.parametrize(
    ("written", "of", "expected"),
    [
        ("{event_key}: {kind} of {account}", tap("STOCK"), "STOCK: click of shop"),
        ("{created_at}|{date}|{time}", tap("A"), "2026-11-23 12:00|2026-11-23|12:00"),
        ("{scan_type} {scan_result} {code}", scanned("EAN_13,6911316223400", "barcode"),
         "barcode EAN_13,6911316223400 6911316223400"),
        ("{code}", scanned("https://shop.cn/?a=1,2"), "https://shop.cn/?a=1,2"),
        ("{code}", scanned("6911316223400", "barcode"), "6911316223400"),
        ("您说“{content}”", said("你好"), "您说“你好”"),
        ("{scene}", captured("event_subscribe_qrscene"), "123123"),
        ("{latitude},{longitude}{label}", captured("event_location_select"), "23,113 广州市海珠区客村艺苑路 106号"),
        ("{latitude},{label}", captured("message_location"), "23.134521,位置信息"),
        ("{count}张", captured("event_pic_weixin"), "1张"),
        ("{{{event_key}}} }}{{", tap("A"), "{A} }{"),
        ("{ event_key }", tap("A"), "A"),
    ],
)  # fmt: skip
def test_fields_stand_in_braces(written: str, of: Event, expected: str) -> None:
    assert [] == template.problems(Text(written))
    assert expected == text(written, of)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_the_event_does_not_have_is_empty(name: str) -> None:
    assert text(f"<{{{name}}}>", event("subscribe", EventKey="")).startswith("<")
    assert text(f"<{{{name}}}>", event("message_file")).endswith(">")


def test_a_text_of_which_nothing_is_left_is_not_sent() -> None:
    assert Nothing() == filled(Text(" {scan_result}\n"), tap("A"))


@pytest.mark.parametrize(
    ("written", "reason", "value", "better"),
    [
        ("{event_kei}", "unknown_field", "event_kei", "event_key"),
        ("{}", "unknown_field", "", ""),
        ("{open_id}", "unknown_field", "open_id", ""),
        ("{event_key.__class__}", "unknown_field", "event_key.__class__", "event_key"),
        ("{event_key!r}", "unknown_field", "event_key!r", "event_key"),
        ("{event_key:>99999999}", "unknown_field", "event_key:>99999999", "event_key"),
        ("{0}", "unknown_field", "0", ""),
        ("{event_key", "single_brace", "{", ""),
        ("100}", "single_brace", "}", ""),
        ("{a{event_key}}", "single_brace", "{", ""),
    ],
)
def test_what_is_no_field_is_a_problem(written: str, reason: str, value: str, better: str) -> None:
    for one, path in (
        (Text(written), "content"),
        (News((Article("T", written, url="https://a.cn"),)), "articles[0].description"),
    ):
        found = template.problems(one)

        assert (path, reason, value, better) == (found[0].path, found[0].reason, found[0].value, found[0].better)


def test_fields_are_filled_into_all_texts_and_into_no_ids() -> None:
    a = "{event_key}"
    url = "https://a.cn/?k={event_key}"

    assert Video("M", "k", "k", "T") == filled(Video("M", a, a, "T"), tap("k"))
    assert Image(a) == filled(Image(a), tap("k"))
    assert Music("T", "k", "k", "https://a.cn/?k=k", "https://a.cn/?k=k") == filled(
        Music("T", a, a, url, url), tap("k")
    )
    assert News((Article("k", "k", "https://a.cn/?k=k", "https://a.cn/?k=k"), Article("b"))) == filled(
        News((Article(a, a, url, url), Article("b"))), tap("k")
    )


@given(st.text(max_size=30))
def test_in_a_link_a_field_stays_what_it_is(value: str) -> None:
    given_url = "https://shop.cn/find?code={scan_result}&x=1"
    found = filled(News((Article("T", url=given_url),)), scanned(value))
    assert isinstance(found, News)
    middle = found.articles[0].url.removeprefix("https://shop.cn/find?code=").removesuffix("&x=1")

    assert not set(middle) & set(" &?#/<>\"'=\n{}")


@pytest.mark.parametrize(
    "url", ["{scan_result}", "https://{scan_result}/", "https://shop{code}", "https://a.cn:{code}/"]
)
def test_a_field_must_not_say_where_a_link_leads(url: str) -> None:
    found = template.problems(News((Article("T", url=url),)))

    assert [("articles[0].url", "field_in_host")] == [one[:2] for one in found]


@pytest.mark.parametrize(
    "sent", ['<a href="https://evil.cn">奖品</a>', "<A\nhref=weixin://bizmsgmenu>x</A>", "</a><a href=x>"]
)
def test_a_code_on_a_wall_does_not_make_the_account_show_a_link(sent: str) -> None:
    assert "<" not in text("您扫的是 {scan_result}", scanned(sent))


def test_a_link_of_the_rule_itself_stays() -> None:
    written = '<a href="https://shop.cn/">店</a> 1 < 2'

    assert written == text(written, tap("A"))
    assert "1 < 2" == text("{content}", said("1 < 2"))


@given(st.text("ab{}汉", max_size=40))
def test_braces_are_written_twice(literal: str) -> None:
    assert f".{literal}." == text("." + literal.replace("{", "{{").replace("}", "}}") + ".", tap("A"))


def test_what_a_follower_sends_is_not_read_as_a_template() -> None:
    assert "{event_key}{" == text("{content}", said("{event_key}{"))


def test_what_became_too_long_is_cut() -> None:
    assert "汉" * 682 == text("{content}", said("汉" * 5000))
