"""`caidan stats photos`: what was sent by the buttons for photos."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from console.command import command, option
from console.i18n import _
from console.stats_asked import Asked, opened, question
from console.stats_names import Names, button_columns, names_of
from console.stats_tables import Table, moment, number, ratio, text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from models.photos import ButtonRow, SharedPicture, SizeRow


@command()
@question("buttons", "sends", "shared")
@option("--people", type=click.IntRange(2), default=2, help="Pictures that so many different followers sent.")
@option("--top", type=click.IntRange(1, 100_000), default=20, help="At most so many pictures.")
def photos(asked: Asked, people: int, top: int) -> None:
    """Show how many photos were sent, by which buttons, in how many sends; and which by several people."""
    from models import photos as read

    with opened(asked) as one:
        time, names = one.time(), names_of(one.connection, one.account_id)
        about = (one.connection, one.account_id, time.since, time.until)
        tables = {
            "buttons": lambda: _buttons(read.by_button(*about), names),
            "sends": lambda: _sends(read.per_send(*about)),
            "shared": lambda: _shared(read.shared(*about, people, top), one.zone),
        }
        one.answer(time, tables)


def _buttons(found: "Sequence[ButtonRow]", names: Names) -> Table:
    columns = [
        *button_columns(),
        number("sends", _("Sends")),
        number("users", _("Users")),
        number("declared", _("Declared")),
        number("listed", _("Listed")),
        ratio("per_send", _("Per send")),
        number("differing", _("Not the same")),
        number("empty", _("Without any")),
    ]
    rows = [
        {
            **names.row(row.kind, row.event_key),
            "sends": row.sends,
            "users": row.users,
            "declared": row.declared,
            "listed": row.listed,
            "per_send": row.per_send,
            "differing": row.differing,
            "empty": row.empty,
        }
        for row in found
    ]
    return Table(_("By button: photos as WeChat declared and as it listed them"), columns, rows, bars="sends")


def _sends(found: "Sequence[SizeRow]") -> Table:
    columns = [number("photos", _("Photos")), number("sends", _("Sends")), number("users", _("Users"))]
    rows = [{"photos": row.pictures, "sends": row.sends, "users": row.users} for row in found]
    return Table(_("Photos in one send"), columns, rows, bars="sends")


def _shared(found: "Sequence[SharedPicture]", zone: "ZoneInfo") -> Table:
    columns = [
        text("md5", "MD5"),
        number("users", _("Users")),
        number("times", _("Times")),
        moment("first_at", _("First"), zone),
        moment("last_at", _("Last"), zone),
    ]
    rows = [
        {"md5": row.md5, "users": row.users, "times": row.times, "first_at": row.first_at, "last_at": row.last_at}
        for row in found
    ]
    return Table(_("The same photo from several people"), columns, rows)
