"""`caidan demo`: the whole pipeline against a simulated WeChat, and what comes out of it."""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import click

from console.command import DIFFERS, as_json, command, option
from console.database import reading
from console.i18n import _
from console.outcome import Outcome, compare, read_tables
from console.output import print_json
from console.simulate import simulated
from console.stage import enter, running
from models.config import Config, load
from wechat.simulator.account import Account
from wechat.simulator.deliveries import Faults
from wechat.simulator.ledger import Line, encode
from wechat.simulator.pusher import Pusher
from wechat.simulator.pushes import Push, pushes
from wechat.simulator.report import Report
from wechat.simulator.request import MODES

HISTORY = timedelta(days=30)
REPEATED = Faults(repeat=0.05)
LIVE_RATE = 40  # pushes a second
REFRESH_SECONDS = 3
SETTLE_SECONDS = 60.0  # without progress, after which what is missing counts as lost


@command()
@option("--once", is_flag=True, help="End after some live traffic; with 6 unless ledger and tables agree.")
@option("--pushes", "count", type=click.IntRange(3), default=20_000, help="Pushes of the month of history.")
@option("--seconds", type=click.IntRange(1), default=10, help="Seconds of live traffic.")
@as_json
@click.pass_context
def demo(context: click.Context, once: bool, count: int, seconds: int, as_json: bool) -> None:
    """Run everything against a simulated WeChat. Shows what came out of it."""
    from rich.console import Console

    folder = Path(os.environ.get("CAIDAN_DATA_DIR") or "var/demo").absolute()
    enter(folder)
    config = load(Config)
    click.echo(_("Starting Caidan in {folder}").format(folder=folder), err=True)
    with running(folder) as url, (folder / "ledger.ndjson").open("wb") as ledger:
        play = Play(url, config, simulated(config.accounts[0]), ledger, before=_stored(config))
        play.past(count)
        play.present(LIVE_RATE * seconds)
        outcome = play.settle()
        if not once:
            outcome = play.go_on(outcome)
    if as_json:
        print_json(outcome.as_json())
    elif once:
        Console().print(outcome.shown())
    for difference in outcome.differences():
        click.echo(difference, err=True)
    context.exit(0 if outcome.is_fine else DIFFERS)


@dataclass
class Play:
    """A run of the demonstration: what is pushed, and what is written down about it."""

    url: str
    config: Config
    account: Account
    ledger: BinaryIO
    before: frozenset[str]  # ids of earlier runs in the same folder
    seed: int = field(default_factory=time.time_ns)
    history: Report = field(default_factory=Report)
    live: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self._stream = pushes(self.account, None, seed=self.seed)

    def past(self, count: int) -> None:
        """A month of pushes, a third of them in each mode, as fast as they are answered."""
        now = datetime.now(UTC)
        with _progress(_("A month of history"), count) as advance:
            for number, mode in enumerate(MODES):
                share = count // 3 + (number < count % 3)
                stream = pushes(self.account, share, seed=self.seed + 1 + number, period=(now - HISTORY, now))
                pusher = Pusher(self.url, self.account, mode, threads=16, faults=REPEATED, seed=self.seed)
                self._push(pusher, stream, self.history, advance)

    def present(self, count: int) -> None:
        """Pushes of this moment, at the rate of a busy day."""
        with _progress(_("Live traffic"), count) as advance:
            self._push_live(count, advance)

    def settle(self) -> Outcome:
        """What came out, once the tables hold all that was acknowledged, or do not come on any more."""
        self.ledger.flush()
        missing, since = -1, time.monotonic()
        while True:
            outcome = self._outcome()
            left = len(outcome.comparison.missing)
            if left != missing:
                missing, since = left, time.monotonic()
            if not left or time.monotonic() - since > SETTLE_SECONDS:
                return outcome
            time.sleep(0.3)

    def go_on(self, outcome: Outcome) -> Outcome:
        """Live traffic until Ctrl-C, with the figures refreshed."""
        from rich.live import Live

        with suppress(KeyboardInterrupt), Live(outcome.shown(), auto_refresh=False) as screen:
            while True:
                self._push_live(LIVE_RATE * REFRESH_SECONDS, lambda: None)
                self.ledger.flush()
                outcome = self._outcome()
                screen.update(outcome.shown(), refresh=True)
        return self.settle()

    def _push_live(self, count: int, advance: Callable[[], None]) -> None:
        pusher = Pusher(self.url, self.account, "security", rate=LIVE_RATE, faults=REPEATED, seed=self.seed)
        self._push(pusher, itertools.islice(self._stream, count), self.live, advance)

    def _push(self, pusher: Pusher, stream: Iterable[Push], total: Report, advance: Callable[[], None]) -> None:
        def on_line(line: Line) -> None:
            self.ledger.write(encode(line) + b"\n")
            total.add(line)
            if not line.repeat:
                advance()

        total.elapsed += pusher.run(stream, on_line).elapsed

    def _outcome(self) -> Outcome:
        from models import queries

        with reading(self.config) as connection:
            stored = map(str, queries.event_ids(connection))
            comparison = compare(Path(self.ledger.name), stored, self.before)
            return Outcome(self.history, self.live, comparison, read_tables(connection))


def _stored(config: Config) -> frozenset[str]:
    from models import queries

    with reading(config) as connection:
        return frozenset(map(str, queries.event_ids(connection)))


@contextmanager
def _progress(title: str, count: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    if not console.is_terminal:
        click.echo(title, err=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=count)
        yield lambda: progress.advance(task)
