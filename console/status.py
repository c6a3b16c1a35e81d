"""`caidan status`: how it goes, at a glance."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
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

    from console.missing_words import Missing
    from console.rotating import Rotating


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
    from console.missing_words import read_compared
    from console.rotating import read_rotating
    from models import answers, publications, queries
    from models.overview import overview

    now, live = datetime.now(UTC), {}
    for account in config.accounts:
        account_id = queries.account_id(connection, account.name)
        found = None if account_id is None else publications.live(connection, account_id)
        live[account.name] = found and found.version
    rotating = (read_rotating(connection, account.name, now) for account in config.accounts)
    rotations = {found.account: _of_rotations(found, now) for found in rotating if found}
    missing = {account.name: read_compared(connection, account.name, now).missing for account in config.accounts}
    shown = {"events": overview(connection, now), "live_menus": live, "rotations": rotations}
    return shown | {"missing_pushes": missing, "answers": answers.counts(connection, now - timedelta(days=1))}


def _of_rotations(found: "Rotating", now: datetime) -> dict[str, Any]:
    due, switch = found.plan.due(now), found.next_switch(now)
    following = switch.after if switch else None
    return {
        "due": due.rotation.version if due else None,
        "next": switch and {"at": switch.at, "version": following.rotation.version if following else None},
        "delay": found.delay,
        "frozen": found.frozen(now),
        "stopped": found.trips,
    }


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
            *(pair for name, found in shown["rotations"].items() for pair in _rotation_pairs(name, found, config)),
            *(pair for name, missing in shown["missing_pushes"].items() for pair in _missing_pairs(name, missing)),
            *(
                (_("Answers of {handler} in the last day").format(handler=name), _answers(found))
                for name, found in shown["answers"].items()
            ),
        ]
    )


def _rotation_pairs(name: str, found: dict[str, Any], config: Config) -> Iterator[tuple[str, object]]:
    from console.checks_rotation import trip_sentence
    from console.delay_words import why
    from console.rotation_freezing import freezes_in_words

    zone, switch = zone_of(config, name), found["next"]
    yield _("Due menu of {account}").format(account=name), found["due"]
    yield _("Not live, because"), found["delay"] and why(found["delay"])
    if switch and switch["version"]:
        text = _("version {version}, {time}").format(version=switch["version"], time=local(switch["at"], zone))
        yield _("Next menu of {account}").format(account=name), text
    for sentence in freezes_in_words(name, found["frozen"], zone):
        yield _("Frozen"), sentence
    for trip in found["stopped"]:
        yield _("Stopped"), trip_sentence(trip, zone)


def _missing_pairs(name: str, found: Iterable["Missing"]) -> Iterator[tuple[str, object]]:
    from console.missing_words import missing_sentence

    for missing in found:
        yield _("Missing of {account}").format(account=name), missing_sentence(missing)


def _answers(found: dict[str, int]) -> str:
    """The states are those of the table, in the README."""
    return ", ".join(f"{state} {count}" for state, count in found.items())


def _running(runs: bool) -> str:
    return _("running") if runs else _("not running")
