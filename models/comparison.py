"""Two menus side by side: how much each was tapped by those who could have, and whether a difference means anything.

Read from the rollups, which know of each follower whether, and not how often, so that the verdict is about followers
who tapped: one who taps all day is one of them. Taps for each follower are told without a verdict.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from models.alignment import Pair, PlacedButton, align
from models.asked import is_kind_of_act
from models.buttons import ButtonRow, buttons
from models.differences import Difference, holm, of_shares
from models.event import MENU_KINDS
from models.follower_sets import Tapped, active, tapped
from models.live_time import Days, Moments, bounds, live_time
from models.menu import Publication
from models.rollup import WHOLE_MENU

Verdict: TypeAlias = Literal["more", "fewer", "no_difference", "too_few", "unequal_time", "one_side"]
Target: TypeAlias = tuple[str, str | None]

CHANCE = 0.05  # of calling a difference what is none
FEWEST_ACTIVE = 100  # on either side, and
FEWEST_USERS = 20  # of a button on both together: of fewer nothing can be said
UNEQUAL = 1.5  # times as long live as the other: who has more time meets more who tap


@dataclass(frozen=True, slots=True)
class Subject:
    """Publications of a menu, one or more, and its buttons."""

    publication_ids: frozenset[int]
    buttons: Sequence[PlacedButton]


@dataclass(frozen=True, slots=True)
class Count:
    """Taps of a button, or of all, by so many users; of the followers who did anything while the menu was live."""

    taps: int
    users: int
    active: int

    @property
    def per_user(self) -> float | None:
        return self.taps / self.users if self.users else None

    @property
    def per_active(self) -> float | None:
        return self.taps / self.active if self.active else None

    @property
    def share(self) -> float | None:
        """Of active followers, those who tapped."""
        return self.users / self.active if self.active else None


@dataclass(frozen=True, slots=True)
class Side:
    seconds: int  # for which it was live
    whole: Count


@dataclass(frozen=True, slots=True)
class Compared:
    """`verdict` is of the second against the first, by the share of active followers who tapped; for single buttons it
    allows for there being many of them."""

    first: Count | None
    second: Count | None
    shares: Difference | None  # None without active followers on either side
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PairRow:
    pair: Pair
    compared: Compared


@dataclass(frozen=True, slots=True)
class Comparison:
    first: Side
    second: Side
    whole: Compared
    buttons: list[PairRow]


def compare(
    connection: Connection,
    account_id: int,
    days: Days,
    zone: ZoneInfo,
    now: datetime,
    first: Subject,
    second: Subject,
) -> Comparison:
    """Taps of these days that are tied to the publications of each, and how many followers were active meanwhile.

    Active is who did something on purpose while one of the publications was live, by hours of the account's clock, or
    tapped it later on a phone that still showed it. A menu that was live for longer has met more followers who seldom
    come, and has been there for longer to be tapped.
    """
    known = buttons(connection, account_id)
    one, of_one = _side(connection, account_id, days, zone, now, first, known)
    other, of_other = _side(connection, account_id, days, zone, now, second, known)
    is_unequal = max(one.seconds, other.seconds) > UNEQUAL * min(one.seconds, other.seconds)
    pairs = align(first.buttons, second.buttons)
    rows = [compared(_count(pair.first, of_one, one), _count(pair.second, of_other, other)) for pair in pairs]
    (whole,) = judged([compared(one.whole, other.whole)], is_unequal=is_unequal)
    return Comparison(one, other, whole, list(map(PairRow, pairs, judged(rows, is_unequal=is_unequal))))


def compared(first: Count | None, second: Count | None) -> Compared:
    """As if nothing else were asked about; pure."""
    if first is None or second is None:
        return Compared(first, second, None, "one_side")
    if not (first.active and second.active):
        return Compared(first, second, None, "too_few")
    shares = of_shares((first.users, first.active), (second.users, second.active))
    is_enough = min(first.active, second.active) >= FEWEST_ACTIVE and first.users + second.users >= FEWEST_USERS
    return Compared(first, second, shares, "no_difference" if is_enough else "too_few")


def judged(rows: Sequence[Compared], *, is_unequal: bool) -> list[Compared]:
    """With what is to be said of each, where all are asked about at once; pure."""
    testable = [place for place, row in enumerate(rows) if row.verdict == "no_difference"]
    chances = holm([shares.p for place in testable if (shares := rows[place].shares)])
    found = list(rows)
    for place, chance in zip(testable, chances, strict=True):
        shares = rows[place].shares
        if is_unequal:
            found[place] = replace(rows[place], verdict="unequal_time")
        elif shares and chance < CHANCE:
            found[place] = replace(rows[place], verdict="more" if shares.estimate > 0 else "fewer")
    return found


def _side(
    connection: Connection,
    account_id: int,
    days: Days,
    zone: ZoneInfo,
    now: datetime,
    subject: Subject,
    known: Sequence[ButtonRow],
) -> tuple[Side, dict[Target, Count]]:
    """A whole, and its parts by target."""
    targets = {button.target for button in subject.buttons}
    ids = {(row.kind, row.key): row.id for row in known if (row.kind, row.key) in targets}
    acts = {row.id for row in known if row.kind not in MENU_KINDS and is_kind_of_act(row.kind)}
    live = _live(connection, account_id, bounds(*days, zone), subject.publication_ids)
    counts = tapped(connection, account_id, *days, subject.publication_ids, {WHOLE_MENU, *ids.values()})
    whole = counts.get(WHOLE_MENU, Tapped())
    everyone = len(active(connection, account_id, live_time(live, zone), {WHOLE_MENU, *acts}) | whole.followers)
    side = Side(_seconds(live, now), Count(whole.taps, len(whole.followers), everyone))
    parts = {target: counts[number] for target, number in ids.items() if number in counts}
    return side, {target: Count(one.taps, len(one.followers), everyone) for target, one in parts.items()}


def _count(button: PlacedButton | None, counts: Mapping[Target, Count], side: Side) -> Count | None:
    return counts.get(button.target, Count(0, 0, side.whole.active)) if button else None


def _live(connection: Connection, account_id: int, within: Moments, ids: Collection[int]) -> list[Moments]:
    """When each was, within a time."""
    since, until = within
    query = select(Publication.started_at, Publication.ended_at)
    query = query.where(Publication.account_id == account_id, Publication.id.in_(sorted(ids)))
    rows = connection.execute(query)
    spans = [(max(row.started_at, since), min(row.ended_at or until, until)) for row in rows]
    return [(begin, end) for begin, end in spans if begin < end]


def _seconds(live: Iterable[Moments], now: datetime) -> int:
    """What is live is so until now, and no longer."""
    lengths = (max(min(end, now) - begin, timedelta(0)) for begin, end in live)
    return sum(lengths, timedelta(0)) // timedelta(seconds=1)
