"""PostgreSQL through Celery and the broker: how near to raw COPY, and how far from the common way."""

import gc
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from celery import Celery
from sqlalchemy import Engine

from ingest.broker import Broker
from tests import servers
from tests.benchmarks.report import Figure
from tests.benchmarks.tables import plain
from tests.benchmarks.tables.events import events, in_batches, payload
from tests.benchmarks.tables.options import Options, bar
from tests.benchmarks.tables.processes import POSTGRESQL, configure, migrated, running, serving, wait_until
from tests.servers import Server
from wechat.event import BATCH_VERSION, Batch, Event
from workers.queues import EVENTS, Role, connect, work_queue
from workers.record import record

# Of raw COPY, in batches of the same size, and of the smallest: the second is what a larger size brings.
GOALS = {500: 0.45, 2000: 0.6}
RECEIPTS = "receipts.bench"


def figures(options: Options) -> list[Figure]:
    with (
        serving(servers.start_rabbitmq()) as rabbitmq,
        serving(servers.start_postgresql(**POSTGRESQL)) as postgresql,
        migrated(postgresql, "bench") as engine,
        tempfile.TemporaryDirectory() as folder,
    ):
        workers = Workers(Path(folder), rabbitmq, engine)
        common = [_common_way(workers, options.common) for _ in range(options.runs)]
        rounds = [{size: _at(size, options, workers) for size in GOALS} for _ in range(options.runs)]
    figures = [Figure("the common way through RabbitMQ and two processes, events a second", common)]
    least = min(GOALS)
    for size, goal in GOALS.items():
        raw, alone, drained = (list(rates) for rates in zip(*(of_each[size] for of_each in rounds), strict=True))
        name = f"PostgreSQL, batches of {size}"
        through = f"{name}: through RabbitMQ and two processes of the worker"
        smallest = [of_each[least][0] for of_each in rounds]
        figures += [
            Figure(f"{name}: raw COPY, events a second", raw),
            Figure(f"{name}: recorded alone, events a second", alone),
            Figure(f"{name}: recorded alone, × raw COPY", ratios(alone, raw)),
            Figure(f"{through}, events a second", drained),
            Figure(f"{through}, × raw COPY of {size}", ratios(drained, raw), goal=goal),
        ]
        if size == least:
            figures.append(Figure(f"{name}: × the common way", ratios(drained, common), goal=40))
        else:
            figures.append(Figure(f"{through}, × raw COPY of {least}", ratios(drained, smallest), goal=goal))
    return figures


def _at(size: int, options: Options, workers: "Workers") -> tuple[float, float, float]:
    """Events a second of raw COPY, of recording alone, and through the broker."""
    batches = in_batches(list(events(options.events)), size)
    raw = rate_of_plain(workers.engine, batches)
    alone = rate_of_record(workers.engine, batches)
    return raw, alone, workers.drain(batches, f"batches of {size}")


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def rate_of_plain(engine: Engine, batches: Sequence[Sequence[Event]]) -> float:
    plain.empty(engine)
    ready = plain.ready(engine, batches)
    plain.store(engine, ready[:2])
    return sum(map(len, batches[2:])) / plain.store(engine, ready[2:])


def rate_of_record(engine: Engine, batches: Sequence[Sequence[Event]]) -> float:
    plain.empty(engine)
    made = [Batch(BATCH_VERSION, "", RECEIPTS, list(batch)) for batch in batches]
    for batch in made[:2]:
        record(engine, batch)
    gc.freeze()  # as the worker's processes do; there is more here than there
    begun = time.perf_counter()
    for batch in made[2:]:
        record(engine, batch)
    return sum(map(len, batches[2:])) / (time.perf_counter() - begun)


class Workers:
    """A real worker, which finds its queue full when it starts."""

    def __init__(self, folder: Path, rabbitmq: Server, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        self.broker = rabbitmq.url
        self.database = engine.url.render_as_string(hide_password=False)
        configure(folder, self.broker, self.database)
        plain.account_id(engine)

    def drain(self, batches: Sequence[Sequence[Event]], label: str, *, keep: bool = False) -> float:
        """Events a second, between the first tenth and the last twentieth, when all are at work."""
        if not keep:
            plain.empty(self.engine)
        before = plain.count(self.engine)
        with connect(self.broker, Role.WORKER) as connection:  # a worker that stops may have kept its last word
            queue = work_queue(EVENTS, self.broker)(connection.default_channel)
            queue.declare()
            queue.purge()
        with Broker(self.broker, RECEIPTS) as broker:
            sizes = {}
            for batch in batches:
                batch_id, encoded = payload(batch, RECEIPTS)
                broker.publish(batch_id, encoded)
                sizes[batch_id] = len(batch)
            with running(self.folder, "console.cli", "worker", "--only=events"), bar(label, len(batches)) as show:
                receipts: list[tuple[float, int]] = []
                while len(receipts) < len(batches):
                    arrived = broker.receipts(0.02)
                    now = time.perf_counter()
                    receipts += [(now, sizes[batch_id]) for batch_id in arrived if batch_id in sizes]
                    show(len(receipts))
        assert plain.count(self.engine) - before == sum(sizes.values())
        assert plain.count(self.engine, "quarantine") == 0
        first, last = len(receipts) // 10, len(receipts) * 19 // 20
        return sum(size for _, size in receipts[first + 1 : last + 1]) / (receipts[last][0] - receipts[first][0])


def _common_way(workers: Workers, count: int) -> float:
    """Of tests/benchmarks/common_worker.py."""
    plain.empty(workers.engine)
    queue = Celery(broker=workers.broker)
    for event in events(count):
        queue.send_task("common.store", [msgspec.to_builtins(event)], queue="common", ignore_result=True)
    queue.close()
    command = [
        "celery",
        "-A",
        "tests.benchmarks.common_worker",
        "worker",
        "-c2",
        "--prefetch-multiplier=16",
        "-Qcommon",
    ]
    command += ["-lwarning", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    settings = {"CAIDAN_BENCH_BROKER": workers.broker, "CAIDAN_BENCH_DATABASE": workers.database}
    with running(workers.folder, *command, **settings), bar("the common way", count) as show:
        wait_until(lambda: plain.count(workers.engine) > count // 10, 60, 0.02)
        begun, first = time.perf_counter(), plain.count(workers.engine)

        def is_done() -> bool:
            show(plain.count(workers.engine))
            return plain.count(workers.engine) >= count * 19 // 20

        wait_until(is_done, 300, 0.05)
        return (plain.count(workers.engine) - first) / (time.perf_counter() - begun)
