"""What the demonstration plays on: a running Caidan with a folder, an address and an account of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.command import UnfitError
from console.i18n import _
from models.config import CONFIG_VARIABLE, DEFAULT_FILE

DEFAULT_ADDRESS = ("127.0.0.1", 8000)
START_SECONDS = 60.0
STOP_SECONDS = 60.0


def enter(folder: Path) -> None:
    """Make the folder this process' world: no simulated push may reach an account or database that is configured."""
    if (folder / DEFAULT_FILE).exists():
        text = _("{folder} has a {file}; the demonstration needs a folder of its own: set CAIDAN_DATA_DIR.")
        raise UnfitError(text.format(folder=folder, file=DEFAULT_FILE))
    for name in [name for name in os.environ if name.startswith("CAIDAN_")]:
        del os.environ[name]
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)  # where there is no configuration file
    os.environ["CAIDAN_DATA_DIR"] = str(folder)
    os.environ.pop(CONFIG_VARIABLE, None)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """`caidan up`, until the end of the block; gives the URL of the ingress once it is ready."""
    address = _free_address()
    log = folder / "caidan.log"
    command = [sys.executable, "-m", "console.cli", "up", f"--follow={os.getpid()}", "--bind", address]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C is for the demonstration, which then ends this in order.
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_ready(process, f"http://{address}/readyz", log)
        yield f"http://{address}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_address() -> str:
    """The usual address where it is free, else any."""
    for host, port in (DEFAULT_ADDRESS, (DEFAULT_ADDRESS[0], 0)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return f"{host}:{probe.getsockname()[1]}"
    raise UnfitError(_("No port of {host} is free.").format(host=DEFAULT_ADDRESS[0]))


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except OSError:  # nobody there yet, or not ready
            time.sleep(0.1)
    raise UnfitError(_("Caidan did not start. The end of {log}:\n{lines}").format(log=log, lines=_last_lines(log)))


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])
