"""The verbs on the journal of this host."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from console.command import DIFFERS, as_json, group, option
from console.i18n import _, ngettext
from console.moments import moment
from console.output import print_json, print_pairs, print_table
from models.config import DoorConfig, load

if TYPE_CHECKING:
    from ingest.segment import SegmentFile


@group()
def journal() -> None:
    """The journal of this host: what its ingress has taken."""


@journal.command()
@as_json
def status(as_json: bool) -> None:
    """Show what the journal holds, and what is not recorded yet."""
    from ingest.journal_files import status as read_status

    found = read_status(load(DoorConfig).journal_dir)
    if as_json:
        print_json(found)
        return
    oldest = found.oldest_pending_seconds
    print_pairs(
        [
            (_("Pushes in the journal"), found.entries),
            (_("Not in the tables yet"), found.pending),
            (_("Oldest of these"), None if oldest is None else _("{seconds:.1f} s").format(seconds=oldest)),
            (_("Bytes on disk"), found.bytes),
            (_("Publisher"), _("running") if found.publisher_running else _("not running")),
        ]
    )
    if found.segments:
        print_table(
            (_("Segment"), _("Pushes"), _("Not in the tables yet"), _("Bytes")),
            [(segment.name, segment.entries, segment.pending, segment.bytes) for segment in found.segments],
        )


@journal.command()
@as_json
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Read every push in the journal. Ends with 6 where one is damaged."""
    from ingest.journal_files import verify as verify_segment
    from ingest.segment import segments

    files = segments(load(DoorConfig).journal_dir)
    found = [one for one in map(verify_segment, _watched(files)) if one]
    damaged = [one for one in found if one.is_damaged]
    if as_json:
        print_json({"damaged": bool(damaged), "segments": found})
    elif damaged:
        print_table((_("Segment"), _("Intact"), _("Damaged")), [(one.name, one.intact, one.damaged) for one in damaged])
        click.echo(_("The publisher sets damaged segments aside, and sends what is intact in them."))
    else:
        text = ngettext(
            "{count} push, intact.", "{count} pushes, all intact.", count := sum(one.intact for one in found)
        )
        click.echo(text.format(count=count))
    context.exit(DIFFERS if damaged else 0)


@journal.command()
@option(
    "--since", metavar="TIME", required=True, help="From this time on: 7d, 12h, today, 2026-10-01, 2026-10-01T12:00."
)
@option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def replay(since: str, dry_run: bool) -> None:
    """Send once more what was taken since a time. What the tables have already stays as it is."""
    from ingest import replays
    from ingest.journal_files import appended_since, status

    config = load(DoorConfig)
    start = moment(since, datetime.now(UTC), ZoneInfo(config.accounts[0].timezone))
    assert start is not None
    count = appended_since(config.journal_dir, start.timestamp())
    if dry_run or not count:
        text = ngettext("{count} push would be sent again.", "{count} pushes would be sent again.", count)
        click.echo(text.format(count=count))
        return
    replays.request(config.journal_dir, start.timestamp())
    text = ngettext("{count} push will be sent again.", "{count} pushes will be sent again.", count)
    click.echo(text.format(count=count))
    if not status(config.journal_dir).publisher_running:
        click.echo(_("No publisher is running; it is done when one does."), err=True)


def _watched(files: "Iterable[SegmentFile]") -> "Iterator[SegmentFile]":
    """The files, with a bar on stderr that tells how much of them is read."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    files = list(files)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(_("Journal"), total=sum(file.bytes() for file in files))
        for file in files:
            size = file.bytes()
            yield file
            progress.advance(task, size)
