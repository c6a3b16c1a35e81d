"""`python -m tests.chaos`: every broker, every fault, one run after the other; a table, and build/chaos.json."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.brokers import BROKERS
from tests.chaos.faults import FAULTS
from tests.chaos.processors import elsewhere, stay_here
from tests.chaos.report import write
from tests.chaos.run import UNDISTURBED, Outcome, Plan, judge, run
from tests.servers import NotInstalledError, start_postgresql

RESULT = Path("build/chaos.json")
_COLUMNS = {
    "broker": "broker",
    "fault": "fault",
    "acknowledged": "acknowledged",
    "per_second": "a second",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "p99_ratio": "ratio",
    "slowest_ms": "slowest ms",
    "again": "again",
    "kills": "kills",
    "exits": "exits",
    "settled_seconds": "settled s",
    "missing": "missing",
    "unexpected": "unexpected",
    "twice": "twice",
    "quarantined": "quarantined",
}


@click.command()
@click.option("--broker", "brokers", multiple=True, type=click.Choice(list(BROKERS)), help="Default: all of them.")
@click.option("--fault", "faults", multiple=True, type=click.Choice(list(FAULTS)), help="Default: all of them.")
@click.option("--pushes", type=click.IntRange(1), default=50_000, help="So many in each run.")
@click.option("--rate", type=click.FloatRange(1), default=500.0, help="Pushes a second.")
@click.option("--keep", is_flag=True, help="Leave the folders, with logs, journals and databases.")
def main(brokers: tuple[str, ...], faults: tuple[str, ...], pushes: int, rate: float, keep: bool) -> None:
    """Hurt brokers and workers while pushes arrive, and see that none is lost, late or doubled."""
    if sys.platform != "linux":
        raise click.ClickException("needs Linux: it looks into /proc, and freezes processes")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up
    stay_here()
    console = Console(stderr=True, soft_wrap=True)
    outcomes: list[Outcome] = []
    for broker in brokers or BROKERS:
        yardstick: Outcome | None = None
        try:
            for fault in (UNDISTURBED, *(faults or FAULTS)):
                if reason := getattr(BROKERS[broker], "spared", {}).get(fault):
                    console.print(f"{broker} {fault}: skipped, it {reason}")
                    continue
                outcome = _run(Plan(broker, fault, pushes, rate, keep), console)
                judge(outcome, yardstick)
                yardstick = yardstick or outcome
                outcomes.append(outcome)
                console.print(f"{broker} {fault}: {'; '.join(outcome.problems) or 'fine'}")
        except NotInstalledError as error:
            console.print(f"{broker}: skipped, {error} is not installed")
    Console(width=None if sys.stdout.isatty() else 180).print(_table(outcomes))
    write(RESULT, pushes=pushes, rate=rate, runs=[asdict(outcome) for outcome in outcomes])
    sys.exit(any(outcome.problems for outcome in outcomes))


def _run(plan: Plan, console: Console) -> Outcome:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    folder = Path(tempfile.mkdtemp(prefix="caidan-chaos-"))
    try:
        with (
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
            _database(plan.broker, folder) as database_url,
        ):
            task = progress.add_task(f"{plan.broker} {plan.fault}", total=plan.pushes)
            return run(plan, folder, database_url, lambda: progress.advance(task))
    finally:
        if plan.keep:
            console.print(f"{plan.broker} {plan.fault}: in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _database(broker: str, folder: Path) -> Iterator[str]:
    """An empty one: SQLite goes with the embedded broker, PostgreSQL with the others."""
    if broker == "embedded":
        yield f"sqlite:///{folder / 'caidan.db'}"
        return
    with elsewhere():
        server = start_postgresql()
    try:
        yield server.url
    finally:
        server.stop()


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(*_COLUMNS.values())
    for outcome in outcomes:
        values = asdict(outcome)
        cells = ["" if values[name] is None else str(values[name]) for name in _COLUMNS]
        table.add_row(*cells, style="red" if outcome.problems else None)
    return table


if __name__ == "__main__":
    main()
