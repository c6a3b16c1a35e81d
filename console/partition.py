"""The verbs on PostgreSQL's partitions, and on what may go after `retention_days`, which is so on every database."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from console.command import InvalidInputError, NotFoundError, UnfitError, as_json, group, option
from console.i18n import _, ngettext
from console.output import print_json, print_table
from models import months
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from models.partition import Partition
    from models.retention import Gone

MONTHS_AT_MOST = 120
_YEARS = range(2011, 2101)  # those of `created_at`


@group()
def partition() -> None:
    """PostgreSQL's partitions by month: list, create, detach, drop them. And what is no longer to be kept."""


def _of_months(verb: Callable[..., Any]) -> Callable[..., Any]:
    for given in (
        option("--until", "last", metavar="MONTH", help="The last month of several."),
        option("--from", "first", metavar="MONTH", help="The first month of several."),
        option("--month", metavar="MONTH", help="A month, such as 2026-10."),
    ):
        verb = given(verb)
    return verb


_dry_run = option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@partition.command("list")
@as_json
def list_partitions(as_json: bool) -> None:
    """List the partitions, detached ones too. Rows are estimates."""
    from console.database import working
    from models.partition import has_partitions, partitions

    with working(load(Config)) as engine, engine.connect() as connection:
        found = partitions(connection)
        if not has_partitions(engine):
            click.echo(_("There are no partitions: only PostgreSQL keeps these tables by month."), err=True)
    if as_json:
        print_json([_as_json(one) for one in found])
    elif found:
        _print(found)


@partition.command()
@_of_months
@_dry_run
def create(month: str | None, first: str | None, last: str | None, dry_run: bool) -> None:
    """Create the partitions of months, or attach detached ones. Rows that are there already move into them."""
    from models import partition

    wanted = _wanted(month, first, last)
    with _partitioned() as engine:
        with engine.connect() as connection:
            missing = partition.missing(connection, wanted)
            rests = {one.table: one.rows for one in partition.partitions(connection) if one.state == partition.DEFAULT}
        if dry_run:
            print_table((_("Partition"), _("Rows to move")), [(one.name, f"{one.rows:,}") for one in missing])
        elif missing:
            total = sum(rests[table] for table in {one.table for one in missing if one.rows})
            with _bar(_("Rows"), total) as moved:
                partition.create(engine, wanted, moved)
            click.echo("\n".join(one.name for one in missing))
    if not missing:
        click.echo(_("Nothing to do: these months have their partitions."), err=True)


@partition.command()
@_of_months
@_dry_run
def detach(month: str | None, first: str | None, last: str | None, dry_run: bool) -> None:
    """Take the partitions of months out of their tables. They stay, as tables of their own."""
    from models import partition

    with _chosen(_wanted(month, first, last), partition.ATTACHED) as (engine, found):
        _print(found)
        if not dry_run:
            partition.detach(engine, {one.month for one in found if one.month})


@partition.command()
@_of_months
@_dry_run
@option("--yes", is_flag=True, help="Do not ask.")
def drop(month: str | None, first: str | None, last: str | None, dry_run: bool, yes: bool) -> None:
    """Drop the partitions of months, detached ones too, with all that is in them."""
    from models import partition

    with _chosen(_wanted(month, first, last), partition.ATTACHED, partition.DETACHED) as (engine, found):
        _print(found)
        if dry_run:
            return
        if not yes:
            text = ngettext("Drop {count} partition for good?", "Drop {count} partitions for good?", len(found))
            click.confirm(text.format(count=len(found)), abort=True, err=True)
        partition.drop(engine, {one.month for one in found if one.month})


@partition.command()
@_dry_run
@as_json
def retain(dry_run: bool, as_json: bool) -> None:
    """Let go what retention_days says. A task does the same every night."""
    from console.database import working
    from models import retention

    config = load(Config)
    limits = retention.limits(config.retention_days, datetime.now(UTC))
    gone = retention.Gone()
    if not config.retention_days:
        click.echo(_("retention_days is not configured: everything is kept."), err=True)
    else:
        with working(config) as engine, _explained():
            with engine.connect() as connection:
                gone = expired = retention.expired(connection, limits)
            if not dry_run:
                gone = retention.Gone()
                with _bar(_("Rows"), sum(expired.rows.values())) as went:
                    for step in retention.let_go(engine, limits):
                        gone.add(step)
                        went(sum(step.rows.values()))
    if as_json:
        print_json({"dry_run": dry_run, "partitions": gone.partitions, "rows": gone.rows})
    elif config.retention_days:
        _print_gone(gone)


def _wanted(month: str | None, first: str | None, last: str | None) -> list[date]:
    if (month is None) == (first is None and last is None) or (first is None) != (last is None):
        raise InvalidInputError(_("Say which: --month 2026-10, or --from 2026-01 --until 2026-12."))
    start, end = _month(month or first or ""), _month(month or last or "")
    wanted = list(months.span(start, end))
    if not wanted:
        raise InvalidInputError(_("--until is before --from."))
    if len(wanted) > MONTHS_AT_MOST:
        raise InvalidInputError(_("At most {count} months at a time.").format(count=MONTHS_AT_MOST))
    return wanted


def _month(text: str) -> date:
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
    if found is None or int(found[1]) not in _YEARS:
        raise InvalidInputError(_("{text!r} is no month; give one like 2026-10").format(text=text))
    return date(int(found[1]), int(found[2]), 1)


@contextmanager
def _partitioned() -> Iterator["Engine"]:
    """The database, if it has partitions."""
    from console.database import working
    from models.partition import has_partitions

    with working(load(Config)) as engine, _explained():
        if not has_partitions(engine):
            raise UnfitError(_("There are no partitions: only PostgreSQL keeps these tables by month."))
        yield engine


@contextmanager
def _chosen(wanted: Sequence[date], *states: str) -> Iterator[tuple["Engine", list["Partition"]]]:
    from models.partition import of_months

    with _partitioned() as engine:
        with engine.connect() as connection:
            found = of_months(connection, wanted, *states)
        if not found:
            raise NotFoundError(_("There is no such partition; see: caidan db partition list"))
        yield engine, found


@contextmanager
def _explained() -> Iterator[None]:
    from models.locks import BusyError
    from models.partition import StrandedError

    try:
        yield
    except BusyError as error:
        text = _(
            "{table} is in use without a pause: by a long query, an export or a backup. Try again when that has ended."
        )
        raise UnfitError(text.format(table=error.subject)) from None
    except StrandedError as error:
        text = _(
            "{name} is detached, and {rows} rows of its month are in the default partition by now, too many to merge. "
            "Rename that table, or drop it with `caidan db partition drop`, and try again."
        )
        raise UnfitError(text.format(name=error.missing.name, rows=error.missing.rows)) from None


@contextmanager
def _bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, where somebody watches; what it yields moves it on."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=total)
        yield lambda count: progress.advance(task, count)


def _as_json(one: "Partition") -> dict[str, Any]:
    return {
        "table": one.table,
        "partition": one.name,
        "month": one.month and f"{one.month:%Y-%m}",
        "state": one.state,
        "rows": one.rows,
        "bytes": one.bytes,
    }


def _print(found: Sequence["Partition"]) -> None:
    states = {
        "attached": _("attached"),
        "default": _("default"),
        "detached": _("detached"),
        "unfinished": _("unfinished"),
    }
    print_table(
        (_("Table"), _("Month"), _("Partition"), _("State"), _("Rows"), _("Size")),
        [
            (
                one.table,
                one.month and f"{one.month:%Y-%m}",
                one.name,
                states[one.state],
                f"{one.rows:,}",
                _size(one.bytes),
            )
            for one in found
        ],
    )


def _print_gone(gone: "Gone") -> None:
    if not (gone.rows or gone.partitions):
        click.echo(_("Nothing is expired."), err=True)
    if gone.partitions:
        print_table([_("Partition")], [[name] for name in gone.partitions])
    if gone.rows:
        print_table((_("Kind"), _("Rows")), [(kind, f"{rows:,}") for kind, rows in sorted(gone.rows.items())])


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"
