"""The verbs that keep an account's menu as it is, and let it go again."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from console.choosing import NOTE, dry_run, zone_of
from console.command import InvalidInputError, command, one_account, option
from console.database import account_row, chosen_account, writing
from console.i18n import _, ngettext
from console.moments import coming
from console.output import printable
from console.rotation_words import minute
from models.config import Config, load

if TYPE_CHECKING:
    from models.freezes import FreezeRow

FOR_GOOD = datetime(9999, 1, 1, tzinfo=UTC)  # a freeze without an end has this one


@command()
@one_account
@option("--from", "begin", metavar="TIME", help="From this time on: 2h, tomorrow, 2026-10-01T12:00; else from now.")
@option("--until", "end", metavar="TIME", help="Until this time; else until caidan rotation unfreeze.")
@option("--note", type=NOTE, help="A word about it.")
@dry_run
def freeze(account: str | None, begin: str | None, end: str | None, note: str | None, dry_run: bool) -> None:
    """Keep the menu as it is, whatever is due. `caidan menu publish` still changes it."""
    from models import freezes

    config, now = load(Config), datetime.now(UTC)
    chosen = chosen_account(config, account)
    zone = zone_of(config, chosen.name)
    starts_at, ends_at = coming(begin, now, zone) or now, coming(end, now, zone) or FOR_GOOD
    if ends_at <= max(starts_at, now):
        text = _("The freeze would end at {time}, before it begins.")
        raise InvalidInputError(text.format(time=minute(ends_at, zone)))
    with writing(config, dry_run=dry_run) as connection:
        account_id = account_row(connection, chosen)
        freezes.freeze(connection, account_id, starts_at, ends_at, note)
        found = freezes.freezes(connection, account_id, since=now)
    for sentence in freezes_in_words(chosen.name, found, zone):
        click.echo(sentence)


@command()
@one_account
@option("--all", "also_coming", is_flag=True, help="Those that are to begin later, too.")
@dry_run
def unfreeze(account: str | None, also_coming: bool, dry_run: bool) -> None:
    """Let the rotations change the menu again. What is due by then goes up within a minute."""
    from models import freezes

    config, now = load(Config), datetime.now(UTC)
    chosen = chosen_account(config, account)
    with writing(config, dry_run=dry_run) as connection:
        account_id = account_row(connection, chosen)
        count = freezes.unfreeze(connection, account_id, now)
        left = freezes.freezes(connection, account_id, since=now)
        if also_coming:
            count += sum(freezes.remove_freeze(connection, account_id, row.starts_at) for row in left)
            left = []
    if count:
        text = ngettext("{account}: {count} freeze ended.", "{account}: {count} freezes ended.", count)
        click.echo(text.format(account=chosen.name, count=count))
    else:
        click.echo(_("Nothing to do: the menu of {account} is not frozen.").format(account=chosen.name))
    for sentence in freezes_in_words(chosen.name, left, zone_of(config, chosen.name)):
        click.echo(sentence, err=True)


def freezes_in_words(account: str, found: Iterable["FreezeRow"], zone: ZoneInfo) -> Iterator[str]:
    for row in found:
        start = minute(row.starts_at, zone)
        if row.ends_at >= FOR_GOOD:
            text = _("The menu of {account} is frozen from {start} on, until: caidan rotation unfreeze")
        else:
            text = _("The menu of {account} is frozen from {start} until {end}.")
        sentence = text.format(account=account, start=start, end=minute(row.ends_at, zone))
        yield f"{sentence}  {printable(row.note)}" if row.note else sentence
