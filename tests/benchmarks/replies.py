"""`make bench-replies`: replies under load. A thousand rules, a slow handler and a dead webhook at once.

The same pushes go to two installations in turn, one of which has none of these. Nothing may be lost in either, and what
the door takes to answer and the tables to fill is put side by side. Linux only.
"""

import argparse
import os
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Engine, func, select

import migrations
from ingest.snapshot import read
from models.account import account_ids
from models.db import connect, transaction
from models.event import Event
from models.handling import Handling
from models.reply import save_rule
from tests import servers
from tests.benchmarks.report import Figure, report
from tests.benchmarks.rules import rules
from tests.benchmarks.tables.events import ACCOUNT
from tests.benchmarks.tables.processes import configure, running, wait_until
from wechat.reply import Text
from wechat.reply_rules import Rule
from wechat.simulator.ledger import Line
from wechat.simulator.pusher import Pusher
from wechat.simulator.pushes import pushes

RULES = 1000
SLOW = """
import time
from workers.handlers import on

@on("click", "message_text", time_limit=30, concurrency=1)
def dawdle(event):
    time.sleep(2)
"""


@dataclass
class Installation:
    """What runs, and what its windows brought."""

    name: str
    door: str
    engine: Engine
    rates: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    replies: int = 0

    def load(self, count: int, seed: int) -> None:
        """Push as fast as answers come, then wait until everything is in the tables."""
        lines: list[Line] = []
        with self.engine.connect() as connection:
            before = connection.scalar(select(func.count()).select_from(Event)) or 0
        begun = time.monotonic()
        Pusher(self.door, ACCOUNT, threads=8).run(pushes(ACCOUNT, count, seed=seed), lines.append)
        pushed = time.monotonic()
        ids = {UUID(line.id) for line in lines if line.id}
        assert {"success", "reply"} >= {line.answer for line in lines}, {line.answer for line in lines}
        wait_until(lambda: self._stored() >= before + len(ids), 120)
        self.replies += sum(line.answer == "reply" for line in lines)
        self.rates.append(len(lines) / (pushed - begun))
        self.p99.append(1000 * sorted(line.seconds for line in lines)[len(lines) * 99 // 100])
        self.lags.append(time.monotonic() - pushed)

    def _stored(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(Event)) or 0


def installed(stack: ExitStack, folder: Path, *, loaded: bool) -> Installation:
    """An installation that runs; loaded with rules, a handler that sleeps, and a webhook to where nobody is."""
    door = configure(folder, f"caidan+sqlite:///{folder}/broker.db", f"sqlite:///{folder}/caidan.db")
    engine = connect(f"sqlite:///{folder}/caidan.db")
    stack.callback(engine.dispose)
    migrations.upgrade(engine)
    path = str(folder)
    if loaded:
        _add_rules(engine)
        _add_handlers(folder)
        path = os.pathsep.join([str(folder / "packages"), os.environ.get("PYTHONPATH", "")])
    stack.enter_context(running(folder, "console.cli", "up", PYTHONPATH=path))
    found = Installation("loaded" if loaded else "bare", door, engine)
    wait_until(lambda: _is_ready(door), 60)
    if loaded:
        found.load(20, seed=0)  # the workers hear of the ingress, and hand it the rules
        wait_until((folder / "snapshot.json").exists, 120)
        wait_until(lambda: bool(read(folder / "snapshot.json").replies), 120)
        time.sleep(2)  # the door looks once a second
        for taken in (found.rates, found.p99, found.lags):
            taken.clear()
    return found


def _is_ready(door: str) -> bool:
    try:
        with urllib.request.urlopen(f"{door}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _add_rules(engine: Engine) -> None:
    last = Rule(id=0, name="default", is_default=True, reply=Text("您好"))
    now = datetime.now(UTC)
    with transaction(engine) as connection:
        account_id = account_ids(connection, {ACCOUNT.app_id: ACCOUNT.name})[ACCOUNT.app_id]
        for rule in [*rules(RULES - 1), last]:
            save_rule(connection, account_id, {"timezone": "Asia/Shanghai", **msgspec.to_builtins(rule)}, now=now)


def _add_handlers(folder: Path) -> None:
    packages = folder / "packages"
    about = packages / "slow-1.dist-info"
    about.mkdir(parents=True)
    (packages / "slow.py").write_text(SLOW)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[caidan.handlers]\nslow = slow\n")
    with (folder / "caidan.toml").open("a") as file:
        file.write(f'\n[[webhooks]]\nname = "dead"\nurl = "http://127.0.0.1:{servers.free_port()}/"\n')
        file.write('secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"\n')


def main() -> None:
    """Load both in turn, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pushes", type=int, default=4000)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        both = [installed(stack, folder / str(number), loaded=bool(number)) for number in range(2)]
        for run in range(arguments.runs):
            for one in both:
                one.load(arguments.pushes, seed=1 + run)
        bare, loaded = both
        assert loaded.replies
        assert not bare.replies
        with loaded.engine.connect() as connection:
            handled = connection.execute(select(Handling.handler, func.count()).group_by(Handling.handler)).all()
        assert {"dead", "dawdle"} <= {name.rpartition(".")[2] for name, _ in handled}, handled
        figures = []
        for one in both:
            figures += [
                Figure(f"{one.name}: pushes a second", one.rates),
                Figure(f"{one.name}: p99 of answers, ms", one.p99, "lower"),
                Figure(f"{one.name}: from the last answer until all is stored, s", one.lags, "lower"),
            ]
        for name, of_loaded, of_bare, better, goal in (
            ("pushes a second", loaded.rates, bare.rates, "higher", 0.7),
            ("p99 of answers", loaded.p99, bare.p99, "lower", 1.5),
            ("until all is stored", loaded.lags, bare.lags, "lower", 1.5),
        ):
            ratios = [one / other for one, other in zip(of_loaded, of_bare, strict=True)]
            figures.append(Figure(f"loaded: {name}, × bare", ratios, better, goal))
        report("bench-replies", figures)


if __name__ == "__main__":
    main()
