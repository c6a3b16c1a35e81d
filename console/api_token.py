"""The verbs on tokens of the HTTP API: who may ask about which accounts."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from console.choosing import dry_run, zone_of
from console.command import NotFoundError, argument, as_json, group, option
from console.database import account_row, chosen_account, reading, writing
from console.i18n import _
from console.output import local, print_json, print_table
from models.config import Config, load


@group("api-token")
def api_token() -> None:
    """Tokens of the HTTP API, which `caidan console` serves: each asks about its accounts, and changes nothing."""


@api_token.command()
@argument("name", help="Whose it is, in words.")
@option("--account", "accounts", metavar="NAME", multiple=True, help="For this account; may be repeated.")
@dry_run
def add(name: str, accounts: Sequence[str], dry_run: bool) -> None:
    """Make a token, and print it: this once, as only its digest is kept."""
    from models.api_tokens import add_api_token

    config = load(Config)
    chosen = [chosen_account(config, account) for account in accounts or (None,)]
    with writing(config, dry_run=dry_run) as connection:
        ids = [account_row(connection, account) for account in chosen]
        row, token = add_api_token(connection, name, ids, datetime.now(UTC))
    names = ", ".join(row.accounts)
    if dry_run:
        click.echo(_("A token would be made for {accounts}.").format(accounts=names))
        return
    click.echo(token)
    text = _("Token {id} for {accounts}. It is not shown again; end it with: caidan api-token revoke {id}")
    click.echo(text.format(id=row.id, accounts=names), err=True)


@api_token.command("list")
@as_json
def list_api_tokens(as_json: bool) -> None:
    """List the tokens: whose they are, for which accounts, and since when they are good, or no longer."""
    from models.api_tokens import api_tokens

    config = load(Config)
    with reading(config) as connection:
        rows = api_tokens(connection)
    if as_json:
        print_json(rows)
        return
    zone = zone_of(config, None)
    print_table(
        (_("Id"), _("Name"), _("Accounts"), _("Made"), _("Revoked")),
        [
            (row.id, row.name, ", ".join(row.accounts), local(row.created_at, zone), local(row.revoked_at, zone))
            for row in rows
        ],
    )


@api_token.command()
@argument("id", type=click.IntRange(1), metavar="ID", help="The id, as list shows it.")
@dry_run
def revoke(id: int, dry_run: bool) -> None:  # noqa: A002 - the name of the argument
    """End a token at once."""
    from models.api_tokens import api_tokens, revoke_api_token

    with writing(load(Config), dry_run=dry_run) as connection:
        row = next((row for row in api_tokens(connection) if row.id == id), None)
        if row is None:
            raise NotFoundError(_("There is no token {id}; look with: caidan api-token list").format(id=id))
        is_done = revoke_api_token(connection, id, datetime.now(UTC))
    if not is_done:
        text = _("Token {id} ({name}) was revoked already.")
    elif dry_run:
        text = _("Token {id} ({name}) would be revoked.")
    else:
        text = _("Token {id} ({name}) is revoked.")
    click.echo(text.format(id=id, name=row.name), err=not dry_run)
