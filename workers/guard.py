"""Guarded rotations: a menu that is tapped far less than is usual at its hours gives way to the menu below.

The hours since a window's menu went live are compared with the same hours of days before. Only taps are counted, of
whichever menu: clients show an old one for a while. The guard ends the window in the tables, and no more; the tick of
the rotations then finds another menu due.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from models import guards, publications
from models.db import transaction
from models.guards import Heard, Span
from models.holidays import Calendar, calendar
from models.rotations import rotations
from workers.due import Due, due_menu
from workers.rotation_check import problems

log = logging.getLogger(__name__)

FINE, STOPPED = "fine", "stopped"
FEW_DAYS, FEW_TAPS = "few_days", "few_taps"  # too little to compare with
SILENT, ALL_FELL, BEHIND = "silent", "all_fell", "behind"  # few taps, and perhaps not for the menu's sake

HOUR = timedelta(hours=1)
DAYS_BACK = 28
MOST_DAYS, FEWEST_DAYS = 7, 3  # that are compared with
FEWEST = 20  # taps, or other events, that are usual: fewer come and go by chance
SETTLED = timedelta(minutes=2)  # after which what came in an hour is in the tables, when all goes well
LATELY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Verdict:
    word: str
    taps: int
    expected: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A window, the hours of it that were looked at, and what came of it."""

    due: Due
    span: Span
    verdict: Verdict


def judge(heard: Heard, before: Sequence[Heard], share: float) -> Verdict:
    """Whether the taps of some hours are fewer than this share of those of the same hours before.

    Usual is the median, not the mean: a day on which everybody was written to, or one on which the door was down, moves
    that little. Where other events fell as the taps did, or nothing came at all, it is rather the door than the menu.
    """
    expected = round(median(one.taps for one in before)) if before else 0
    if len(before) < FEWEST_DAYS:
        word = FEW_DAYS
    elif expected < FEWEST:
        word = FEW_TAPS
    elif heard.taps >= share * expected:
        word = FINE
    elif heard.taps + heard.others == 0:
        word = SILENT
    else:
        others = median(one.others for one in before)
        word = ALL_FELL if others >= FEWEST and heard.others < share * others else STOPPED
    return Verdict(word, heard.taps, expected)


def hours_to_judge(live_since: datetime, hours: int, now: datetime) -> Span | None:
    """The last so many whole hours, counted from when the menu went live; None until there are as many."""
    whole = (now - SETTLED - live_since) // HOUR
    if whole < hours:
        return None
    return Span(live_since + (whole - hours) * HOUR, live_since + whole * HOUR)


def same_hours(span: Span, zone: ZoneInfo, days: Calendar) -> Iterator[Span]:
    """The same hours by the clock on earlier days of the same kind, workdays or days off; the latest first."""
    local = span.begin.astimezone(zone).replace(tzinfo=None)
    for back in range(1, DAYS_BACK + 1):
        earlier = local - timedelta(days=back)
        if days.is_workday(earlier.date()) == days.is_workday(local.date()):
            begin = earlier.replace(tzinfo=zone).astimezone(UTC)
            yield Span(begin, begin + (span.end - span.begin))


def comparable(spans: Iterable[Span], shown: Sequence[Span], first: datetime | None) -> list[Span]:
    """Those in which the menu was not to be seen, and not before anything was heard of the account at all."""
    fit = (span for span in spans if first is not None and span.begin >= first)
    return list(islice((span for span in fit if not any(span.touches(one) for one in shown)), MOST_DAYS))


def guard_rotations(engine: Engine, now: datetime) -> None:
    """Look at the accounts that have a guarded rotation, and end the windows whose menus are shunned."""
    with engine.connect() as connection:
        accounts = guards.guarded_accounts(connection)
    for account_id, name in accounts.items():
        with engine.connect() as connection:
            found = look_at(connection, account_id, now)
        if found is not None:
            _act(engine, name, found, now)


def look_at(connection: Connection, account_id: int, now: datetime) -> Judged | None:
    """What is to be said of the menu that is due and live; None where it is not guarded, or too young."""
    days = calendar(connection)
    # One whose time zone this host does not know is left out, and a guarded base menu, below which there is no other.
    rows = [row for row in rotations(connection, account_id) if not problems(row)]
    due = due_menu(rows, now, days, guards.stopped(connection, account_id))
    live = publications.live(connection, account_id)
    if due is None or due.rotation.guard_share is None or live is None or live.version != due.rotation.version:
        return None
    live_since = max(live.started_at, due.window.starts_at)
    span = hours_to_judge(live_since, due.rotation.guard_hours or 1, now)
    if span is None:
        return None
    since = span.begin - timedelta(days=DAYS_BACK + 1)
    spans = comparable(
        same_hours(span, ZoneInfo(due.rotation.timezone), days),
        guards.shown(connection, account_id, due.rotation.menu_id, since, now),
        guards.first_heard(connection, account_id, since),
    )
    heard, *before = guards.heard(connection, account_id, [span, *spans])
    verdict = judge(heard, before, due.rotation.guard_share)
    if verdict.word == STOPPED and not _is_all_there(connection, span.end, now):
        verdict = replace(verdict, word=BEHIND)
    return Judged(due, span, verdict)


def _is_all_there(connection: Connection, end: datetime, now: datetime) -> bool:
    """Whether the tables hold what came until then: something later is there, and nothing old has come in lately."""
    recorded_since = now - LATELY
    is_late = guards.is_catching_up(connection, recorded_since, recorded_since - SETTLED)
    return not is_late and guards.has_arrived(connection, end)


def _act(engine: Engine, account: str, judged: Judged, now: datetime) -> None:
    rotation, verdict = judged.due.rotation, judged.verdict
    told = {
        "account": account,
        "rotation": rotation.id,
        "version": rotation.version,
        "taps": verdict.taps,
        "expected": verdict.expected,
        "share": rotation.guard_share,
        "since": judged.span.begin.isoformat(),
        "until": judged.span.end.isoformat(),
    }
    if verdict.word in (SILENT, ALL_FELL, BEHIND):
        log.warning("rotation not judged by its guard", extra=told | {"reason": verdict.word})
    if verdict.word != STOPPED:
        return
    with transaction(engine) as connection:
        starts_at = judged.due.window.starts_at
        is_news = guards.stop(connection, rotation.id, starts_at, verdict.taps, verdict.expected, now)
    if is_news:
        log.error("rotation stopped by its guard", extra=told)
