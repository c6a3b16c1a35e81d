"""`caidan stats reconcile`: what WeChat counted of its pushes, and what is stored of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from console.command import DIFFERS, NotFoundError, account_filter, command, option
from console.command import as_json as json_option
from console.database import chosen_account, reading
from console.i18n import _
from console.moments import moment
from console.output import print_json, print_table
from models.config import Config, load
from wechat.quota import BEIJING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.missing_words import Compared
    from models.reconciliation import Day


@command()
@account_filter
@option("--day", metavar="DAY", help="The hours of this day, in Beijing: yesterday, 2026-10-01.")
@json_option
@click.pass_context
def reconcile(context: click.Context, account: str | None, day: str | None, as_json: bool) -> None:
    """Compare WeChat's count of its pushes in 30 days with what is stored. Ends with 6 where some are missing."""
    config, now = load(Config), datetime.now(UTC)
    accounts = [chosen_account(config, account)] if account else config.accounts
    begin = moment(day, now, BEIJING)
    wanted = begin.astimezone(BEIJING).date() if begin else None
    with reading(config) as connection:
        found = {one.name: _compared(connection, config, one.name, wanted, now) for one in accounts}
    told = [line for name, compared in found.items() for line in _lines(name, compared.days)]
    if wanted and not told:
        text = _("{day} was not compared; the days that were are shown by: caidan stats reconcile")
        raise NotFoundError(text.format(day=wanted))
    if as_json:
        print_json(told)
    else:
        _print(found, told, wanted)
    context.exit(DIFFERS if any(line["missing_at_most"] for line in told) else 0)


def _compared(connection: "Connection", config: Config, name: str, wanted: date | None, now: datetime) -> "Compared":
    """What was found last, with what is stored by now of days that were short."""
    from console.missing_words import read_compared
    from models import queries, reconciliation
    from models.retention import limits
    from workers.reconcile import begin, comparable
    from workers.shortfall import counted_anew, shortfalls

    compared, account_id = read_compared(connection, name, now), queries.account_id(connection, name)
    if account_id is None:
        return compared
    first = reconciliation.first_event_at(connection, account_id)
    whole = set(comparable(first, limits(config.retention_days, now), now))
    days = list(reconciliation.days(connection, account_id, wanted).values())[:1] if wanted else compared.days
    fresh = []
    for day in days:
        if day.day in whole and shortfalls(day.hours):
            stored = reconciliation.stored(connection, account_id, begin(day.day))
            day = replace(day, hours=counted_anew(day.hours, stored), compared_at=now)
        fresh.append(day)
    return replace(compared, days=[day for day in fresh if wanted in (None, day.day)])


def _lines(account: str, days: Iterable["Day"]) -> Iterator[dict[str, Any]]:
    """A day as JSON; what is missing within what the counters may be wrong by is not."""
    from workers.shortfall import shortfalls

    for day in days:
        short = {missing.hour: missing for missing in shortfalls(day.hours)}
        hours = [
            {"hour": hour.hour, "counted": hour.counted, "failed": hour.failed}
            | {"stored": hour.stored, "late": hour.late}
            | {"missing_at_least": short[hour.hour].at_least if hour.hour in short else 0}
            | {"missing_at_most": short[hour.hour].at_most if hour.hour in short else 0}
            for hour in day.hours
        ]
        figures = ("counted", "failed", "stored", "late", "missing_at_least", "missing_at_most")
        total = {name: sum(hour[name] for hour in hours) for name in figures}
        named = {"account": account, "day": day.day.isoformat(), "compared_at": day.compared_at}
        yield named | total | {"hours": hours}


def _print(found: dict[str, "Compared"], told: Sequence[dict[str, Any]], wanted: date | None) -> None:
    from console.missing_words import delay_words

    figures = (_("Attempts"), _("Failed"), _("Stored"), _("Late"), _("Missing"))
    if wanted:
        rows = [[line["account"], f"{hour['hour']:02}:00", *_cells(hour)] for line in told for hour in line["hours"]]
        print_table((_("Account"), _("Hour"), *figures), rows)
    else:
        rows = [[line["account"], line["day"], *_cells(line), _hours(line)] for line in told]
        print_table((_("Account"), _("Day"), *figures, _("Hours")), rows)
    nothing = _("Nothing has been compared yet.")
    for name, compared in found.items():
        if compared.delay or not compared.days:
            why = delay_words(compared.delay) if compared.delay else nothing
            click.echo(f"{name}: {why}", err=True)


def _cells(figures: dict[str, Any]) -> list[str]:
    from console.missing_words import between

    numbers = [f"{figures[name]:,}" for name in ("counted", "failed", "stored", "late")]
    return [*numbers, between(figures["missing_at_least"], figures["missing_at_most"])]


def _hours(line: dict[str, Any]) -> str:
    from console.missing_words import spans

    return spans(hour["hour"] for hour in line["hours"] if hour["missing_at_most"])
