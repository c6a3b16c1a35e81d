"""`python -m tests.chaos.million`: a million events through journal, RabbitMQ and PostgreSQL, while workers are killed
every few seconds and the database is restarted twice; then it is counted what is where. build/million.json."""

import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import func, select

from ingest.journal import Journal, NotDurableError
from ingest.journal_files import status
from models import db
from models.base import Base, table_of
from models.event import Event, Location, Message, Photo, PhotoSend, Scan
from models.quarantine import Quarantine
from tests.chaos.brokers import RabbitMQ
from tests.chaos.events import Ledger, entries, total
from tests.chaos.installation import ACCOUNT, Installation
from tests.chaos.processors import elsewhere, stay_here
from tests.chaos.report import write
from tests.servers import NotInstalledError, Server, start_postgresql

RESULT = Path("build/million.json")
WRITERS = 200  # threads that append to the journal: as many as the pushes in flight of a busy door
LIMIT = 64 << 30  # bytes of journal
PATIENCE = 1800.0  # seconds until everything is in the tables
AWAY = 3.0  # seconds that the database is not there
LOOK_EVERY = 1.0
DETAILS: tuple[type[Base], ...] = (Scan, PhotoSend, Photo, Location, Message)


@dataclass
class Outcome:
    """What a run brought; `problems` in words, none when all promises were kept."""

    events: int
    entries: int  # of the journal, repeats included
    journal_seconds: float = 0.0
    seconds: float = 0.0
    kills: int = 0
    exits: int = 0  # of workers by themselves; whoever supervises them starts them again
    restarts: int = 0
    stored: int = 0
    quarantined: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> int:
        return round(self.entries / self.seconds) if self.seconds else 0


class Feed:
    """Appends to the journal, in threads of its own, as the threads of a door do."""

    def __init__(self, folder: Path, contents: Iterator[bytes]) -> None:
        self.appended = 0
        self._journal = Journal(folder, LIMIT, patient=WRITERS)
        self._contents = contents
        self._turn = threading.Lock()
        self._threads = [threading.Thread(target=self._append, daemon=True) for _ in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _append(self) -> None:
        while (content := self._next()) is not None:
            while not self._is_durable(content):
                time.sleep(0.5)
            with self._turn:
                self.appended += 1

    def _next(self) -> bytes | None:
        with self._turn:
            return next(self._contents, None)

    def _is_durable(self, content: bytes) -> bool:
        """What was not taken, or not in time, is repeated, as WeChat does."""
        try:
            self._journal.append(content)
        except NotDurableError:
            return False
        return True


@click.command()
@click.option("--events", type=click.IntRange(1), default=1_000_000, help="So many different ones.")
@click.option("--keep", is_flag=True, help="Leave the folder, with logs, configuration and journal.")
def main(events: int, keep: bool) -> None:
    """Kill workers and restart the database while events pour in, and see that each is stored once, or set aside."""
    if sys.platform != "linux":
        raise click.ClickException("needs Linux: it looks into /proc, and spreads processes over processors")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up
    stay_here()
    console = Console(stderr=True, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="caidan-million-"))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            bars = [progress.add_task(words, total=total(events)) for words in ("in the journal", "seen to")]
            outcome = run(events, folder, lambda *counts: _advance(progress, bars, counts))
    except NotInstalledError as error:
        raise click.ClickException(f"{error} is not installed") from None
    finally:
        if keep:
            console.print(f"in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    Console().print(_table(outcome))
    console.print("; ".join(outcome.problems) or "fine")
    write(RESULT, **asdict(outcome) | {"per_second": outcome.per_second})
    sys.exit(bool(outcome.problems))


def run(events: int, folder: Path, tell: Callable[[int, int], object]) -> Outcome:
    """Let events pour in and trouble happen, in an empty folder, until all is seen to; then count."""
    ledger = Ledger()
    broker = RabbitMQ(folder)
    try:
        with elsewhere():
            database = start_postgresql()
        try:
            with Installation(folder, broker.url, database.url) as installation:
                feed = Feed(folder / "journal", entries(ACCOUNT, events, ledger))
                outcome = _disturbed(events, feed, installation, database, folder / "journal", tell)
            _judge(outcome, database.url, ledger)
        finally:
            database.stop()
    finally:
        broker.close(keep=False)
    return outcome


def _disturbed(
    events: int,
    feed: Feed,
    installation: Installation,
    database: Server,
    journal: Path,
    tell: Callable[[int, int], object],
) -> Outcome:
    """Workers are killed all the time, and the database is restarted when a third is in the tables, and two thirds."""
    outcome = Outcome(events, entries=total(events))
    began = time.monotonic()
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(installation.kill_workers, over)
        try:
            while True:
                is_over, pending = feed.is_over(), status(journal).pending  # in this order
                tell(feed.appended, feed.appended - pending)
                outcome.seconds = round(time.monotonic() - began, 1)
                outcome.journal_seconds = outcome.journal_seconds or (outcome.seconds if is_over else 0.0)
                if is_over and not pending:
                    break
                if outcome.seconds > PATIENCE:
                    outcome.problems.append(f"{pending} are still in the journal")
                    break
                if outcome.restarts < 2 and feed.appended - pending > total(events) * (outcome.restarts + 1) / 3:
                    _restart(database, in_order=not outcome.restarts)
                    outcome.restarts += 1
                time.sleep(LOOK_EVERY)
        finally:
            over.set()
        killing.result()
    outcome.kills, outcome.exits = installation.kills, installation.exits
    return outcome


def _restart(database: Server, *, in_order: bool) -> None:
    """As an administrator does, or as a crash."""
    if in_order:
        database.halt(signal.SIGINT)
    else:
        database.kill()
    time.sleep(AWAY)
    with elsewhere():
        database.start()


def _judge(outcome: Outcome, database_url: str, ledger: Ledger) -> None:
    """Compare the tables with the ledger."""
    engine = db.connect(database_url)
    with engine.connect() as connection:
        ids = connection.execution_options(yield_per=10_000).scalars(select(Event.id)).all()
        quarantined = [tuple(row) for row in connection.execute(select(Quarantine.id, Quarantine.reason))]
        for table in map(table_of, DETAILS):
            count = connection.scalar(select(func.count()).select_from(table)) or 0
            if count != ledger.rows[table.name]:
                outcome.problems.append(f"{count} rows in {table.name} instead of {ledger.rows[table.name]}")
    engine.dispose()
    stored = set(ids)
    outcome.stored, outcome.quarantined = len(ids), len(quarantined)
    wrong = {
        "missing": len(ledger.stored - stored),
        "unexpected": len(stored - ledger.stored),
        "stored twice": len(ids) - len(stored),
        "not in quarantine, or for another reason": len(ledger.quarantined.items() - set(quarantined)),
        "in quarantine without reason": len(set(quarantined) - ledger.quarantined.items()),
    }
    outcome.problems += [f"{number} {words}" for words, number in wrong.items() if number]
    if not outcome.kills or outcome.restarts < 2:
        outcome.problems.append(f"too little trouble: {outcome.kills} kills, {outcome.restarts} restarts")


def _advance(progress: Progress, bars: list[TaskID], counts: tuple[int, ...]) -> None:
    for bar, count in zip(bars, counts, strict=True):
        progress.update(bar, completed=count)


def _table(outcome: Outcome) -> Table:
    table = Table(show_header=False, style="red" if outcome.problems else None)
    values = asdict(outcome) | {"per_second": outcome.per_second}
    for name, value in values.items():
        if name != "problems":
            table.add_row(name.replace("_", " "), f"{value:,}")
    return table


if __name__ == "__main__":
    main()
