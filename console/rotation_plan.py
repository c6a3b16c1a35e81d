"""An account's rotations as the verbs read them, and what they come to: spans of time with one menu due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice, pairwise
from math import ceil
from typing import TYPE_CHECKING

from models.holidays import Calendar
from models.rotations import RotationRow
from wechat.menu import Menu, read
from workers.due import Due, Stopped, Switch, due_menu, switches
from workers.rotation_check import problems, unknown_years
from workers.windows import ALWAYS, Window, windows

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LONGEST_PAUSE = timedelta(days=366 * 9)  # from one 29 February to the next, at most, and a year
_STEP = timedelta(days=31)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Plan:
    rotations: Sequence[RotationRow]
    calendar: Calendar
    stopped: Stopped

    @cached_property
    def sound(self) -> Sequence[RotationRow]:
        """Without those that cannot be followed, for instance in a time zone that this host does not know."""
        return [row for row in self.rotations if not problems(row)]

    def due(self, now: datetime) -> Due | None:
        return due_menu(self.sound, now, self.calendar, self.stopped)

    def switches(self, begin: datetime, end: datetime) -> Iterator[Switch]:
        return switches(self.sound, self.calendar, begin, end, self.stopped)

    def next_switches(self, begin: datetime, count: int, horizon: timedelta) -> list[Switch]:
        """At most so many after that moment, looked for month by month: most plans change the menu every day."""
        found: list[Switch] = []
        begin, end = begin + _INSTANT, begin + horizon
        while begin < end and len(found) < count:
            found += islice(self.switches(begin, min(begin + _STEP, end)), count - len(found))
            begin += _STEP
        return found

    def next_windows(self, rotation: RotationRow, now: datetime, count: int) -> list[Window]:
        """The windows of a rotation that last or are to come, whatever else is due then."""
        return list(islice(windows(rotation, self.calendar, now, now + _LONGEST_PAUSE), count))

    def unknown_years(self, begin: datetime, end: datetime) -> list[int]:
        """Those of which workdays or holidays are asked for, and nothing is known."""
        months = ceil((end - begin) / timedelta(days=31))
        return [year for year in unknown_years(self.sound, self.calendar, begin, months) if year <= end.year]


@dataclass(frozen=True, slots=True)
class Span:
    """A time with one menu due, or none; the first rotation and window of several that follow each other with it."""

    starts_at: datetime
    ends_at: datetime
    due: Due | None

    @property
    def version(self) -> int | None:
        return self.due.rotation.version if self.due else None


def read_plan(connection: "Connection", account_id: int) -> Plan:
    from models.guards import stopped
    from models.holidays import calendar
    from models.rotations import rotations

    return Plan(rotations(connection, account_id), calendar(connection), stopped(connection, account_id))


def read_menus(connection: "Connection", plan: Plan, account_id: int) -> dict[int, Menu]:
    """The menus of a plan, by the ids of their versions."""
    from models.menu_versions import version

    menus = {}
    for number in {row.version for row in plan.rotations}:
        found = version(connection, account_id, number)
        assert found is not None  # versions are never removed
        menus[found.id] = read(found.definition)
    return menus


def spans(plan: Plan, begin: datetime, end: datetime) -> list[Span]:
    """What is due in [begin, end), one after the other without a gap."""
    changes = [(switch.at, switch.after) for switch in plan.switches(begin, end) if switch.at > begin]
    steps = [(begin, plan.due(begin)), *changes, (end, None)]
    return [Span(start, stop, due) for (start, due), (stop, _next) in pairwise(steps)]


def whole(plan: Plan, found: Sequence[Span]) -> list[Span]:
    """The same with the first and the last as long as they are, where their windows have a beginning and an end."""
    begin, end = found[0].starts_at, found[-1].ends_at
    first, last = found[0].due, found[-1].due
    if first and first.window.starts_at != ALWAYS:
        begin = min(begin, first.up_at)
    if last and last.window.ends_at:
        end = max(end, last.window.ends_at)
    longer = spans(plan, begin, end)
    return [one for one in longer if one.starts_at < found[-1].ends_at and found[0].starts_at < one.ends_at]
