"""The verbs on what was counted: taps and users."""

from datetime import UTC, datetime

import click

from console.choosing import dry_run, selected, since, until
from console.command import account_filter, group
from console.database import working
from console.i18n import _, ngettext
from console.progress import progress
from console.stats_buttons import buttons
from console.stats_cohorts import cohorts
from console.stats_compare import compare
from console.stats_funnel import funnel
from console.stats_health import health
from console.stats_paths import paths
from console.stats_photos import photos
from console.stats_places import places
from console.stats_reconcile import reconcile
from console.stats_rotation import rotation
from console.stats_scans import scans
from models.config import Config, load


@group()
def stats() -> None:
    """What was tapped how often, and by how many: counted within seconds, and kept when events have gone."""


for _verb in (buttons, compare, rotation, paths, funnel, cohorts, scans, photos, places, health, reconcile):
    stats.add_command(_verb)


@stats.command()
@account_filter
@since
@until
@dry_run
def rebuild(account: str | None, since: str | None, until: str | None, dry_run: bool) -> None:
    """Count all events again, or those of a time. Nothing has to stop; what retention_days let go stays as counted."""
    from models.retention import limits
    from workers import rebuild

    config = load(Config)
    kept_since = limits(config.retention_days, datetime.now(UTC)).some_before
    with working(config) as engine:
        with engine.connect() as connection:
            chosen = selected(config, connection, account, None, since, until)
        todo = rebuild.work(engine, chosen.account_id, chosen.since, chosen.until, kept_since)
        if not dry_run:
            with progress(_("Days"), len(todo)) as advance:
                for done, _work in enumerate(rebuild.rebuild(engine, todo, chosen.since, chosen.until, kept_since), 1):
                    advance(done)
    days = len({day for day, _account in todo})
    if dry_run:
        text = ngettext("{count} day would be counted again.", "{count} days would be counted again.", days)
    else:
        text = ngettext("{count} day counted again.", "{count} days counted again.", days)
    click.echo(text.format(count=days))
