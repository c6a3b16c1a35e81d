"""`caidan stats cohorts`: whether followers come back."""

from typing import TYPE_CHECKING, Any

import click

from console.command import command, option
from console.i18n import _
from console.stats_asked import Asked, opened, question
from console.stats_tables import Column, Row, Table, number, share

if TYPE_CHECKING:
    from models.cohorts import Cohort

_DEFAULT = "8w"


@command()
@question()
@option("--weeks", type=click.IntRange(1, 52), default=8, help="So many weeks after the first one.")
def cohorts(asked: Asked, weeks: int) -> None:
    """Show of those who were first seen in a week how many tapped in each week after it.

    First seen is the first tap or subscription ever. Weeks begin on Monday; without a time, the last eight.
    """
    from models.cohorts import cohorts

    with opened(asked) as one:
        time = one.time(_DEFAULT)
        found = cohorts(one.connection, one.account_id, *time.days(), weeks)
        notes = [] if time.until <= one.now else [_("The last week is not over yet.")]
        one.answer(time, {"cohorts": lambda: _table(found, weeks)}, notes=notes)


def _table(found: "list[Cohort]", weeks: int) -> Table:
    places = range(1, weeks + 1)
    columns: list[Column] = [Column("week", _("Week from")), number("users", _("Users"))]
    columns += [share(f"share_{place}", f"+{place}") for place in places]
    columns += [number(f"returned_{place}", None) for place in places]
    return Table(
        _("Of those first seen in a week: share that tapped so many weeks later"),
        columns,
        [_row(one, weeks) for one in found],
    )


def _row(cohort: "Cohort", weeks: int) -> Row:
    row: dict[str, Any] = {"week": cohort.monday, "users": cohort.users}
    for name, values in (("share", cohort.shares), ("returned", cohort.returned)):
        row |= {f"{name}_{place + 1}": values[place] if place < len(values) else None for place in range(weeks)}
    return row
