"""The server of the ingress: `python -m ingest.serve [PID]`, started by `caidan ingest`, which has that id."""

import os
import shutil
import signal
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from ingest.lifeline import follow_parent
from models import logs
from models.config import ConfigError, DoorConfig, load


def main() -> None:
    """Serve until told to stop."""
    try:
        config = load(DoorConfig)
    except ConfigError as error:
        print(*error.problems, sep="\n", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    follow_parent(*map(int, sys.argv[1:2]))
    measures = config.data_dir / "metrics"  # of processes that are gone: every start counts anew
    shutil.rmtree(measures, ignore_errors=True)
    measures.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(measures)
    host, _, port = config.bind.rpartition(":")
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    Granian(
        "ingest.serve:application",
        factory=True,
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=config.ingest_processes,
        blocking_threads=config.ingest_threads,
        backlog=2048,
        backpressure=config.ingest_threads * 8,  # in flight; more wait in the listen queue
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=10,
        websockets=False,
        log_level=LogLevels(config.log_level),
        log_dictconfig=logs.settings(config.log_level, readable=sys.stderr.isatty()),
    ).serve()


def application() -> object:
    """What each of the server's processes runs."""
    follow_parent()
    from ingest.app import create_app  # after the metrics' directory is set

    return create_app()


if __name__ == "__main__":
    main()
