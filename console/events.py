"""The verbs on events."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click

from console.choosing import kind_filter, read_id, selected, since, until, zone_of
from console.command import NotFoundError, account_filter, argument, as_json, group, option
from console.database import find_account, reading
from console.export import export
from console.forget import forget
from console.i18n import _
from console.output import local, print_json, print_json_line, print_pairs, print_table, printable
from console.replay import replay_events
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.queries import EventRow, FullEvent

LOOK_EVERY = 0.5  # seconds between two looks at what has arrived
BEGINNING = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))


@group()
def event() -> None:
    """Events: list them, show one, watch them arrive; export, replay, and forget a follower."""


event.add_command(export)
event.add_command(replay_events)
event.add_command(forget)


@event.command("list")
@account_filter
@kind_filter
@since
@until
@option("--limit", type=click.IntRange(1, 10_000), default=20, help="At most so many.")
@as_json
def list_events(
    account: str | None, kind: str | None, since: str | None, until: str | None, limit: int, as_json: bool
) -> None:
    """List events, the newest first."""
    from models import queries

    config = load(Config)
    with reading(config) as connection:
        chosen = asdict(selected(config, connection, account, kind, since, until))
        rows = queries.events(connection, **chosen, limit=limit)
    if as_json:
        print_json(rows)
        return
    print_table(
        (_("Time"), _("Account"), _("Kind"), _("Key"), _("Follower"), _("Event")),
        [
            (
                local(row.created_at, zone_of(config, row.account)),
                row.account,
                row.kind,
                row.event_key,
                row.open_id,
                row.id,
            )
            for row in rows
        ],
    )


@event.command()
@argument("id", metavar="ID", help="The event's id, as list shows it.")
@as_json
def show(id: str, as_json: bool) -> None:  # noqa: A002 - the name of the argument
    """Show an event with all that came with it."""
    from models import queries

    config = load(Config)
    with reading(config) as connection:
        found = queries.event(connection, read_id(id))
    if found is None:
        raise NotFoundError(_("There is no event {id}.").format(id=id))
    if as_json:
        print_json(found)
    else:
        _print_event(found, zone_of(config, found.event.account))


@event.command()
@account_filter
@kind_filter
@option("--count", type=click.IntRange(1), help="End after so many.")
@option("--follow/--no-follow", default=True, help="Wait for more, until Ctrl-C.")
@as_json
def tail(account: str | None, kind: str | None, count: int | None, follow: bool, as_json: bool) -> None:
    """Show the latest events, then each one as it arrives."""
    config = load(Config)
    with reading(config) as connection, suppress(KeyboardInterrupt):
        rows = _arriving(connection, find_account(connection, account), kind, follow)
        for _number, row in zip(range(count or 2**63), rows, strict=False):
            if as_json:
                print_json_line(row)
            else:
                click.echo(_line(row, zone_of(config, row.account)))


def _arriving(connection: "Connection", account_id: int | None, kind: str | None, follow: bool) -> Iterator["EventRow"]:
    """The latest ten, and then, where wanted, whatever is recorded from now on."""
    from models import queries

    recorded_at, last = queries.last_recorded(connection) or BEGINNING
    yield from reversed(queries.events(connection, account_id=account_id, kind=kind, limit=10))
    while follow:
        connection.rollback()  # a transaction sees what was there when it began
        rows = queries.events_after(connection, recorded_at, last, account_id=account_id, kind=kind)
        for row in rows:
            yield row
            recorded_at, last = row.recorded_at, row.id
        if not rows:
            time.sleep(LOOK_EVERY)


def _line(row: "EventRow", zone: ZoneInfo) -> str:
    cells: Iterable[str | None] = (local(row.created_at, zone), f"{row.kind:<20}", row.open_id, row.event_key)
    return printable("  ".join(cell for cell in cells if cell))


def _print_event(found: "FullEvent", zone: ZoneInfo) -> None:
    row = found.event
    print_pairs(
        [
            ("id", row.id),
            ("account", row.account),
            ("kind", row.kind),
            *((name, local(getattr(row, name), zone)) for name in ("created_at", "received_at", "recorded_at")),
            *((name, getattr(row, name)) for name in ("open_id", "event_key", "wechat_menu_id", "msg_id")),
            ("publication_id", row.publication_id),
        ]
    )
    for table, details in found.details.items():
        for detail in details:
            click.echo(f"\n{table}")
            print_pairs(_indented(detail))
    if found.body:
        click.echo("\nbody")
        click.echo(printable(json.dumps(found.body, ensure_ascii=False, indent=2)))


def _indented(detail: dict[str, Any]) -> list[tuple[str, Any]]:
    return [("  " + name, value) for name, value in detail.items()]
