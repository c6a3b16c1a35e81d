"""`caidan rotation simulate`: what will be due when, as a picture, as JSON, or as an iCalendar file."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from console.choosing import zone_of
from console.command import InvalidInputError, UnfitError, as_json, command, one_account, option
from console.database import chosen_account, find_account, reading
from console.i18n import _, ngettext
from console.moments import coming
from console.output import print_drawn, print_json, print_table
from console.rotation_calendar import BASE, NOTHING, SHORT, days, hatches, per_hour, picture
from console.rotation_freezing import freezes_in_words
from console.rotation_problems import years_sentence
from console.rotation_words import duration_words, minute
from models.config import Config, load

if TYPE_CHECKING:
    from console.rotation_plan import Plan, Span

_DAYS = 7
_MAX_DAYS = 366 * 2
_PIPE_WIDTH = 80  # columns, where nobody watches


@command()
@one_account
@option("--from", "begin", metavar="TIME", help="From this time on; else from today on.")
@option("--until", "end", metavar="TIME", help="Until this time; else for a week.")
@option("--ics", metavar="FILE", help="Write an iCalendar file, which calendars and phones read; - is standard output.")
@as_json
def simulate(account: str | None, begin: str | None, end: str | None, ics: str | None, as_json: bool) -> None:
    """Draw a calendar of which menu will be due when, or write it to a file."""
    from console.rotation_plan import read_plan, spans
    from models.freezes import freezes

    config, now = load(Config), datetime.now(UTC)
    name = account or chosen_account(config, account).name
    zone = zone_of(config, name)
    starts_at, ends_at = _range(begin, end, now, zone)
    with reading(config) as connection:
        account_id = find_account(connection, name)
        assert account_id is not None
        plan = read_plan(connection, account_id)
        frozen = [row for row in freezes(connection, account_id, since=starts_at) if row.starts_at < ends_at]
    found = spans(plan, starts_at, ends_at)
    if ics is not None:
        _write(ics, name, plan, found, now)
    if as_json:
        print_json({"account": name, "timezone": zone.key, "spans": [_told(span) for span in found], "freezes": frozen})
    elif ics != "-":
        click.echo(f"{name} ({zone.key})\n")
        _draw(plan, found, zone)
        for sentence in freezes_in_words(name, frozen, zone):
            click.echo(sentence)
    if years := plan.unknown_years(starts_at, ends_at):
        click.echo(years_sentence(years), err=True)


def _range(begin: str | None, end: str | None, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Raises InvalidInputError."""
    start = coming(begin or "today", now, zone)
    assert start is not None
    stop = coming(end, now, zone) or start + timedelta(days=_DAYS)
    if not timedelta() < stop - start <= timedelta(days=_MAX_DAYS):
        text = _("From {start} until {end} nothing can be drawn: give an end after the beginning, within two years.")
        raise InvalidInputError(text.format(start=minute(start, zone), end=minute(stop, zone)))
    return start.astimezone(UTC), stop.astimezone(UTC)


def _write(file: str, account: str, plan: "Plan", found: Sequence["Span"], now: datetime) -> None:
    from console.rotation_calendar_file import calendar_file
    from console.rotation_plan import whole

    content = calendar_file(account, whole(plan, found), now)
    if file == "-":
        click.echo(content, nl=False)
        return
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        text = _("{file} cannot be written: {reason}").format(file=file, reason=error.strerror)
        raise UnfitError(text) from None
    click.echo(_("Written: {file}").format(file=file), err=True)


def _told(span: "Span") -> dict[str, Any]:
    rotation = span.due.rotation.id if span.due else None
    return {"starts_at": span.starts_at, "ends_at": span.ends_at, "version": span.version, "rotation": rotation}


def _draw(plan: "Plan", found: Sequence["Span"], zone: ZoneInfo) -> None:
    base = next((row.version for row in plan.rotations if row.is_base and row.enabled), None)
    marks = hatches([span.version for span in found if span.version is not None], base)
    cells = per_hour(_width())
    drawn = list(days(found, zone, cells))
    print_drawn(picture(drawn, found, marks, cells))
    print_table(
        ("", _("Menu"), _("Due"), _("Rotations")),
        [_legend(mark, version, plan, found) for version, mark in marks.items()],
    )
    if any(span.version is None for span in found):
        click.echo(_("{mark} no menu is due, and the one that is live stays").format(mark=NOTHING))
    if any(cell.is_short for _day, row in drawn for cell in row):
        click.echo(_("{mark} another menu, too short to be drawn; see caidan rotation next").format(mark=SHORT))


def _legend(mark: str, version: int, plan: "Plan", found: Sequence["Span"]) -> tuple[str, str, str, str]:
    mine = [span for span in found if span.version == version]
    total = sum((span.ends_at - span.starts_at for span in mine), timedelta())
    words = ngettext("{duration}, {count} time", "{duration}, {count} times", len(mine))
    rotations = (row for row in plan.rotations if row.version == version and row.enabled)
    menu = _("version {version}, base menu") if mark == BASE else _("version {version}")
    return (
        mark * 3,
        menu.format(version=version),
        words.format(duration=duration_words(int(total.total_seconds())), count=len(mine)),
        ", ".join(f"{row.id} {row.note}" if row.note else str(row.id) for row in rotations),
    )


def _width() -> int:
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else _PIPE_WIDTH
