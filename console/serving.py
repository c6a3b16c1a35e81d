"""`caidan console`: the server of the HTTP API, a process apart from the door's."""

import functools
import signal
import sys
from typing import TYPE_CHECKING

import click

from console.command import command, option
from console.database import reading
from console.i18n import _
from console.platform import bind_address
from console.roles import follow, listening
from models import logs
from models.config import Config, load

if TYPE_CHECKING:
    from flask import Flask

_THREADS = 8  # questions at a time; one takes milliseconds of the rollups, or seconds of the events
_CONNECTIONS = 256


@command()
@option("--bind", metavar="HOST:PORT", default="127.0.0.1:8002", callback=bind_address, help="Address of the HTTP API.")
@option("--rate", type=click.IntRange(1, 1_000_000), default=120, help="Questions a minute that each token may ask.")
@follow
def console(bind: str, rate: int, follow: int | None) -> None:
    """Serve the HTTP API, which answers what `caidan stats` does; its page is at /api/v1/."""
    config = load(Config)
    logs.set_up(config.log_level)
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    from ingest.lifeline import follow_parent
    from ingest.listener import BACKLOG, Server
    from models.api_tokens import api_tokens

    if follow is not None:
        follow_parent(follow)
    with reading(config) as connection:
        api_tokens(connection)  # it ends in words, and here, where the tables are not what they should be
    with listening(bind) as listener:
        server = Server(
            "console.api:create_app",
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            workers=1,  # so that limits of tokens can be in its memory
            blocking_threads=_THREADS,
            backlog=BACKLOG,
            backpressure=_CONNECTIONS,
            respawn_failed_workers=True,
            workers_kill_timeout=10,
            websockets=False,
            log_level=LogLevels(config.log_level),
            log_dictconfig=logs.settings(config.log_level, readable=sys.stderr.isatty()),
        )
        server.listener = listener
        server.bind_addr, server.bind_port = listener.getsockname()[:2]
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        text = _("Questions are answered at http://{address}/api/v1/, to whoever has a token of: caidan api-token add")
        click.echo(text.format(address=bind), err=True)
        server.serve(target_loader=functools.partial(application, rate), wrap_loader=False)


def application(rate: int) -> "Flask":
    """What the server's process runs, with the configuration as it is when it starts."""
    from console.api import create_app
    from ingest.lifeline import follow_parent

    follow_parent()
    return create_app(load(Config), rate)
