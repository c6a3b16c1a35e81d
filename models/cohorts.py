"""Whether followers come back: those of a week, by their first subscription or tap, and who of them tapped later on.

Read from the rollups, which still say who was there first when the events themselves are gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from pyroaring import BitMap
from sqlalchemy import Connection, or_, select

from models.local_hours import monday_of
from models.rollup import WHOLE_MENU, Button, RollupWeek

_WEEK = timedelta(days=7)
_SUBSCRIBED = "subscribe"


@dataclass(frozen=True, slots=True)
class Cohort:
    monday: date  # of the week in which they were seen first, by the account's clock
    users: int
    returned: tuple[int, ...]  # how many of them tapped in the first, second, … week after; only weeks that are known

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(users / self.users for users in self.returned) if self.users else ()


class Week(NamedTuple):
    """Numbers of followers."""

    tapped: BitMap
    subscribed: BitMap


def cohorts(connection: Connection, account_id: int, since: date, until: date, weeks: int = 8) -> list[Cohort]:
    """A cohort for each week from the one of `since` to the one of `until`, and so many weeks after each, of which the
    last is that of `until`. That week may still be going on: whoever wants whole weeks alone names a Sunday.

    First seen is first seen ever: all weeks before are read as well.
    """
    known: dict[date, Week] = {}
    is_of_menu = RollupWeek.button_id == WHOLE_MENU
    query = select(RollupWeek.monday, RollupWeek.followers, is_of_menu.label("tapped"))
    query = query.outerjoin(Button, Button.id == RollupWeek.button_id)
    query = query.where(RollupWeek.account_id == account_id, RollupWeek.monday <= until)
    query = query.where(RollupWeek.is_whole)
    query = query.where(or_(is_of_menu, Button.kind == _SUBSCRIBED))
    for monday, followers, tapped in connection.execute(query, execution_options={"yield_per": 100}):
        week = known.setdefault(monday, Week(BitMap(), BitMap()))
        (week.tapped if tapped else week.subscribed).update(BitMap.deserialize(followers))
    return cohorts_of(known, monday_of(since), monday_of(until), weeks)


def cohorts_of(known: Mapping[date, Week], first: date, last: date, weeks: int) -> list[Cohort]:
    """From what happened in each week, by its Monday; one that is not there was without events. Pure."""
    seen = BitMap()
    for monday in sorted(monday for monday in known if monday < first):
        seen |= known[monday].tapped | known[monday].subscribed
    found: list[Cohort] = []
    nothing = Week(BitMap(), BitMap())
    while first <= last:
        week = known.get(first, nothing)
        new = (week.tapped | week.subscribed) - seen
        seen |= new
        later = [first + place * _WEEK for place in range(1, weeks + 1)]
        returned = [new.intersection_cardinality(known.get(one, nothing).tapped) for one in later if one <= last]
        found.append(Cohort(first, len(new), tuple(returned)))
        first += _WEEK
    return found
