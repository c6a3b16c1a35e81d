"""An installation: ingress, worker and beat as processes of their own, in a folder of its own."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.chaos.processors import elsewhere
from tests.servers import free_port
from wechat.simulator.account import Account
from workers.queues import EVENTS, MENUS, ROLLUPS, UPKEEP, receipts_queue

ACCOUNT = Account(name="chaos", app_id="wx00c0ffee00c0ffee", token="chaos")
KILL_EVERY = 4.0  # seconds

_SETTINGS = """
data_dir = "{data}"
broker_url = "{broker}"
database_url = "{database}"
secret_key = "of no use to anybody"
bind = "{bind}"

[[accounts]]
name = "{account.name}"
app_id = "{account.app_id}"
token = "{account.token}"
"""


class Process:
    """A verb of ours. It ends with this process, however that ends."""

    def __init__(self, folder: Path, verb: str, *options: str) -> None:
        self._folder = folder
        self._verb = verb
        self._options = options
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "console.cli", self._verb, *self._options, f"--follow={os.getpid()}"]
        place = contextlib.nullcontext() if self._verb == "ingest" else elsewhere()
        with place, (self._folder / f"{self._verb}.log").open("ab") as log:
            # In a session of its own, as under `caidan up`: what it starts is killed with it, and Ctrl-C is not for it.
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=_environment(), stdout=log, stderr=log, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self, patience: float = 30.0) -> None:
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Installation:
    """Started with `with`; stopped at its end."""

    def __init__(self, folder: Path, broker_url: str, database_url: str) -> None:
        self._folder = folder
        self._worker_lock = threading.Lock()
        self.kills = self.exits = 0
        bind = f"127.0.0.1:{free_port()}"
        self.url = f"http://{bind}"
        settings = _SETTINGS.format(data=folder, broker=broker_url, database=database_url, bind=bind, account=ACCOUNT)
        (folder / "caidan.toml").write_text(settings)

    def __enter__(self) -> "Installation":
        self._run("db", "upgrade")
        with contextlib.ExitStack() as stack:
            self._ingress = self._started(stack, "ingest")
            # Apart, as `caidan worker` starts them: what is killed is what takes the batches, not what looks after it.
            self._worker = self._started(stack, "worker", "--only=events")
            self._started(stack, "worker", "--only=menus")
            self._started(stack, "beat")
            wait_until(self._is_ready, 60)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def queues(self) -> list[str]:
        host = (self._folder / "journal" / "host").read_text().strip()
        return [EVENTS, UPKEEP, MENUS, ROLLUPS, receipts_queue(host)]

    def pending(self) -> int:
        """Pushes that are not known to be in the tables; the worker runs, so that they get there."""
        with self._worker_lock:
            self._revive_worker()
        found = json.loads(self._run("journal", "status", "--json"))
        return int(found["pending"])

    def kill_workers(self, over: threading.Event) -> None:
        """Every few seconds, until it is over: the worker, one of its pool, the worker, …"""
        for whole in itertools.cycle((True, False)):
            if over.wait(KILL_EVERY):
                return
            with self._worker_lock:
                self._revive_worker()
                if whole:
                    self._worker.kill()
                    self._worker.start()
                else:
                    kill_child(self._worker.pid)
                self.kills += 1

    @contextlib.contextmanager
    def without_worker(self) -> Iterator[None]:
        with self._worker_lock:
            self._worker.kill()
            self.kills += 1
            try:
                yield
            finally:
                self._worker.start()

    def _revive_worker(self) -> None:
        """As any supervisor would, when it has ended by itself."""
        if self._worker.has_ended():
            self._worker.kill()  # and what is left of its pool
            self._worker.start()
            self.exits += 1

    def _started(self, stack: contextlib.ExitStack, verb: str, *options: str) -> Process:
        process = Process(self._folder, verb, *options)
        stack.callback(process.stop)
        return process

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "console.cli", *arguments]
        done = subprocess.run(command, cwd=self._folder, env=_environment(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"caidan {' '.join(arguments)}: {done.stderr}")
        return done.stdout


def wait_until(holds: Callable[[], bool], seconds: float, pause: float = 0.2) -> bool:
    """Whether it came to hold in time."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            return False
        time.sleep(pause)
    return True


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")}


def kill_child(pid: int) -> None:
    """One of its pool; none while it is starting."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    for child in found[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)
