"""Rules for replies as people write them, with options or in a file; both come here as one tree of plain values.

    - name: stock
      kind: [scancode_push, scancode_waitmsg]
      scan_code: "EAN_13,*"
      weekdays: mon-fri
      hours: 9-18
      reply: "{code}: 在售"

A text with stars is a pattern, `A*` a beginning, `*A*` a part; who means the star itself writes `key: {exact: "A*"}`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from console.command import InvalidInputError
from console.moments import coming
from console.rotation_given import hours, weekdays
from wechat import rule_check
from wechat.reply import Article, Image, Music, News, Nothing, Problem, Reply, Text, Transfer, Video, Voice
from wechat.reply_rules import How, Match, Rule

REPLIES = ("text", "image", "voice", "video", "music", "news", "transfer", "nothing")
_ASKED = ("key", "scan_code", "keyword")
_FIELDS = (
    *("name", "account", "kind", *_ASKED, "menu_version", "tag", "from", "until", "weekdays", "hours", "timezone"),
    *("priority", "default", "reply", "enabled", "author", "note"),
)
_TOLD = ("id", "created_at", "updated_at", "state")  # by `reply list --json`, whose rules may come back
# These are text however YAML reads them: `key: 007`, `hours: 9`.
TEXTS = frozenset(_FIELDS) - {"menu_version", "priority", "default", "enabled", "transfer", "nothing"} | {
    *("text", "image", "voice", *get_args(How)),
    *(field for one in (Video, Music, Article) for field in one.__struct_fields__),
}
# Replies of one value, which is their text, the id of their media, or the person to hand over to.
_SAID: Mapping[str, Callable[..., Reply]] = {
    "text": Text,
    "image": Image,
    "voice": Voice,
    "transfer": Transfer,
    "nothing": Nothing,
}
_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Given:
    """A rule as somebody wrote it, read; it has no id yet."""

    rule: Rule
    account: str | None
    enabled: bool
    author: str | None
    note: str | None


def read_rules(
    tree: Any, zone_of: Callable[[str | None], ZoneInfo], now: datetime
) -> tuple[list[Given], list[Problem]]:
    """The rules in a tree, as far as they can be read, and what is wrong with the others.

    A tree is a list of rules, one with a list called `rules`, or a single rule.
    """
    wrapped = tree["rules"] if isinstance(tree, dict) and "rules" in tree else tree
    rules = [wrapped] if isinstance(wrapped, dict) else wrapped
    if not isinstance(rules, list) or not rules:
        return [], [Problem("rules", "no_rules")]
    found, problems = [], []
    for index, fields in enumerate(rules):
        reader = _Reader(f"rules[{index}]")
        given = reader.rule(fields, zone_of, now)
        problems += reader.problems
        if given and not reader.problems:
            found.append(given)
    return found, problems


def written(rule: Rule) -> dict[str, Any]:
    """As people write it."""
    tree: dict[str, Any] = {"name": rule.name}
    if rule.kinds:
        tree["kind"] = list(rule.kinds)
    tree |= {name: notation(match) for name in _ASKED if (match := getattr(rule, name)) is not None}
    values = {"menu_version": rule.menu_version, "tag": rule.tag_id, "from": rule.starts_at, "until": rule.ends_at}
    values |= {"weekdays": rule.weekdays, "hours": rule.hours}
    tree |= {name: value for name, value in values.items() if value is not None}
    tree |= {"timezone": rule.timezone, "priority": rule.priority, "default": rule.is_default}
    return {**tree, "reply": _written_reply(rule.reply)}


def starred(text: str) -> Match:
    stars = text.count("*")
    if stars == 0:
        return Match(text)
    if stars == 1 and text.endswith("*") and len(text) > 1:
        return Match(text[:-1], "prefix")
    if stars == 2 and len(text) > 2 and text[0] == text[-1] == "*":
        return Match(text[1:-1], "contains")
    return Match(text, "pattern")


def notation(match: Match) -> Any:
    text = {"prefix": f"{match.text}*", "contains": f"*{match.text}*"}.get(match.how, match.text)
    return text if starred(text) == match else {match.how: match.text}


class _Reader:
    """Reads one rule; `problems` is what is wrong with it, each with its path."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.problems: list[Problem] = []

    def rule(self, fields: Any, zone_of: Callable[[str | None], ZoneInfo], now: datetime) -> Given | None:
        if not isinstance(fields, dict):
            self._fail("", "not_a_rule")
            return None
        fields = {"kind" if name == "kinds" else name: value for name, value in fields.items() if value is not None}
        self._only(fields, (*_FIELDS, *_TOLD))
        account = self._text(fields, "account")
        rule = self._rule(fields, zone_of(account), now)
        if rule is not None:
            self.problems += [
                one._replace(path=f"{self._path}.{_wrote(one.path)}") for one in rule_check.problems(rule)
            ]
        if rule is None or self.problems:
            return None
        enabled = self._flag(fields, "enabled", default=True)
        return Given(rule, account, enabled, self._text(fields, "author"), self._text(fields, "note"))

    def _rule(self, fields: dict[str, Any], home: ZoneInfo, now: datetime) -> Rule | None:
        zone = self._zone(fields, home)
        asked = {name: self._match(fields[name], name) for name in _ASKED if name in fields}
        reply = self._reply(fields.get("reply"))
        times = {
            name: self._told(wrote, lambda text: coming(text, now, zone), self._text(fields, wrote))
            for name, wrote in (("starts_at", "from"), ("ends_at", "until"))
        }
        rule: dict[str, Any] = {
            "id": 0,
            "name": self._text(fields, "name") or "",
            "priority": self._number(fields, "priority") or 0,
            "is_default": self._flag(fields, "default"),
            "kinds": self._kinds(fields.get("kind", ())),
            **asked,
            "menu_version": self._number(fields, "menu_version"),
            "tag_id": self._text(fields, "tag"),
            **{name: at and at.astimezone(UTC) for name, at in times.items()},
            "weekdays": self._told("weekdays", weekdays, self._text(fields, "weekdays")),
            "hours": self._told("hours", hours, self._text(fields, "hours")),
            "timezone": zone.key,
            "reply": reply,
        }
        return None if self.problems else Rule(**rule)

    def _zone(self, fields: dict[str, Any], home: ZoneInfo) -> ZoneInfo:
        name = self._text(fields, "timezone")
        try:
            return home if name is None else ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._fail("timezone", "unknown_zone", name or "")
            return home

    def _kinds(self, given: Any) -> tuple[str, ...]:
        kinds = [given] if isinstance(given, str) else given
        if not isinstance(kinds, list | tuple) or not all(isinstance(kind, str) for kind in kinds):
            self._fail("kind", "not_texts")
            return ()
        return tuple(dict.fromkeys(kinds))

    def _match(self, given: Any, path: str) -> Match | None:
        if isinstance(given, str | int) and not isinstance(given, bool):
            return starred(str(given))
        if isinstance(given, dict) and len(given) == 1:
            [(how, text)] = given.items()
            if how in get_args(How) and isinstance(text, str):
                return Match(text, how)
        self._fail(path, "not_a_match")
        return None

    def _reply(self, given: Any) -> Reply | None:
        if given is None:
            self._fail("reply", "no_reply")
            return None
        tree = {"text": given} if isinstance(given, str) else given
        if not isinstance(tree, dict) or len(tree) != 1 or not tree.keys() <= set(REPLIES):
            self._fail("reply", "not_a_reply", ", ".join(map(str, tree)) if isinstance(tree, dict) else "")
            return None
        [(name, value)] = tree.items()
        if name in _SAID:
            return self._said(name, value)
        if name == "news":
            return self._news([value] if isinstance(value, dict) else value)
        if name == "music":
            return self._struct(Music, value, "reply.music")
        return self._struct(Video, {"media_id": value} if isinstance(value, str) else value, "reply.video")

    def _said(self, name: str, value: Any) -> Reply | None:
        if isinstance(value, str) and name != "nothing":
            return _SAID[name](value)
        if value is True and name in ("transfer", "nothing"):
            return Transfer() if name == "transfer" else Nothing()
        self._fail(f"reply.{name}", "not_true" if name in ("transfer", "nothing") else "not_text")
        return None

    def _news(self, articles: Any) -> News | None:
        if not isinstance(articles, list):
            self._fail("reply.news", "not_fields")
            return None
        read = [self._struct(Article, one, f"reply.news[{index}]") for index, one in enumerate(articles)]
        return News(tuple(one for one in read if one is not None))

    def _struct(self, kind: type[_Struct], given: Any, path: str) -> _Struct | None:
        if not isinstance(given, dict):
            self._fail(path, "not_fields")
            return None
        self._only(given, kind.__struct_fields__, path)
        needed = kind.__struct_fields__[0]
        texts = {name: self._text(given, name, path) for name in kind.__struct_fields__ if given.get(name) is not None}
        if needed not in texts:
            self._fail(f"{path}.{needed}", "empty")
        return None if self.problems else kind(**texts)

    def _only(self, fields: Mapping[str, Any], known: tuple[str, ...], path: str = "") -> None:
        for name in fields:
            if name not in known:
                better = "".join(get_close_matches(str(name), known, n=1, cutoff=0.6))
                self._fail(f"{path}.{name}" if path else str(name), "unknown_key", str(name), better)

    def _text(self, fields: Mapping[str, Any], name: str, path: str = "") -> str | None:
        value = fields.get(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self._fail(f"{path}.{name}" if path else name, "not_text")
        return None

    def _number(self, fields: Mapping[str, Any], name: str) -> int | None:
        value = fields.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31):
            return value
        self._fail(name, "not_a_number")
        return None

    def _flag(self, fields: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
        value = fields.get(name, default)
        if not isinstance(value, bool):
            self._fail(name, "not_true")
        return bool(value)

    def _told(self, path: str, read: Callable[[str], _Value], text: str | None) -> _Value | None:
        """What is read by somebody who has words of his own for what is wrong."""
        try:
            return None if text is None else read(text)
        except InvalidInputError as error:
            self._fail(path, "told", error.message)
            return None

    def _fail(self, path: str, reason: str, value: str = "", better: str = "") -> None:
        self.problems.append(Problem(f"{self._path}.{path}" if path else self._path, reason, value, better=better))


def _wrote(path: str) -> str:
    """A rule's field as people write it."""
    names = {"kinds": "kind", "tag_id": "tag", "starts_at": "from", "ends_at": "until", "is_default": "default"}
    return names.get(path, path)


def _written_reply(reply: Reply) -> Any:
    match reply:
        case Text():
            return {"text": reply.content}
        case Image() | Voice():
            return {type(reply).__name__.lower(): reply.media_id}
        case Video() | Music():
            return {type(reply).__name__.lower(): _fields(reply)}
        case News():
            return {"news": [_fields(article) for article in reply.articles]}
        case Transfer():
            return {"transfer": reply.kf_account or True}
        case Nothing():
            return {"nothing": True}


def _fields(holder: msgspec.Struct) -> dict[str, str]:
    return {name: text for name in holder.__struct_fields__ if (text := getattr(holder, name))}
