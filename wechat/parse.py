"""From the bytes of a message to its fields: XML as xmltodict reads it, JSON like XML, every leaf text."""

import json
import re
from typing import Any, Never, TypeAlias
from xml.parsers import expat

import xmltodict

from wechat.simple_xml import REPEATED, read_simple

MAX_DEPTH = 16  # the deepest push WeChat documents has 6 levels

# What XML 1.0 forbids, and followers type all the same (WeRoBot issue 420, easywechat pull 1419).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Fields: TypeAlias = dict[str, Any]
"""Fields by WeChat's name; a value is text, a list of values, or fields again."""


class UnreadableError(ValueError):
    """Content that is no message; `reason` is one of a few fixed words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(message: bytes) -> tuple[Fields, bool]:
    """The fields of a message, and whether its text had to be altered to be read or stored.

    Raises UnreadableError.
    """
    try:
        text = message.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise UnreadableError("not_utf8") from None
    fields = read_simple(text)
    if fields is not None:
        return fields, False
    first = text.lstrip()[:1]
    if not first:
        raise UnreadableError("empty_body")
    if first in "{[":
        return _parse_json(text)
    try:
        return _parse_xml(text), False
    except expat.ExpatError:
        cleaned = _FORBIDDEN.sub("", text)
        if cleaned == text:
            raise UnreadableError("bad_xml") from None
    try:
        return _parse_xml(cleaned), True
    except expat.ExpatError:
        raise UnreadableError("bad_xml") from None


class _StrictExpat:
    """expat to which a DTD is an error; xmltodict itself refuses entities only."""

    @staticmethod
    def ParserCreate(encoding: str, namespace_separator: str | None) -> expat.XMLParserType:  # noqa: N802
        parser = expat.ParserCreate(encoding, namespace_separator)
        parser.StartDoctypeDeclHandler = _refuse_dtd
        return parser


def _refuse_dtd(*_: object) -> Never:
    raise UnreadableError("dtd_refused")


def _parse_xml(text: str) -> Fields:
    # Text is kept to the letter (the Label of WeChat's own sample begins with a blank), so indentation comes along
    # as "#text" of the elements around; `_normal` drops it there.
    root = xmltodict.parse(text, encoding="utf-8", expat=_StrictExpat, force_list=REPEATED, strip_whitespace=False)
    fields = _normal(root.get("xml"))
    if not isinstance(fields, dict):
        raise UnreadableError("not_a_push")
    return fields


def _parse_json(text: str) -> tuple[Fields, bool]:
    try:
        # Not strict: followers' control characters reach JSON bare, too.
        root = json.loads(
            text, strict=False, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_fold
        )
    except (ValueError, RecursionError):
        raise UnreadableError("bad_json") from None
    fields = _normal(root)
    if not isinstance(fields, dict):
        raise UnreadableError("not_a_push")
    if "\0" not in text and "\\u" not in text:
        return fields, False
    stored = _storable(fields)
    return stored, stored != fields


def _fold(pairs: list[tuple[str, Any]]) -> Fields:
    """A JSON object as XML would have it: a repeated name is a list, names carry no blanks (the page has some)."""
    fields: Fields = {}
    for name, value in pairs:
        name = name.strip()
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def _normal(value: Any, depth: int = 0) -> Any:
    """Every leaf text, repeated names always a list, no indentation."""
    if isinstance(value, str):
        return value
    if depth > MAX_DEPTH:
        raise UnreadableError("too_deep")
    if isinstance(value, list):
        return [_normal(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            name: [_normal(item, depth + 1)]
            if name in REPEATED and not isinstance(item, list)
            else _normal(item, depth + 1)
            for name, item in value.items()
            if not (name == "#text" and item.isspace())
        }
    return "" if value is None else str(value).lower()  # true and false


def _storable(value: Any) -> Any:
    """NUL and lone surrogates, which JSON can escape and no table can hold, as U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return {_storable(name): _storable(item) for name, item in value.items()}
