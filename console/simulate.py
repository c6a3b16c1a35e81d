"""`caidan simulate`: pushes to a server on this machine, as WeChat does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from console.command import InvalidInputError, NotFoundError, UnfitError, argument, as_json, command, option
from console.i18n import _
from console.moments import moment
from console.output import print_json, print_pairs
from models.config import DoorAccount, DoorConfig, load
from wechat.simulator.account import Account
from wechat.simulator.connection import NotLocalError
from wechat.simulator.deliveries import Faults
from wechat.simulator.ledger import Line, encode
from wechat.simulator.pusher import Pusher
from wechat.simulator.pushes import pushes
from wechat.simulator.report import Report
from wechat.simulator.request import MODES, Mode

_PATIENCE = 600.0  # seconds that --until-acknowledged waits for a server to come back
_SHARE = click.FloatRange(0, 1)


@command()
@argument("url", metavar="URL", help="The ingress, http://127.0.0.1:8000, or a callback of its; on this machine.")
@option("--account", metavar="NAME", help="The account; needed once there are two.")
@option("--mode", type=click.Choice(MODES), default="plain", help="How the pushes are encrypted.")
@option("--count", type=click.IntRange(1), default=1000, help="So many pushes, repeats aside.")
@option("--rate", type=click.FloatRange(0), default=0, help="Pushes a second; 0 is as fast as answers come.")
@option("--threads", type=click.IntRange(1, 256), default=8, help="Pushes in flight.")
@option("--seed", type=int, default=0, help="The same seed brings the same pushes.")
@option("--since", metavar="MOMENT", help="Pushes of the time from this moment on, like 30d, instead of now.")
@option("--repeat", type=_SHARE, default=0, help="Share of the pushes to deliver twice.")
@option("--reorder", type=click.IntRange(0), default=0, metavar="N", help="Shuffle within N pushes.")
@option("--corrupt", type=_SHARE, default=0, help="Share of the pushes to damage, or to sign wrongly.")
@option("--until-acknowledged", is_flag=True, help="Repeat what failed three times until the server is back.")
@option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help="Write a line of JSON per push to this file.")
@as_json
def simulate(
    url: str,
    account: str | None,
    mode: Mode,
    count: int,
    since: str | None,
    seed: int,
    until_acknowledged: bool,
    ledger: Path | None,
    as_json: bool,
    **delivery: Any,
) -> None:
    """Push to a server on this machine as WeChat does: signed, with five seconds' patience and three attempts."""
    now = datetime.now(UTC)
    addressee = _find_account(account)
    begin = moment(since, now, ZoneInfo(addressee.timezone))
    if begin is not None and begin >= now:
        raise InvalidInputError(_("--since has to be in the past."))
    pushed = simulated(addressee)
    pusher = _pusher(url, pushed, mode, seed, _PATIENCE if until_acknowledged else 0.0, **delivery)
    stream = pushes(pushed, count, seed=seed, period=None if begin is None else (begin, now))
    with _ledger(ledger) as write, _progress(count) as advance:

        def on_line(line: Line) -> None:
            write(encode(line) + b"\n")
            advance(line)

        report = pusher.run(stream, on_line)
    print_json(report.as_json()) if as_json else _print(report)
    if not report.is_fine:
        click.get_current_context().exit(1)


def simulated(account: DoorAccount) -> Account:
    """The account of the configuration, as the platform knows it."""
    return Account(
        name=account.name,
        app_id=account.app_id,
        token=account.token.get_secret_value(),
        aes_key=account.aes_key.get_secret_value() if account.aes_key else None,
        original_id=account.original_id,
    )


def _find_account(name: str | None) -> DoorAccount:
    config = load(DoorConfig)
    if name is None:
        if len(config.accounts) > 1:
            names = ", ".join(account.name for account in config.accounts)
            raise InvalidInputError(
                _("There are several accounts; give --account, one of {names}.").format(names=names)
            )
        return config.accounts[0]
    found = config.account(name)
    if found is None:
        raise NotFoundError(_("The configuration has no account {name}.").format(name=name))
    return found


def _pusher(
    url: str,
    account: Account,
    mode: Mode,
    seed: int,
    patience: float,
    *,
    rate: float,
    threads: int,
    repeat: float,
    reorder: int,
    corrupt: float,
) -> Pusher:
    if mode != "plain" and account.aes_key is None:
        raise UnfitError(_("Account {name} has no aes_key; only --mode plain works.").format(name=account.name))
    faults = Faults(repeat=repeat, corrupt=corrupt, reorder=reorder)
    try:
        return Pusher(url, account, mode, threads=threads, rate=rate, patience=patience, faults=faults, seed=seed)
    except NotLocalError:
        text = _("{url} is not on this machine; pushes go to http://127.0.0.1, [::1] or localhost only.")
        raise InvalidInputError(text.format(url=url)) from None


@contextmanager
def _ledger(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    try:
        opened = nullcontext() if path is None else path.open("wb")
    except OSError as error:
        raise UnfitError(f"{path}: {error.strerror}") from None
    with opened as file:
        yield (lambda _line: None) if file is None else file.write


@contextmanager
def _progress(count: int) -> Iterator[Callable[[Line], None]]:
    """A bar where somebody watches; repeats do not move it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(_("pushing"), total=count)
        yield lambda line: None if line.repeat else progress.advance(task)


def _print(report: Report) -> None:
    shown = report.as_json()
    print_pairs(
        [
            (_("sent"), shown["sent"]),
            *((name, number) for name, number in sorted((shown["answers"] | shown["details"]).items())),
            (_("attempts"), shown["attempts"]),
            (_("repeated"), shown["repeats"]),
            (_("damaged"), shown["damaged"]),
            (_("not acknowledged"), shown["unacknowledged"]),
            (_("wrongly acknowledged"), shown["wrongly_acknowledged"]),
            (_("pushes a second"), shown["per_second"]),
            *((f"{name} (ms)", value) for name, value in shown["latency_ms"].items()),
        ]
    )
