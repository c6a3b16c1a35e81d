"""The roll-up: counts anew what has changed in `event`, and takes away the marks that said so.

1. One does it at a time (`workers/rollup_lock.py`), however many ticks there are.
2. It reads marks, the newest first: what has just happened does not wait behind a year that is counted again. The
   five seconds that are not over yet wait until they are, where much happens: else all of it would be counted twice.
3. Day by day of each account: it counts the events, which others go on recording meanwhile; then, in one transaction,
   it makes sure that it is still alone, writes what has changed, and takes away the marks it has read.

Whoever sees a mark sees the events it is about, so none is missed; and what is recorded later brings a mark of its own.
It may be ended anywhere: what was not committed is counted again.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, delete, select

from models.db import transaction
from models.local_hours import Hour, hour_of
from models.refusal import explained
from models.rollup import SLOT, RollupMark
from workers import levels, rollup_lock
from workers.counting import Group, cells, groups, merged
from workers.numbering import Tapped, add_buttons, button_ids, number
from workers.rollup_accounts import SLOTS_STAY, zones
from workers.rollup_lock import LostError, Turn

log = logging.getLogger(__name__)

SECONDS = 4.0  # after which another task goes on; ticks that came meanwhile are missed
MARKS = 20_000  # read at a time
_PART = timedelta(minutes=15)  # of an hour that is over: what one statement counts
_LATE = timedelta(seconds=0.5)  # for which events of a slot that is over are still on their way
_FEW = 4  # marks of a slot that is not over: so little is counted at once, and again
_MARGIN = timedelta(hours=2)  # to where events are let go: some go while we count
_AT_A_TIME = 500


@dataclass
class Marked:
    """What is to be done for a day of an account: its marks, and their slots by hour."""

    ids: list[int] = field(default_factory=list)
    hours: dict[Hour, set[datetime]] = field(default_factory=dict)


@dataclass(frozen=True)
class Counted:
    """The events of an hour: by slot while these are all there, else in parts that mean nothing."""

    by_slot: bool
    parts: Mapping[datetime, list[Group]]

    @property
    def length(self) -> timedelta:
        return SLOT if self.by_slot else _PART


def roll_up(engine: Engine, kept_since: datetime | None, now: datetime, seconds: float = SECONDS) -> int | None:
    """Work off marks for so many seconds; how many there were, or None while somebody else does.

    Of events before `kept_since` some may be gone: what was counted of them stays as it is.
    """
    turn = rollup_lock.take(engine)
    if turn is None:
        return None
    begun = time.monotonic()
    try:
        marks = sum(_work(turn, kept_since, now, begun + seconds))
    except LostError:
        log.warning("roll-up left to another")
        return None
    except Exception:  # of the database, most likely: then the lease runs out
        with suppress(Exception):
            turn.give_back()
        raise
    turn.give_back()
    if marks:
        log.info("rolled up", extra={"marks": marks, "seconds": round(time.monotonic() - begun, 4)})
    return marks


def _work(turn: Turn, kept_since: datetime | None, now: datetime, end: float) -> Iterator[int]:
    known = zones(turn, kept_since, now)
    has_failed = False
    while not has_failed and (days := _marked(turn.engine, known, now)):
        for (day, account_id), marked in sorted(days.items(), key=lambda item: item[0], reverse=True):
            try:
                _rebuild(turn, account_id, day, marked, kept_since, hour_of(now - SLOTS_STAY, known[account_id]))
            except LostError:
                raise
            except Exception as error:  # of one day, which keeps its marks; the others are not to wait for it
                has_failed = True
                reason, code = explained(error)
                facts = {"account_id": account_id, "day": str(day), "reason": reason, "code": code}
                log.warning("day not counted", extra=facts)
            else:
                yield len(marked.ids)
            if time.monotonic() > end:
                return


def _marked(engine: Engine, known: Mapping[int, ZoneInfo], now: datetime) -> dict[tuple[date, int], Marked]:
    query = select(RollupMark.id, RollupMark.account_id, RollupMark.slot).order_by(RollupMark.id.desc()).limit(MARKS)
    slots: defaultdict[tuple[int, datetime], list[int]] = defaultdict(list)
    with engine.connect() as connection:
        for mark_id, account_id, slot in connection.execute(query):
            slots[account_id, slot].append(mark_id)
    days: dict[tuple[date, int], Marked] = {}
    for (account_id, slot), ids in slots.items():
        if account_id in known and not (_is_filling(slot, now) and len(ids) > _FEW):
            hour = hour_of(slot, known[account_id])
            marked = days.setdefault((hour.day, account_id), Marked())
            marked.ids += ids
            marked.hours.setdefault(hour, set()).add(slot)
    return days


def _is_filling(slot: datetime, now: datetime) -> bool:
    """Whether most of it may be still to come; by clocks that go apart a little, not by one that is wrong."""
    return now - SLOT - _LATE < slot <= now + SLOT


def _rebuild(turn: Turn, account_id: int, day: date, marked: Marked, kept_since: datetime | None, oldest: Hour) -> None:
    """Count the marked hours of a day anew, and take away their marks; slots before the oldest hour may go."""
    counted = {
        hour: _count(turn, account_id, hour, slots, is_young=hour.starts_at >= oldest.starts_at)
        for hour, slots in marked.hours.items()
        if kept_since is None or hour.starts_at >= kept_since + _MARGIN
    }
    with transaction(turn.engine) as connection:
        turn.keep(connection)
        changed: levels.Buttons = frozenset()
        buttons, numbers = _numbered(connection, account_id, counted)
        for hour, found in counted.items():
            made = {moment: cells(part, buttons, numbers) for moment, part in found.parts.items()}
            if found.by_slot:
                changed |= levels.write_slots(connection, account_id, made, hour)
            else:
                whole = merged(pair for part in made.values() for pair in part.items())
                changed |= levels.write_hour(connection, account_id, hour, whole)
        levels.write_day(connection, account_id, day, changed)
        levels.drop_slots(connection, account_id, oldest.starts_at)
        _take_away(connection, marked.ids)


def _count(turn: Turn, account_id: int, hour: Hour, slots: set[datetime], *, is_young: bool) -> Counted:
    parts: dict[datetime, list[Group]] = {}
    with turn.engine.connect() as connection:
        by_slot = is_young and levels.is_whole(connection, account_id, hour)
        counted = Counted(by_slot, parts)
        for start in sorted(slots) if by_slot else _starts(hour):
            parts[start] = groups(connection, account_id, start, min(start + counted.length, hour.ends_at))
            turn.renew()
    return counted


def _starts(hour: Hour) -> Sequence[datetime]:
    return [hour.starts_at + index * _PART for index in range(-((hour.starts_at - hour.ends_at) // _PART))]


def _numbered(
    connection: Connection, account_id: int, counted: Mapping[Hour, Counted]
) -> tuple[dict[Tapped, int], dict[str, int]]:
    """The ids of the buttons, and the numbers of the followers who had none; new ones get theirs."""
    found = [group for one in counted.values() for part in one.parts.values() for group in part]
    buttons = _buttons(connection, account_id, {group.tapped for group in found})
    unnumbered = {open_id for group in found for open_id in group.unnumbered}
    if not unnumbered:
        return buttons, {}
    spans = (
        (start, min(start + one.length, hour.ends_at))
        for hour, one in counted.items()
        for start, part in one.parts.items()
        if any(group.unnumbered for group in part)
    )
    return buttons, number(connection, account_id, unnumbered, spans)


def _buttons(connection: Connection, account_id: int, wanted: set[Tapped]) -> dict[Tapped, int]:
    known = button_ids(connection, account_id, wanted)
    if new := wanted - known.keys():
        add_buttons(connection, account_id, new)
        known |= button_ids(connection, account_id, new)
    return known


def _take_away(connection: Connection, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), _AT_A_TIME):
        connection.execute(delete(RollupMark).where(RollupMark.id.in_(ids[start : start + _AT_A_TIME])))
