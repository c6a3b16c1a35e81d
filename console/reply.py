"""The verbs on rules for replies."""

from datetime import UTC, datetime

import click

from console.choosing import NAME, dry_run
from console.command import NotFoundError, argument, group, one_account
from console.database import chosen_account, find_account, writing
from console.i18n import _
from console.reply_adding import add
from console.reply_list import list_rules
from console.reply_sending import hand_out
from console.reply_testing import test
from models.config import Config, load


@group()
def reply() -> None:
    """Rules for replies: what the door answers at once to taps, scans and messages."""


for _verb in (add, list_rules, test):
    reply.add_command(_verb)


@reply.command()
@argument("name", type=NAME, help="Of the rule, as in the list.")
@one_account
@dry_run
def remove(name: str, account: str | None, dry_run: bool) -> None:
    """Remove a rule."""
    from models.reply import remove_rule

    config, account_name = _account(account)
    with writing(config, dry_run=dry_run) as connection:
        account_id = find_account(connection, account_name)
        assert account_id is not None
        _found(remove_rule(connection, account_id, name) or None, name)
    if not dry_run:
        hand_out(config)
    click.echo(_("Removed: {rule} of {account}").format(rule=name, account=account_name))


@reply.command()
@argument("name", type=NAME, help="Of the rule, as in the list.")
@one_account
@dry_run
def enable(name: str, account: str | None, dry_run: bool) -> None:
    """Let a rule count again."""
    _set_enabled(name, account, True, dry_run)


@reply.command()
@argument("name", type=NAME, help="Of the rule, as in the list.")
@one_account
@dry_run
def disable(name: str, account: str | None, dry_run: bool) -> None:
    """Let a rule count for nothing until it is enabled again."""
    _set_enabled(name, account, False, dry_run)


def _set_enabled(name: str, account: str | None, enabled: bool, dry_run: bool) -> None:
    from console.reply_saving import refuse_too_much
    from models.reply import rule_named, set_enabled

    config, account_name = _account(account)
    with writing(config, dry_run=dry_run) as connection:
        account_id = find_account(connection, account_name)
        assert account_id is not None
        _found(rule_named(connection, account_id, name), name)
        changed = set_enabled(connection, account_id, name, enabled, datetime.now(UTC))
        refuse_too_much(connection)
    if changed and not dry_run:
        hand_out(config)
    done = _("Enabled: {rule} of {account}") if enabled else _("Disabled: {rule} of {account}")
    text = done if changed else _("Nothing to do: {rule} of {account}")
    click.echo(text.format(rule=name, account=account_name))


def _account(name: str | None) -> tuple[Config, str]:
    config = load(Config)
    return config, name or chosen_account(config, name).name


def _found(row: object, name: str) -> None:
    if row is None:
        raise NotFoundError(_("There is no rule {name!r}; look with: caidan reply list").format(name=name))
