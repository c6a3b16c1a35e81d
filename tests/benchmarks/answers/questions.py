"""The questions, to the rollups, to the events, and to DuckDB: all say how many taps and how many distinct users."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from models.alignment import PlacedButton
from models.comparison import Comparison, Subject, compare
from models.rollups import By, Of, Row, taps
from tests.benchmarks.answers.columns import ask as ask_columns
from tests.benchmarks.answers.filling import ZONE, Filled, buttons

if TYPE_CHECKING:
    import duckdb

Counts: TypeAlias = Sequence[tuple[int, int]]
"""Taps and users of everything that an answer tells, in no order."""

_COUNTING = """
SELECT {columns}, count(*), count(DISTINCT open_id) FROM event
WHERE account_id = :account_id AND created_at >= :since AND created_at < :until AND kind IN ('click', 'view')
GROUP BY {columns}
"""
# Each publication by button and as a whole; then who was active, which a publication without taps would not tell.
_COMPARING = """
SELECT publication_id, kind, event_key, count(*), count(DISTINCT open_id) FROM event
WHERE account_id = :account_id AND created_at >= :since AND created_at < :until AND kind IN ('click', 'view')
    AND publication_id IN (1, 2)
GROUP BY GROUPING SETS ((publication_id, kind, event_key), (publication_id))
UNION ALL SELECT 1, NULL, NULL, 0, count(DISTINCT open_id) FROM event
WHERE account_id = :account_id AND created_at >= :since AND created_at < :until
    AND (created_at < :change OR publication_id = 1)
UNION ALL SELECT 2, NULL, NULL, 0, count(DISTINCT open_id) FROM event
WHERE account_id = :account_id AND created_at >= :since AND created_at < :until
    AND ((created_at >= :change AND created_at < :later) OR publication_id = 2)
"""
_PERIODS = {
    "hour": f"date_trunc('hour', created_at AT TIME ZONE '{ZONE}')",
    "day": f"CAST(created_at AT TIME ZONE '{ZONE}' AS date)",
    "week": f"date_trunc('week', created_at AT TIME ZONE '{ZONE}')",
    "month": f"date_trunc('month', created_at AT TIME ZONE '{ZONE}')",
}
_WHAT = {"button": "kind, event_key", "publication": "publication_id", "account": "account_id"}


class Question(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def goal(self) -> float:
        """How many times as fast as the same asked of the events."""

    def ask(self, connection: Connection, filled: Filled) -> Any:
        """The rollups."""

    def counts(self, answer: Any) -> Counts: ...

    def query(self) -> str:
        """The same of events; its last columns are taps and users."""

    def values(self, filled: Filled) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Counting:
    name: str
    by: By
    of: Of
    days: int
    goal: float
    within: int = 0  # so many days of events follow

    def ask(self, connection: Connection, filled: Filled) -> list[Row]:
        return taps(connection, filled.account_id, *_days(filled, self.days, self.within), self.by, self.of)

    def counts(self, answer: list[Row]) -> Counts:
        return [(row.taps, row.users) for row in answer]

    def query(self) -> str:
        return _COUNTING.format(columns=", ".join(filter(None, (_PERIODS.get(self.by), _WHAT[self.of]))))

    def values(self, filled: Filled) -> dict[str, Any]:
        return _about(filled, self.days, self.within)


@dataclass(frozen=True)
class Comparing:
    """The first two publications, of which each was live for a third of the time."""

    name: str
    days: int
    goal: float

    def ask(self, connection: Connection, filled: Filled) -> Comparison:
        placed = [PlacedButton(0, (place,), key, kind, key) for place, (kind, key) in enumerate(buttons())]
        subjects = (Subject(frozenset({number}), placed) for number in (1, 2))
        days = _days(filled, self.days)
        return compare(connection, filled.account_id, days, ZoneInfo(ZONE), datetime.now(UTC), *subjects)

    def counts(self, answer: Comparison) -> Counts:
        sides = [side.whole for side in (answer.first, answer.second)]
        rows = [count for row in answer.buttons for count in (row.compared.first, row.compared.second) if count]
        return [(row.taps, row.users) for row in (*sides, *rows)] + [(0, side.active) for side in sides]

    def query(self) -> str:
        return _COMPARING

    def values(self, filled: Filled) -> dict[str, Any]:
        change, later = (moment.replace(second=0) for moment in filled.changes)  # to the nearest hour
        return _about(filled, self.days) | {"change": change, "later": later}


QUESTIONS: tuple[Question, ...] = (
    Counting("by button and day, 90 days", "day", "button", 90, 100),
    Counting("by button and week, 90 days", "week", "button", 90, 100),
    Counting("by button, 90 days together", "total", "button", 90, 100),
    Counting("by button, 74 days in the middle together", "total", "button", 74, 100, within=8),
    Counting("by publication, 90 days together", "total", "publication", 90, 100),
    Counting("of the menu by day, 90 days", "day", "account", 90, 100),
    Counting("of the menu by hour, 90 days", "hour", "account", 90, 25),
    Counting("by button and hour, 7 days", "hour", "button", 7, 25),
    Comparing("two publications side by side, 90 days", 90, 100),
)


def seconds(question: Question, runs: int, *asked: tuple[Engine, Filled]) -> list[list[float]]:
    """What the rollups of each take, asked in turn."""

    def ask(engine: Engine, filled: Filled) -> object:
        with engine.connect() as connection:
            return question.ask(connection, filled)

    for one in asked:
        ask(*one)
    times = [[_timed(partial(ask, *one)) for one in asked] for _ in range(runs)]
    return list(map(list, zip(*times, strict=True)))


def raw_seconds(engine: Engine, question: Question, filled: Filled, runs: int) -> list[float]:
    """What the events take, with their indexes."""

    def ask() -> object:
        with engine.connect() as connection:
            return connection.execute(text(question.query()), question.values(filled)).all()

    return [_timed(ask) for _ in range(runs)]


def column_seconds(
    connection: "duckdb.DuckDBPyConnection", question: Question, filled: Filled, runs: int
) -> list[float]:
    """What DuckDB takes over the same events."""

    def ask() -> object:
        return ask_columns(connection, question.query(), question.values(filled))

    ask()
    return [_timed(ask) for _ in range(runs)]


def check(engine: Engine, patient: Engine, columns: "duckdb.DuckDBPyConnection", filled: Filled) -> None:
    """All say the same: a fast answer that is wrong is none."""
    for question in QUESTIONS:
        with engine.connect() as connection:
            found = question.counts(question.ask(connection, filled))
        with patient.connect() as connection:
            raw = connection.execute(text(question.query()), question.values(filled)).all()
        other = ask_columns(columns, question.query(), question.values(filled))
        assert sorted(found) == sorted((row[-2], row[-1]) for row in raw), question.name
        assert sorted((row[-2], row[-1]) for row in other) == sorted((row[-2], row[-1]) for row in raw), question.name


def _about(filled: Filled, days: int, within: int = 0) -> dict[str, Any]:
    first, last = _days(filled, days, within)
    since, until = (datetime.combine(day, clock(), ZoneInfo(ZONE)) for day in (first, last + timedelta(days=1)))
    return {"account_id": filled.account_id, "since": since, "until": until}


def _days(filled: Filled, days: int, within: int = 0) -> tuple[date, date]:
    last = filled.last - timedelta(days=within)
    return last - timedelta(days=days - 1), last


def _timed(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


def ratios(slow: Sequence[float], fast: Sequence[float]) -> list[float]:
    middle = sorted(slow)[len(slow) // 2]
    return [middle / one for one in fast]
