"""The verbs on handlers: functions of your packages that are called for events, and webhooks."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from console.choosing import dry_run, read_id, zone_of
from console.command import NotFoundError, account_filter, argument, as_json, group, option
from console.database import find_account, reading, writing
from console.i18n import _, ngettext
from console.output import local, print_json, print_table
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.handling import Choice

of_handler = option("--handler", metavar="NAME", help="Only of this handler.")
for_reason = option("--reason", metavar="WORD", help="Only what failed for this reason.")


@group()
def handler() -> None:
    """Handlers: what is called for events, yours and webhooks."""


@handler.command("list")
@as_json
def list_handlers(as_json: bool) -> None:
    """List the handlers that workers have told of, and how many events wait for each."""
    from models import handling

    config = load(Config)
    with reading(config) as connection:
        found = handling.handlers(connection)
    if as_json:
        print_json(found)
        return
    zone = zone_of(config, None)
    headings = (_("Handler"), _("Kinds"), _("Key"), _("Accounts"), _("Pending"), _("Running"), _("Failed"))
    print_table(
        (*headings, _("Done lately"), _("Seen")),
        [
            (
                *(one.name, " ".join(one.kinds), one.event_key, " ".join(one.accounts)),
                *(one.counts[state] for state in (handling.PENDING, handling.RUNNING, handling.FAILED, handling.DONE)),
                local(one.seen_at, zone),
            )
            for one in found
        ],
    )


@handler.command()
@of_handler
@account_filter
@for_reason
@option("--limit", type=click.IntRange(1, 10_000), default=20, help="At most so many.")
@as_json
def failed(handler: str | None, account: str | None, reason: str | None, limit: int, as_json: bool) -> None:
    """List the events for which a handler has failed for good, the latest first."""
    from models import handling

    config = load(Config)
    with reading(config) as connection:
        found = handling.failed(connection, _choice(connection, handler, account, reason, None), limit)
    if as_json:
        print_json(found)
        return
    print_table(
        (_("Failed"), _("Account"), _("Handler"), _("Reason"), _("Error"), _("Attempts"), _("Id")),
        [
            (
                local(one.failed_at, zone_of(config, one.account)),
                *(one.account, one.handler, one.reason, one.error, one.attempts, one.event_id),
            )
            for one in found
        ],
    )


@handler.command()
@of_handler
@account_filter
@for_reason
@option("--id", "wanted", metavar="ID", help="Only this event.")
@dry_run
def replay(handler: str | None, account: str | None, reason: str | None, wanted: str | None, dry_run: bool) -> None:
    """Have handlers called again where they have failed for good."""
    from models import handling

    config = load(Config)
    event_id = None if wanted is None else read_id(wanted)
    with writing(config, dry_run=dry_run) as connection:
        count = handling.replay(connection, _choice(connection, handler, account, reason, wanted), datetime.now(UTC))
        if event_id is not None and not count:
            raise NotFoundError(_("No handler has failed for the event {id}.").format(id=event_id))
    text = ngettext("{count} call will be tried again.", "{count} calls will be tried again.", count)
    click.echo(text.format(count=count))


@handler.command()
@argument("name", metavar="NAME", help="The handler, as list shows it.")
@dry_run
def remove(name: str, dry_run: bool) -> None:
    """Forget a handler that is no longer installed, and what still waits for it."""
    from models import handling

    with writing(load(Config), dry_run=dry_run) as connection:
        was_there, count = handling.remove(connection, name)
        if not was_there:
            raise NotFoundError(_("There is no handler {name!r}.").format(name=name))
    text = ngettext(
        "Removed, with {count} event that waited for it or had failed.",
        "Removed, with {count} events that waited for it or had failed.",
        count,
    )
    click.echo(text.format(count=count))


def _choice(
    connection: "Connection", handler: str | None, account: str | None, reason: str | None, wanted: str | None
) -> "Choice":
    from models.handling import Choice

    event_id = None if wanted is None else read_id(wanted)
    return Choice(handler, find_account(connection, account), reason, event_id)
