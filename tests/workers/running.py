"""`caidan worker` as a process, which tests hurt, and a publisher and a database to go with it."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.broker import Broker
from tests.servers import family
from tests.workers.settling import BATCH, wait_until, waiting
from wechat.event import encode
from workers.queues import Role, connect, receipts

ROOT = Path(__file__).parents[2]
ACCOUNTS = '[{"name": "shop", "app_id": "wx0123456789abcdef", "token": "token"}]'
SCRIPT = """
import sys
from celery.concurrency.asynpool import AsynPool
from models import db
from workers import batch, health, leases
from workers.app import app
db.LOCK_SECONDS, batch.LONGEST_PAUSE, leases.LEASE, leases.RENEWAL = 0.2, 0.2, 2.0, 0.4
AsynPool.timers = property(lambda pool: {{pool.maintain_pool: 0.5}})  # it often misses the end of a child, for 5 s
{changes}
from console.cli import main
sys.argv = ["caidan", "worker", "--only={part}"]
main()
"""


class Running:
    """A worker with a pool of one, and with other limits than a real one has: `changes` is Python."""

    def __init__(
        self, folder: Path, broker_url: str, changes: str = "", part: str = "events", database_url: str = ""
    ) -> None:
        self.folder, self._broker_url, self._changes, self._part = folder, broker_url, changes, part
        self._database = folder / "caidan.db"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")} | {
            "CAIDAN_DATA_DIR": str(folder),
            "CAIDAN_BROKER_URL": broker_url,
            "CAIDAN_DATABASE_URL": database_url or f"sqlite:///{self._database}",
            "CAIDAN_SECRET_KEY": "of no use to anybody",
            "CAIDAN_ACCOUNTS": ACCOUNTS,
            "CAIDAN_WORKER_PROCESSES": "1",
            "REMAP_SIGTERM": "SIGQUIT",  # as the verb does, which comes too late here
        }
        self.receipts()  # those of another test
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-c", SCRIPT.format(changes=self._changes, part=self._part)]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def child(self) -> int:
        """The process of its pool."""
        found: list[int] = []
        wait_until(lambda: bool(found.extend(family(self.process.pid)[1:]) or found))
        return found[0]

    def send(self) -> None:
        """One batch, as a publisher does."""
        with Broker(self._broker_url, "receipts.of-another") as broker:  # it would take those that there are
            broker.publish(BATCH.id, encode(BATCH))

    def receipts(self, count: int = 0) -> list[str]:
        """Those that have come, once there are so many; they follow what is logged."""
        found: list[str] = []

        def take() -> bool:
            messages = waiting(self._broker_url, BATCH.receipts)
            found.extend(message.payload["batch"] for message in messages if "batch" in message.payload)
            return len(found) >= count

        with connect(self._broker_url, Role.PUBLISHER) as connection:
            receipts(BATCH.receipts, self._broker_url)(connection.default_channel).declare()
        wait_until(take)
        return found

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        found = []
        for line in (self.folder / "log").read_text().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def count(self, event: str) -> int:
        return sum(event in line["event"] for line in self.lines())

    def reasons(self, event: str) -> list[str]:
        return [line["reason"] for line in self.lines() if line["event"] == event]

    def wait_for(self, event: str, count: int = 1) -> None:
        """Until this has been logged so often."""
        try:
            wait_until(lambda: self.count(event) >= count)
        except AssertionError:
            raise AssertionError(f"{event}: {(self.folder / 'log').read_text()}") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The database, so that whoever records a batch is in the middle of it for as long as this lasts."""
        other = sqlite3.connect(self._database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()

    def stored(self) -> int:
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])

    def health(self) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "console.cli", "worker", "--health"]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        """With all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
