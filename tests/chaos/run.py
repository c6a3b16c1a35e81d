"""One run: an installation, pushes at a steady rate, a fault; and what became of every push."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from models import db
from models.event import Event
from models.quarantine import Quarantine
from tests.chaos.brokers import BROKERS, Broker
from tests.chaos.faults import FAULTS
from tests.chaos.installation import ACCOUNT, Installation, wait_until
from wechat.simulator.ledger import Comparison, Line, compare
from wechat.simulator.pusher import Pusher
from wechat.simulator.pushes import pushes
from wechat.simulator.report import Report

UNDISTURBED = "undisturbed"
WARM_UP = 300  # pushes
QUIET = 1 / 5  # of the pushes have arrived when the fault begins
IN_FLIGHT = 64
PATIENCE = 600.0  # seconds for a door that does not acknowledge, and for the tables to have everything
SLOWEST = 4.0  # seconds
TIMES_SLOWER = 2.0
FLOOR = 5.0  # milliseconds, within which a p99 on a shared machine says nothing


@dataclass(frozen=True)
class Plan:
    broker: str
    fault: str
    pushes: int
    rate: float
    keep: bool = False


@dataclass
class Outcome:
    """What a run brought; `problems` in words, none when all promises were kept."""

    broker: str
    fault: str
    acknowledged: int
    per_second: float
    again: int  # attempts beyond the first of a push
    p50_ms: float
    p99_ms: float
    slowest_ms: float
    kills: int
    exits: int  # of workers by themselves; whoever supervises them starts them again
    settled_seconds: float | None  # from the last push until the tables have everything; None: they never had
    missing: int
    unexpected: int
    twice: int
    quarantined: int
    p99_ratio: float | None = None
    problems: list[str] = field(default_factory=list)


def run(plan: Plan, folder: Path, database_url: str, on_push: Callable[[], object]) -> Outcome:
    """Carry out the plan in an empty folder, and tell of every push."""
    lines: list[Line] = []

    def note(line: Line) -> None:
        lines.append(line)
        on_push()

    broker = BROKERS[plan.broker](folder)
    try:
        with Installation(folder, broker.url, database_url) as installation:
            _push(installation, WARM_UP, plan.rate, lines.append)
            _is_settled(installation)
            time.sleep(1)  # the same follower's same tap in the same second would be the same event
            report = _disturbed(plan, broker, installation, note)
            began = time.monotonic()
            settled = time.monotonic() - began if _is_settled(installation) else None
    finally:
        broker.close(plan.keep)
    found, quarantined = _stored(database_url, lines)
    return _outcome(plan, report, installation, settled, found, quarantined)


def judge(outcome: Outcome, yardstick: Outcome | None) -> None:
    """Note what is wrong with it; the yardstick is the run of the same broker in which nothing happened."""
    if yardstick is not None:
        outcome.p99_ratio = round(outcome.p99_ms / yardstick.p99_ms, 2)
        if outcome.p99_ms > TIMES_SLOWER * yardstick.p99_ms + FLOOR:
            outcome.problems.append(f"p99 is {outcome.p99_ratio} times the undisturbed")
    if outcome.slowest_ms > SLOWEST * 1000:
        outcome.problems.append("an answer took more than 4 seconds")
    # Nothing ever happens to the door here, so it has no reason to turn a push away.
    if outcome.again:
        outcome.problems.append(f"{outcome.again} attempts were late or refused")
    if outcome.settled_seconds is None:
        outcome.problems.append("the journal never saw all receipts")
    for name in ("missing", "unexpected", "twice", "quarantined"):
        if number := getattr(outcome, name):
            outcome.problems.append(f"{number} {name}")


def _disturbed(plan: Plan, broker: Broker, installation: Installation, note: Callable[[Line], None]) -> Report:
    """Pushes, and meanwhile the fault and the killing of workers."""
    over = threading.Event()

    def trouble() -> None:
        over.wait(QUIET * plan.pushes / plan.rate)
        FAULTS[plan.fault](broker, installation, over.wait)

    with ThreadPoolExecutor(2) as pool:
        try:
            troubles = []
            if plan.fault != UNDISTURBED:
                troubles = [pool.submit(installation.kill_workers, over), pool.submit(trouble)]
            report = _push(installation, plan.pushes, plan.rate, note)
            for each in troubles[1:]:
                each.result()  # a fault may last longer than the pushes
        finally:
            over.set()
    for each in troubles:
        each.result()
    return report


def _push(installation: Installation, count: int, rate: float, note: Callable[[Line], None]) -> Report:
    pusher = Pusher(installation.url, ACCOUNT, threads=IN_FLIGHT, rate=rate, timeout=SLOWEST, patience=PATIENCE)
    return pusher.run(pushes(ACCOUNT, count, seed=count), note)


def _is_settled(installation: Installation) -> bool:
    return wait_until(lambda: installation.pending() == 0, PATIENCE, pause=2)


def _stored(database_url: str, lines: list[Line]) -> tuple[Comparison, int]:
    engine = db.connect(database_url)
    with engine.connect() as connection:
        stored = [str(found) for found in connection.scalars(select(Event.id))]
        quarantined = len(connection.scalars(select(Quarantine.id)).all())
    engine.dispose()
    return compare(lines, stored), quarantined


def _outcome(
    plan: Plan,
    report: Report,
    installation: Installation,
    settled: float | None,
    found: Comparison,
    quarantined: int,
) -> Outcome:
    latencies = report.latencies()
    return Outcome(
        broker=plan.broker,
        fault=plan.fault,
        acknowledged=found.acknowledged,
        per_second=round(report.sent / report.elapsed, 1),
        again=report.attempts - report.sent,
        p50_ms=latencies["p50"],
        p99_ms=latencies["p99"],
        slowest_ms=latencies["max"],
        kills=installation.kills,
        exits=installation.exits,
        settled_seconds=None if settled is None else round(settled, 1),
        missing=len(found.missing),
        unexpected=len(found.unexpected),
        twice=len(found.repeated),
        quarantined=quarantined,
    )
