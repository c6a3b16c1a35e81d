"""`caidan stats rotation`: what each window of a rotation brought."""

from console.choosing import NUMBER
from console.command import command, option
from console.i18n import _
from console.stats_asked import Asked, opened, question
from console.stats_tables import Column, Table, moment, number, ratio


@command()
@question()
@option("--rotation", "rotation_id", type=NUMBER, metavar="ID", help="Only of this one.")
def rotation(asked: Asked, rotation_id: int | None) -> None:
    """Count what each window of the rotations brought: the taps that are tied to the menu it put up."""
    from models.rotation_report import windows

    with opened(asked) as one:
        time = one.time()
        found = windows(one.connection, one.account_id, time.since, time.until, rotation_id)
        rows = [
            {
                "publication": row.publication_id,
                "rotation": row.rotation_id,
                "version": row.version,
                "started_at": row.started_at,
                "ended_at": row.ended_at,
                "taps": row.taps,
                "users": row.users,
                "taps_per_user": row.taps / row.users if row.users else None,
                "taps_per_hour": row.taps_per_hour(one.now),
            }
            for row in found
        ]
        columns = [
            Column("publication", _("Publication"), is_number=True),
            Column("rotation", _("Rotation"), is_number=True),
            Column("version", _("Version"), is_number=True),
            moment("started_at", _("Live from"), one.zone),
            moment("ended_at", _("Live until"), one.zone),
            number("taps", _("Taps")),
            number("users", _("Users")),
            ratio("taps_per_user", None),
            ratio("taps_per_hour", _("Per hour")),
        ]
        one.answer(time, {"windows": lambda: Table("", columns, rows, bars="taps_per_hour")})
