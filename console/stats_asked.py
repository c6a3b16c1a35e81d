"""What all questions have in common: of which account, of which time, and how the answer is to be given."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import click

from console.choosing import since, until, zone_of
from console.command import InvalidInputError, argument, as_json, one_account, option
from console.database import chosen_account, find_account, reading
from console.draft import check_free
from console.i18n import _
from console.stats_tables import Answer, Form, Html, Table, print_answer
from console.stats_time import Time, time_of
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.report_parts import Section

Tables: TypeAlias = Mapping[str, Callable[[], Table]]
"""How each table of an answer is made, by its name, the most important first."""

Around: TypeAlias = "Callable[[Mapping[str, Table]], Sequence[Section]]"
"""Makes the whole of a page, of the tables that were made."""

_DEFAULT = "7d"
_FORM = ("as_json", "as_csv", "bom", "excel", "html", "force")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say."""

    account: str | None
    when: str | None
    last: str | None
    since: str | None
    until: str | None
    form: Form
    table: str | None

    def time(self, now: datetime, zone: ZoneInfo, default: str = _DEFAULT) -> Time:
        """Raises InvalidInputError."""
        found = self.given_time(now, zone) or time_of(default, None, None, None, now, zone)
        assert found is not None
        return found

    def given_time(self, now: datetime, zone: ZoneInfo) -> Time | None:
        return time_of(self.when, self.last, self.since, self.until, now, zone)

    @contextmanager
    def reading(self) -> "Iterator[tuple[Config, Connection]]":
        config = load(Config)
        with reading(config) as connection:
            yield config, connection

    def give(self, answer: Answer, zone: ZoneInfo) -> None:
        """To the terminal or into a file; who asks in another way (console/api_questions.py) gets it otherwise."""
        if self.form.html is None:
            print_answer(answer, self.form, zone)
            return
        from console.report import write

        write(answer, self.form.html)


@dataclass(frozen=True)
class Question:
    """About one account, with what reads the answer."""

    asked: Asked
    config: Config
    connection: "Connection"
    account: str
    account_id: int
    zone: ZoneInfo
    now: datetime

    def time(self, default: str = _DEFAULT) -> Time:
        return self.asked.time(self.now, self.zone, default)

    def answer(
        self,
        time: Time,
        tables: Tables,
        facts: Mapping[str, Any] | None = None,
        notes: Sequence[str] = (),
        sums: str = "",
        around: "Around | None" = None,
    ) -> None:
        """Make the tables that are wanted, and give them."""
        wanted = self.asked.table
        names = [wanted] if wanted else list(tables)[:1] if self.asked.form.as_csv else list(tables)
        about = {"account": self.account, "timezone": self.zone.key, "since": time.since, "until": time.until}
        made = {name: tables[name]() for name in names}
        headline = f"{self.account}  {time_words(time, self.zone)}"
        sections = around(made) if around and self.asked.form.html else ()
        self.asked.give(Answer(about | dict(facts or {}), headline, made, notes, sums, sections), self.zone)


def question(*tables: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a verb, as `asked`, what can be said of every question; `tables` are the names of those in its answer."""
    options = [
        argument("when", metavar="[TIME]", required=False, help="yesterday, last-week, this-month, 2026-10, 7d, …"),
        option("--last", metavar="LENGTH", help="So long until now, such as 7d, with today, or 12h."),
        since,
        until,
        one_account,
        as_json,
        option("--csv", "as_csv", is_flag=True, help="Print CSV."),
        option("--bom", is_flag=True, help="Begin CSV with the mark by which Excel knows UTF-8."),
        option("--excel", is_flag=True, help="As --bom, and put ' before text that Excel would take for a formula."),
        option("--html", metavar="FILE", help="Write a page with pictures to this file; it needs no network."),
        option("--force", is_flag=True, help="Replace a file that is there."),
    ]
    if tables:
        options.append(option("--table", type=click.Choice(tables), help="Only this table; CSV has the first one."))

    def give(verb: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(verb)
        def asking(**given: Any) -> None:
            common = {name: given.pop(name) for name in ("account", "when", "last", "since", "until")}
            form = _form(verb.__name__, *(given.pop(name) for name in _FORM))
            verb(asked=Asked(**common, form=form, table=given.pop("table", None)), **given)

        for one in reversed(options):
            asking = one(asking)
        return asking

    return give


@contextmanager
def opened(asked: Asked) -> Iterator[Question]:
    """The question about the account that is named, or the only one.

    Raises NotFoundError and InvalidInputError.
    """
    with asked.reading() as (config, connection):
        yield _question(asked, config, connection, chosen_account(config, asked.account).name)


@contextmanager
def opened_each(asked: Asked) -> Iterator[list[Question]]:
    """The same about each account, or the one that is named."""
    from models import queries

    with asked.reading() as (config, connection):
        names = [asked.account] if asked.account else queries.account_names(connection)
        yield [_question(asked, config, connection, name) for name in names]


def unfinished(time: Time, now: datetime) -> list[str]:
    """What is to be said where a time is compared with one before."""
    if time.until <= now:
        return []
    return [_("The time is not over yet; the one before, with which it is compared, is whole.")]


def time_words(time: Time, zone: ZoneInfo) -> str:
    """Days with the last one included, or moments."""
    try:
        first, last = time.days()
    except InvalidInputError:
        text = _("{since} to {until} ({zone})")
        ends = {"since": f"{time.since:%Y-%m-%d %H:%M}", "until": f"{time.until:%Y-%m-%d %H:%M}"}
        return text.format(**ends, zone=zone.key)
    if first == last:
        return f"{first} ({zone.key})"
    return _("{since} to {until} ({zone})").format(since=first, until=last, zone=zone.key)


def _form(verb: str, as_json: bool, as_csv: bool, bom: bool, excel: bool, html: str | None, force: bool) -> Form:
    """Raises InvalidInputError."""
    if as_json + as_csv + (html is not None) > 1:
        raise InvalidInputError(_("Give one of --json, --csv and --html."))
    if (bom or excel) and not as_csv:
        raise InvalidInputError(_("--bom and --excel are for CSV only."))
    if html is None:
        if force:
            raise InvalidInputError(_("--force is for --html only."))
        return Form(as_json, as_csv, bom, excel)
    check_free(Path(html), force=force)
    return Form(as_json, as_csv, bom, excel, Html(Path(html), verb))


def _question(asked: Asked, config: Config, connection: "Connection", name: str) -> Question:
    account_id = find_account(connection, name)
    assert account_id is not None
    return Question(asked, config, connection, name, account_id, zone_of(config, name), datetime.now(UTC))
