"""The verbs on quarantine: pushes that were signed, but could not be read or recorded."""

import click

from console.choosing import read_id, zone_of
from console.command import NotFoundError, account_filter, argument, as_json, group, option
from console.database import find_account, reading
from console.i18n import _, ngettext
from console.output import local, print_json, print_pairs, print_table, printable
from console.replay import replay_quarantine
from models.config import Config, load

SHOWN_BYTES = 4096  # of a raw push that is no text; --json has them all


@group()
def quarantine() -> None:
    """Quarantine: pushes that could not be read or recorded."""


quarantine.add_command(replay_quarantine)


@quarantine.command("list")
@account_filter
@option("--limit", type=click.IntRange(1, 10_000), default=20, help="At most so many.")
@as_json
def list_quarantined(account: str | None, limit: int, as_json: bool) -> None:
    """List what is in quarantine, the newest first."""
    from models import queries

    config = load(Config)
    with reading(config) as connection:
        rows = queries.quarantined(connection, account_id=find_account(connection, account), limit=limit)
    if as_json:
        print_json(rows)
        return
    print_table(
        (_("Received"), _("Account"), _("Reason"), _("Detail"), _("Id")),
        [
            (local(row.received_at, zone_of(config, row.account)), row.account, row.reason, row.detail, row.id)
            for row in rows
        ],
    )


@quarantine.command()
@argument("id", metavar="ID", help="The id, as list shows it.")
@as_json
def show(id: str, as_json: bool) -> None:  # noqa: A002 - the name of the argument
    """Show why a push is in quarantine, and its bytes."""
    from models import queries

    config = load(Config)
    with reading(config) as connection:
        found = queries.quarantine_item(connection, read_id(id))
    if found is None:
        raise NotFoundError(_("There is nothing in quarantine with the id {id}.").format(id=id))
    if as_json:
        print_json(found)
        return
    row, zone = found.row, zone_of(config, found.row.account)
    print_pairs(
        [
            *((name, getattr(row, name)) for name in ("id", "account", "reason", "detail")),
            ("received_at", local(row.received_at, zone)),
            ("quarantined_at", local(row.quarantined_at, zone)),
            ("replayed_at", local(row.replayed_at, zone)),
        ]
    )
    click.echo("\nraw")
    click.echo(legible(found.raw))


def legible(raw: bytes) -> str:
    """Text as text, with what a terminal would obey escaped; anything else as a dump of its first bytes."""
    try:
        return printable(raw.decode())
    except UnicodeDecodeError:
        lines = [_dump(raw, start) for start in range(0, min(len(raw), SHOWN_BYTES), 16)]
    if (hidden := len(raw) - SHOWN_BYTES) > 0:
        lines.append(ngettext("and {count} more byte", "and {count} more bytes", hidden).format(count=hidden))
    return "\n".join(lines)


def _dump(raw: bytes, start: int) -> str:
    part = raw[start : start + 16]
    text = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in part)
    return f"{start:06x}  {part.hex(' '):<47}  {text}"
