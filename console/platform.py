"""`caidan platform`: WeChat's servers, simulated, to develop against."""

import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from console.chats import Chats
from console.command import InvalidInputError, NotFoundError, UnfitError, command, option
from console.i18n import _
from console.roles import follow, listening
from console.simulate import simulated
from models.config import Config, load
from wechat.simulator.account import Account
from wechat.simulator.connection import NotLocalError, target
from wechat.simulator.request import MODES, Mode

if TYPE_CHECKING:
    from wechat.simulator.platform.platform import Platform
    from wechat.simulator.platform.state import Fault

_LOOK = 0.2  # seconds between two looks at the chats


def bind_address(_context: click.Context, _option: click.Parameter, address: str) -> str:
    if not re.fullmatch(r"\S+:\d{1,5}", address):
        raise click.BadParameter(_("an address is HOST:PORT, like 127.0.0.1:8001"))
    return address


@command()
@option("--bind", metavar="HOST:PORT", default="127.0.0.1:8001", callback=bind_address, help="Address of the platform.")
@option("--account", "names", metavar="NAME", multiple=True, help="Only this account, or these.")
@option("--push-to", metavar="URL", help="Push what followers do to this ingress, on this machine.")
@option("--mode", type=click.Choice(MODES), default="plain", help="How the pushes are encrypted.")
@option("--rate", type=click.FloatRange(0, min_open=True), default=1.0, help="Pushes a second.")
@option("--followers", type=click.IntRange(0, 100_000), default=200, help="Followers of an account that is new here.")
@option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="Begin from this file, and write it at the end."
)
@option(
    "--fault", "faults", metavar="FAULT", multiple=True, help="What goes wrong, like menu/create:errcode=-1:times=3."
)
@option("--show-chats", is_flag=True, help="Print what each follower does and sees, as it happens.")
@follow
def platform(
    bind: str,
    names: Sequence[str],
    push_to: str | None,
    mode: Mode,
    rate: float,
    followers: int,
    state: Path | None,
    faults: Sequence[str],
    show_chats: bool,
    follow: int | None,
) -> None:
    """Run a simulated WeChat to develop against: its server API, and followers who tap your menu."""
    accounts = _accounts(names)
    from ingest.lifeline import follow_parent
    from wechat.simulator.platform.platform import Platform
    from wechat.simulator.platform.server import Server

    simulation = Platform(accounts, followers)
    parsed = [_fault(written) for written in faults]
    with _kept(simulation, state), listening(bind) as listener:
        simulation.state.faults = parsed or simulation.state.faults
        _direct(simulation, push_to, mode)
        if follow is not None:
            follow_parent(follow)
        server = Server(simulation, listener)
        server.start()
        try:
            _announce(server.url, accounts)
            _run(simulation, rate if push_to else 0.0, Chats(simulation) if show_chats else None)
        finally:
            server.stop()


def _accounts(names: Sequence[str]) -> list[Account]:
    """Those of the configuration, as the platform knows them."""
    configured = load(Config).accounts
    if unknown := set(names) - {account.name for account in configured}:
        raise NotFoundError(_("The configuration has no account {name}.").format(name=", ".join(sorted(unknown))))
    chosen = [account for account in configured if not names or account.name in names]
    for account in chosen:
        if account.app_secret is None:
            text = _("Account {name} has no app_secret: the platform will give it no token.")
            click.echo(text.format(name=account.name), err=True)
    return [replace(simulated(account), app_secret=_text(account.app_secret)) for account in chosen]


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _fault(written: str) -> "Fault":
    from wechat.simulator.platform.faults import FaultError, parse

    try:
        return parse(written)
    except FaultError as error:
        text = _("{fault!r} is no fault ({reason}); write CALL:WHAT=VALUE, like menu/create:errcode=-1:times=3.")
        raise InvalidInputError(text.format(fault=written, reason=error)) from None


def _direct(simulation: "Platform", push_to: str | None, mode: Mode) -> None:
    """Tell the platform where each account's server is."""
    for account in simulation.accounts.values():
        own = simulation.state.accounts[account.app_id]
        own.callback_url = ""
        if push_to is None:
            continue
        if mode != "plain" and account.aes_key is None:
            raise UnfitError(_("Account {name} has no aes_key; only --mode plain works.").format(name=account.name))
        try:
            target(push_to, account.name)
        except NotLocalError:
            text = _("{url} is not on this machine; pushes go to http://127.0.0.1, [::1] or localhost only.")
            raise InvalidInputError(text.format(url=push_to)) from None
        own.callback_url, own.mode = push_to, mode


@contextmanager
def _kept(simulation: "Platform", file: Path | None) -> Iterator[None]:
    """Begin from the state in the file, if there is one, and leave it there."""
    if file is None:
        yield
        return
    import msgspec

    from wechat.simulator.platform.state import State

    try:
        if file.exists():
            simulation.load(msgspec.json.decode(file.read_bytes(), type=State))
        _save(simulation, file)  # what cannot be written is told before anybody relies on it
    except OSError as error:
        raise UnfitError(f"{file}: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        text = _("{file} is no state of the platform: {reason}")
        raise InvalidInputError(text.format(file=file, reason=error)) from None
    try:
        yield
    finally:
        _save(simulation, file)


def _save(simulation: "Platform", file: Path) -> None:
    """Readable to its owner only, for it has tokens in it; and whole, whenever this ends."""
    import msgspec

    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    with simulation.lock:
        draft.write_bytes(msgspec.json.encode(simulation.state))
    draft.replace(file)


def _announce(url: str, accounts: Sequence[Account]) -> None:
    names = ", ".join(f"{account.name} ({account.app_id})" for account in accounts)
    click.echo(_("WeChat is simulated at {url} for {accounts}").format(url=url, accounts=names), err=True)
    click.echo(_("Set CAIDAN_API_BASE_URL={url} for whatever is to call it").format(url=url), err=True)
    text = _("Its clock, faults and followers are at {url}/_control/help; whoever is on this machine can change them")
    click.echo(text.format(url=url), err=True)


def _run(simulation: "Platform", rate: float, chats: Chats | None) -> None:
    """Until Ctrl-C or SIGTERM."""
    from wechat.simulator.platform.traffic import Traffic

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    traffic = Traffic(simulation, rate) if rate else None
    if traffic:
        traffic.start()
    while not ended.wait(_LOOK if chats else None):
        if chats:
            chats.print_new()
    simulation.stopped.set()
    if traffic:
        traffic.stop()
