"""`caidan stats places`: where followers were, as they chose places; of places that few chose, nothing."""

from typing import TYPE_CHECKING

import click

from console.command import command, option
from console.i18n import _, ngettext
from console.stats_asked import Asked, opened, question
from console.stats_names import names_of
from console.stats_tables import Column, Table, number, text

if TYPE_CHECKING:
    from models.places import Density, Hidden, Names

_LEVEL = 5  # cells of some five kilometres


@command()
@question("names", "cells")
@option(
    "--level", type=click.IntRange(1, 9), default=_LEVEL, help="Length of a geohash: 5 is 5 km, 6 is 1 km, 7 150 m."
)
@option("--button", metavar="BUTTON", help="Places of this key or name only.")
@option("--top", type=click.IntRange(1, 100_000), default=20, help="At most so many of each.")
def places(asked: Asked, level: int, button: str | None, top: int) -> None:
    """Show the places that followers chose most often, by name and on a grid.

    Of places that fewer people chose than places_at_least says, only their number is told.
    """
    from models import places as read

    with opened(asked) as one:
        time, at_least = one.time(), one.config.places_at_least
        key = names_of(one.connection, one.account_id).find(button)[0][1] if button else None
        about = (one.connection, one.account_id, time.since, time.until)
        names = read.top_names(*about, at_least=at_least, event_key=key, top=top)
        density = read.density(*about, level=level, at_least=at_least, event_key=key, top=top)
        facts = {"level": level, "at_least": at_least} | _hidden_facts("names", names.hidden, names.more)
        facts |= _hidden_facts("cells", density.hidden, density.more)
        facts |= {"unnamed": names.unnamed, "nowhere": density.nowhere}
        tables = {"names": lambda: _names(names), "cells": lambda: _cells(density)}
        one.answer(time, tables, facts, _notes(names.hidden, density.hidden, at_least))


def _names(found: "Names") -> Table:
    columns = [
        Column("name", _("Place"), nothing="-"),
        text("address", _("Address")),
        number("times", _("Times")),
        number("users", _("Users")),
    ]
    rows = [{"name": row.name, "address": row.label, "times": row.times, "users": row.users} for row in found.names]
    return Table(_("By name"), columns, rows, bars="times")


def _cells(found: "Density") -> Table:
    columns = [
        text("geohash", _("Cell")),
        Column("latitude", _("Latitude"), lambda value: f"{value:.4f}", is_number=True),
        Column("longitude", _("Longitude"), lambda value: f"{value:.4f}", is_number=True),
        number("times", _("Times")),
        number("users", _("Users")),
        *(Column(side, None) for side in ("south", "west", "north", "east")),
    ]
    rows = [
        {
            "geohash": cell.geohash,
            "latitude": (cell.box.south + cell.box.north) / 2,
            "longitude": (cell.box.west + cell.box.east) / 2,
            "times": cell.times,
            "users": cell.users,
        }
        | cell.box._asdict()
        for cell in found.cells
    ]
    return Table(_("On a grid: the middle of each cell"), columns, rows, bars="times")


def _hidden_facts(what: str, hidden: "Hidden", more: int) -> dict[str, int]:
    return {f"{what}_more": more, f"{what}_hidden": hidden.groups, f"{what}_hidden_times": hidden.times}


def _notes(names: "Hidden", cells: "Hidden", at_least: int) -> list[str]:
    """How much is not told."""
    of_names = ngettext("{count} name is hidden", "{count} names are hidden", names.groups)
    of_cells = ngettext("{count} cell is hidden", "{count} cells are hidden", cells.groups)
    found = [(of_names, names), (of_cells, cells)]
    reason = _("{hidden}: fewer than {at_least} people chose each ({times:,} × in all).")
    return [
        reason.format(hidden=text.format(count=hidden.groups), times=hidden.times, at_least=at_least)
        for text, hidden in found
        if hidden.groups
    ]
