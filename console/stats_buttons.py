"""`caidan stats buttons`: taps, users and taps per user, of what and when, and how that has changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from console.command import InvalidInputError, command, option
from console.i18n import _
from console.menu_tree import menu_title
from console.stats_asked import Around, Asked, Question, opened, opened_each, question, time_words, unfinished
from console.stats_counting import Counting, Describe, lines, table
from console.stats_names import Names, button_columns, names_of
from console.stats_tables import Answer, Column, Row, Table, text
from console.stats_time import Time

if TYPE_CHECKING:
    from console.report_parts import Section
    from models.rollups import By, Of

BY = ("hour", "day", "week", "month")
OF = ("button", "kind", "version", "menu", "account")


@command()
@question()
@option("--by", type=click.Choice(BY), help="Apart for each of these.")
@option("--of", type=click.Choice(OF), default="button", help="Apart for each of these; menu: as personalised.")
@option("--button", "given", multiple=True, metavar="BUTTON", help="Only of this key, URL or name; may be repeated.")
def buttons(asked: Asked, by: "By | None", of: str, given: tuple[str, ...]) -> None:
    """Count taps and users, and compare them with the time before.

    Users are different people, exactly: one who tapped several buttons, or on several days, counts once in the sum.
    """
    if of == "account":
        _accounts(asked, by, given)
        return
    with opened(asked) as one:
        time, names = one.time(), names_of(one.connection, one.account_id)
        counting = Counting(one, time, _of(of), _ids(names, given))
        describe, columns = _what(one, of, names)
        made = table(lines(counting, by, describe), by, columns, lines(counting, None, describe))
        total = counting.total()
        facts = {"by": by, "of": of, "total": total}
        notes = unfinished(time, one.now)
        one.answer(time, {"rows": lambda: made}, facts, notes, _total_words(total), _overview(one, time, names, given))


def _overview(one: Question, time: Time, names: Names, given: Sequence[str]) -> Around:
    """What a page has besides: it shows all there is to see of an account."""

    def around(made: Mapping[str, Table]) -> "Sequence[Section]":
        from console.report_overview import overview

        return overview(one, time, names, _ids(names, given), made["rows"])

    return around


def _accounts(asked: Asked, by: "By | None", given: Sequence[str]) -> None:
    """All of them, or one, each by its own clock."""
    with opened_each(asked) as questions:
        if given and len(questions) > 1:
            raise InvalidInputError(_("--button is about one account: name it with --account."))
        rows: list[Row] = []
        totals: list[Row] = []
        times = [one.time() for one in questions]
        for one, time in zip(questions, times, strict=True):
            chosen = _ids(names_of(one.connection, one.account_id), given)
            counting = Counting(one, time, "account", chosen)
            rows += _of_account(counting, by, one)
            totals += _of_account(counting, None, one)
    if by is None:
        rows.sort(key=lambda row: (-row["taps"], row["account"]))
    made, (time, zone) = table(rows, by, [text("account", _("Account"))], totals), (times[0], questions[0].zone)
    facts = {"since": time.since, "until": time.until, "by": by, "of": "account"}
    answer = Answer(facts, time_words(time, zone), {"rows": made}, unfinished(time, questions[0].now))
    asked.give(answer, zone)


def _of_account(counting: Counting, by: "By | None", one: Question) -> list[Row]:
    return lines(counting, by, lambda _account_id: {"account": one.account}, always=[one.account_id])


def _of(of: str) -> "Of":
    known: dict[str, Of] = {"button": "button", "kind": "kind", "version": "version", "menu": "wechat_menu_id"}
    return known[of]


def _ids(names: Names, given: Sequence[str]) -> Collection[int] | None:
    """The numbers of these buttons in the rollups; None, which is all, where none is given."""
    if not given:
        return None
    targets = {target for text in given for target in names.find(text)}
    return [row.id for row in names.counted.values() if (row.kind, row.key) in targets]


def _what(one: Question, of: str, names: Names) -> tuple[Describe, list[Column]]:
    """How a line says what was tapped."""
    if of == "kind":
        return lambda kind: {"kind": kind}, [text("kind", _("Kind"))]
    if of == "version":
        return lambda version: {"version": version}, [Column("version", _("Version"), nothing=_("not known"))]
    if of == "menu":
        titles = _titles(one, names)
        columns = [Column("name", _("Menu"), nothing=_("not known")), text("menu_id", "MenuId")]
        return lambda menu_id: {"name": titles.get(menu_id), "menu_id": menu_id or None}, columns
    counted = names.counted
    return lambda number: names.row(counted[number].kind, counted[number].key), button_columns()


def _titles(one: Question, names: Names) -> dict[str, str]:
    """Whom the menus are for, by WeChat's ids of them."""
    from models.buttons import put_up

    titles = {}
    for menu_id, place in put_up(one.connection, one.account_id).items():
        personal = names.menus[place.menu_id].personal
        if place.position <= len(personal):
            titles[menu_id] = menu_title(personal[place.position - 1].rule if place.position else None)
    return titles


def _total_words(total: Mapping[str, Any]) -> str:
    text = _("Together: taps {taps:,}, users {users:,}; before: taps {taps_before:,}, users {users_before:,}")
    return text.format(**total)
