"""The page of `caidan stats buttons`: all that there is to see of an account in a time, at a glance."""

import inspect
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
from markupsafe import Markup

from console.i18n import _
from console.menu_tree import menu_title
from console.report_charts import courses, heat, section
from console.report_parts import Chart, Section
from console.report_phone import Tapped, phone
from console.rotation_calendar import weekday_names
from console.stats_asked import Asked, Question
from console.stats_compare import compare
from console.stats_counting import Counting, lines, period_words, periods, table
from console.stats_names import Names
from console.stats_places import places
from console.stats_scans import scans
from console.stats_tables import Answer, Column, Form, Table
from console.stats_time import Time
from models.config import Config
from workers.placed_buttons import placed_buttons

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.rollups import By
    from wechat.menu import Menu

_FORM = Form(as_json=False, as_csv=False, bom=False, excel=False)
_DAYS, _WEEKS = 100, 700  # so many days are shown as such, so many more as weeks


@dataclass(frozen=True)
class _Part(Asked):
    """One more question, about the same account and time; its answer is kept."""

    whole: Question
    time_asked: Time
    answers: list[Answer]

    @contextmanager
    def reading(self) -> "Iterator[tuple[Config, Connection]]":
        yield self.whole.config, self.whole.connection

    def given_time(self, *_now: Any) -> Time:
        return self.time_asked

    def give(self, answer: Answer, *_zone: Any) -> None:
        self.answers.append(answer)


@dataclass(frozen=True)
class _Overview:
    one: Question
    time: Time
    names: Names
    buttons: Collection[int] | None

    def counting(self, of: Any) -> Counting:
        return Counting(self.one, self.time, of, self.buttons)

    def ask(self, verb: click.Command, **given: Any) -> Answer:
        part = _Part(self.one.account, None, None, None, None, _FORM, None, self.one, self.time, [])
        assert verb.callback
        ask: Callable[..., None] = inspect.unwrap(verb.callback)
        ask(asked=part, **given)
        return part.answers[0]

    def menu(self) -> Section:
        """The live menu, or the last version there is."""
        menus = self.names.menus
        menu = self.names.live or (menus[max(menus)] if menus else None)
        drawn = self._phones(menu) if menu else Markup()
        notes = [_("No menu of Caidan's is live; shown is the last version.")] if menu and not self.names.live else []
        return Section(_("The menu"), [self._trend()], notes=notes, drawn=drawn)

    def _phones(self, menu: "Menu") -> Markup:
        counted = self.names.counted
        rows = self.counting("button").now("total").values()
        taps = {(counted[row.what].kind, counted[row.what].key): row.taps for row in rows}
        tapped: dict[int, dict[tuple[int, ...], int]] = {}
        for button in placed_buttons(menu):
            tapped.setdefault(button.menu, {})[button.spot] = taps.get(button.target, 0)
        seen = [(menu_title(None), menu.buttons), *((menu_title(one.rule), one.buttons) for one in menu.personal)]
        return Markup().join(
            phone(title, buttons, Tapped(tapped.get(place, {}))) for place, (title, buttons) in enumerate(seen)
        )

    def _trend(self) -> Chart:
        """Of everything together, with the time before beneath it."""
        counting, by = self.counting("account"), _step(self.time)
        what, shown = self.one.account_id, period_words(by)
        now, before = counting.now(by), counting.before(by)
        found = [period for period in periods(*counting.days, by, self.one.zone) if _has_begun(period, self.one.now)]
        drawn: list[dict[str, Any]] = [
            {"name": _("Taps"), "values": [now[at, what].taps if (at, what) in now else 0 for at in found]},
            {"name": _("Users"), "values": [now[at, what].users if (at, what) in now else 0 for at in found]},
        ]
        if before:
            taps = [before[at, what].taps if (at, what) in before else 0 for at in found]
            drawn.append({"name": _("Taps before"), "values": taps, "before": True})
        x = [shown(at.astimezone(self.one.zone) if isinstance(at, datetime) else at) for at in found]
        return Chart("course", _("In the course of time"), {"x": x, "lines": drawn, "form": "count"})

    def hours(self) -> Section:
        counting = self.counting("account")
        taps = {at: row.taps for (at, _account), row in counting.now("hour").items() if isinstance(at, datetime)}
        hours = [at for at in periods(*counting.days, "hour", self.one.zone) if _has_begun(at, self.one.now)]
        local = {at.astimezone(self.one.zone): taps.get(at, 0) for at in hours if isinstance(at, datetime)}
        drawn = heat(
            _("Taps in an hour, on average"),
            [str(hour) for hour in range(24)],
            weekday_names(),
            means(local.items()),
            "ratio",
        )
        return Section(_("Hours and weekdays"), [drawn] if drawn and taps else [])

    def versions(self) -> Section:
        """Each that was tapped; and the last two that were live, against each other."""
        counting, by = self.counting("version"), _step(self.time)
        columns = [Column("version", _("Version"), nothing=_("not known"))]
        totals = lines(counting, None, lambda version: {"version": version})
        counted = table(lines(counting, by, lambda version: {"version": version}), by, columns, totals)
        drawn = courses(counted)
        if len(totals) < 2 or drawn is None:
            return Section(_("Versions of the menu"))
        charts, notes = [drawn], []
        if self.buttons is None and (pair := self._last_two()):
            answer = self.ask(compare, first=pair[0], second=pair[1], publications=False)
            compared = section("compare", answer)
            charts, notes = [drawn, *compared.charts], [answer.sums]
        return Section(_("Versions of the menu"), charts, [table(totals, None, columns, totals)], notes)

    def _last_two(self) -> tuple[int, int] | None:
        from models.publications import PUBLISHED, publications

        found: list[int] = []
        for row in publications(self.one.connection, self.one.account_id, limit=1_000):  # the newest first
            is_seen = row.started_at < self.time.until and (row.ended_at is None or row.ended_at > self.time.since)
            if row.outcome == PUBLISHED and is_seen and row.version not in found:
                found.append(row.version)
        return (found[1], found[0]) if len(found) > 1 else None

    def scans(self) -> Section:
        found = section("scans", self.ask(scans, button=None, top=10), _("What was scanned"))
        return replace(found, tables=())  # the charts tell as much

    def places(self) -> Section:
        answer = self.ask(places, level=5, button=None, top=50)
        return replace(section("places", answer, _("Places")), tables=[answer.tables["names"]])


def overview(
    one: Question, time: Time, names: Names, buttons: Collection[int] | None, counted: Table
) -> Sequence[Section]:
    """Without what there is nothing of."""
    page = _Overview(one, time, names, buttons)
    course = courses(counted)
    found = [
        page.menu(),
        page.hours(),
        Section(_("What was tapped"), [course] if course else [], [counted.drawn or counted]),
        page.versions(),
    ]
    if buttons is None:  # scans and places are of all buttons
        found += [page.scans(), page.places()]
    return [part for part in found if part.charts or part.drawn or any(one.rows for one in part.tables)]


def means(hours: Iterable[tuple[datetime, int]]) -> list[tuple[int, int, float]]:
    """Hour of the day, weekday, and how much there was in such an hour; pure."""
    sums: Counter[tuple[int, int]] = Counter()
    count: Counter[tuple[int, int]] = Counter()
    for at, taps in hours:
        cell = at.hour, at.weekday()
        sums[cell] += taps
        count[cell] += 1
    return [(hour, weekday, round(sums[hour, weekday] / count[hour, weekday], 3)) for hour, weekday in sorted(count)]


def _step(time: Time) -> "By":
    length = time.until - time.since
    if length <= timedelta(days=2):
        return "hour"
    if length <= timedelta(days=_DAYS):
        return "day"
    return "week" if length <= timedelta(days=_WEEKS) else "month"


def _has_begun(period: Any, now: datetime) -> bool:
    return not isinstance(period, datetime) or period <= now
