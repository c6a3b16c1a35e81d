"""Months, and the names and bounds of their partitions; pure."""

import re
from calendar import monthrange
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime

# What follows the name of a whole in the names of its parts; `moving` is models/moving.py's.
_PART = re.compile(r"default|y\w+|moving\w*")
_MONTH = re.compile(r"y(\d{4})m(0[1-9]|1[0-2])")


def month_of(moment: date) -> date:
    """The first day of a month: what a month is known by."""
    return date(moment.year, moment.month, 1)


def later(month: date, months: int = 1) -> date:
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def last_of(moment: date) -> date:
    """The last day of its month."""
    return date(moment.year, moment.month, monthrange(moment.year, moment.month)[1])


def span(first: date, last: date) -> Iterator[date]:
    """The months from one to another, both included."""
    month = first
    while month <= last:
        yield month
        month = later(month)


def begin(month: date) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def name_of(table: str, month: date) -> str:
    return f"{table}_y{month:%Y}m{month:%m}"


def part_of(name: str, tables: Collection[str]) -> tuple[str, date | None] | None:
    """Which of the tables one of this name is a part of, and which month of it, if any; None where it is no part."""
    for table in tables:
        if name.startswith(f"{table}_") and _PART.fullmatch(part := name.removeprefix(f"{table}_")):
            found = _MONTH.fullmatch(part)
            return table, date(int(found[1]), int(found[2]), 1) if found else None
    return None


def bounds(month: date) -> tuple[str, str]:
    """Where a month begins and ends, in SQL."""
    first, end = (f"'{day} 00:00:00+00'" for day in (month, later(month)))
    return first, end


def within(month: date) -> str:
    """The condition on rows of a month, in SQL: the words that PostgreSQL takes as proof that all are of it."""
    first, end = bounds(month)
    return f"created_at >= {first} AND created_at < {end}"
