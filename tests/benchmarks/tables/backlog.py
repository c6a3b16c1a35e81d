"""A million events that wait in the journal: publisher, broker and workers come to them all at once, and pushes go on.

What the broker holds is looked at all the while, and so is the memory of the worker; how long new events waited is read
from the tables afterwards: each batch has a `recorded_at` of its own.
"""

import contextlib
import itertools
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Engine

from ingest.journal import SEGMENT_BYTES, Journal, Slot
from ingest.journal_files import status
from ingest.segment import SegmentWriter
from ingest.sends import WINDOW
from tests import servers
from tests.benchmarks.report import Figure
from tests.benchmarks.tables import plain
from tests.benchmarks.tables.events import events
from tests.benchmarks.tables.options import Options, bar
from tests.benchmarks.tables.processes import POSTGRESQL, configure, family, migrated, resident, running, serving
from tests.servers import Server
from wechat.event import encode

AT_ONCE = 1000  # entries appended together
OLD = 600_000  # milliseconds that they have waited
LIVE = "live"  # the event key of pushes that arrive meanwhile
LIVE_EVERY = 0.1  # seconds
LOOK_EVERY = 0.25


def on_rabbitmq(options: Options) -> list[Figure]:
    with serving(servers.start_rabbitmq()) as broker:
        return _figures("RabbitMQ", broker, options)


def on_redis(options: Options) -> list[Figure]:
    with serving(servers.start_redis()) as broker:
        return _figures("Redis", broker, options)


def _figures(name: str, broker: Server, options: Options) -> list[Figure]:
    with (
        serving(servers.start_postgresql(**POSTGRESQL)) as postgresql,
        migrated(postgresql, "bench") as engine,
        tempfile.TemporaryDirectory() as folder,
    ):
        configure(Path(folder), broker.url, engine.url.render_as_string(hide_password=False))
        journal = Path(folder) / "journal"
        size = _fill(journal, options.backlog)
        looks = _drain(Path(folder), broker, options.backlog)
        assert plain.count(engine) >= options.backlog
        waits, seconds = _waits(engine)
    begun = max(look for look in range(len(looks)) if looks[look].pending > 0.95 * options.backlog)
    ended = next(look for look in range(begun, len(looks)) if looks[look].pending < 0.05 * options.backlog)
    rate = (looks[begun].pending - looks[ended].pending) / (looks[ended].at - looks[begun].at)
    label = f"backlog of {options.backlog:,} on {name}"
    grown = max(look.broker for look in looks) - looks[0].broker
    return [
        Figure(f"{label}: drained, events a second", [rate]),
        Figure(f"{label}: memory of the broker beyond that at rest, MiB", [grown], "lower"),
        Figure(f"{label}: the same, × the backlog in the journal", [grown / size], "lower", 1),
        Figure(f"{label}: batches recorded while a new event waited, at most", [max(waits)], "lower", WINDOW),
        Figure(f"{label}: seconds that a new event waited, at most", [max(seconds)], "lower"),
        Figure(f"{label}: memory of a worker's process at the end, MiB", _last(looks), "lower"),
        Figure(f"{label}: the same, × after the first quarter", [_growth(looks, options.backlog)], "lower", 1.1),
    ]


class Look:
    """What was seen at a moment; memory in MiB."""

    def __init__(self, journal: Path, broker: Server, worker: int) -> None:
        self.at = time.monotonic()
        self.pending = status(journal).pending
        self.broker = sum(map(resident, family(broker.process.pid)))
        self.children = {child: resident(child) for child in family(worker)[1:]}


def _fill(journal: Path, count: int) -> float:
    """Entries as the door left them ten minutes ago; their size in MiB."""
    journal.mkdir()
    slot = Slot(journal, 0)
    contents = map(encode, events(count))
    size = 0
    with bar("journal", count) as show:
        while chunk := list(itertools.islice(contents, SEGMENT_BYTES // 500)):
            writer = SegmentWriter(journal, 0)
            for start in range(0, len(chunk), AT_ONCE):
                writer.append(chunk[start : start + AT_ONCE])
            writer.close()
            size += writer.bytes
            show(size / 400)
            with contextlib.closing(sqlite3.connect(writer.path, isolation_level=None)) as connection:
                connection.execute("UPDATE entry SET appended_at = appended_at - ?", (OLD,))
    slot.close()
    return size / (1 << 20)


def _drain(folder: Path, broker: Server, count: int) -> list[Look]:
    """Let the installation come to rest with a journal that is read to its end; what was seen on the way."""
    journal = folder / "journal"
    with (
        running(folder, "console.cli", "worker", "--only=events") as worker,
        _pushing(journal),
        bar("backlog", count) as show,
    ):
        looks = [Look(journal, broker, worker.pid)]
        with running(folder, "ingest.publish"):
            while looks[-1].pending > count // 1000:
                time.sleep(LOOK_EVERY)
                looks.append(Look(journal, broker, worker.pid))
                show(count - looks[-1].pending)
    return looks


@contextlib.contextmanager
def _pushing(journal: Path) -> Iterator[None]:
    """A push every now and then, as by the door."""
    over = threading.Event()

    def push() -> None:
        door = Journal(journal, 8 << 30)
        while not over.wait(LIVE_EVERY):
            (event,) = events(1)
            door.append(encode(replace(event, event_key=LIVE)))
        door.close()

    thread = threading.Thread(target=push)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _waits(engine: Engine) -> tuple[list[int], list[float]]:
    """Of each new event: how many batches were recorded while it waited, and for how many seconds it did."""
    batches = "SELECT DISTINCT recorded_at AS at FROM event"
    query = f"""
        WITH batch AS MATERIALIZED ({batches})
        SELECT (SELECT count(*) FROM batch WHERE at > received_at AND at <= recorded_at),
            extract(epoch FROM recorded_at - received_at)
        FROM event WHERE event_key = '{LIVE}'
    """
    with engine.connect() as connection:
        found = connection.exec_driver_sql(query).all()
    return [int(count) for count, _ in found], [float(seconds) for _, seconds in found]


def _last(looks: list[Look]) -> list[float]:
    return [size for size in looks[-1].children.values() if size]


def _growth(looks: list[Look], count: int) -> float:
    """Of the process that grew most, from when a quarter of the backlog was in the tables.

    Not earlier: caches and the allocator settle over the first hundred thousand events of a process.
    """
    quarter = next(number for number, look in enumerate(looks) if look.pending < 0.75 * count)
    early, late = looks[quarter : quarter + 4], looks[-4:]

    def size(of: list[Look], child: int) -> float:
        return statistics.median(look.children[child] for look in of if child in look.children)

    common = set(early[0].children) & set(late[-1].children)
    return max(size(late, child) / size(early, child) for child in common)
