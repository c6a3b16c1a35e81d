"""`caidan stats scans`: what was scanned."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from console.command import command, option
from console.i18n import _
from console.stats_asked import Asked, opened, question
from console.stats_names import Names, button_columns, names_of
from console.stats_tables import Column, Table, moment, number, text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from models.scans import ButtonRow, Code, KindRow


@command()
@question("codes", "kinds", "buttons", "new")
@option("--button", metavar="BUTTON", help="Codes of this key or name only.")
@option("--top", type=click.IntRange(1, 100_000), default=20, help="At most so many codes.")
def scans(asked: Asked, button: str | None, top: int) -> None:
    """Show what was scanned most often, which kinds of codes, by which buttons, and what had never been before."""
    from models import scans as read

    with opened(asked) as one:
        time, names = one.time(), names_of(one.connection, one.account_id)
        about = (one.connection, one.account_id, time.since, time.until)
        key = names.find(button)[0][1] if button else None
        tables = {
            "codes": lambda: _codes(_("Scanned most often"), read.top_codes(*about, event_key=key, top=top), one.zone),
            "kinds": lambda: _kinds(read.kinds(*about), names),
            "buttons": lambda: _buttons(read.by_button(*about), names),
            "new": lambda: _codes(_("Never scanned before"), read.new_codes(*about, top=top), one.zone),
        }
        one.answer(time, tables)


def _codes(title: str, found: "Sequence[Code]", zone: "ZoneInfo") -> Table:
    columns = [
        Column("code", _("What was scanned"), nothing="-"),
        Column("kind", _("Kind"), _kind_words),
        text("symbology", None),
        number("scans", _("Scans")),
        number("users", _("Users")),
        moment("first_at", _("First"), zone),
        moment("last_at", _("Last"), zone),
    ]
    rows = [
        {
            "code": row.result,
            "kind": row.kind,
            "symbology": row.symbology,
            "scans": row.scans,
            "users": row.users,
            "first_at": row.first_at,
            "last_at": row.last_at,
        }
        for row in found
    ]
    return Table(title, columns, rows, bars="scans")


def _kinds(found: "Sequence[KindRow]", names: Names) -> Table:
    columns = [
        *button_columns(),
        Column("code_kind", _("Kind"), _kind_words),
        number("scans", _("Scans")),
        number("codes", _("Codes")),
    ]
    rows = [
        {
            **names.row(None, row.event_key),
            "code_kind": row.kind,
            "scans": row.scans,
            "codes": row.codes,
        }
        for row in found
    ]
    return Table(_("By kind of code"), columns, rows, bars="scans")


def _buttons(found: "Sequence[ButtonRow]", names: Names) -> Table:
    columns = [
        *button_columns(),
        number("scans", _("Scans")),
        number("users", _("Users")),
    ]
    rows = [
        {
            **names.row(row.kind, row.event_key),
            "scans": row.scans,
            "users": row.users,
        }
        for row in found
    ]
    return Table(_("By button"), columns, rows, bars="scans")


def _kind_words(kind: str) -> str:
    return {
        "url": _("link"),
        "ean_13": "EAN-13",
        "ean_8": "EAN-8",
        "upc_a": "UPC-A",
        "upc_e": "UPC-E",
        "wrong_check_digit": _("wrong check digit"),
        "other_barcode": _("other barcode"),
        "other_text": _("other text"),
        "nothing": _("nothing"),
    }[kind]
