"""The verbs on menus that ask nobody but the database: validate, diff, save, list, show."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import click

from console.choosing import NUMBER, dry_run, zone_of
from console.command import (
    DIFFERS,
    InvalidInputError,
    account_filter,
    argument,
    as_json,
    group,
    one_account,
    option,
)
from console.database import chosen_account, find_account, reading
from console.i18n import _, ngettext
from console.menu_bar import bar, rows
from console.menu_given import LIVE, definition_in, menu_given, unreadable, version_given
from console.menu_live import VERBS, live_version
from console.menu_saving import author, note, print_saved, save_version
from console.menu_tree import menu_title, tree
from console.menu_words import file_sentence, print_problems, sentence
from console.output import local, print_drawn, print_json, print_pairs, print_table
from models.config import Config, load
from wechat.menu import Menu, read
from wechat.menu_check import check
from wechat.menu_diff import difference
from wechat.menu_file import FileError, to_yaml
from wechat.menu_plan import seen
from wechat.menu_rules import Problem

_file = argument("file", metavar="FILE", help="JSON in any of WeChat's shapes, or YAML; - is standard input.")


@group()
def menu() -> None:
    """Menus: check them, compare them, keep their versions, publish them."""


for _verb in VERBS:
    menu.add_command(_verb)


@menu.command()
@_file
@as_json
@click.pass_context
def validate(context: click.Context, file: str, as_json: bool) -> None:
    """Check a menu against all that WeChat asks of one. Ends with 4 where WeChat would refuse it."""
    try:
        problems = check(definition_in(file))
    except FileError as error:
        if not as_json:
            raise unreadable(error, file) from None
        told = {"path": "", "errcode": error.errcode, "level": "error", "message": file_sentence(error, file)}
        print_json({"valid": False, "problems": [told]})
        context.exit(InvalidInputError.exit_code)
    errors = [problem for problem in problems if problem.level == "error"]
    if as_json:
        print_json({"valid": not errors, "problems": [_told(problem) for problem in problems]})
    else:
        print_problems(problems)
        click.echo(_verdict(errors, len(problems) - len(errors)))
    context.exit(InvalidInputError.exit_code if errors else 0)


@menu.command()
@argument("menus", metavar="[OLD] NEW", nargs=-1, required=True, help="Files, versions, or the word live.")
@one_account
@as_json
@click.pass_context
def diff(context: click.Context, menus: tuple[str, ...], account: str | None, as_json: bool) -> None:
    """Show what NEW changes in OLD, or in the latest saved version. Ends with 6 where it changes anything."""
    if len(menus) > 2:
        raise InvalidInputError(_("Give two menus, the old one first."))
    new = menu_given(menus[-1], account)
    old = menu_given(menus[0], account) if menus[1:] else read(version_given(load(Config), account).definition)
    if LIVE in menus:  # which has nothing of what WeChat does not keep
        old, new = seen(old), seen(new)
    changes = difference(old, new)
    if as_json:
        print_json({"differs": bool(changes), "changes": changes})
    elif changes:
        print_drawn(tree(changes, old, new))
    else:
        click.echo(_("No difference."))
    context.exit(DIFFERS if changes else 0)


@menu.command()
@_file
@note
@author
@one_account
@dry_run
@as_json
def save(file: str, note: str | None, author: str | None, account: str | None, dry_run: bool, as_json: bool) -> None:
    """Save a menu as a version, which never changes. The same content is the same version."""
    config = load(Config)
    chosen = chosen_account(config, account)
    found = _valid(file)
    print_saved(chosen, found, save_version(config, chosen, found, note, author, dry_run=dry_run), as_json)


@menu.command("list")
@account_filter
@option("--limit", type=click.IntRange(1, 10_000), default=20, help="At most so many.")
@as_json
def list_versions(account: str | None, limit: int, as_json: bool) -> None:
    """List the saved versions, the newest first."""
    from models import menu_versions

    config = load(Config)
    with reading(config) as connection:
        found = menu_versions.versions(connection, find_account(connection, account), limit)
        live = {name: live_version(connection, name) for name in dict.fromkeys(row.account for row in found)}
    if as_json:
        print_json([{**dataclasses.asdict(row), "is_live": row.version == live[row.account].version} for row in found])
        return
    print_table(
        (_("Version"), _("Account"), _("Saved"), _("Live"), _("Author"), _("Note")),
        [
            (
                row.version,
                row.account,
                local(row.created_at, zone_of(config, row.account)),
                "●" if row.version == live[row.account].version else None,
                row.author,
                row.note,
            )
            for row in found
        ],
    )
    for name, one in live.items():
        if one.drift is not None:
            text = _("The menu of {account} was changed elsewhere, as seen at {time}. Look with: {command}")
            command = f"caidan menu diff {one.version} live --account {name}"
            seen_at = local(one.drift.seen_at, zone_of(config, name))
            click.echo(text.format(account=name, time=seen_at, command=command), err=True)


@menu.command()
@argument("version", metavar="[VERSION]", type=NUMBER, required=False, help="Its number; else the latest.")
@one_account
@option("--yaml", "as_yaml", is_flag=True, help="Print YAML, to be edited and saved again.")
@as_json
def show(version: int | None, account: str | None, as_yaml: bool, as_json: bool) -> None:
    """Show a saved version, drawn as a phone shows it."""
    config = load(Config)
    found = version_given(config, account, version)
    if as_json:
        print_json({**dataclasses.asdict(found.row), "definition": found.definition})
        return
    if as_yaml:
        click.echo(to_yaml(read(found.definition)), nl=False)
        return
    row = found.row
    moment = local(row.created_at, zone_of(config, row.account))
    print_pairs(
        [
            *((name, getattr(row, name)) for name in ("version", "account", "digest", "author", "note")),
            ("created_at", moment),
        ]
    )
    _draw(read(found.definition))


def _valid(file: str) -> Menu:
    """The menu in a file, if an account that has none could have it; tells what is wrong with it.

    Raises NotFoundError and InvalidInputError.
    """
    try:
        definition = definition_in(file)
    except FileError as error:
        raise unreadable(error, file) from None
    problems = check(definition)
    print_problems(problems, err=True)
    if any(problem.level == "error" or problem.reason == "no_default_menu" for problem in problems):
        raise InvalidInputError(_("{file} is not saved, because WeChat would refuse it.").format(file=file))
    return read(definition)


def _told(problem: Problem) -> dict[str, Any]:
    shown = {"path": problem.path, "errcode": problem.errcode, "level": problem.level}
    return {**shown, "message": sentence(problem)}


def _verdict(errors: Sequence[Problem], warnings: int) -> str:
    if errors:
        text = ngettext(
            "{count} error; WeChat would answer {errcode}.",
            "{count} errors; WeChat would answer {errcode}, the first of them.",
            len(errors),
        )
        return text.format(count=len(errors), errcode=errors[0].errcode)
    if warnings:
        return ngettext("Valid, with {count} warning.", "Valid, with {count} warnings.", warnings).format(
            count=warnings
        )
    return _("Valid.")


def _draw(found: Menu) -> None:
    parts: list[tuple[Mapping[str, Any] | None, Any]] = [(None, found.buttons)]
    parts += [(one.rule, one.buttons) for one in found.personal]
    for rule, buttons in parts:
        click.echo(f"\n{menu_title(rule)}\n")
        click.echo(bar(buttons))
        print_table((_("Place"), _("Name"), _("Type"), _("Leads to")), rows(buttons))
    if len(found.personal) > 1:
        click.echo(_("Of several personalised menus for a follower, the last one is shown."))
