"""Texts with the event's fields in braces: `您扫描的是 {code}`. `{{` and `}}` are braces.

A field is looked up by its name and nothing else is done: no attributes, no formats, no code.
"""

import re
from collections.abc import Callable, Iterator
from datetime import tzinfo
from difflib import get_close_matches
from typing import TypeVar
from urllib.parse import quote

import msgspec

from wechat.event import Event
from wechat.event_fields import FIELDS, Read
from wechat.reply import Article, Music, News, Nothing, Problem, Reply, Text, Video, cut

Fill = Callable[[Event, tzinfo], str]
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
    fill = _filler(reply)
    if not isinstance(reply, Text):
        return fill

    def said(event: Event, zone: tzinfo) -> Reply:
        filled = fill(event, zone)
        return Nothing() if isinstance(filled, Text) and not filled.content.strip() else filled

    return said


def _filler(reply: Reply) -> Callable[[Event, tzinfo], Reply]:
    if isinstance(reply, News):
        articles = [_struct_filler(article) for article in reply.articles]
        if all(fill is None for fill in articles):
            return lambda _event, _zone: reply
        parts = list(zip(reply.articles, articles, strict=True))
        return lambda event, zone: News(tuple(fill(event, zone) if fill else one for one, fill in parts))
    if isinstance(reply, Text | Video | Music) and (fill := _struct_filler(reply)):
        return fill
    return lambda _event, _zone: reply


def _struct_filler(holder: _Holder) -> Callable[[Event, tzinfo], _Holder] | None:
    """None where there is nothing to fill in."""
    fills = {
        name: _compile(text, is_link=name in _LINKS) for name, text in _templates(holder) if "{" in text or "}" in text
    }
    if not fills:
        return None
    return lambda event, zone: msgspec.structs.replace(
        holder, **{name: cut(fill(event, zone)) for name, fill in fills.items()}
    )


def _compile(text: str, *, is_link: bool) -> Fill:
    parts: list[str | Read] = []
    for literal, name in _parts(text):
        parts += [literal] if name is None else [literal, FIELDS[name]]
    safe = _in_link if is_link else _in_text
    return lambda event, zone: "".join(
        [part if isinstance(part, str) else safe(part(event, zone) or "") for part in parts]
    )


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


def _templates(holder: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """The texts in which fields may stand: not the ids of media, nor of people."""
    for name in ("content", "title", "description", *sorted(_LINKS)):
        if isinstance(text := getattr(holder, name, None), str):
            yield name, text


def _problems(reply: Reply) -> Iterator[Problem]:
    holders: list[tuple[str, Reply | Article]] = [("", reply)]
    if isinstance(reply, News):
        holders = [(f"articles[{index}].", one) for index, one in enumerate(reply.articles)]
    for path, holder in holders:
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
