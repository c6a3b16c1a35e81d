"""Which publication a follower saw who tapped a button: the rule. `workers/histories.py` reads what it needs.

A phone shows the menu that it fetched last: five minutes ago as a rule, up to a day ago at worst (PROTOCOL 6.5).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from models.publications import PUBLISHED
from wechat.menu import Button, Menu

Case: TypeAlias = Literal["menu_id", "live", "earlier", "later", "attempted", "before_first", "unknown"]
Target: TypeAlias = tuple[str, str]
"""What a tap tells of its button: the kind of the event, and its EventKey."""

CACHE = timedelta(hours=24)  # for which a phone may show a menu that is gone
TOLERANCE = timedelta(minutes=1)  # by which WeChat's clock and ours may be apart; CreateTime has no fractions either

# The kinds of events that taps make (PROTOCOL, section 4): the type of the button, and its field that is the EventKey.
TAPS: Mapping[str, tuple[str, str]] = {
    "click": ("click", "key"),
    "view": ("view", "url"),
    "view_miniprogram": ("miniprogram", "pagepath"),
    "scancode_push": ("scancode_push", "key"),
    "scancode_waitmsg": ("scancode_waitmsg", "key"),
    "pic_sysphoto": ("pic_sysphoto", "key"),
    "pic_photo_or_album": ("pic_photo_or_album", "key"),
    "pic_weixin": ("pic_weixin", "key"),
    "location_select": ("location_select", "key"),
}
_KINDS = {type_: (kind, name) for kind, (type_, name) in TAPS.items()}


class Tap(NamedTuple):
    kind: str
    key: str | None
    wechat_menu_id: str | None
    at: datetime


class Attribution(NamedTuple):
    case: Case
    publication_id: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of `publication`, with what was in its menu, and WeChat's ids of what it put up."""

    id: int
    menu_id: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    targets: frozenset[Target]
    wechat_menu_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shown:
    """A publication as followers saw it: they may from `begun` on, and those who fetch the menu do from `since` on."""

    attempt: Attempt
    begun: datetime
    since: datetime
    until: datetime | None

    def has(self, target: Target) -> bool:
        return target in self.attempt.targets


@dataclass(frozen=True)
class History:
    """What was put up for an account, and what was tried, each from the oldest on; made by `history_of`."""

    shown: Sequence[Shown]
    tried: Sequence[Shown]  # under way, or ended without success: nobody knows how much of it went live
    by_menu_id: Mapping[str, Sequence[Shown]]
    edges: Sequence[datetime]  # between two of these the rule says the same of the same tap


def history_of(attempts: Iterable[Attempt]) -> History:
    shown: list[Shown] = []
    tried: list[Shown] = []
    in_vain: list[Attempt] = []  # since the last publication
    former: Attempt | None = None
    for attempt in sorted(attempts, key=lambda one: one.id):  # one begins after the other; clocks may be set back
        if attempt.outcome != PUBLISHED:
            in_vain.append(attempt)
            continue
        # Until it was known to be live, phones had the former one.
        since = former.ended_at if former and former.ended_at else attempt.started_at
        shown.append(Shown(attempt, min(_begun(attempt, in_vain), since), since, attempt.ended_at))
        tried += _tried(in_vain, since)
        former, in_vain = attempt, []
    tried += _tried(in_vain, None)
    shown.sort(key=lambda one: (one.since, one.attempt.id))
    by_menu_id: defaultdict[str, list[Shown]] = defaultdict(list)
    for one in shown:
        for menu_id in one.attempt.wechat_menu_ids:
            by_menu_id[menu_id].append(one)
    return History(shown, tried, by_menu_id, sorted(set(_edges([*shown, *tried]))))


def attribute(tap: Tap, history: History) -> Attribution:
    """The publication that the follower most probably saw, and by which case of the rule.

    1. `menu_id`: the one under whose MenuId WeChat pushed the tap. Personalised menus that do not change keep theirs
       over several publications: of these the one that was live, else the last before, else the first after.
    2. `live`: the one that was live, if it has the key.
    3. `earlier`: the last one that has it, if a phone may still have shown it.
    4. `later`: the first one that has it, if it was being put up: our clock and WeChat's are two, it is not live for
       us before we have read it back, and what failed at first may have worked.
    5. `attempted`: the last attempt without success that has it: the menu, or a part of it, was live all the same.
    6. None: `before_first` where nothing was live yet, else `unknown`, as with menus that others put up.
    """
    found = _by_menu_id(tap, history) or (_by_key((tap.kind, tap.key), tap.at, history) if tap.key else None)
    if found is not None:
        return found
    return Attribution("unknown" if history.shown and history.shown[0].since <= tap.at else "before_first", None)


def targets(menu: Menu) -> frozenset[Target]:
    """What taps of the menu's buttons tell, the personalised menus' included."""
    return frozenset(_targets([menu.buttons, *(one.buttons for one in menu.personal)]))


def _by_menu_id(tap: Tap, history: History) -> Attribution | None:
    having = history.by_menu_id.get(tap.wechat_menu_id or "")
    return Attribution("menu_id", having[max(0, _last(having, tap.at))].attempt.id) if having else None


def _by_key(target: Target, at: datetime, history: History) -> Attribution | None:
    last = _last(history.shown, at)
    for one in reversed(history.shown[: last + 1]):
        if one.until and one.until + CACHE <= at:
            break
        if one.has(target):
            return Attribution("live" if one.until is None or at < one.until else "earlier", one.attempt.id)
    under_way = [one for one in history.tried[-1:] if one.attempt.outcome is None]
    for one in [*history.shown[last + 1 :], *under_way]:
        if one.begun - TOLERANCE <= at and one.has(target):
            return Attribution("later", one.attempt.id)
    for one in reversed(history.tried):
        if one.until and one.until + CACHE <= at:
            break
        if one.begun - TOLERANCE <= at and one.has(target):
            return Attribution("attempted", one.attempt.id)
    return None


def _last(shown: Sequence[Shown], at: datetime) -> int:
    """The place of the last that had gone live; -1 where none had."""
    return bisect_right(shown, at, key=lambda one: one.since) - 1


def _begun(attempt: Attempt, in_vain: Sequence[Attempt]) -> datetime:
    """When it was first tried, if its menu was all that was tried since."""
    begun = attempt.started_at
    for one in reversed(in_vain):
        if one.menu_id != attempt.menu_id:
            break
        begun = one.started_at
    return begun


def _tried(in_vain: Sequence[Attempt], until: datetime | None) -> list[Shown]:
    """What attempts may have put up was there until the next publication replaced it."""
    return [
        Shown(one, _begun(one, in_vain[:place]) if one.outcome is None else one.started_at, one.started_at, until)
        for place, one in enumerate(in_vain)
    ]


def _edges(shown: Iterable[Shown]) -> Iterator[datetime]:
    for one in shown:
        yield from (one.begun - TOLERANCE, one.since)
        if one.until:
            yield from (one.until, one.until + CACHE)


def _targets(bars: Iterable[Sequence[Button]]) -> Iterator[Target]:
    for bar in bars:
        for button in bar:
            if button.buttons is not None:
                yield from _targets([button.buttons])
            elif button.type in _KINDS:
                kind, name = _KINDS[button.type]
                if isinstance(key := button.fields.get(name), str):
                    yield kind, key
