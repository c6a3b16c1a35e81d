"""The brokers, and how each is hurt and healed; Linux only."""

import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import redis

from tests import servers
from tests.chaos.processors import elsewhere
from tests.servers import Server
from workers.queues import Role, connect

_NO_PROCESS = "has no process but the publisher and the workers, which are killed anyway"


class Broker(Protocol):
    """A broker of one run. What is called in a run need not wait for its effect; the pipeline has to find out."""

    url: str
    spared: Mapping[str, str]  # faults that it cannot have, and why

    def stop(self) -> None:
        """End in order."""

    def kill(self) -> None:
        """End at once."""

    def start(self) -> None:
        """Run again, on the same port and with the same files."""

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def block(self) -> None:
        """Raise the alarm of full memory."""

    def unblock(self) -> None: ...

    def purge(self, queues: list[str]) -> None: ...

    def delete(self, queues: list[str]) -> None: ...

    def close(self, keep: bool) -> None: ...


class _Process:
    """What is the same for brokers that are processes."""

    spared: Mapping[str, str] = MappingProxyType({})

    def __init__(self, server: Server) -> None:
        self._server = server
        self.url = server.url
        self.folder = server.folder

    def stop(self) -> None:
        self._server.halt(signal.SIGTERM)

    def kill(self) -> None:
        self._server.kill()

    def start(self) -> None:
        with elsewhere():
            self._server.process = self._server.launch()

    def freeze(self) -> None:
        self._server.freeze()

    def thaw(self) -> None:
        self._server.thaw()

    def close(self, keep: bool) -> None:
        self.kill()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


class Redis(_Process):
    def __init__(self, _folder: Path) -> None:
        with elsewhere():
            super().__init__(servers.start_redis())

    def block(self) -> None:
        self._set("maxmemory", "1")  # with noeviction, the default

    def unblock(self) -> None:
        self._set("maxmemory", "0")

    def purge(self, queues: list[str]) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.delete(*queues)

    def delete(self, queues: list[str]) -> None:
        """Everything, what workers hold unacknowledged included: a purge has deleted the queues before."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _set(self, name: str, value: str) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.config_set(name, value)


class RabbitMQ(_Process):
    def __init__(self, _folder: Path) -> None:
        with elsewhere():
            super().__init__(servers.start_rabbitmq())

    def block(self) -> None:
        self._control("set_vm_memory_high_watermark", "absolute", "1")

    def unblock(self) -> None:
        self._control("set_vm_memory_high_watermark", "absolute", "1GB")

    def purge(self, queues: list[str]) -> None:
        with connect(self.url, Role.WORKER) as connection:
            for queue in queues:
                connection.default_channel.queue_purge(queue)

    def delete(self, queues: list[str]) -> None:
        with connect(self.url, Role.WORKER) as connection:
            for queue in queues:
                connection.default_channel.queue_delete(queue)

    def _control(self, *arguments: str) -> None:
        # The same environment tells it the name of the node.
        variables = Path(f"/proc/{self._server.process.pid}/environ").read_bytes().decode().split("\0")
        environment = dict(variable.split("=", 1) for variable in variables if variable)
        program = shutil.which("rabbitmqctl", path="/usr/lib/rabbitmq/bin") or "rabbitmqctl"
        with elsewhere():
            subprocess.run([program, *arguments], env=environment, cwd=self.folder, check=True, capture_output=True)


class Embedded:
    """A file. What freezes it is a process that holds SQLite's lock."""

    spared: Mapping[str, str] = MappingProxyType(
        {"restarted": _NO_PROCESS, "killed": _NO_PROCESS, "blocked": "has no memory to fill"}
    )

    def __init__(self, folder: Path) -> None:
        self._path = folder / "broker.db"
        self.url = f"caidan+sqlite:///{self._path}"
        self._lock: sqlite3.Connection | None = None

    def stop(self) -> None:
        raise NotImplementedError

    kill = start = block = unblock = stop

    def freeze(self) -> None:
        self._lock = sqlite3.connect(self._path, isolation_level=None, timeout=60, check_same_thread=False)
        self._lock.execute("BEGIN IMMEDIATE")

    def thaw(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def purge(self, queues: list[str]) -> None:
        with connect(self.url, Role.WORKER) as connection:
            for queue in queues:
                connection.default_channel.queue_purge(queue)

    def delete(self, queues: list[str]) -> None:
        with connect(self.url, Role.WORKER) as connection:
            for queue in queues:
                connection.default_channel.queue_delete(queue)

    def close(self, keep: bool) -> None:
        self.thaw()


BROKERS: Mapping[str, Callable[[Path], Broker]] = {"embedded": Embedded, "redis": Redis, "rabbitmq": RabbitMQ}
