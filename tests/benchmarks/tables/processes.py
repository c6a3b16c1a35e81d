"""Servers as they are run for real, and our processes beside them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url

import migrations
from models.db import connect
from tests import servers
from tests.benchmarks.report import ROOT
from tests.benchmarks.tables.events import ACCOUNT
from tests.servers import Server

# A server that loses nothing, with some memory; tests that need no durability do without.
POSTGRESQL = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
MARIADB = (
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-flush-method=O_DIRECT",
    "--innodb-buffer-pool-size=512M",
    "--innodb-log-file-size=1G",
)
_SETTINGS = """
data_dir = "{folder}"
broker_url = "{broker}"
database_url = "{database}"
secret_key = "of no use to anybody"
bind = "127.0.0.1:{port}"

[[accounts]]
name = "{account.name}"
app_id = "{account.app_id}"
token = "{account.token}"
original_id = "{account.to_user}"
"""


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def migrated(server: Server, name: str) -> Iterator[Engine]:
    """A new database of the server, with all tables."""
    url = make_url(server.url.replace("postgresql:", "postgresql+psycopg:"))
    administrator = create_engine(url, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    administrator.dispose()
    engine = connect(url.set(database=name).render_as_string(hide_password=False))
    migrations.upgrade(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def configure(folder: Path, broker: str, database: str) -> str:
    """An installation in a folder of its own; the URL of its door."""
    folder.mkdir(parents=True, exist_ok=True)
    port = servers.free_port()
    settings = _SETTINGS.format(folder=folder, broker=broker, database=database, port=port, account=ACCOUNT)
    (folder / "caidan.toml").write_text(settings)
    return f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def running(folder: Path, *command: str, **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A module of ours, with the installation of a folder, until the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CAIDAN_")}
    clean |= {"CAIDAN_CONFIG": str(folder / "caidan.toml"), **environment}
    with (folder / f"{command[0]}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=clean, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def family(root: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [root, *(one for child in children for one in family(int(child)))]


def resident(root: int) -> float:
    """Memory of a process alone, in MiB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{root}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def wait_until(holds: Callable[[], bool], seconds: float, pause: float = 0.1) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise TimeoutError(f"not so after {seconds} seconds")
        time.sleep(pause)
