"""Versions of menus, as verbs save them."""

from datetime import UTC, datetime
from typing import Any

import click

from console.choosing import NAME, NOTE
from console.command import option
from console.database import account_row, reading, writing
from console.i18n import _
from console.output import print_json
from models.config import Config, DoorAccount
from wechat.menu import Menu, content, digest, write

note = option("--note", type=NOTE, help="A word about the version.")
author = option("--author", type=NAME, help="Who made it.")


def save_version(
    config: Config, chosen: DoorAccount, found: Menu, note: str | None, author: str | None, *, dry_run: bool
) -> tuple[int | None, bool]:
    """The version that has this content, and whether it is new; a dry run knows no number of a new one."""
    from models import menu_versions, queries

    key = digest(found)
    if dry_run:
        with reading(config) as connection:
            account_id = queries.account_id(connection, chosen.name)
            known = None if account_id is None else menu_versions.version_of(connection, account_id, key)
        return known, known is None
    definition, now = write(content(found)), datetime.now(UTC)
    with writing(config) as connection:
        row = account_row(connection, chosen)
        return menu_versions.save_version(connection, row, definition, key, note=note, author=author, now=now)


def print_saved(chosen: DoorAccount, found: Menu, saved: tuple[int | None, bool], as_json: bool, **more: Any) -> None:
    version, is_new = saved
    if as_json:
        print_json({"account": chosen.name, "version": version, "is_new": is_new, "digest": digest(found), **more})
    elif version is None:
        click.echo(_("It would become a new version."))
    elif is_new:
        click.echo(_("Saved as version {version}.").format(version=version))
    else:
        click.echo(_("Nothing to do: this is version {version}.").format(version=version))
