"""`caidan event forget`: a follower is taken out of the tables, and does not come back into them."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from console.choosing import dry_run
from console.command import InvalidInputError, command, one_account, option
from console.database import chosen_account, find_account, working
from console.i18n import _, ngettext
from models import logs
from models.config import Config, DoorAccount, load

if TYPE_CHECKING:
    from sqlalchemy import Engine


@command()
@one_account
@option(
    "--open-id",
    metavar="OPENID",
    help="The follower. Others on this machine can see it in the list of processes; with - it is read from the input.",
)
@option("--again", is_flag=True, help="Instead: erase what has come back, as from a copy, of all forgotten before.")
@option("--yes", is_flag=True, help="Do not ask.")
@dry_run
def forget(account: str | None, open_id: str | None, again: bool, yes: bool, dry_run: bool) -> None:
    """Forget a follower: their events still count, but nothing in them tells who it was or what they said."""
    if (open_id is not None) == again:
        raise InvalidInputError(_("Give either --open-id or --again."))
    config = load(Config)
    logs.set_up("info")  # the line for audits is one of information
    with working(config) as engine:
        if again:
            _forget_again(engine, dry_run)
        else:
            assert open_id is not None
            _forget_one(engine, chosen_account(config, account), _given(open_id), yes, dry_run)
    if not dry_run:
        _say_what_remains(config)


def _forget_one(engine: "Engine", account: DoorAccount, open_id: str, yes: bool, dry_run: bool) -> None:
    from workers import forget

    now = datetime.now(UTC)
    with engine.connect() as connection:
        account_id = find_account(connection, account.name)
    assert account_id is not None
    if dry_run or not yes:
        _print_erasable(*forget.would_forget(engine, account_id, account.app_id, open_id, now))
    if dry_run:
        return
    if not yes:
        _confirm()
    _print_erased(*forget.forget(engine, account_id, account.app_id, open_id, now))


def _forget_again(engine: "Engine", dry_run: bool) -> None:
    from workers.forget import erase_again

    now = datetime.now(UTC)
    if dry_run:
        _print_erasable(*erase_again(engine, None, now, dry_run=True))
    else:
        _print_erased(*erase_again(engine, None, now))


def _print_erasable(events: int, pushes: int) -> None:
    text = ngettext("{count} event would be stripped.", "{count} events would be stripped.", events)
    click.echo(text.format(count=events))
    text = ngettext(
        "{count} push in quarantine would be emptied.", "{count} pushes in quarantine would be emptied.", pushes
    )
    click.echo(text.format(count=pushes))


def _print_erased(events: int, pushes: int) -> None:
    text = ngettext("{count} event stripped.", "{count} events stripped.", events)
    click.echo(text.format(count=events))
    text = ngettext("{count} push in quarantine emptied.", "{count} pushes in quarantine emptied.", pushes)
    click.echo(text.format(count=pushes))


def _given(open_id: str) -> str:
    """The openid, read where it is not to be in the list of processes.

    Raises InvalidInputError.
    """
    if open_id == "-":
        open_id = click.prompt(_("OpenID"), err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not (open_id := open_id.strip()):
        raise InvalidInputError(_("The OpenID is empty."))
    return open_id


def _confirm() -> None:
    """Raises InvalidInputError where nobody can answer."""
    if not sys.stdin.isatty():
        raise InvalidInputError(_("This cannot be undone: without a terminal to ask in, give --yes."))
    click.confirm(_("This cannot be undone. Go on?"), abort=True, err=True)


def _say_what_remains(config: Config) -> None:
    hours = config.journal_retention / 3600
    text = _("The journal of each ingress may hold such pushes for {hours:g} hours; what comes from it is dropped.")
    click.echo(text.format(hours=hours), err=True)
    click.echo(_("Pushes in quarantine that no key decrypts cannot be searched; nor can copies and exports."), err=True)
