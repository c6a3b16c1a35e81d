"""The server as a process of its own, and pushes at it over real connections."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from ingest.segment import SegmentReader, segments
from tests.ingest.conftest import SHOP, signed
from tests.pushes import push
from tests.servers import free_port
from wechat.event import Event, decode_entry

ROOT = Path(__file__).parents[2]


@dataclass
class Serving:
    """A running ingress."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def journal(self) -> Path:
        return self.folder / "var/journal"

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def is_ready(self) -> bool:
        try:
            return '"ready":true' in self.get("/readyz").replace(" ", "")
        except OSError:
            return False

    async def push(self, key: str, account: str = "shop") -> str:
        """Status and body of the answer on a connection of its own; or why there is none."""
        body = push(key=key)
        head = f"POST /wechat/{account}?{urlencode(signed())} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        return await self._exchange(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def health(self) -> str:
        return await self._exchange(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    def keys(self) -> set[str | None]:
        """What the journal holds, by the keys of the pushes."""
        found: set[str | None] = set()
        for file in segments(self.journal):
            with closing(SegmentReader(file)) as reader:
                events = [decode_entry(entry.content) for entry in reader.after(0, 1_000_000)]
            found |= {event.event_key for event in events if isinstance(event, Event)}
        return found

    def log(self) -> str:
        return (self.folder / "log").read_text()

    async def _exchange(self, request: bytes) -> str:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError as error:
            return f"connect: {type(error).__name__}"
        with closing(writer):
            try:
                writer.write(request)
                answer = await reader.read()
            except OSError as error:
                return f"read: {type(error).__name__}"
        head, _, body = answer.partition(b"\r\n\r\n")
        return f"{head[9:12].decode()} {body.decode()}"


@contextmanager
def serving(folder: Path, module: Sequence[str] = ("ingest.serve",), **settings: str) -> Iterator[Serving]:
    """A server, ready, with one account; killed in the end if it has not ended by itself."""
    configure(folder, "shop")
    port = free_port()
    given = {"CAIDAN_CONFIG": "caidan.toml", "CAIDAN_BIND": f"127.0.0.1:{port}", "CAIDAN_DATA_DIR": "var"} | settings
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)} | given, stderr=log
        )
    running = Serving(folder, port, process)
    try:
        eventually(running.is_ready)
        yield running
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def configure(folder: Path, *names: str) -> None:
    """Write the accounts down; all but the names, as the shop's."""
    accounts = [SHOP | {"name": name, "app_id": f"wx{name}"} for name in names]
    tables = (["[[accounts]]", *(f"{key} = {json.dumps(value)}" for key, value in one.items())] for one in accounts)
    draft = folder / "draft.toml"
    draft.write_text("\n".join(line for table in tables for line in table))
    draft.rename(folder / "caidan.toml")


def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


async def repeat(act: Callable[[int], Awaitable[str]], until: asyncio.Event, rest: float = 0.0) -> list[str]:
    """One after another, until told to stop; what came of each."""
    outcomes: list[str] = []
    while not until.is_set():
        outcomes.append(await act(len(outcomes)))
        await asyncio.sleep(rest)
    return outcomes
