"""`make bench-door`: what a durable push costs, beside a bare Flask view and beside the common way; with rules, too.

One run, side by side: servers and their publishers on one core, load and brokers on the other, windows in turn. Linux
only, for its pinning and its accounting of processor time.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.journal_files import status
from tests import servers
from tests.benchmarks.load import AES_KEY_TEXT, APP_ID, TOKEN
from tests.benchmarks.report import ROOT, Figure, report
from tests.benchmarks.rules import hand_rules

SERVER_CORE, LOAD_CORE = 0, 1
CONNECTIONS = (64, 1, 8, 256)
GOALS = {"plain on rabbitmq": 1.0, "plain on redis": 1.0, "encrypted on rabbitmq": 0.8, "plain on embedded": 0.6}
MODES = ("plain", "encrypted")
# With rules the door is held to what it does without any: when none of them is for the push, and when each push is
# replied to, which means more to be done. How much more, a bare view that replies to each tells.
SAID = {"": 0, " with 1,000 rules": 1000, " replying by 1,000 rules": 1000}
RULES = {f"{mode}{said} on rabbitmq": f"{mode} on rabbitmq" for mode in MODES for said in list(SAID)[1:]}
GOALS |= {name: GOALS[without] for name, without in RULES.items()}


@dataclass
class Door:
    """A server under test, the mode of its pushes, and what its windows brought."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    mode: str = "plain"
    publisher: "subprocess.Popen[bytes] | None" = None
    journal: Path | None = None
    replies: bool = False
    windows: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def load(self, connections: int, seconds: float) -> None:
        """One window: load it, and note rate, latencies and the processor time of its processes."""
        command = [sys.executable, "-m", "tests.benchmarks.load", str(self.port), "/wechat/shop", "--mode", self.mode]
        command += ["--connections", str(connections), "--seconds", str(seconds), "--core", str(LOAD_CORE)]
        before = self._processor_seconds()
        window = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
        answers = sum(window["statuses"].values())
        assert window["statuses"] == {"200": answers}, window["statuses"]
        assert window["replies"] == (answers if self.replies else 0), window["replies"]
        window["answers"] = answers
        window["rate"] = window["measured"] / window["seconds"]
        window["processor"] = (self._processor_seconds() - before) / answers * 1e6
        self.windows.setdefault(connections, []).append(window)

    def rates(self, connections: int) -> list[float]:
        return [window["rate"] for window in self.windows[connections]]

    def quantile(self, connections: int, part: int) -> list[float]:
        """Milliseconds by window; `part` in thousandths."""
        return [window["quantiles"][part] / 1000 for window in self.windows[connections]]

    def answers(self) -> int:
        return sum(window["answers"] for windows in self.windows.values() for window in windows)

    def _processor_seconds(self) -> float:
        roots = [process.pid for process in (self.process, self.publisher) if process]
        return sum(map(_processor_seconds, roots))


def _processor_seconds(root: int) -> float:
    """Of a process and all its children that live."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    fields = Path(f"/proc/{root}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(_processor_seconds, map(int, children)))


@contextmanager
def _running(
    command: Sequence[str], core: int, environment: dict[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(port: int) -> None:
    """Until a server answers."""
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nothing answers on port {port}")


def _plain_flask(stack: ExitStack, mode: str = "") -> Door:
    """One that replies, where a mode is given."""
    port = servers.free_port()
    command = ["tests.benchmarks.plain_flask", str(port)]
    process = stack.enter_context(_running(command, SERVER_CORE, {"CAIDAN_BENCH_REPLY": mode}))
    name = f"bare Flask replying {mode}" if mode else "bare Flask"
    return Door(name, port, process, mode or "plain", replies=bool(mode))


def _common_way(stack: ExitStack, redis: str) -> Door:
    port = servers.free_port()
    command = ["gunicorn", "--workers=2", "--threads=16", "--keep-alive=60", f"--bind=127.0.0.1:{port}"]
    command += ["tests.benchmarks.common_way:app"]
    environment = {"CAIDAN_BENCH_BROKER": redis.replace("/0", "/1")}
    return Door("common way", port, stack.enter_context(_running(command, SERVER_CORE, environment)))


def caidan(stack: ExitStack, name: str, mode: str, broker: str, folder: Path, said: str = "") -> Door:
    """Caidan's door with its publisher, and something that drains the queue; embedded when no broker is given."""
    port = servers.free_port()
    folder.mkdir()
    (folder / "caidan.toml").write_text(
        f'[[accounts]]\nname = "shop"\napp_id = "{APP_ID}"\ntoken = "{TOKEN}"\naes_key = "{AES_KEY_TEXT}"\n'
    )
    replies = "replying" in said
    if SAID[said]:
        hand_rules(folder, SAID[said], for_load=replies)
    broker = broker or f"caidan+sqlite:///{folder}/broker.db"
    environment = {
        "CAIDAN_CONFIG": str(folder / "caidan.toml"),
        "CAIDAN_DATA_DIR": str(folder),
        "CAIDAN_BROKER_URL": broker,
        "CAIDAN_BIND": f"127.0.0.1:{port}",
        "CAIDAN_REPLAY_WINDOW": "0",
        "CAIDAN_LOG_LEVEL": "warning",
    }
    server = stack.enter_context(_running(["ingest.serve"], SERVER_CORE, environment))
    publisher = stack.enter_context(_running(["ingest.publish"], SERVER_CORE, environment))
    stack.enter_context(_running(["tests.benchmarks.drain", broker], LOAD_CORE))
    return Door(f"{mode}{said} on {name}", port, server, mode, publisher, folder / "journal", replies)


def _figures(
    bare: Door, common: Door, replying: list[Door], doors: list[Door], connections: tuple[int, ...]
) -> Iterator[Figure]:
    for count in connections:
        for door in (bare, common, *replying, *doors):
            name = f"{door.name}, {count} connections"
            yield Figure(f"{name}: pushes a second", door.rates(count))
            for label, part in (("p50", 500), ("p99", 990), ("p99.9", 999)):
                yield Figure(f"{name}: {label} ms", door.quantile(count, part), "lower")
            yield Figure(f"{name}: processor µs a push", [w["processor"] for w in door.windows[count]], "lower")
    alike = {view.mode: view for view in replying}
    for door in doors:
        yield Figure(
            f"{door.name}: rate, × bare Flask", _ratios(door.rates(64), bare.rates(64)), goal=GOALS.get(door.name)
        )
        p99 = _ratios(door.quantile(64, 990), bare.quantile(64, 990))
        yield Figure(f"{door.name}: p99, × bare Flask", p99, "lower", 1.5 if door.mode == "plain" else None)
        if door.mode == "plain" and "embedded" not in door.name and not door.replies:
            processor = [[w["processor"] for w in one.windows[64]] for one in (common, door)]
            yield Figure(f"{door.name}: processor of the common way, × ours", _ratios(*processor), goal=5)
            p99 = _ratios(door.quantile(64, 990), common.quantile(64, 990))
            yield Figure(f"{door.name}: p99, × common way", p99, "lower", 0.25)
        if door.replies:
            view = alike[door.mode]
            yield Figure(f"{door.name}: rate, × {view.name}", _ratios(door.rates(64), view.rates(64)))
    by_name = {door.name: door for door in doors}
    for ruled, without in RULES.items():
        pair = by_name[ruled], by_name[without]
        yield Figure(f"{ruled}: rate, × without rules", _ratios(*(door.rates(64) for door in pair)))
        yield Figure(f"{ruled}: p99, × without rules", _ratios(*(door.quantile(64, 990) for door in pair)), "lower")


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def main() -> None:
    """Start everything, load in turn, report; fail when an answered push is in no journal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, nargs="+", default=CONNECTIONS)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        os.sched_setaffinity(0, {LOAD_CORE})  # brokers are started from here, and inherit it
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis, rabbitmq = servers.start_redis(), servers.start_rabbitmq()
        stack.callback(redis.stop)
        stack.callback(rabbitmq.stop)
        yardsticks = [_plain_flask(stack), _common_way(stack, redis.url)]
        replying = [_plain_flask(stack, mode) for mode in MODES]
        doors = []
        urls = {"rabbitmq": rabbitmq.url, "redis": redis.url, "embedded": ""}
        kinds = [("plain", "", "redis"), ("plain", "", "embedded")]
        kinds += [(mode, said, "rabbitmq") for mode in MODES for said in SAID]
        for number, (mode, said, name) in enumerate(kinds):
            doors.append(caidan(stack, name, mode, urls[name], folder / str(number), said))
        everyone = [*yardsticks, *replying, *doors]
        for door in everyone:
            wait_for(door.port)
        for connections in arguments.connections:
            for run in range(arguments.runs):
                for door in everyone:
                    print(f"{connections} connections, run {run + 1}: {door.name}", end="\x1b[K\r", file=sys.stderr)
                    door.load(connections, arguments.seconds)
                    time.sleep(0.3)  # the publisher catches up in its own time, not in its neighbour's
        for door in doors:
            if door.journal:
                assert status(door.journal).entries >= door.answers(), door.name
        report("bench-door", list(_figures(*yardsticks, replying, doors, tuple(arguments.connections))))


if __name__ == "__main__":
    main()
