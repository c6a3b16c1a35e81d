"""Which reply a push gets: rules, and the book of an account's rules that is asked for each push. Pure.

Highest priority first, then the more specific rule, then the older; the default ones last. A book of a thousand rules
costs a few look-ups, as rules are kept by kind and by what they ask for; only those that ask for nothing that can be
looked up (a part of a text, a pattern) are gone through, and for the keys of buttons only once.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from wechat import event_fields
from wechat.event import Event
from wechat.glob import Glob
from wechat.reply import ANSWERABLE, Reply, may_answer
from wechat.template import compile_reply
from wechat.week import WHOLE_WEEK, minute_of_week, minutes_of_week

How: TypeAlias = Literal["exact", "prefix", "contains", "pattern"]
What: TypeAlias = Literal["key", "scan_code", "keyword"]
_Texts: TypeAlias = Mapping[What, Sequence[str]]  # what a push says, and how else it may be put

MENU_KINDS = ANSWERABLE - {"qrcode_scan", "subscribe"}
_LONGEST_WORDS = 2048  # characters of a message that keywords are looked for in
_RANK = attrgetter("rank")
_KEYS, _LONGEST_KEY = 1024, 128  # keys of buttons are few and short: so many are remembered, with their rules
_LONGEST_CODE = 8192  # characters of a code, or a key, that rules are asked about; QR codes hold 7,089 at most
_WEIGHTS: Mapping[str, int] = MappingProxyType({"exact": 3, "prefix": 2, "pattern": 2, "contains": 1})


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text to ask for; in a pattern, `*` is any text."""

    text: str
    how: How = "exact"


class Rule(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is None or empty is not asked for; the others must all hold."""

    id: int
    name: str
    reply: Reply
    priority: int = 0
    is_default: bool = False  # counts only where no other rule does
    kinds: tuple[str, ...] = ()
    key: Match | None = None  # EventKey; of a QR code with or without qrscene_
    scan_code: Match | None = None  # of a barcode with or without its symbology
    keyword: Match | None = None  # of what was written or said, whatever the case and the width of its letters
    menu_version: int | None = None
    tag_id: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    weekdays: str | None = None  # ISO numbers: 1,2,3,4,5
    hours: str | None = None  # 09:00-12:00,22:00-02:00
    timezone: str = "Asia/Shanghai"


class Menus(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which menu a tap belongs to, as far as that can be known at the door.

    By MenuId where the push carries one; else it is the version that is live. A follower's tag is known by the
    personalised menu that was tapped alone: by MenuId, or by a key that stands in menus of one tag only.
    """

    live_version: int | None = None
    by_wechat_menu_id: dict[str, tuple[int, str | None]] = {}
    tag_by_key: dict[str, str] = {}

    def of(self, event: Event) -> tuple[int | None, str | None]:
        """Version and tag; of a push that no menu caused, neither."""
        if event.kind not in MENU_KINDS:
            return None, None
        if event.wechat_menu_id in self.by_wechat_menu_id:
            return self.by_wechat_menu_id[event.wechat_menu_id or ""]
        return self.live_version, self.tag_by_key.get(event.event_key or "")


NO_MENUS = Menus()


class Choice(NamedTuple):
    rule: Rule
    reply: Reply  # with the event's fields filled in


class Rulebook:
    """An account's rules, read once. `unfit` are the ids of those that cannot be used, as by an older program."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        unfit = []
        self._ready: list[_Ready] = []
        self._by_kind: defaultdict[str, _Index] = defaultdict(_Index)
        for rank, rule in enumerate(sorted(rules, key=precedence)):
            try:
                ready = _Ready(rank, rule)
            except (ValueError, KeyError, OSError):  # hours, fields and time zones that are unknown here
                unfit.append(rule.id)
                continue
            self._ready.append(ready)
            for kind in rule.kinds or ("",):
                self._by_kind[kind].add(ready)
        self.unfit = tuple(unfit)
        self._by_key = lru_cache(maxsize=_KEYS)(self._by_text)

    def __len__(self) -> int:
        return len(self._ready)

    def answer(self, event: Event, at: datetime, menus: Menus = NO_MENUS) -> Choice | None:
        """None where no rule says anything, or WeChat would not hear it.

        A push that is repeated gets the same answer if it is asked with the time of the event.
        """
        if not may_answer(event.kind):
            return None
        texts = _texts(event)
        candidates = self._candidates(event.kind, texts)
        if not candidates:
            return None
        asked = _Asked(event.kind, texts, *menus.of(event), at)
        for ready in candidates:
            if ready.refusal(asked) is None:
                return Choice(ready.rule, ready.fill(event))
        return None

    def why(self, event: Event, at: datetime, menus: Menus = NO_MENUS) -> list[tuple[Rule, str]]:
        """All rules, in the order in which they count, each with a fixed word: the one that `answers`, those that are
        `outranked` by it, and why the others do not match."""
        asked = _Asked(event.kind, _texts(event), *menus.of(event), at)
        told, answered = [], False
        for ready in self._ready:
            reason = ready.refusal(asked) if may_answer(event.kind) else "must_get_success"
            if reason is None:
                reason, answered = "outranked" if answered else "answers", True
            told.append((ready.rule, reason))
        return told

    def _candidates(self, kind: str, texts: _Texts) -> Sequence["_Ready"]:
        """All rules that may match, by rank."""
        if not texts:
            return self._by_text(kind, None, "")
        found = [self._find(kind, what, text) for what, its in texts.items() for text in its]
        return found[0] if len(found) == 1 else sorted(set(chain.from_iterable(found)), key=_RANK)

    def _find(self, kind: str, what: What, text: str) -> Sequence["_Ready"]:
        find = self._by_key if what == "key" and len(text) <= _LONGEST_KEY else self._by_text
        return find(kind, what, text)

    def _by_text(self, kind: str, what: What | None, text: str) -> Sequence["_Ready"]:
        indexes = (index for one in (kind, "") if (index := self._by_kind.get(one)))
        return sorted(chain.from_iterable(index.candidates(what, text) for index in indexes), key=_RANK)


def precedence(rule: Rule) -> tuple[bool, int, tuple[int, int, int], int]:
    """What sorts rules into the order in which they count."""
    weight, length, others = specificity(rule)
    return rule.is_default, -rule.priority, (-weight, -length, -others), rule.id


def specificity(rule: Rule) -> tuple[int, int, int]:
    """By how it asks for texts, then how long these are, then by how many other things it asks for."""
    matches = [one for one in (rule.key, rule.scan_code, rule.keyword) if one is not None]
    others = (rule.kinds, rule.menu_version, rule.tag_id, rule.starts_at or rule.ends_at, rule.weekdays or rule.hours)
    return (
        sum(_WEIGHTS[one.how] for one in matches),
        sum(len(one.text.replace("*", "") if one.how == "pattern" else one.text) for one in matches),
        sum(one is not None and one != () for one in others),
    )


def plain(words: str) -> str:
    """As keywords are compared: a Chinese keyboard types letters of full width, and people write as they like."""
    return unicodedata.normalize("NFKC", words[:_LONGEST_WORDS]).casefold().strip()


class _Asked(NamedTuple):
    """What rules ask of a push."""

    kind: str
    texts: _Texts
    version: int | None
    tag_id: str | None
    at: datetime


def _texts(event: Event) -> _Texts:
    texts: dict[What, Sequence[str]] = {}
    if event.event_key is not None:
        scene = event_fields.scene(event)
        texts["key"] = (event.event_key[:_LONGEST_CODE],) if scene is None else _distinct(event.event_key, scene)
    if event.kind == "click":  # which most pushes are, and which says nothing else
        return texts
    if (result := event_fields.scan_result(event)) is not None:
        texts["scan_code"] = _distinct(event_fields.code(event), result)
    if (words := event_fields.words(event)) is not None:
        texts["keyword"] = (plain(words),)
    return texts


def _distinct(*texts: str | None) -> Sequence[str]:
    return tuple(dict.fromkeys([text[:_LONGEST_CODE] for text in texts if text is not None]))


class _Ready:
    """A rule, made ready to be asked."""

    __slots__ = ("_kinds", "_minutes", "_reply", "_tests", "_zone", "rank", "rule")

    def __init__(self, rank: int, rule: Rule) -> None:
        self.rank, self.rule = rank, rule
        self._kinds = frozenset(rule.kinds)
        self._zone = ZoneInfo(rule.timezone)
        minutes = minutes_of_week(rule.weekdays, rule.hours)
        self._minutes = None if minutes == WHOLE_WEEK else minutes
        self._reply = compile_reply(rule.reply)
        self._tests = [(what, tester(match)) for what, match in matches(rule)]

    def fill(self, event: Event) -> Reply:
        return self._reply(event, self._zone)

    def refusal(self, asked: _Asked) -> str | None:
        """Why it does not match, as a fixed word; None if it does."""
        rule = self.rule
        if self._kinds and asked.kind not in self._kinds:
            return "other_kind"
        for what, is_met in self._tests:
            if not any(map(is_met, asked.texts.get(what, ()))):
                return f"other_{what}"
        if rule.menu_version is not None and rule.menu_version != asked.version:
            return "other_menu_version"
        if rule.tag_id is not None and rule.tag_id != asked.tag_id:
            return "other_tag" if asked.tag_id is not None else "unknown_tag"
        return self._untimely(asked.at)

    def _untimely(self, at: datetime) -> str | None:
        if self.rule.starts_at is not None and at < self.rule.starts_at:
            return "not_yet"
        if self.rule.ends_at is not None and at >= self.rule.ends_at:
            return "over"
        if self._minutes is None or self._minutes >> minute_of_week(at.astimezone(self._zone)) & 1:
            return None
        return "other_hours"


def matches(rule: Rule) -> Iterator[tuple[What, Match]]:
    """The texts that a rule asks for, keywords as they are compared."""
    if rule.key is not None:
        yield "key", rule.key
    if rule.scan_code is not None:
        yield "scan_code", rule.scan_code
    if rule.keyword is not None:
        yield "keyword", Match(plain(rule.keyword.text), rule.keyword.how)


def tester(match: Match) -> Callable[[str], bool]:
    text = match.text
    match match.how:
        case "exact":
            return text.__eq__
        case "prefix":
            return lambda given: given.startswith(text)
        case "contains":
            return lambda given: text in given
        case "pattern":
            return Glob(text).matches


class _Index:
    """Rules of one kind, or of any, by the first text that they ask for."""

    def __init__(self) -> None:
        self._exact: dict[tuple[What, str], list[_Ready]] = {}
        self._prefixes: dict[tuple[What, str], list[_Ready]] = {}
        self._lengths: defaultdict[What, set[int]] = defaultdict(set)  # of prefixes
        self._parts: defaultdict[What, list[tuple[str, _Ready]]] = defaultdict(list)
        self._patterns: defaultdict[What, list[tuple[Glob, _Ready]]] = defaultdict(list)
        self._textless: list[_Ready] = []

    def add(self, ready: _Ready) -> None:
        asking = next(matches(ready.rule), None)
        if asking is None:
            self._textless.append(ready)
            return
        what, asked = asking
        if asked.how == "exact":
            self._exact.setdefault((what, asked.text), []).append(ready)
        elif asked.how == "prefix":
            self._lengths[what].add(len(asked.text))
            self._prefixes.setdefault((what, asked.text), []).append(ready)
        elif asked.how == "contains":
            self._parts[what].append((asked.text, ready))
        else:
            self._patterns[what].append((Glob(asked.text), ready))

    def candidates(self, what: What | None, text: str) -> Iterator[_Ready]:
        """All rules that may match a push of this text, in no order; None is a push without any."""
        yield from self._textless
        if what is None:
            return
        yield from self._exact.get((what, text), ())
        for length in self._lengths.get(what, ()):
            if length <= len(text):
                yield from self._prefixes.get((what, text[:length]), ())
        # All of these are gone through; in this form a thousand take some 50 µs.
        yield from [ready for part, ready in self._parts.get(what, ()) if part in text]
        yield from [ready for glob, ready in self._patterns.get(what, ()) if glob.matches(text)]
