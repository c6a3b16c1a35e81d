"""The verbs that try again: what is in quarantine, and the details of events."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import click

from console.choosing import dry_run, kind_filter, read_id, selected, since, until
from console.command import DIFFERS, InvalidInputError, NotFoundError, account_filter, command, option
from console.database import find_account, working
from console.i18n import _
from console.output import print_pairs, print_table
from console.progress import progress, progress_in_time
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from models.walk import Selection

Span: TypeAlias = tuple[datetime, datetime] | None


@command("replay")
@account_filter
@option("--reason", metavar="WORD", help="Only what is there for this reason, as list shows it.")
@option("--id", "wanted", metavar="ID", help="Only this one, as list shows it.")
@dry_run
@click.pass_context
def replay_quarantine(
    context: click.Context, account: str | None, reason: str | None, wanted: str | None, dry_run: bool
) -> None:
    """Record what can be read and stored by now, once. Ends with 6 where something is refused again."""
    from models import queries
    from workers import replay
    from workers.reread import readers

    config = load(Config)
    row_id = None if wanted is None else read_id(wanted)
    done = replay.Replayed()
    with working(config) as engine:
        with engine.connect() as connection:
            choice = replay.Choice(find_account(connection, account), reason, row_id)
            if row_id is not None and queries.quarantine_item(connection, row_id) is None:
                text = _("There is nothing in quarantine with the id {id}.").format(id=row_id)
                raise NotFoundError(text)
        with progress(_("Quarantine"), replay.count(engine, choice)) as advance:
            for part in replay.replay(engine, readers(config), choice, dry_run=dry_run):
                done.add(part)
                advance(done.rows)
    print_pairs(
        [
            (_("Recorded"), done.recorded),
            (_("Known already"), done.known),
            (_("Of forgotten followers, emptied"), done.forgotten or None),
            (_("Refused again"), done.refused.total()),
        ]
    )
    _end(context, done.refused, dry_run)


@command("replay")
@account_filter
@kind_filter
@since
@until
@option(
    "--attribution",
    is_flag=True,
    help="Instead, find anew which publication the user of each tap saw; without --since, of all taps.",
)
@dry_run
@click.pass_context
def replay_events(
    context: click.Context,
    account: str | None,
    kind: str | None,
    since: str | None,
    until: str | None,
    attribution: bool,
    dry_run: bool,
) -> None:
    """Derive details anew, after the program has learnt to read a kind better. Ends with 6 where one is refused."""
    from models.walk import span

    if since is None and not attribution:
        raise InvalidInputError(_("Say from when on: --since 30d, or --since 2026-10-01."))
    config = load(Config)
    with working(config) as engine:
        with engine.connect() as connection:
            selection = selected(config, connection, account, kind, since, until)
            times = span(connection, selection)
        again = _attribute_again if attribution else _derive_again
        refused = again(engine, selection, times, dry_run)
    _end(context, refused, dry_run)


def _derive_again(engine: "Engine", selection: "Selection", times: Span, dry_run: bool) -> Counter[str]:
    from workers.derive import derive_again

    events, changed, refused = 0, 0, Counter[str]()
    with progress_in_time(_("Events"), times) as advance:
        for page in derive_again(engine, selection, dry_run=dry_run):
            events += page.events
            changed += len(page.changed)
            refused += page.refused
            advance(page.reached)
    print_pairs(
        [(_("Looked at"), events), (_("Of these changed"), changed), (_("Refused, as they were"), refused.total())]
    )
    return refused


def _attribute_again(engine: "Engine", selection: "Selection", times: Span, dry_run: bool) -> Counter[str]:
    from workers.reattribute import attribute_again

    events, changed, taps = 0, 0, Counter[str]()
    with progress_in_time(_("Events"), times) as advance:
        for page in attribute_again(engine, selection, dry_run=dry_run):
            events += page.events
            changed += page.changed
            taps.update(page.taps)
            advance(page.reached)
    print_pairs([(_("Looked at"), events), (_("Of these changed"), changed)])
    if taps:
        rows = [(case, words, taps[case]) for case, words in _cases().items() if taps[case]]
        print_table((_("Case"), _("Seen by the user"), _("Taps")), rows)
    return Counter()


def _cases() -> dict[str, str]:
    """What the cases of workers/attribution.py mean, in their order."""
    return {
        "menu_id": _("the publication under whose MenuId WeChat pushed the tap"),
        "live": _("the one that was live"),
        "earlier": _("an earlier one, that phones may still have shown"),
        "later": _("one that was just going live"),
        "attempted": _("one that did not succeed, as far as is known"),
        "before_first": _("unknown: nothing was live yet"),
        "unknown": _("unknown: no publication of the time had such a button"),
    }


def _end(context: click.Context, refused: Mapping[str, int], dry_run: bool) -> None:
    if refused:
        rows = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
        print_table((_("Refused"), _("Pushes")), rows)
    if dry_run:
        click.echo(_("This was a dry run: everything is as it was."), err=True)
    context.exit(DIFFERS if refused else 0)
