"""Messages as WeChat writes them: text in CDATA, numbers bare, one element per line; or as JSON."""

import json
from typing import Any

from wechat.parse import Fields

# What XML 1.0 forbids a reader drops, so it has no part in what a message says.
_FORBIDDEN = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF])


class Bare(str):
    """Text that WeChat writes without CDATA: decimals, mostly."""

    __slots__ = ()


def write_xml(fields: Fields) -> bytes:
    """A message in the layout of captured pushes: the first field on the first line, then one element per line."""
    return ("<xml>" + _children(fields) + "</xml>").encode()


def write_json(fields: Fields) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def as_read(value: Any) -> Any:
    """What a reader of the message has to find: every leaf text, and nothing that XML forbids."""
    if isinstance(value, str):
        return str(value).translate(_FORBIDDEN) if not value.isprintable() else str(value)
    if isinstance(value, dict):
        return {name: as_read(child) for name, child in value.items()}
    if isinstance(value, list):
        return [as_read(item) for item in value]
    return str(value)


def _children(fields: Fields) -> str:
    return "".join([_element(name, value) + "\n" for name, value in fields.items()])


def _element(name: str, value: Any) -> str:
    if isinstance(value, int | Bare):
        return f"<{name}>{value}</{name}>"
    if isinstance(value, str):
        text = value.replace("]]>", "]]]]><![CDATA[>")
        return f"<{name}><![CDATA[{text}]]></{name}>"
    if isinstance(value, dict):
        return f"<{name}>{_children(value)}</{name}>"
    return "\n".join([_element(name, item) for item in value])
