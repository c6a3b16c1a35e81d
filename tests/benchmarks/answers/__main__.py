"""`make bench-answers`: questions to the rollups, beside the same asked of the events, and of DuckDB. Linux only."""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from tests import servers
from tests.benchmarks.answers import columns, rolling
from tests.benchmarks.answers.filling import Filled, fill
from tests.benchmarks.answers.questions import (
    QUESTIONS,
    Question,
    check,
    column_seconds,
    ratios,
    raw_seconds,
    seconds,
)
from tests.benchmarks.report import Figure, report
from tests.benchmarks.tables.options import bar
from tests.benchmarks.tables.processes import POSTGRESQL, migrated, serving
from workers.rollup import roll_up

RUNS, COLUMN_RUNS, RAW_RUNS = 15, 5, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000, help="events")
    parser.add_argument("--few", type=int, default=1_000_000, help="events, beside which that is many")
    parser.add_argument("--seconds", type=int, default=40, help="of rolling up beside recording, for each flow of taps")
    parser.add_argument("--part", choices=("questions", "rolling"), help="only this one; both without")
    arguments = parser.parse_args()
    found: list[Figure] = []
    with serving(servers.start_postgresql(**POSTGRESQL)) as postgresql:
        if arguments.part != "rolling":
            with migrated(postgresql, "few") as few, migrated(postgresql, "many") as many:
                found += figures(few, arguments.few, many, arguments.rows)
        if arguments.part != "questions":
            found += rolling.figures(postgresql, arguments.seconds)
    report(f"bench-answers-{arguments.part}" if arguments.part else "bench-answers", found)


def figures(few: Engine, few_rows: int, many: Engine, rows: int) -> list[Figure]:
    small, _ = _fill(few, few_rows)
    large, rate = _fill(many, rows)
    found = [Figure(f"rolled up from {rows:,} events, events a second", [rate]), *_sizes(many)]
    patient = create_engine(many.url)  # whatever is asked of the events may take as long as it takes
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "event.parquet"
        columns.export(patient, file)
        found.append(Figure("Parquet of the events, MB", [file.stat().st_size / 1e6], "lower"))
        with columns.opened(file) as duckdb:
            check(many, patient, duckdb, large)
            for question in QUESTIONS:
                of_few, of_many = seconds(question, RUNS, (few, small), (many, large))
                raw = raw_seconds(patient, question, large, RAW_RUNS)
                of_columns = column_seconds(duckdb, question, large, COLUMN_RUNS)
                found += _compared(question, few_rows, rows, of_few, of_many, raw, of_columns)
    patient.dispose()
    return found


def _compared(
    question: Question,
    few_rows: int,
    rows: int,
    of_few: list[float],
    of_many: list[float],
    raw: list[float],
    of_columns: list[float],
) -> list[Figure]:
    growth = [1 / one for one in ratios(of_few, of_many)]
    return [
        Figure(f"{question.name}: from {rows:,} events, ms", [1000 * one for one in raw], "lower"),
        Figure(f"{question.name}: by DuckDB from Parquet, ms", [1000 * one for one in of_columns], "lower"),
        Figure(f"{question.name}: from rollups, ms", [1000 * one for one in of_many], "lower"),
        Figure(f"{question.name}: × as fast as from events", ratios(raw, of_many), goal=question.goal),
        Figure(f"{question.name}: × as fast as DuckDB", ratios(of_columns, of_many), goal=1),
        Figure(f"{question.name}: time, × that of {few_rows:,} events", growth, "lower", 1.5),
    ]


def _fill(engine: Engine, rows: int) -> tuple[Filled, float]:
    """Events, and rollups of them; how many a second were rolled up."""
    filled = fill(engine, rows)
    begun = time.perf_counter()
    with bar(f"marks of {rows:,} events", 9000) as show:
        done = 0
        while marks := roll_up(engine, None, datetime.now(UTC)):
            done += marks
            show(done)
    rate = rows / (time.perf_counter() - begun)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return filled, rate


def _sizes(engine: Engine) -> list[Figure]:
    """Bytes for each follower who tapped a button on a day: of the sets alone, and of the whole table."""
    with engine.connect() as connection:
        users, sets = connection.execute(
            text(
                "SELECT sum(users) FILTER (WHERE is_whole), sum(octet_length(followers)) FROM rollup_day"
                " WHERE button_id > 0"
            )
        ).one()
        whole = {
            name: int(connection.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0)
            for name in ("rollup_hour", "rollup_day", "rollup_week", "rollup_month")
        }
    found = [Figure("days: bytes of a set for each follower, button and day", [sets / users], "lower", 3)]
    found += [
        Figure(f"{name}: bytes for each follower, button and day", [size / int(users)], "lower")
        for name, size in whole.items()
    ]
    return found


if __name__ == "__main__":
    main()
