"""`caidan status`: how it goes, at a glance."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console.checks_roles import BEAT_SILENT_AFTER, beat_age
from console.choosing import zone_of
from console.command import as_json, command
from console.database import reading
from console.i18n import _
from console.output import local, print_json, print_pairs
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection


@command()
@as_json
def status(as_json: bool) -> None:
    """Show how it goes: what runs on this host, what waits, what was recorded, and which menus are live."""
    config = load(Config)
    shown = {"host": _of_host(config)}
    with reading(config) as connection:
        shown |= _of_tables(connection, config)
    print_json(shown) if as_json else _print(shown, config)


def _of_host(config: Config) -> dict[str, Any]:
    from ingest.journal_files import status as journal_status
    from workers import health

    journal, age = journal_status(config.journal_dir), beat_age(config.data_dir, time.time())
    silences = health.silences(config.data_dir / health.FOLDER)
    return {
        "publisher": journal.publisher_running,
        "workers": sum(silence <= health.SILENT_AFTER for silence in silences),
        "beat": age is not None and age <= BEAT_SILENT_AFTER,
        "journal_pending": journal.pending,
        "journal_oldest_seconds": journal.oldest_pending_seconds,
    }


def _of_tables(connection: "Connection", config: Config) -> dict[str, Any]:
    from models import publications, queries
    from models.overview import overview

    live = {}
    for account in config.accounts:
        account_id = queries.account_id(connection, account.name)
        found = None if account_id is None else publications.live(connection, account_id)
        live[account.name] = found and found.version
    return {"events": overview(connection, datetime.now(UTC)), "live_menus": live}


def _print(shown: dict[str, Any], config: Config) -> None:
    host, events = shown["host"], shown["events"]
    oldest = host["journal_oldest_seconds"]
    print_pairs(
        [
            (_("Publisher"), _running(host["publisher"])),
            (_("Workers"), host["workers"]),
            (_("Beat"), _running(host["beat"])),
            (_("Not in the tables yet"), host["journal_pending"]),
            (_("Oldest of these"), None if oldest is None else _("{seconds:.1f} s").format(seconds=oldest)),
            (_("Recorded in the last hour"), events.last_hour),
            (_("Recorded in the last day"), events.last_day),
            (_("Last event"), local(events.last_recorded_at, zone_of(config, None))),
            (_("In quarantine"), events.quarantined),
            *((_("Live menu of {account}").format(account=name), v) for name, v in shown["live_menus"].items()),
        ]
    )


def _running(runs: bool) -> str:
    return _("running") if runs else _("not running")
