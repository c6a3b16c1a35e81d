"""The verbs that run: up, ingest, worker, beat."""

import os
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any

import click

from console.command import NotFoundError, UnfitError, command, option
from console.i18n import _
from console.supervise import STOP_PATIENCE, Child, supervise
from models import logs
from models.config import Config, DoorConfig, load

WORKER_PATIENCE = 30.0  # seconds; a worker that stops finishes its batches first
# A roll-up keeps one busy; and where an account keeps a tick for longer than a minute, the next sees to the others.
_PROCESSES_FOR_MENUS = 3
_NOT_FOR_THE_DOOR = ("CAIDAN_DATABASE_URL", "CAIDAN_SECRET_KEY")


def _bind(_context: click.Context, _option: click.Parameter, address: str | None) -> None:
    if address:
        os.environ["CAIDAN_BIND"] = address  # so that the processes started from here know it, too


bind = option(
    "--bind", metavar="HOST:PORT", callback=_bind, expose_value=False, is_eager=True, help="Address of the ingress."
)
follow: Callable[..., Any] = option(
    "--follow", type=int, metavar="PID", hidden=True, help="End with this process, which started this one."
)


@command()
@bind
@follow
def up(follow: int | None) -> None:
    """Run everything: ingress, worker and beat. Upgrades the database first; Ctrl-C stops all."""
    from console.database import upgrade_database

    config = load(Config)
    logs.set_up(config.log_level)
    _follow(follow)
    listening(config.bind).close()
    upgrade_database(config)
    click.echo(_("Pushes go to {addresses}").format(addresses=_callbacks(config)), err=True)
    own = f"--follow={os.getpid()}"
    supervise(
        [
            Child.python("ingest", "console.cli", "ingest", own, environment=_environment_of_the_door()),
            Child.python("worker", "console.cli", "worker", own, patience=WORKER_PATIENCE + 3 * STOP_PATIENCE),
            Child.python("beat", "console.cli", "beat", own),
        ]
    )


@command()
@bind
@follow
def ingest(follow: int | None) -> None:
    """Run the ingress: it takes pushes, and hands them on."""
    config = load(DoorConfig)
    logs.set_up(config.log_level)
    _follow(follow)
    from ingest.measures import share_measures

    environment, own = _environment_of_the_door() | share_measures(config.data_dir), str(os.getpid())
    with listening(config.bind) as listener:
        door = Child.python(
            *("ingest.serve", "ingest.serve", own, str(listener.fileno())),
            environment=environment,
            descriptors=[listener.fileno()],
            reloads=True,
        )
        supervise([door, Child.python("ingest.publish", "ingest.publish", own, environment=environment)])


@command()
@follow
@option("--health", is_flag=True, help="Start nothing: say whether the workers of this host do their work.")
@option(
    "--only", type=click.Choice(("events", "menus", "handlers")), hidden=True, help="Do this part of the work alone."
)
def worker(follow: int | None, health: bool, only: str | None) -> None:
    """Run the worker: it writes events into the tables, and does the scheduled work."""
    config = load(Config)
    if health:
        return _tell_health(config)
    if only is not None:
        return _work(config, follow, only)
    logs.set_up(config.log_level)
    _follow(follow)
    from console.database import working

    with working(config):
        pass  # it ends in words, and here, where this kind of database cannot be used at all
    parts = _parts(config)
    _vouch_for_workers(config, parts)
    own = f"--follow={os.getpid()}"
    # systemd listens to this process alone.
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    return supervise(
        [
            Child.python(
                *("worker for events", "console.cli", "worker", "--only=events", own),
                environment=environment,
                patience=WORKER_PATIENCE,
            ),
            *(
                Child.python(
                    f"worker for {part}", "console.cli", "worker", f"--only={part}", own, environment=environment
                )
                for part in parts
                if part != "events"
            ),
        ]
    )


def _parts(config: Config) -> list[str]:
    """Celery's workers that this host needs: one for handlers only where there are any."""
    from workers.handler_packages import installed
    from workers.queues import HANDLERS, LISTENING

    return [*LISTENING, *([HANDLERS] if installed() or config.webhooks else [])]


def _work(config: Config, follow: int | None, part: str) -> None:
    """Celery's worker for a part of the work. Menus have one of their own: a batch may wait for its database for
    minutes, and a task of upkeep may take as long, with all processes of the other one."""
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")  # read by Celery when imported: SIGTERM is the soft shutdown
    _prepare_celery(config, follow)
    from workers.app import app
    from workers.queues import HANDLERS, LISTENING

    if part == HANDLERS:
        from workers.handler_worker import prepare

        queues, processes = prepare(config)
    else:
        queues = list(LISTENING[part])
        processes = config.worker_processes if part == "events" else _PROCESSES_FOR_MENUS
    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--hostname=worker-{secrets.token_hex(4)}@%h",
            f"--concurrency={processes}",
            f"--queues={','.join(queues)}",
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
    )


def _vouch_for_workers(config: Config, parts: list[str]) -> None:
    from workers.health import vouch

    threading.Thread(target=vouch, args=(config.data_dir, parts), name="vouch", daemon=True).start()


@command()
@follow
def beat(follow: int | None) -> None:
    """Run beat: it sets off the scheduled work."""
    config = load(Config)
    _prepare_celery(config, follow)
    from workers.app import app

    config.data_dir.mkdir(parents=True, exist_ok=True)
    app.Beat(schedule=str(config.data_dir / "beat"), quiet=True).run()


def _tell_health(config: Config) -> None:
    """Say that all is well, or end with another exit code than 0."""
    from workers import health

    silences: list[float] = []
    for folder in (health.folder(config.data_dir, part) for part in _parts(config)):
        silences += (found := health.silences(folder))
        if not found:
            text = _("No worker runs here, as far as {folder} tells; start one with: caidan worker")
            raise NotFoundError(text.format(folder=folder))
    if max(silences) > health.SILENT_AFTER:
        text = _("A worker has given no sign of life for {seconds:.0f} seconds; end it, and start it anew.")
        raise click.ClickException(text.format(seconds=max(silences)))
    click.echo(_("Every worker of this host does its work, or has none."))


def _prepare_celery(config: Config, follow: int | None) -> None:
    logs.set_up(config.log_level)
    _follow(follow)
    from celery import signals

    # A receiver of this signal is what keeps Celery from setting up logging of its own.
    signals.setup_logging.connect(_keep_logging, weak=False)


def _keep_logging(**_arguments: Any) -> None:
    pass


def _follow(parent: int | None) -> None:
    """End when the parent does, even if it has done so while this process was starting."""
    if parent is not None:
        from ingest.lifeline import follow_parent

        follow_parent(parent)


def _environment_of_the_door() -> dict[str, str]:
    """The public process holds no database address and no key."""
    hidden = {name + suffix for name in _NOT_FOR_THE_DOOR for suffix in ("", "_FILE")}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def listening(address: str) -> socket.socket:
    """Say at once that the address is taken, where the server would only die again and again."""
    from ingest.listener import listen

    try:
        return listen(address)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        text = _("{address} cannot be bound ({reason}); give another with --bind.")
        raise UnfitError(text.format(address=address, reason=reason)) from None


def _callbacks(config: Config) -> str:
    return " ".join(f"http://{config.bind}/wechat/{account.name}" for account in config.accounts)
