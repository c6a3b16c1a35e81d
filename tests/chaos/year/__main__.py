"""`python -m tests.chaos.year`: the whole year, calm and stormy; a table, and build/year.json."""

import logging
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import migrations
from models.db import connect
from tests.chaos.report import write
from tests.chaos.year.run import run
from tests.chaos.year.scheduled import BEGIN, DAY
from tests.chaos.year.walk import Outcome
from workers import publishing

RESULT = Path("build/year.json")


@click.command()
@click.option("--seed", type=int, default=1, help="Of all dice: the same seed gives the same year.")
@click.option("--days", type=click.IntRange(1, 365), default=365, help="So many of the year.")
@click.option("--minutes", type=click.IntRange(0), default=10_000, help="Ticks at random, besides those at boundaries.")
def main(seed: int, days: int, minutes: int) -> None:
    """Let a year of rotations pass, with faults, crashes and people in between, and see that menus are as due."""
    logging.disable(logging.CRITICAL)  # of thousands of faults
    publishing.PAUSES = (0.0, 0.0, 0.0, 0.0)  # seconds of this world
    outcomes = {name: _run(name, seed, days, minutes, is_calm=name == "calm") for name in ("calm", "stormy")}
    Console(width=None if sys.stdout.isatty() else 180).print(_table(outcomes))
    write(RESULT, seed=seed, days=days, **{name: vars(outcome) for name, outcome in outcomes.items()})
    sys.exit(any(outcome.problems for outcome in outcomes.values()))


def _run(name: str, seed: int, days: int, minutes: int, *, is_calm: bool) -> Outcome:
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with tempfile.TemporaryDirectory(prefix="caidan-year-") as folder, Progress(*columns) as progress:
        database_url = f"sqlite:///{folder}/caidan.db"
        engine = connect(database_url)
        migrations.upgrade(engine)
        engine.dispose()
        task = progress.add_task(name, total=days)
        return run(
            database_url,
            seed=seed,
            days=days,
            minutes=minutes,
            is_calm=is_calm,
            told=lambda now: progress.update(task, completed=(now - BEGIN) / DAY),
        )


def _table(outcomes: dict[str, Outcome]) -> Table:
    table = Table("", *outcomes)
    for name in next(iter(outcomes.values())).__dataclass_fields__:
        values = [getattr(outcome, name) for outcome in outcomes.values()]
        table.add_row(name, *(_written(value) for value in values))
    return table


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{number} {name}" for name, number in sorted(value.items(), key=lambda item: -item[1]))
    return "\n".join(value) if isinstance(value, list) else f"{value}"


if __name__ == "__main__":
    main()
