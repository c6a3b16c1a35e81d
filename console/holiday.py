"""The verbs on days that are not what their weekday says."""

from datetime import UTC, date, datetime

import click

from console.choosing import NAME, dry_run
from console.command import InvalidInputError, NotFoundError, argument, as_json, group, option
from console.database import reading, writing
from console.i18n import _, ngettext
from console.output import print_json, print_table
from console.rotation_calendar import weekday
from models.config import Config, load


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(_("{text!r} is no date; give one like 2026-10-01").format(text=text)) from None


def _read_days(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> list[date]:
    return [_day(text) for text in texts]


_dates = argument("dates", metavar="DATE...", nargs=-1, required=True, callback=_read_days, help="As 2026-10-01.")


@group()
def holiday() -> None:
    """Holidays, and weekend days that are worked: what a rotation's --days goes by. The same for all accounts."""


@holiday.command("list")
@option("--year", type=click.IntRange(1970, 9999), help="Only of this year.")
@as_json
def list_days(year: int | None, as_json: bool) -> None:
    """List the days that are not what their weekday says."""
    from models import holidays

    with reading(load(Config)) as connection:
        found = holidays.holidays(connection, year)
        calendar = holidays.calendar(connection)
    if as_json:
        print_json([{"date": row.date.isoformat(), "is_workday": row.is_workday, "name": row.name} for row in found])
        return
    if found:
        print_table(
            (_("Date"), _("Weekday"), _("What it is"), _("Name")),
            [(row.date, weekday(row.date), _deed(row.is_workday), row.name) for row in found],
        )
    this_year = datetime.now(UTC).year
    for one in [year] if year else [this_year, this_year + 1]:
        if not calendar.knows(one):
            click.echo(_("The holidays of {year} are not in the table.").format(year=one), err=True)


@holiday.command("load")
@argument("years", metavar="[YEAR]...", nargs=-1, type=click.IntRange(1970, 9999), help="Else this one and the next.")
@dry_run
def load_years(years: tuple[int, ...], dry_run: bool) -> None:
    """Add China's holidays and make-up workdays. Days that are in the table already stay as they are."""
    from models.holidays import load_year

    this_year = datetime.now(UTC).year
    missing = []
    with writing(load(Config), dry_run=dry_run) as connection:
        for year in years or (this_year, this_year + 1):
            count = load_year(connection, year)
            if count is None:
                missing.append(year)
            else:
                text = ngettext("{year}: {count} day is new.", "{year}: {count} days are new.", count)
                click.echo(text.format(year=year, count=count))
    for year in missing:
        text = _(
            "{year}: not known here. The State Council announces a year's holidays in November of the year before; "
            "install a newer chinesecalendar then, or set the days with: caidan holiday set"
        )
        click.echo(text.format(year=year), err=True)
    if years and missing:
        raise NotFoundError(_("Not all of the years are known."))


@holiday.command("set")
@_dates
@option("--workday/--holiday", "is_workday", default=None, help="What the days are; one of the two is needed.")
@option("--name", default="", type=NAME, help="What they are called.")
@dry_run
def set_days(dates: list[date], is_workday: bool | None, name: str, dry_run: bool) -> None:
    """Say of days whether they are worked, whatever was said before."""
    from models.holidays import set_day

    if is_workday is None:
        raise InvalidInputError(_("Say what the days are: --workday or --holiday."))
    with writing(load(Config), dry_run=dry_run) as connection:
        for day in dates:
            set_day(connection, day, is_workday, name)
    for day in dates:
        click.echo(f"{day} {weekday(day)}  {_deed(is_workday)}  {name}".rstrip())


@holiday.command("remove")
@_dates
@dry_run
def remove_days(dates: list[date], dry_run: bool) -> None:
    """Let days be what their weekday says."""
    from models.holidays import remove_day

    with writing(load(Config), dry_run=dry_run) as connection:
        missing = [day for day in dates if not remove_day(connection, day)]
        if missing:
            text = _("{date} is not in the table, and nothing is removed.")
            raise NotFoundError(text.format(date=missing[0]))
    for day in dates:
        is_workday = day.isoweekday() <= 5
        click.echo(f"{day} {weekday(day)}  {_deed(is_workday)}")


def _deed(is_workday: bool) -> str:
    return _("workday") if is_workday else _("holiday")
