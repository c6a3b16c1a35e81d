"""The year: ticks, and all that comes between them."""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from random import Random

import time_machine
from sqlalchemy import select

from models.config import Account
from models.menu import Publication
from models.publications import PUBLISHED
from tests.chaos.year.installed import Installed
from tests.chaos.year.judging import TICK, judge
from tests.chaos.year.mortal import DeadError, mortal_clock
from tests.chaos.year.people import DEEDS
from tests.chaos.year.scheduled import BEGIN, DAY, MINUTE
from tests.chaos.year.seen import Seen
from tests.chaos.year.weather import Spell, blamed, faults
from wechat.errcodes import WeChatError
from wechat.menu import Menu, digest
from workers.due import switches
from workers.rotate import rotate, rotate_all

DEADLY = 0.4  # of the ticks at which there is something to do
LONGEST_LIFE = 45  # steps of such a tick, of which most take fewer
ENOUGH = 50  # problems
CREATE, DELETE = "menu/create", "menu/delete"


@dataclass
class Outcome:
    """`problems` in words, none when all promises were kept."""

    ticks: int = 0
    changes: int = 0  # of what is due, as the ticks found it
    published: int = 0
    creates: Counter[str] = field(default_factory=Counter)  # calls, by how they were answered
    creates_needed: int = 0  # if all goes well, and people leave it alone
    deaths: Counter[str] = field(default_factory=Counter)  # by where it happened
    late: Counter[str] = field(default_factory=Counter)  # menus that were not live after a tick, by the reason
    deeds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@dataclass
class Past:
    """What is remembered of an account."""

    spells: Sequence[Spell] = ()
    died_at: datetime | None = None
    due: int | None = None  # the menu that was due at the last tick


class Walk:
    """Through the first days of the year; a calm one has no trouble, and people leave it alone."""

    def __init__(self, installed: Installed, random: Random, days: int, trouble: Sequence[Sequence[Spell]]) -> None:
        self._installed, self._random = installed, random
        self._end = BEGIN + days * DAY
        self._is_calm = not any(trouble)
        self._past = {account.app_id: Past() for account in self._accounts}
        for account, spells in zip(self._accounts, trouble, strict=False):
            self._past[account.app_id].spells = spells
        self.outcome = Outcome(deaths=installed.life.deaths)

    def walk(
        self, clock: time_machine.Traveller, minutes: int, told: Callable[[datetime], object] = lambda _now: None
    ) -> Outcome:
        """Tick at each boundary, at so many minutes besides, and when it was promised to try again."""
        random.seed(self._random.random())  # the platform's dice
        length = (self._end - BEGIN) // MINUTE
        ticks = {BEGIN, *self._boundaries()} | {BEGIN + self._random.randrange(length) * MINUTE for _ in range(minutes)}
        deeds: set[datetime] = set()
        if not self._is_calm:
            deeds |= set(self._random.sample(sorted(ticks), len(ticks) // 20))
            ticks |= {self._end + 2 * DAY}  # all trouble is over by then
        coming = sorted(ticks)
        while coming and len(self.outcome.problems) < ENOUGH:
            now = heapq.heappop(coming)
            if self.outcome.ticks and now <= self._installed.now:
                continue
            clock.move_to(now)
            self._installed.pass_to(now)
            if now in deeds:
                self._meddle()
            for at in self._tick():
                heapq.heappush(coming, _to_the_minute(max(at, now + TICK)))
            told(now)
        self._settle()
        return self.outcome

    @property
    def _accounts(self) -> Sequence[Account]:
        return self._installed.config.accounts

    def _boundaries(self) -> set[datetime]:
        """When ticks may find another menu due; with what that takes, noted."""
        found: set[datetime] = set()
        for said in self._installed.wishes.values():
            changes = switches(said.rotations, self._installed.calendar, BEGIN, self._end)
            times = sorted({_to_the_minute(switch.at) for switch in changes} - {BEGIN})
            dues = [said.due(at, self._installed.calendar) for at in [BEGIN, *times]]
            defaults = [digest(Menu(self._installed.menus[due.rotation.menu_id].buttons)) for due in dues if due]
            self.outcome.creates_needed += 1 + sum(one != other for one, other in pairwise(defaults))
            found.update(times)
        return found

    def _meddle(self) -> None:
        """In turn, so that each kind is done."""
        account, name = self._random.choice(self._accounts), list(DEEDS)[self.outcome.deeds.total() % len(DEEDS)]
        with suppress(WeChatError):  # what a token ran into may not be over yet: people give up, too
            DEEDS[name](self._installed, account, self._random)
        self.outcome.deeds[name] += 1
        self._installed.read_wishes()
        self._count_calls(is_ours=False)

    def _tick(self) -> list[datetime]:
        """All accounts; when they want to be looked at again."""
        self.outcome.ticks += 1
        before = self._installed.look()
        if self._is_calm:
            rotate_all(self._installed.engine, self._installed.config, lambda: self._installed.now)
        else:
            for account in self._accounts:
                self._rotate(account, before[account.app_id])
        after = self._installed.look()
        self._count_calls()
        return [at for one in self._accounts for at in self._judge(one, before[one.app_id], after[one.app_id])]

    def _rotate(self, account: Account, seen: Seen) -> None:
        """In turn, so that a year of the same seed is the same year."""
        past, now = self._past[account.app_id], self._installed.now
        self._installed.platform.state.faults[:] = faults(past.spells, now)
        dies = not seen.is_well and self._random.random() < DEADLY
        clock = mortal_clock(self._installed.life, lambda: self._installed.now)
        try:
            with self._installed.life.ends_after(self._random.randrange(LONGEST_LIFE) if dies else None):
                rotate(self._installed.engine, self._installed.api(account), account, clock)
        except DeadError:
            past.died_at = now
        self._installed.platform.state.faults.clear()

    def _judge(self, account: Account, before: Seen, after: Seen) -> Iterator[datetime]:
        past, now = self._past[account.app_id], self._installed.now
        for problem in judge(before, after, now, blamed(past.spells, now), past.died_at):
            self._complain(account, problem)
        due = None if before.due is None else before.due.rotation.menu_id
        self.outcome.changes += due != past.due
        past.due = due
        if after.delay is not None:
            self.outcome.late[after.delay.reason] += 1
            yield after.delay.next_try_at
        if past.died_at == now:
            yield now + TICK

    def _count_calls(self, *, is_ours: bool = True) -> None:
        for made in self._installed.platform.state.made:
            if made.call == CREATE and is_ours:
                self.outcome.creates["done" if made.answer == 0 else str(made.answer)] += 1
            elif made.call == DELETE:
                self.outcome.problems.append(f"{self._installed.now}: all menus were deleted")
        self._installed.platform.state.made.clear()

    def _settle(self) -> None:
        """What has to hold in the end."""
        with self._installed.engine.connect() as connection:
            rows = connection.execute(select(Publication.account_id, Publication.outcome, Publication.ended_at)).all()
        published = [row for row in rows if row.outcome == PUBLISHED]
        self.outcome.published = len(published)
        for account in self._accounts:
            found = self._installed.look()[account.app_id]
            if not found.is_well or found.delay is not None:
                self._complain(account, "it did not settle")
            account_id = self._installed.ids[account.app_id]
            if 1 != sum(row.account_id == account_id and row.ended_at is None for row in published):
                self._complain(account, "not one publication is live")
        if any(row.outcome is None for row in rows):
            self.outcome.problems.append("somebody is still publishing")

    def _complain(self, account: Account, problem: str) -> None:
        self.outcome.problems.append(f"{self._installed.now:%m-%d %H:%M} {account.name}: {problem}")


def _to_the_minute(at: datetime) -> datetime:
    """When the next tick is."""
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + MINUTE
