"""Messages made up, and messages damaged in any way, are read without xmltodict as with it, or left to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pushes import sample
from tests.wechat.test_simple_xml import NOT_SIMPLE, XML_SAMPLES, is_read_alike
from wechat.parse import UnreadableError, parse

Change = tuple[str, float, int, bytes]
Children = tuple[str, list[tuple[str, str, str]]]
"""What stands before the first of them; then name, content, and what stands behind."""


def written(children: Children) -> str:
    return children[0] + "".join(f"<{name}>{content}</{name}>{blank}" for name, content, blank in children[1])


NAMES = st.sampled_from(["A", "B", "ToUserName", "item", "List", "xml", "a_1"])
BLANK = st.sampled_from(["", "\n", " ", "\t \n"])
TYPED = st.text(st.characters(codec="utf-8", exclude_characters="".join(map(chr, NOT_SIMPLE))), max_size=20)
LEAF = st.one_of(
    TYPED.map(lambda text: text.translate(dict.fromkeys(map(ord, "<&]")))),
    TYPED.filter(lambda text: "]]>" not in text).map("<![CDATA[{}]]>".format),
    st.sampled_from(["", " ", "\n", "<![CDATA[]]>", "<![CDATA[&]]>", "<![CDATA[ ]]]>"]),
)
CHILDREN = st.deferred(lambda: st.tuples(BLANK, st.lists(st.tuples(NAMES, CONTENT, BLANK), min_size=1, max_size=4)))
CONTENT = st.deferred(lambda: st.one_of(LEAF, LEAF, CHILDREN.map(written)))
MESSAGE = CHILDREN.map(lambda children: f"<xml>{written(children)}</xml>")

SIGNS = [*"\r\x00\x02\x0b\x1f\x85\u2028\ufeff\ufffe\ufffd]></& Aé", "\r\n", "]]", "]]>", " a='1'", "&amp;", "&#13;"]
MARKUP = [
    "<A>",
    "</A>",
    "<A/>",
    "<A>1</A>",
    "<xml>",
    "</xml>",
    "<item>",
    "<![CDATA[",
    "<!---->",
    "<?a?>",
    "<!DOCTYPE a>",
]
NOT_UTF8 = [b"\xff", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xc0\x80"]
ODDITY = st.sampled_from([*(sign.encode() for sign in SIGNS + MARKUP), *NOT_UTF8])
WAY = st.sampled_from(["insert", "delete", "repeat", "move"])
CHANGES = st.lists(st.tuples(WAY, st.floats(0, 1), st.integers(0, 60), ODDITY), min_size=1, max_size=3)


def changed(message: bytes, changes: list[Change]) -> bytes:
    """As if it had been damaged on the way, or was written by somebody else."""
    for way, place, length, oddity in changes:
        at = round(place * len(message))
        before, piece, after = message[:at], message[at : at + length], message[at + length :]
        message = {
            "insert": before + oddity + piece + after,
            "delete": before + after,
            "repeat": before + piece + piece + after,
            "move": before + after + piece,
        }[way]
    return message


def read_damaged(message: bytes) -> None:
    try:
        text = message.decode()
    except UnicodeDecodeError:
        with pytest.raises(UnreadableError, match="not_utf8"):
            parse(message)
    else:
        is_read_alike(text)


@settings(max_examples=300)
@given(MESSAGE)
def test_well_formed_messages_are_read_alike(message: str) -> None:
    is_read_alike(message)


@settings(max_examples=300)
@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), LEAF, min_size=1), BLANK)
def test_flat_messages_are_always_simple(fields: dict[str, str], blank: str) -> None:
    children = [(name, content, blank) for name, content in fields.items()]

    assert is_read_alike(f"<xml>{written((blank, children))}</xml>")


@settings(max_examples=300)
@given(MESSAGE, CHANGES)
def test_changed_messages_are_read_alike(message: str, changes: list[Change]) -> None:
    read_damaged(changed(message.encode(), changes))


@settings(max_examples=600)
@given(st.sampled_from(XML_SAMPLES), CHANGES)
def test_changed_samples_are_read_alike(name: str, changes: list[Change]) -> None:
    read_damaged(changed(sample(name), changes))
