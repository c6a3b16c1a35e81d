"""Texts with the event's fields in braces: `您扫描的是 {code}`. `{{` and `}}` are braces.

A field is looked up by its name and nothing else is done: no attributes, no formats, no code.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeAlias, TypeVar
from urllib.parse import quote

import msgspec

from wechat.event import Event
from wechat.event_fields import FIELDS
from wechat.reply import Article, News, Nothing, Problem, Reply, Text, cut

_Parts: TypeAlias = Sequence[tuple[str, str | None]]
_REMEMBERED = 1024  # replies of all accounts, as they were filled in
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# What would become a link: a code on a wall must not make the account say `<a href=…>`.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_HOST = re.compile(r"https?://[^\s/?#{}]+[/?#]", re.IGNORECASE)
_LINKS = frozenset({"url", "pic_url", "music_url", "hq_music_url"})
_Holder = TypeVar("_Holder", bound=msgspec.Struct)


def problems(reply: Reply) -> list[Problem]:
    """What is wrong with the templates in a reply."""
    return list(_problems(reply))


def compile_reply(reply: Reply) -> Callable[[Event, tzinfo], Reply]:
    """The reply to an event, from one of which `problems` has nothing to say.

    A field that the event does not have is empty; a text of which nothing is left is not sent, as WeChat takes an empty
    one for a fault.
    """
    template = _Template(reply)
    return lambda event, zone: _filled(template, tuple([read(event, zone) or "" for read in template.reads]))


class _Template:
    """A reply, its texts in which fields stand, and how to read these, each once."""

    def __init__(self, reply: Reply) -> None:
        """Raises KeyError for a field that there is not, and ValueError at a single brace."""
        self.reply = reply
        self.texts = [
            {name: list(_parts(text)) for name, text in _templates(holder) if "{" in text or "}" in text}
            for _path, holder in _holders(reply)
        ]
        every = (field for texts in self.texts for parts in texts.values() for _, field in parts if field is not None)
        self.fields = tuple(dict.fromkeys(every))
        self.reads = tuple(FIELDS[field] for field in self.fields)


@lru_cache(maxsize=_REMEMBERED)
def _filled(template: _Template, values: tuple[str, ...]) -> Reply:
    """Most pushes are taps of few buttons, and are replied to with what was said before."""
    reply, by_field = template.reply, dict(zip(template.fields, values, strict=True))
    if isinstance(reply, News):
        pairs = zip(reply.articles, template.texts, strict=True)
        return News(tuple(_with(article, texts, by_field) for article, texts in pairs))
    filled = _with(reply, template.texts[0], by_field)
    return Nothing() if isinstance(filled, Text) and not filled.content.strip() else filled


def _with(holder: _Holder, texts: Mapping[str, _Parts], by_field: Mapping[str, str]) -> _Holder:
    filled = {name: cut(_text(name, parts, by_field)) for name, parts in texts.items()}
    return msgspec.structs.replace(holder, **filled)


def _text(name: str, parts: _Parts, by_field: Mapping[str, str]) -> str:
    safe = _in_link if name in _LINKS else _in_text
    return "".join([literal if field is None else literal + safe(by_field[field]) for literal, field in parts])


def _in_link(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _in_text(value: str) -> str:
    return _TAG.sub("\uff1c", value) if "<" in value else value


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """Texts, each with the name of the field that follows it.

    Raises ValueError at a single brace.
    """
    literal, at = "", 0
    for found in _PART.finditer(text):
        literal += text[at : found.start()]
        at = found.end()
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
        elif found[1] is None:
            raise ValueError(found[0])
        else:
            yield literal, found[1].strip()
            literal = ""
    yield literal + text[at:], None


def _holders(reply: Reply) -> list[tuple[str, Reply | Article]]:
    """What has texts, each with its path."""
    if isinstance(reply, News):
        return [(f"articles[{index}].", one) for index, one in enumerate(reply.articles)]
    return [("", reply)]


def _templates(holder: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """The texts in which fields may stand: not the ids of media, nor of people."""
    for name in ("content", "title", "description", *sorted(_LINKS)):
        if isinstance(text := getattr(holder, name, None), str):
            yield name, text


def _problems(reply: Reply) -> Iterator[Problem]:
    for path, holder in _holders(reply):
        for name, text in _templates(holder):
            yield from _problems_of_text(path + name, text)
            if name in _LINKS and "{" in text and not _HOST.match(text):
                yield Problem(path + name, "field_in_host", text)


def _problems_of_text(path: str, text: str) -> Iterator[Problem]:
    try:
        names = [name for _literal, name in _parts(text) if name is not None]
    except ValueError as error:
        yield Problem(path, "single_brace", str(error))
        return
    for name in names:
        if name not in FIELDS:
            close = get_close_matches(name, FIELDS, n=1, cutoff=0.6)
            yield Problem(path, "unknown_field", name, better="".join(close))
