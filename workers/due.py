"""Which menu is due. Pure: nothing is read but the arguments, and the time is one of them.

Of the rotations whose windows last at a moment, the one with the highest priority is due; then the one with the
narrowest window, then the one that started last. What these cannot order is a conflict, and the later rotation wins.
The base menu is below all others.

A rotation with `lead` goes up earlier by that many seconds, if it will be due when its window starts; but not in the
place of a higher priority, nor of a window that started within that time: a lead never swallows a whole window.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TypeAlias

from models.holidays import Calendar
from models.rotations import RotationRow
from workers.windows import ALWAYS, Window, windows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)

# Windows that a guard has ended: the rotation's id, and the start of the window.
Stopped: TypeAlias = frozenset[tuple[int, datetime]]
_NONE: Stopped = frozenset()


@dataclass(frozen=True, slots=True)
class Due:
    rotation: RotationRow
    window: Window

    @property
    def up_at(self) -> datetime:
        """When it may go up, by its lead."""
        starts_at = self.window.starts_at
        return starts_at if starts_at == ALWAYS else starts_at - timedelta(seconds=self.rotation.lead)


@dataclass(frozen=True, slots=True)
class Switch:
    """From `at` on another menu is due; None where none is."""

    at: datetime
    before: Due | None
    after: Due | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rotations with windows of the same start, length and priority, and different menus; the first time, `at`."""

    first: RotationRow
    second: RotationRow
    at: datetime


def due_menu(
    rotations: Iterable[RotationRow], now: datetime, calendar: Calendar, stopped: Stopped = _NONE
) -> Due | None:
    """None where no window lasts, and there is no base menu."""
    return _Timeline(rotations, calendar, now, now + _INSTANT, stopped).due(now)


def switches(
    rotations: Iterable[RotationRow], calendar: Calendar, begin: datetime, end: datetime, stopped: Stopped = _NONE
) -> Iterator[Switch]:
    """Those in [begin, end), by time."""
    just_before = begin - _INSTANT
    timeline = _Timeline(rotations, calendar, just_before, end, stopped)
    before = timeline.due(just_before)
    for at in timeline.moments():
        if begin <= at < end:
            after = timeline.due(at)
            if _menu(before) != _menu(after):
                yield Switch(at, before, after)
            before = after


def conflicts(rotations: Iterable[RotationRow], calendar: Calendar, begin: datetime, end: datetime) -> list[Conflict]:
    """Those of windows that touch [begin, end), by time; each pair of rotations once."""
    alike: dict[tuple[int, timedelta, datetime], list[Due]] = {}
    for due in _dues(rotations, calendar, begin, end, _NONE):
        if not due.rotation.is_base:
            key = (due.rotation.priority, due.window.length, due.window.starts_at)
            alike.setdefault(key, []).append(due)
    found: dict[tuple[int, int], Conflict] = {}
    for (_priority, _length, starts_at), dues in sorted(alike.items(), key=lambda item: item[0][2]):
        for position, one in enumerate(dues):
            for other in dues[position + 1 :]:
                if one.rotation.menu_id != other.rotation.menu_id:
                    pair = sorted((one.rotation, other.rotation), key=lambda rotation: rotation.id)
                    conflict = Conflict(pair[0], pair[1], max(starts_at, begin))
                    found.setdefault((pair[0].id, pair[1].id), conflict)
    return list(found.values())


class _Timeline:
    """What is due over a time: first without leads, then with them."""

    def __init__(
        self, rotations: Iterable[RotationRow], calendar: Calendar, begin: datetime, end: datetime, stopped: Stopped
    ) -> None:
        enabled = [rotation for rotation in rotations if rotation.enabled]
        ahead = timedelta(seconds=max((rotation.lead for rotation in enabled), default=0))
        dues = _dues(enabled, calendar, begin, end + ahead, stopped)
        steps = list(_without_leads(dues))
        self._times = [at for at, _ in steps]
        self._dues = [due for _, due in steps]
        # Of those that are never due at their start, the lead is nothing.
        starting = [due for at, due in steps if due is not None and _start(due) == at]
        self._leading = [due for due in starting if due.rotation.lead]
        self._ahead = ahead

    def moments(self) -> list[datetime]:
        """All at which another may become due."""
        return sorted({*self._times, *(due.up_at for due in self._leading)})

    def due(self, at: datetime) -> Due | None:
        position = bisect_right(self._times, at)
        lasting = self._dues[position - 1] if position else None
        coming = bisect_right(self._leading, at, key=_start)
        for due in takewhile(lambda due: _start(due) <= at + self._ahead, self._leading[coming:]):
            if due.up_at <= at and _gives_way(lasting, due):
                return due
        return lasting


def _start(due: Due) -> datetime:
    return due.window.starts_at


def _gives_way(lasting: Due | None, leading: Due) -> bool:
    if lasting is None or lasting.rotation.is_base:
        return True
    return lasting.rotation.priority <= leading.rotation.priority and lasting.window.starts_at < leading.up_at


def _dues(
    rotations: Iterable[RotationRow], calendar: Calendar, begin: datetime, end: datetime, stopped: Stopped
) -> list[Due]:
    return [
        Due(rotation, window)
        for rotation in rotations
        if rotation.enabled
        for window in windows(rotation, calendar, begin, end)
        if (rotation.id, window.starts_at) not in stopped
    ]


def _without_leads(dues: Sequence[Due]) -> Iterator[tuple[datetime, Due | None]]:
    """From when on which is due, by time."""
    starting = sorted(dues, key=_start)
    times = sorted({_start(due) for due in dues} | {due.window.end for due in dues})
    started: list[tuple[_Rank, int, Due]] = []
    position, current = 0, None
    for at in times:
        while position < len(starting) and _start(starting[position]) <= at:
            heapq.heappush(started, (_rank(starting[position]), position, starting[position]))
            position += 1
        while started and started[0][2].window.end <= at:
            heapq.heappop(started)
        due = started[0][2] if started else None
        if due is not current:
            yield at, due
            current = due


_Rank: TypeAlias = tuple[bool, int, timedelta, timedelta, int]


def _rank(due: Due) -> _Rank:
    """The smallest is due; no two of windows that last at the same time are the same."""
    rotation, window = due.rotation, due.window
    return rotation.is_base, -rotation.priority, window.length, _EPOCH - window.starts_at, -rotation.id


def _menu(due: Due | None) -> int | None:
    return due.rotation.menu_id if due else None
