"""The verbs on rotations."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from console.choosing import NUMBER, dry_run
from console.command import NotFoundError, argument, group
from console.database import reading, writing
from console.i18n import _
from console.rotation_adding import add
from console.rotation_coming import coming_switches
from console.rotation_freezing import freeze, unfreeze
from console.rotation_list import list_rotations
from console.rotation_problems import weighed_sentences
from console.rotation_simulating import simulate
from console.rotation_words import rule_words
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.rotations import RotationRow

_number = argument("number", metavar="ID", type=NUMBER, help="Its number in the list.")


@group()
def rotation() -> None:
    """Rotations: which menu is due when. Workers keep the account's menu as they say, to the minute."""


for _verb in (add, list_rotations, coming_switches, simulate, freeze, unfreeze):
    rotation.add_command(_verb)


@rotation.command()
@_number
@dry_run
def remove(number: int, dry_run: bool) -> None:
    """Remove a rotation. What it has published stays on record."""
    from models.rotations import remove_rotation

    with writing(load(Config), dry_run=dry_run) as connection:
        row = _row(connection, number)
        remove_rotation(connection, number)
    click.echo(_("Removed: {rotation}").format(rotation=_named(row)))


@rotation.command()
@_number
@dry_run
def enable(number: int, dry_run: bool) -> None:
    """Let a rotation count again."""
    _set_enabled(number, True, dry_run)


@rotation.command()
@_number
@dry_run
def disable(number: int, dry_run: bool) -> None:
    """Let a rotation count for nothing until it is enabled again."""
    _set_enabled(number, False, dry_run)


def _set_enabled(number: int, enabled: bool, dry_run: bool) -> None:
    from models.rotations import set_enabled

    config = load(Config)
    with reading(config) as connection:
        row = _row(connection, number)
        told = _weighed(connection, row) if enabled else []
    with writing(config, dry_run=dry_run) as connection:
        set_enabled(connection, number, enabled)
    for sentence in told:
        click.echo(sentence, err=True)
    if row.enabled == enabled:
        text = _("Nothing to do: {rotation}")
    else:
        text = _("Enabled: {rotation}") if enabled else _("Disabled: {rotation}")
    click.echo(text.format(rotation=_named(row)))


def _weighed(connection: "Connection", row: "RotationRow") -> list[str]:
    """What is to be thought of when it is enabled."""
    from console.rotation_weighing import weighed

    _plan, found = weighed(connection, replace(row, enabled=True), datetime.now(UTC))
    return weighed_sentences(found, row)


def _row(connection: "Connection", number: int) -> "RotationRow":
    """Raises NotFoundError."""
    from models.rotations import rotation

    found = rotation(connection, number)
    if found is None:
        raise NotFoundError(_("There is no rotation {id}; look with: caidan rotation list").format(id=number))
    return found


def _named(row: "RotationRow") -> str:
    text = _("rotation {id}, version {version}, {rule}")
    return text.format(id=row.id, version=row.version, rule=rule_words(row))
