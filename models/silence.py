"""Hours in which nothing came, although at the same hour of the same weekday something used to."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import floor
from statistics import median
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, literal, literal_column, select

from models.asked import within
from models.elapsed import elapsed
from models.event import DOCTORS, Event
from models.local_hours import Hour, hour_of

WEEKS = 4  # that are compared with
FEWEST = 10  # events that are usual: fewer may fail to come by chance
_WEEK = timedelta(weeks=1)
_PART = timedelta(minutes=15)  # by which clocks of all zones differ from UTC, or by a multiple of it

Counts: TypeAlias = Mapping[tuple[date, int], int]
"""Events by day and hour of the account's clock."""


@dataclass(frozen=True, slots=True)
class Silence:
    begin: datetime
    end: datetime
    missing: int  # events that were usual at these hours, in all


def silences(
    connection: Connection, account_id: int, since: datetime, until: datetime, zone: ZoneInfo, fewest: int = FEWEST
) -> list[Silence]:
    """The silent times of whole hours between these moments, hours that follow each other as one.

    `until` is to lie as far back as events may still be on their way to the tables.
    """
    first = hour_of(since - WEEKS * _WEEK - timedelta(days=1), zone).starts_at
    milliseconds = elapsed(literal(first, Event.created_at.type), Event.created_at)
    part = (milliseconds // literal_column(str(_PART // timedelta(milliseconds=1)))).label("part")
    parts = select(part).where(*within(account_id, first, until), Event.kind != DOCTORS).subquery()
    counts: Counter[tuple[date, int]] = Counter()
    for number, count in connection.execute(select(parts.c.part, func.count()).group_by(parts.c.part)):
        local = (first + int(number) * _PART).astimezone(zone)
        counts[local.date(), local.hour] += count
    return list(_joined(silent(_hours(since, until, zone), counts, zone, fewest)))


def silent(hours: Iterable[Hour], counts: Counts, zone: ZoneInfo, fewest: int) -> Iterator[tuple[Hour, int]]:
    """Of these hours those without events where so many are usual, and how many are; pure.

    Usual is the median of the weeks before, so that neither a day of much traffic nor an outage of then decides.
    """
    for hour in hours:
        face = hour.starts_at.astimezone(zone).hour
        before = [counts.get((hour.day - week * _WEEK, face), 0) for week in range(1, WEEKS + 1)]
        usual = floor(median(before))
        if not counts.get((hour.day, face), 0) and usual >= fewest:
            yield hour, usual


def _hours(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[Hour]:
    """The whole hours of the clock between two moments."""
    hour = hour_of(since, zone)
    if hour.starts_at < since:
        hour = hour_of(hour.ends_at, zone)
    while hour.ends_at <= until:
        yield hour
        hour = hour_of(hour.ends_at, zone)


def _joined(found: Iterable[tuple[Hour, int]]) -> Iterator[Silence]:
    last: Silence | None = None
    for hour, usual in found:
        if last and last.end == hour.starts_at:
            last = Silence(last.begin, hour.ends_at, last.missing + usual)
            continue
        if last:
            yield last
        last = Silence(hour.starts_at, hour.ends_at, usual)
    if last:
        yield last
