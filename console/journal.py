"""The verbs on the journal of this host."""

from console.command import as_json, group
from console.i18n import _
from console.output import print_json, print_pairs, print_table
from models.config import DoorConfig, load


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
