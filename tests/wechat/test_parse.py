"""What a message says, whatever its form, and what is no message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechat.parse import MAX_DEPTH, UnreadableError, parse


def fields(message: str | bytes) -> dict[str, object]:
    return parse(message.encode() if isinstance(message, str) else message)[0]


BOMB = """<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><Content>&b;</Content></xml>"""
OUTSIDE = """<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Content>&f;</Content></xml>"""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "empty_body"),
        (b" \r\n\t", "empty_body"),
        (b"\xef\xbb\xbf", "empty_body"),
        (b"<xml><A>\xff\xfe</A></xml>", "not_utf8"),
        ("<xml><A>中</A></xml>".encode("gbk"), "not_utf8"),
        ("<xml><A>中</A></xml>".encode("utf-16"), "not_utf8"),
        (b"<xml><MsgType><![CDATA[event]]></MsgType>", "bad_xml"),
        (b"<xml><MsgType>event</MsgTyp", "bad_xml"),
        (b"<xml><A>1 & 2</A></xml>", "bad_xml"),
        (b"<xml></xml><xml></xml>", "bad_xml"),
        (b"<xml><Content>&nbsp;</Content></xml>", "bad_xml"),
        (b"MsgType=event&Event=CLICK", "bad_xml"),
        (b"\0\0\0\0", "bad_xml"),
        (b"<html><body>502 Bad Gateway</body></html>", "not_a_push"),
        (b"<!DOCTYPE html><html></html>", "dtd_refused"),
        (b"<xml/>", "not_a_push"),
        (b"<xml>text alone</xml>", "not_a_push"),
        (BOMB.encode(), "dtd_refused"),
        (OUTSIDE.encode(), "dtd_refused"),
        (b"[1, 2]", "not_a_push"),
        (b'{"MsgType": "event"', "bad_json"),
        (b'{"MsgType": "event"}{}', "bad_json"),
        (b"{MsgType: 1}", "bad_json"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(message: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse(message)

    assert reason == caught.value.reason


@pytest.mark.parametrize("levels", [MAX_DEPTH + 2, 1000, 20_000])
@pytest.mark.parametrize("form", ["xml", "json"])
def test_deep_nesting_is_refused(form: str, levels: int) -> None:
    if form == "xml":
        message = "<xml>" + "<a>" * levels + "</a>" * levels + "</xml>"
    else:
        message = '{"a":' * levels + "1" + "}" * levels

    with pytest.raises(UnreadableError, match=r"too_deep|bad_xml|bad_json"):
        parse(message.encode())


@pytest.mark.parametrize(
    "message",
    ["<xml><A></A></xml>", "<xml><A/></xml>", "<xml><A><![CDATA[]]></A></xml>", '{"A": ""}', '{"A": null}'],
)
def test_empty_elements_are_empty_text(message: str) -> None:
    assert {"A": ""} == fields(message)


@pytest.mark.parametrize(
    "message",
    [
        "<xml><A>1</A><B><![CDATA[二]]></B></xml>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<xml><A>1</A><B>二</B></xml>\n',
        "\ufeff<xml><A>1</A><B>&#20108;</B></xml>",
        "\r\n  <xml>\n\t<A>1</A>\r\n\t<B>二</B>\n</xml>",
        '{"A": 1, "B": "二"}',
        '\ufeff {"A": 1, "B": "\\u4e8c"}',
        '{" A ": "1", " B": "二"}',
    ],
)
def test_forms_of_one_message_are_read_alike(message: str) -> None:
    assert {"A": "1", "B": "二"} == fields(message)


def test_text_is_kept_to_the_letter() -> None:
    assert {"Label": " 广州市 106号 ", "Key": "\n"} == fields(
        "<xml><Label><![CDATA[ 广州市 106号 ]]></Label><Key><![CDATA[\n]]></Key></xml>"
    )


def test_markup_and_ampersands_inside_cdata_are_text() -> None:
    url = "https://a.example/?x=1&y=2&copy=3"

    assert {"A": url, "B": "<xml>]]></xml>"} == fields(
        f"<xml><A><![CDATA[{url}]]></A><B><![CDATA[<xml>]]]]><![CDATA[></xml>]]></B></xml>"
    )


@pytest.mark.parametrize("count", [1, 2, 9])
def test_items_are_a_list_however_many(count: int) -> None:
    items = [{"PicMd5Sum": str(number)} for number in range(count)]
    xml = "".join(f"<item><PicMd5Sum>{number}</PicMd5Sum>\n</item>\n" for number in range(count))

    assert {"PicList": {"item": items}} == fields(f"<xml><PicList>{xml}</PicList></xml>")


def test_one_item_is_a_list_in_json_too() -> None:
    assert {"List": [{"A": "1"}]} == fields('{"List": {"A": 1}}')


def test_a_nested_element_is_not_taken_for_a_direct_child() -> None:
    read = fields("<xml><ScanCodeInfo><EventKey>inner</EventKey></ScanCodeInfo><EventKey>outer</EventKey></xml>")

    assert {"ScanCodeInfo": {"EventKey": "inner"}, "EventKey": "outer"} == read


@pytest.mark.parametrize("message", ["<xml><A>1</A><A>2</A></xml>", '{"A": 1, "A": 2}'])
def test_a_repeated_element_keeps_all_values(message: str) -> None:
    assert {"A": ["1", "2"]} == fields(message)


def test_json_numbers_and_words_become_text_unchanged() -> None:
    read = fields('{"MsgId": 18446744073709551615, "X": 31.257041931152344, "E": 1e400, "T": true, "F": false}')

    assert {"MsgId": "18446744073709551615", "X": "31.257041931152344", "E": "1e400", "T": "true", "F": "false"} == read


@pytest.mark.parametrize("sign", ["\x00", "\x02", "\x10", "\x1d", "\ufffe", "\uffff"])
def test_forbidden_characters_are_removed_and_the_text_is_marked_as_altered(sign: str) -> None:
    read = parse(f"<xml><Content><![CDATA[复{sign}制]]></Content></xml>".encode())

    assert ({"Content": "复制"}, True) == read


def test_an_untouched_message_is_not_marked() -> None:
    assert not parse(b"<xml><A>\t1\n</A></xml>")[1]
    assert not parse(rb'{"A": "\u4e8c"}')[1]


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udfff", "\0"])
def test_what_no_table_can_hold_is_replaced_in_json(escape: str) -> None:
    assert ({"A": "x\ufffdy"}, True) == parse(f'{{"A": "x{escape}y"}}'.encode())


def test_a_surrogate_pair_in_json_is_one_character() -> None:
    assert ({"A": "😀"}, False) == parse(rb'{"A": "\ud83d\ude00"}')


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    _read_or_refuse(message)


@given(st.text("<>/&;![]CDAxml \n\x02?{}\":,'", max_size=60))
def test_any_markup_is_read_or_refused(text: str) -> None:
    _read_or_refuse(f"<xml>{text}</xml>".encode())
    _read_or_refuse(text.encode())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_read_or_refused(value: object) -> None:
    _read_or_refuse(json.dumps(value).encode())


def _read_or_refuse(message: bytes) -> None:
    try:
        read, _ = parse(message)
    except UnreadableError as error:
        assert error.reason  # noqa: PT017
    else:
        json.dumps(read).encode()
        assert read == read | {}
