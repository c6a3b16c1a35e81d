"""Rolling up beside recording, by real workers and beat: what each costs, and how fresh answers are.

Each has a worker of its own and is another user of PostgreSQL, so the processor time of both, with that of the
database's processes that serve them, is told apart by the system. What PostgreSQL does for all alike, such as writing
its log to disk, is counted for neither.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

from sqlalchemy import Engine, text

from models.partition import ensure_partitions
from tests import servers
from tests.benchmarks.answers.flowing import Flow
from tests.benchmarks.report import Figure
from tests.benchmarks.tables import plain
from tests.benchmarks.tables.processes import configure, family, migrated, running, serving, wait_until
from tests.servers import Server

# How many events a second, and how many followers; None for as many as are recorded, and for somebody new each time.
FLOWS: dict[str, tuple[float | None, int | None]] = {
    "2,000 a second of 50,000 followers": (2_000, 50_000),
    "2,000 a second, each of somebody new": (2_000, None),
    "as many as the tables stand, of 50,000 followers": (None, 50_000),
}
RECORDING, ROLLING = "recording", "rolling"  # users of the database
_WARM_UP = 15  # seconds, in which the followers become known
_TICKS = os.sysconf("SC_CLK_TCK")


def figures(postgresql: Server, seconds: int) -> list[Figure]:
    """Of each flow, for so long."""
    found: list[Figure] = []
    with serving(servers.start_redis()) as redis:
        for number, (name, (rate, followers)) in enumerate(FLOWS.items()):
            with migrated(postgresql, f"rolling_{number}") as engine, tempfile.TemporaryDirectory() as folder:
                found += _measure(name, Flow(rate, followers), Path(folder), redis.url, engine, seconds)
    return found


def _measure(name: str, flow: Flow, folder: Path, broker: str, engine: Engine, seconds: int) -> list[Figure]:
    account_id = plain.account_id(engine)
    ensure_partitions(engine, datetime.now(UTC).date())
    with (
        _working(folder / RECORDING, RECORDING, broker, engine) as recording,
        _working(folder / ROLLING, ROLLING, broker, engine) as rolling,
        flow.flowing(broker, engine, account_id),
    ):
        wait_until(lambda: bool(flow.seen) and flow.seen[-1][1] > 0, 60)
        time.sleep(_WARM_UP)
        begun, before = time.monotonic(), flow.recorded
        spent = [Spent(engine, user, process) for user, process in ((RECORDING, recording), (ROLLING, rolling))]
        for _ in range(seconds):
            time.sleep(1)
            for one in spent:
                one.look()
        ended, events = time.monotonic(), flow.recorded - before
    delays = flow.delays(begun, ended)
    costs = [1e6 * one.seconds / events for one in spent]
    return [
        Figure(f"{name}: recorded, events a second", [events / (ended - begun)]),
        Figure(f"{name}: recording, µs of processor for each event", [costs[0]], "lower"),
        Figure(f"{name}: rolling up, µs of processor for each event", [costs[1]], "lower"),
        Figure(f"{name}: rolling up, × the processor time of recording", [costs[1] / costs[0]], "lower", 0.5),
        Figure(f"{name}: from tap to answer, p50 seconds", [quantiles(delays, n=100)[49]], "lower"),
        Figure(f"{name}: from tap to answer, p99 seconds", [quantiles(delays, n=100)[98]], "lower", 10),
    ]


@dataclass
class Spent:
    """Processor time since it was made, of a worker and of what serves its user in the database."""

    engine: Engine
    user: str
    worker: int  # the process that all of its are below

    def __post_init__(self) -> None:
        self._first = self._now()
        self._last = dict(self._first)

    def look(self) -> None:
        """Often: what has ended since is not seen."""
        self._last |= self._now()

    def _now(self) -> dict[int, float]:
        query = text("SELECT pid FROM pg_stat_activity WHERE usename = :user")
        with self.engine.connect() as connection:
            pids = [*connection.scalars(query, {"user": self.user}), *family(self.worker)]
        return {pid: used for pid in pids if (used := _used(pid)) is not None}

    @property
    def seconds(self) -> float:
        return sum(self._last.values()) - sum(self._first.values())


@contextmanager
def _working(folder: Path, user: str, broker: str, engine: Engine) -> Iterator[int]:
    """A worker; the one that rolls up has beat beside it, which costs next to nothing and is not counted."""
    with engine.begin() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :user"), {"user": user}):
            connection.exec_driver_sql(f"CREATE ROLE {user} SUPERUSER LOGIN")
            # Processes that help with one statement are gone before they are seen.
            connection.exec_driver_sql(f"ALTER ROLE {user} SET max_parallel_workers_per_gather = 0")
    configure(folder, broker, engine.url.set(username=user).render_as_string(hide_password=False))
    part = "events" if user == RECORDING else "menus"
    with running(folder, "console.cli", "worker", f"--only={part}") as worker:
        if user == RECORDING:
            yield worker.pid
        else:
            with running(folder, "console.cli", "beat"):
                yield worker.pid


def _used(pid: int) -> float | None:
    """Seconds of processor time; None of a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS
