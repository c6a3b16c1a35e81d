"""What is read without xmltodict is read as xmltodict would; how that would is asked with a comment in front."""

import pytest

from tests.pushes import SAMPLES, push, sample
from wechat.parse import parse
from wechat.simple_xml import MAX_LEVELS, read_simple

COMMENT = "<!---->"
XML_SAMPLES = [described["file"] for described in SAMPLES if described["file"].endswith(".xml")]
SEALED = "<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[q83v/+==]]></Encrypt></xml>"
NOT_SIMPLE = [*range(0x09), *range(0x0B, 0x20), 0xFFFE, 0xFFFF]  # in CDATA; in bare text markup is added


def is_read_alike(text: str) -> bool:
    """Whether the text was read, which must be as xmltodict reads it; in the same order, too."""
    assert read_simple(COMMENT + text) is None
    fields = read_simple(text)
    if fields is None:
        return False
    judged = parse((COMMENT + text).encode())
    assert (repr(fields), False) == (repr(judged[0]), judged[1])
    assert judged == parse(text.encode()) == parse(b"\xef\xbb\xbf" + text.encode())
    return True


@pytest.mark.parametrize("name", XML_SAMPLES)
def test_every_sample_is_simple_but_one_with_brackets(name: str) -> None:
    assert is_read_alike(sample(name).decode()) == (name != "event_guide_qrcode_scan_event.xml")


@pytest.mark.parametrize("message", [push().decode(), push(more="\n<MenuId>1</MenuId>\n").decode(), SEALED])
def test_layouts_of_captured_pushes_are_simple(message: str) -> None:
    assert is_read_alike(message)
    assert is_read_alike(f"{message}\n")


@pytest.mark.parametrize(
    "inside",
    [
        "<A></A>",
        "<A> </A><B>\n</B>",
        "<A><![CDATA[]]></A>",
        "<A><![CDATA[\t[微笑] a]b ]] > & <A>&amp;<!-- \n]]></A>",
        "<A><![CDATA[]]]]></A>",
        "<A> a > b \x7f\x85\xa0\u2028\u3000\ufeff\ufdd0😀</A>",
        "<xml>1</xml>",
        "<item>1</item>",
        "<A><item>1</item> <item><B>2</B></item>\n<List></List>\t</A>",
        "<A><B>1</B></A><B><A>2</A></B>",
        "<A>" * (MAX_LEVELS - 1) + "1" + "</A>" * (MAX_LEVELS - 1),
        "<item>" * (MAX_LEVELS - 1) + "1" + "</item>" * (MAX_LEVELS - 1),
    ],
)
def test_simple_is(inside: str) -> None:
    assert is_read_alike(f"<xml>{inside}</xml>")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{}",
        "<xml/>",
        "<xml></xml>",
        "<xml>1</xml>",
        "<xml><![CDATA[1]]></xml>",
        " <xml><A>1</A></xml>",
        "\ufeff<xml><A>1</A></xml>",
        '<?xml version="1.0"?><xml><A>1</A></xml>',
        "<!DOCTYPE xml><xml><A>1</A></xml>",
        "<html><A>1</A></html>",
        "<item><A>1</A></item>",
        "<xml><A>1</A></xml><xml><A>1</A></xml>",
        "<xml><A>1</A></xml><A>1</A>",
        "<A>1</A><xml><A>1</A></xml>",
        "<xml><A>1</A></xml>1",
        "<xml><A>1</A></xml>\x00",
        "<xml><A>1</A></xml>\x0c",
        "<xml><A>1</A></xml>\r\n",
        "<xml><A>1</A></xml></xml>",
        "<xml><A>1</A>",
        "<xml><A>1</A></XML>",
        "<xml><xml><A>1</A></xml>",
    ],
)
def test_what_is_around_may_make_it_odd(message: str) -> None:
    assert not is_read_alike(message)


@pytest.mark.parametrize(
    "inside",
    [
        "<A>1</A><A>2</A>",
        "<A>1</A><B><C>2</C></B><A><C>1</C></A>",
        "<A>1</B>",
        "<A><B>1</A></B>",
        "<A><B>1</B></C>",
        "<A>1</A>1",
        "1<A>1</A>",
        "<A>1<B>2</B></A>",
        "<A/>",
        "<A />",
        "<A >1</A>",
        "<A>1</A >",
        "<A a='1'>1</A>",
        "<a:b>1</a:b>",
        "<中>1</中>",
        "<1>1</1>",
        "< A>1</ A>",
        "<A>1</A>\r\n<B>2</B>",
        "<A>1\r\n2</A>",
        "<A><![CDATA[1\r2]]></A>",
        "<A>1 &amp; 2</A>",
        "<A>1 & 2</A>",
        "<A>&#20108;</A>",
        "<A>1]]>2</A>",
        "<A>1]2</A>",
        "<A>]]></A>",
        "<A><![CDATA[1]]>2</A>",
        "<A>1<![CDATA[2]]></A>",
        "<A> <![CDATA[2]]></A>",
        "<A><![CDATA[2]]> </A>",
        "<A><![CDATA[1]]><![CDATA[2]]></A>",
        "<A><![CDATA[1]]]]><![CDATA[>2]]></A>",
        "<A><![CDATA[1]]></A>]]></A>",
        "<A><![CDATA[1]]</A>",
        "<A><![CDATA[1</A>",
        "<A><!-- 1 --></A>",
        "<A>1</A><!-- 2 -->",
        "<A>1</A><?b 2?>",
        "<A>" * MAX_LEVELS + "1" + "</A>" * MAX_LEVELS + "1",
        "<A>" * MAX_LEVELS + "<B>1</B>" + "</A>" * MAX_LEVELS,
    ],
)
def test_what_is_inside_may_make_it_odd(inside: str) -> None:
    assert not is_read_alike(f"<xml>{inside}</xml>")


def test_every_character_is_read_alike_or_not_at_all() -> None:
    for before, after, markup in (("<![CDATA[", "]]>", ""), ("", "", "<&]")):
        refused = []
        for block in range(0, 0x110000, 0x2000):
            signs = [chr(code) for code in range(block, block + 0x2000) if not 0xD800 <= code < 0xE000]
            if signs and block < 0x10000:
                odd = [sign for sign in signs if read_simple(f"<xml><A>{before}{sign}{after}</A></xml>") is None]
                refused += odd
                signs = [sign for sign in signs if sign not in odd]
            assert not signs or is_read_alike(f"<xml><A>{before}{''.join(signs)}{after}</A></xml>")

        assert sorted([*map(chr, NOT_SIMPLE), *markup]) == refused


@pytest.mark.parametrize("place", ["<xml>{}<A>1</A></xml>", "<xml><A>1</A>{}</xml>", "<xml><A>1</A></xml>{}"])
def test_blank_between_elements_are_three_characters_only(place: str) -> None:
    found = [chr(code) for code in range(0x3001) if is_read_alike(place.format(chr(code)))]

    assert ["\t", "\n", " "] == found


def test_names_are_ascii_words() -> None:
    starts = [chr(code) for code in range(0x300) if is_read_alike(f"<xml><{chr(code)}>1</{chr(code)}></xml>")]
    others = [chr(code) for code in range(0x300) if is_read_alike(f"<xml><A{chr(code)}>1</A{chr(code)}></xml>")]

    assert (26 + 26 + 1, 26 + 26 + 1 + 10) == (len(starts), len(others))
    assert all(sign.isascii() for sign in starts + others)


@pytest.mark.parametrize(
    "hostile", ["<a>", "<a><![CDATA[", "<a><![CDATA[]", "<a>b", "<a> ", "<a>1</a>", "</a>", "]", "<"]
)
@pytest.mark.parametrize("root", ["", "<xml>", "<xml><A>", "<xml><A><![CDATA["])
def test_the_time_is_linear_whatever_comes(root: str, hostile: str) -> None:
    assert read_simple(root + hostile * 300_000) is None  # squared it would take hours
