"""The verbs on the views: what an analyst finds in them, and how somebody is let read them and nothing else."""

import re

import click

from console.command import InvalidInputError, argument, as_json, command
from console.i18n import _, language
from console.output import print_json
from models.config import Config, load

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,31}")


@command()
@as_json
def views(as_json: bool) -> None:
    """List the views for analysts, and say what their columns mean."""
    from models.view_columns import COLUMNS
    from models.view_dialects import Dialect
    from models.views import views as all_views

    found = all_views(Dialect())
    if as_json:
        print_json(
            [
                {
                    "name": view.name,
                    "english": view.comment.english,
                    "chinese": view.comment.chinese,
                    "columns": [{"name": column, **COLUMNS[column]._asdict()} for column in view.columns],
                }
                for view in found
            ]
        )
        return
    is_chinese = language() == "zh"
    for view in found:
        click.echo(f"{view.name}  {view.comment.chinese if is_chinese else view.comment.english}")
        for column in view.columns:
            click.echo(f"  {column:18} {COLUMNS[column].chinese if is_chinese else COLUMNS[column].english}")
        click.echo()


@command()
@argument("name", help="The role to be made: lower-case letters, digits and _.")
def reader(name: str) -> None:
    """Print the SQL that lets a role of the database read the views, and nothing else. Nothing is changed."""
    from sqlalchemy import make_url

    from models.view_readers import statements

    if not _NAME.fullmatch(name):
        raise InvalidInputError(_("A role is named by lower-case letters, digits and _, at most 32 of them."))
    url = make_url(load(Config).database_url.get_secret_value())
    if url.get_backend_name() == "sqlite":
        raise InvalidInputError(
            _("SQLite has no roles: whoever may read the file may read all of it. Open it read-only.")
        )
    for statement in statements(url.get_backend_name(), url.database or "", name):
        click.echo(f"{statement};")
    click.echo(_("Run this as an administrator of the database, and then give the role a password."), err=True)
