"""What is wrong with a rule for replies, by itself and beside others. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from itertools import takewhile
from typing import Self
from zoneinfo import available_timezones

from wechat import reply, template
from wechat.glob import Glob
from wechat.reply import ANSWERABLE, MESSAGES, Problem, may_answer
from wechat.reply_rules import MENU_KINDS, Match, Rule, What, matches, precedence, specificity, tester
from wechat.week import minutes_of_week, ranges, weekday_numbers

LONGEST_NAME = 255
LONGEST_MATCH = 2048  # bytes
LONGEST_KEY = 128  # bytes of a button's key; WeChat takes no longer one
HIGHEST_PRIORITY = 1000
MESSAGE_KINDS = frozenset(
    MESSAGES + name for name in ("text", "image", "voice", "video", "shortvideo", "location", "link")
)
KNOWN_KINDS = ANSWERABLE | MESSAGE_KINDS
_UNKNOWN = f"{MESSAGES}*"  # messages of kinds that are not known yet
_SCANS = frozenset({"scancode_push", "scancode_waitmsg"})
_WORDS = frozenset({"message_text", "message_voice"})

# Which kinds have what a rule may ask for.
HAVING: dict[str, frozenset[str]] = {
    "key": ANSWERABLE,
    "scan_code": _SCANS,
    "keyword": _WORDS,
    "menu_version": MENU_KINDS,
    "tag_id": MENU_KINDS,
}


def problems(rule: Rule) -> list[Problem]:
    """Why it must not be added; in the order in which people read rules."""
    return list(_problems(rule))


def doubts(rule: Rule, now: datetime) -> list[Problem]:
    """What it may be added with, but was hardly meant."""
    return list(_doubts(rule, now))


class Book:
    """Rules, to be compared with one another."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._read = sorted((_Read.of(rule) for rule in rules), key=lambda one: one.precedence)
        self._by_rank: defaultdict[tuple[object, ...], list[_Read]] = defaultdict(list)
        for one in self._read:
            self._by_rank[one.precedence[:-1]].append(one)

    def hidden_by(self, rule: Rule) -> Rule | None:
        """A rule that counts before it, and matches whenever it does: so it never answers."""
        read = _Read.of(rule)
        before = takewhile(lambda one: one.precedence < read.precedence, self._read)
        return next((one.rule for one in before if one.rule.id != rule.id and _covers(one, read)), None)

    def rivals(self, rule: Rule) -> list[Rule]:
        """Rules of the same rank that match some of what it matches: of these the oldest answers."""
        read = _Read.of(rule)
        others = self._by_rank[read.precedence[:-1]]
        return [one.rule for one in others if one.rule.id != rule.id and _overlap(one, read)]


def kinds_of(rule: Rule) -> frozenset[str]:
    """The kinds that it may match."""
    found = frozenset(rule.kinds) or KNOWN_KINDS | {_UNKNOWN}
    for name, having in HAVING.items():
        if getattr(rule, name) is not None:
            found &= having
    return found


def _problems(rule: Rule) -> Iterator[Problem]:
    if not rule.name.strip():
        yield Problem("name", "empty")
    if len(rule.name) > LONGEST_NAME:
        yield Problem("name", "too_long", str(len(rule.name)), LONGEST_NAME)
    if abs(rule.priority) > HIGHEST_PRIORITY:
        yield Problem("priority", "out_of_range", str(rule.priority), HIGHEST_PRIORITY)
    for kind in rule.kinds:
        if not may_answer(kind):
            yield Problem("kinds", "must_get_success", kind, better=_close(kind))
    for name, match in matches(rule):
        yield from _match(name, match)
    if rule.tag_id == "":
        yield Problem("tag_id", "empty")
    yield from _times(rule)
    yield from _never(rule)
    for found in (*reply.problems(rule.reply), *template.problems(rule.reply)):
        yield found._replace(path=f"reply.{found.path}")


def _match(name: What, match: Match) -> Iterator[Problem]:
    size = len(match.text.encode(errors="replace"))
    if not match.text:
        yield Problem(name, "empty")
    elif size > LONGEST_MATCH:
        yield Problem(name, "too_long", str(size), LONGEST_MATCH)
    if match.how == "pattern" and "*" not in match.text:
        yield Problem(name, "pattern_without_star", match.text)


def _times(rule: Rule) -> Iterator[Problem]:
    if rule.timezone not in _zones():
        yield Problem("timezone", "unknown_zone", rule.timezone)
    for name, read in (("weekdays", weekday_numbers), ("hours", ranges)):
        try:
            if (text := getattr(rule, name)) is not None:
                read(text)
        except ValueError as error:
            yield Problem(name, f"unreadable_{name}", str(error))
    for name in ("starts_at", "ends_at"):
        at = getattr(rule, name)
        if at is not None and at.tzinfo is None:
            yield Problem(name, "without_zone", str(at))
            return
    if rule.starts_at and rule.ends_at and rule.ends_at <= rule.starts_at:
        yield Problem("ends_at", "ends_before_start", str(rule.ends_at))


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _never(rule: Rule) -> Iterator[Problem]:
    """Things asked for that no event has together."""
    if all(map(may_answer, rule.kinds)) and not kinds_of(rule) and not set(rule.kinds) - KNOWN_KINDS:
        asked = [name for name in HAVING if getattr(rule, name) is not None]
        yield Problem(asked[0], "never_together", ", ".join((*asked, *rule.kinds)))


def _doubts(rule: Rule, now: datetime) -> Iterator[Problem]:
    for kind in rule.kinds:
        if may_answer(kind) and kind not in KNOWN_KINDS:
            yield Problem("kinds", "unknown_kind", kind, better=_close(kind))
    if rule.key and rule.kinds and not set(rule.kinds) - MENU_KINDS and len(rule.key.text.encode()) > LONGEST_KEY:
        yield Problem("key", "longer_than_keys", rule.key.text, LONGEST_KEY)
    if rule.ends_at and rule.ends_at <= now:
        yield Problem("ends_at", "over", str(rule.ends_at))
    if rule.tag_id is not None:
        yield Problem("tag_id", "tag_by_menu", rule.tag_id)
    if not rule.is_default and specificity(rule) == (0, 0, 0):
        yield Problem("kinds", "matches_all")


def _close(kind: str) -> str:
    return "".join(get_close_matches(kind, KNOWN_KINDS, n=1, cutoff=0.6))


@dataclass(frozen=True, slots=True)
class _Read:
    """A rule, and what it comes to."""

    rule: Rule
    precedence: tuple[bool, int, tuple[int, int, int], int]
    kinds: frozenset[str]
    texts: Mapping[What, Match]

    @classmethod
    def of(cls, rule: Rule) -> Self:
        return cls(rule, precedence(rule), kinds_of(rule), dict(matches(rule)))


def _covers(wide: _Read, narrow: _Read) -> bool:
    """Whether it matches all that the other one matches; False where that cannot be told."""
    for name, match in wide.texts.items():
        if name not in narrow.texts or not _text_covers(match, narrow.texts[name]):
            return False
    if not narrow.kinds <= wide.kinds:
        return False
    asked = wide.rule
    if asked.menu_version not in (None, narrow.rule.menu_version) or asked.tag_id not in (None, narrow.rule.tag_id):
        return False
    return _lasts_as_long(asked, narrow.rule)


def _lasts_as_long(wide: Rule, narrow: Rule) -> bool:
    if wide.starts_at and (narrow.starts_at is None or narrow.starts_at < wide.starts_at):
        return False
    if wide.ends_at and (narrow.ends_at is None or narrow.ends_at > wide.ends_at):
        return False
    if wide.weekdays is None and wide.hours is None:
        return True
    return wide.timezone == narrow.timezone and not _minutes(narrow) & ~_minutes(wide)


def _overlap(one: _Read, other: _Read) -> bool:
    """Whether one push may match both. Texts of which neither implies the other are taken for different ones: a message
    may contain any two keywords, and who has a hundred of them knows."""
    for name in one.texts.keys() & other.texts.keys():
        first, second = one.texts[name], other.texts[name]
        if not _text_covers(first, second) and not _text_covers(second, first):
            return False
    if not one.kinds & other.kinds:
        return False
    for ours, theirs in (
        (one.rule.menu_version, other.rule.menu_version),
        (one.rule.tag_id, other.rule.tag_id),
    ):
        if None not in (ours, theirs) and ours != theirs:
            return False
    return not _apart(one.rule, other.rule)


def _apart(one: Rule, other: Rule) -> bool:
    for first, second in ((one, other), (other, one)):
        if first.ends_at and second.starts_at and first.ends_at <= second.starts_at:
            return True
    return one.timezone == other.timezone and not _minutes(one) & _minutes(other)


def _minutes(rule: Rule) -> int:
    return minutes_of_week(rule.weekdays, rule.hours)


def _text_covers(wide: Match, narrow: Match) -> bool:
    """Whether every text that the narrow one matches is matched by the wide one; False where that cannot be told."""
    if wide == narrow:
        return True
    if narrow.how == "exact":
        return tester(wide)(narrow.text)
    if wide.how == "contains":
        return any(wide.text in part for part in narrow.text.split("*" if narrow.how == "pattern" else "\0"))
    if wide.how == "prefix":
        begin = narrow.text.partition("*")[0] if narrow.how == "pattern" else narrow.text
        return narrow.how in ("prefix", "pattern") and begin.startswith(wide.text)
    # Of a pattern: its stars take the other's stars, too, which are no signs of their own.
    as_pattern = {"prefix": f"{narrow.text}*", "contains": f"*{narrow.text}*"}.get(narrow.how, narrow.text)
    return wide.how == "pattern" and _pattern_covers(wide.text, as_pattern)


def _pattern_covers(wide: str, narrow: str) -> bool:
    """The other's stars may be any text; one that the wide pattern has no sign for shows whether its stars take it."""
    return Glob(wide).matches(narrow.replace("*", "\0"))
