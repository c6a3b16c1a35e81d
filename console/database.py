"""The verbs on the database, and how the other verbs reach it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from console.command import DIFFERS, InvalidInputError, NotFoundError, UnfitError, as_json, group, option
from console.i18n import _
from console.output import print_json
from console.partition import partition
from console.views import reader, views
from models.config import Config, DoorAccount, load

if TYPE_CHECKING:  # SQLAlchemy takes longer to import than most verbs to run
    from sqlalchemy import Connection, Engine


@group()
def db() -> None:
    """The database: create or upgrade it, check it, see to its partitions, and let analysts read it."""


for _command in (partition, views, reader):
    db.add_command(_command)


@db.command()
@option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def upgrade(dry_run: bool) -> None:
    """Create the tables, or bring them up to date."""
    config = load(Config)
    if not dry_run:
        upgrade_database(config)
        click.echo(_("The database is up to date."), err=True)
        return
    for problem in _problems(config) or [_("Nothing to do: the database is up to date.")]:
        click.echo(problem)


@db.command()
@as_json
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Check the tables. Ends with 6 where they are not as this version needs them."""
    problems = _problems(load(Config))
    if as_json:
        print_json({"up_to_date": not problems, "problems": problems})
    for problem in () if as_json else problems or [_("The database is up to date.")]:
        click.echo(problem)
    context.exit(DIFFERS if problems else 0)


def upgrade_database(config: Config) -> None:
    """Bring the tables up to date, and the accounts into them."""
    import migrations
    from models.account import upsert_accounts
    from models.db import transaction

    with _engine(config) as engine:
        migrations.upgrade(engine)
        with transaction(engine) as connection:
            upsert_accounts(connection, config.accounts)


@contextmanager
def reading(config: Config) -> Iterator["Connection"]:
    """A connection to read with; ends in words and exit code 2 where there is no database, or no table yet."""
    with _engine(config) as engine, engine.connect() as connection:
        yield connection


@contextmanager
def writing(config: Config, *, dry_run: bool = False) -> Iterator["Connection"]:
    """A transaction, which is committed at the end, or undone; ends like `reading` where it can write nowhere.

    Of a dry run it is said here that it was one, since verbs print what they have done in the same words.
    """
    from models.db import transaction

    with _engine(config) as engine, transaction(engine) as connection:
        yield connection
        if dry_run:
            connection.rollback()
    if dry_run:
        click.echo(_("This was a dry run: everything is as it was."), err=True)


@contextmanager
def working(config: Config) -> Iterator["Engine"]:
    """The database, for work in several transactions; ends like `reading`."""
    with _engine(config) as engine:
        yield engine


def find_account(connection: "Connection", name: str | None) -> int | None:
    """The id of the account of this name; None, which is all of them, where no name is given.

    Raises NotFoundError.
    """
    from models import queries

    if name is None:
        return None
    if (found := queries.account_id(connection, name)) is not None:
        return found
    names = ", ".join(queries.account_names(connection))
    raise NotFoundError(_("There is no account {name!r}; there is: {names}").format(name=name, names=names))


def chosen_account(config: Config, name: str | None) -> DoorAccount:
    """The configured account of this name; without one, the only account there is.

    Raises NotFoundError and InvalidInputError.
    """
    names = ", ".join(account.name for account in config.accounts)
    if name is None and len(config.accounts) != 1:
        raise InvalidInputError(_("Say with --account which one: {names}").format(names=names))
    found = config.accounts[0] if name is None else config.account(name)
    if found is None:
        raise NotFoundError(_("There is no account {name!r}; there is: {names}").format(name=name, names=names))
    return found


def account_row(connection: "Connection", account: DoorAccount) -> int:
    """The id of a configured account, which gets its row here if it has none yet."""
    from models import queries
    from models.account import upsert_accounts

    upsert_accounts(connection, [account])
    found = queries.account_id(connection, account.name)
    assert found is not None
    return found


@contextmanager
def _engine(config: Config) -> Iterator["Engine"]:
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from models.db import connect
    from models.disk import NetworkDiskError

    try:
        engine = connect(config.database_url.get_secret_value())
    except (SQLAlchemyError, ImportError, KeyError, NetworkDiskError) as error:  # no such database, or no driver for it
        raise UnfitError(_("The database cannot be used: {error}").format(error=error)) from None
    try:
        yield engine
    except DBAPIError as error:
        raise _explained(engine, error) from None
    finally:
        engine.dispose()


def _problems(config: Config) -> list[str]:
    import migrations

    with _engine(config) as engine:
        return migrations.problems(engine)


def _explained(engine: "Engine", error: Exception) -> UnfitError:
    """Why the database did not do it, as far as it can be found out by asking again."""
    import sqlalchemy

    place = engine.url.render_as_string(hide_password=True)
    try:
        migrated = sqlalchemy.inspect(engine).has_table("event")
    except sqlalchemy.exc.SQLAlchemyError:
        text = _("The database {place} cannot be reached: {error}. Is it running, and is the address right?")
        return UnfitError(text.format(place=place, error=_first_line(error)))
    if not migrated:
        return UnfitError(_("The database {place} has no tables yet; run: caidan db upgrade").format(place=place))
    text = _("The database {place} refuses: {error}. If it is of another version, run: caidan db upgrade")
    return UnfitError(text.format(place=place, error=_first_line(error)))


def _first_line(error: Exception) -> str:
    """What the driver said, without the statement and the values that SQLAlchemy adds."""
    return str(getattr(error, "orig", error)).strip().split("\n", 1)[0].rstrip(".")
