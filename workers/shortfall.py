"""Whether what WeChat counted is all here. Pure.

WeChat's pages say what `callback_count` counts in words that leave open whether it is pushes or attempts to deliver
them. It is taken for attempts, of which there are up to three for a push, and `fail_count` for those of them that got
no good answer. So for what was answered well, the counts are of pushes either way; of what was not, it is known within
a factor of three how many pushes there were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from models.reconciliation import Hour, Stored
from wechat.answers import InterfaceUse

ATTEMPTS = 3  # for a push, at the most
INEXACT = 0.01  # the part by which WeChat's counters may be wrong
# What is no loss in any case: a push around the full hour, which one clock counts before it and another after it; and
# the attempts of a push whose last one went well.
FEW = ATTEMPTS - 1


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is not here of the pushes of an hour."""

    hour: int
    lost: int  # pushes that were answered well
    unanswered: int  # attempts that were not, and that nothing here explains

    @property
    def at_least(self) -> int:
        """Pushes, if each was tried as often as can be."""
        return self.lost + ceil(self.unanswered / ATTEMPTS)

    @property
    def at_most(self) -> int:
        """Pushes, if each was tried once, or counted once."""
        return self.lost + self.unanswered


def shortfalls(hours: Sequence[Hour]) -> list[Shortfall]:
    """The hours of a day in which more is missing than the counters may be wrong by; if it is only in the day as a
    whole, all hours that add to it.
    """
    short = [(hour, missing) for hour in hours if (missing := shortfall(hour)).at_most]
    beyond = [missing for hour, missing in short if missing.at_most > _allowance(hour.counted)]
    if beyond:
        return beyond
    total = sum(missing.at_most for _hour, missing in short)
    return [missing for _hour, missing in short] if total > _allowance(sum(hour.counted for hour in hours)) else []


def shortfall(hour: Hour) -> Shortfall:
    """What is missing by the counters as they are.

    A push that came late may have failed before, all but once. One that is here although it was not answered well, as
    the answer came too late, has failed each time.
    """
    answered = hour.counted - hour.failed
    explained = (ATTEMPTS - 1) * hour.late + ATTEMPTS * max(0, hour.stored - answered)
    return Shortfall(hour.hour, max(0, answered - hour.stored), max(0, hour.failed - explained))


def side_by_side(counted: Sequence[InterfaceUse], stored: Mapping[int, Stored]) -> tuple[Hour, ...]:
    """The 24 hours of a day; WeChat leaves out those in which it pushed nothing."""
    uses = {use.hour: use for use in counted}
    return tuple(
        Hour(
            hour,
            uses[hour].pushes if hour in uses else 0,
            uses[hour].failures if hour in uses else 0,
            stored.get(hour, Stored()).pushes,
            stored.get(hour, Stored()).late,
        )
        for hour in range(24)
    )


def counted_anew(hours: Sequence[Hour], stored: Mapping[int, Stored]) -> tuple[Hour, ...]:
    """The same of a day that was compared before, with what is here by now."""
    return tuple(
        Hour(hour.hour, hour.counted, hour.failed, found.pushes, found.late)
        for hour in hours
        for found in [stored.get(hour.hour, Stored())]
    )


def _allowance(counted: int) -> int:
    return max(FEW, ceil(counted * INEXACT))
