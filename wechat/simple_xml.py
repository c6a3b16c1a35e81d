"""XML as WeChat writes it, elements and text and nothing else, read without a parser.

xmltodict alone would do, but expat calling back for every tag and text was a third of what a push costs the door (34 of
107 µs in `make bench-door`, and half as much again for the document around a ciphertext); one expression takes a sixth
of that. It reads only what cannot be understood in two ways; xmltodict reads, or refuses, all the rest.
"""

import re
from typing import Any

# Elements that WeChat repeats: one of them is a list of one.
REPEATED = frozenset({"item", "List", "fail_idx"})
MAX_LEVELS = 8  # even with a list at each, too few for parse.MAX_DEPTH

_NAME = r"[A-Za-z_]\w*+"
_SPACE = r"[ \t\n]*+"
_ODD = r"\x00-\x08\x0b-\x1f\ufffe\uffff"  # what XML forbids, and the carriage return, of which it makes a line feed
_CDATA = rf"<!\[CDATA\[([^\]{_ODD}]*+(?:\](?!\]>)[^\]{_ODD}]*+)*+)\]\]>"
_BARE = rf"([^<&\]{_ODD}]*+)"

# The last choice takes all there is, so that one match begins where the one before ended, none is skipped, and nothing
# is tried again from the next character on: the time is linear, whatever comes.
_PARTS = re.compile(
    rf"<({_NAME})>(?:{_CDATA}|{_BARE})</\1>{_SPACE}|<({_NAME})>{_SPACE}|</({_NAME})>{_SPACE}|.+", re.ASCII | re.DOTALL
).findall


def read_simple(text: str) -> dict[str, Any] | None:
    """The fields of a message, as xmltodict would have them; None if it must be asked."""
    fields: dict[str, Any] = {}
    outer: list[tuple[str, dict[str, Any]]] = []
    for name, cdata, bare, begun, ended in _PARTS(text):
        value: Any = cdata or bare
        if begun and len(outer) < MAX_LEVELS:
            outer.append((begun, fields))
            fields = {}
            continue
        if ended and outer and ended == outer[-1][0]:
            value = fields
            name, fields = outer.pop()
        if name in REPEATED:
            fields.setdefault(name, []).append(value)
        elif not name or name in fields:
            return None
        else:
            fields[name] = value
    message = fields.get("xml")
    return message if isinstance(message, dict) and len(fields) == 1 and not outer else None
