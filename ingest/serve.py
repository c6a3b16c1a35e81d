"""The server of the ingress: `python -m ingest.serve [PID [DESCRIPTOR]]`.

Started by `caidan ingest`, which has that id, and holds the listening socket: while it starts us again, what comes
waits in the kernel.
"""

import gc
import os
import resource
import signal
import socket
import sys

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from ingest.lifeline import follow_parent
from ingest.listener import BACKLOG, Server, listen
from ingest.measures import share_measures
from models import logs
from models.config import DoorConfig, load_or_exit

CONNECTIONS = 2048  # per process; the idle ones count, too, and more wait in the listen queue


def main() -> None:
    """Serve until told to stop. On SIGHUP the processes are replaced, one after another."""
    config = load_or_exit(DoorConfig)
    follow_parent(*map(int, sys.argv[1:2]))
    os.environ |= share_measures(config.data_dir)
    _allow_files(2 * CONNECTIONS)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    server = Server(
        "ingest.serve:application",
        factory=True,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=config.ingest_processes,
        blocking_threads=config.ingest_threads,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        respawn_interval=1.0,  # between the start of a new process and the end of the one that it replaces
        workers_kill_timeout=10,
        websockets=False,
        log_level=LogLevels(config.log_level),
        log_dictconfig=logs.settings(config.log_level, readable=sys.stderr.isatty()),
    )
    server.listener = socket.socket(fileno=int(sys.argv[2])) if sys.argv[2:] else listen(config.bind)
    server.bind_addr, server.bind_port = server.listener.getsockname()[:2]  # what it says that it listens at
    server.serve()


def application() -> object:
    """What each of the server's processes runs."""
    follow_parent()
    from ingest.app import create_app  # after the metrics' directory is set

    app = create_app()
    gc.freeze()  # what stays is not looked through again and again
    gc.set_threshold(10_000)  # a push leaves no cycles behind
    return app


def _allow_files(number: int) -> None:
    """A login's usual limit of 1,024 is less than the connections we take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


if __name__ == "__main__":
    main()
