"""A whole installation, driven from outside: its command line, its HTTP, its processes. Nothing of ours is imported."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port


class Installation:
    """`caidan up` in a folder of its own, on embedded defaults and a free port."""

    def __init__(self, directory: Path) -> None:
        self.bind = f"127.0.0.1:{free_port()}"
        self.directory = directory
        self.url = f"http://{self.bind}"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")}
        self.environment |= {"CAIDAN_BIND": self.bind, "LANG": "C.UTF-8"}
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.directory / "up.log").open("ab") as log:
            command = [sys.executable, "-m", "console.cli", "up"]
            self._up = subprocess.Popen(command, cwd=self.directory, env=self.environment, stdout=log, stderr=log)
        wait_until(self.is_ready, 30)

    def stop(self) -> int:
        """Ask as Ctrl-C does; the exit code."""
        assert self._up is not None
        self._up.send_signal(signal.SIGINT)
        return self._up.wait(60)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One `caidan` command, to its end."""
        command = [sys.executable, "-m", "console.cli", *arguments]
        return subprocess.run(command, cwd=self.directory, env=self.environment, capture_output=True, text=True)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def is_settled(self) -> bool:
        """Whether the tables have everything that was acknowledged."""
        return bool(self.json("journal", "status")["pending"] == 0)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.directory}/var/caidan.db?mode=ro", uri=True) as connection:
            return connection.execute(query).fetchall()

    def processes(self, words: str) -> list[int]:
        """Ids of this installation's processes whose command line ends in these words."""
        command = ["ps", "-ww", "-eo", "pid=,ppid=,args="]  # never cut off at the width of a terminal
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        table = {
            int(pid): (int(parent), args) for pid, parent, args in (line.split(None, 2) for line in listed.splitlines())
        }
        assert self._up is not None
        ours = {self._up.pid}
        for _ in range(6):  # grandchildren of grandchildren
            ours |= {pid for pid, (parent, _args) in table.items() if parent in ours}
        return [pid for pid in sorted(ours) if pid in table and words in table[pid][1] and table[pid][0] != 1]

    def log(self) -> str:
        return (self.directory / "up.log").read_text()


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"not so after {seconds} seconds"
        time.sleep(0.2)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    installed = Installation(tmp_path)
    try:
        installed.start()
        yield installed
    finally:
        code = installed.stop()
    assert code == 0, installed.log()
    assert installed.processes("") == []
