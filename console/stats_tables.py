"""Answers as tables: for people with bars beside the figures, and the same rows as JSON and as CSV (RFC 4180)."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import click

from console.i18n import _
from console.output import print_drawn, print_json, printable
from console.stats_charts import COURSE, WIDTH, bar, spark

if TYPE_CHECKING:
    from rich.table import Table as Drawn

    from console.report_parts import Section

Row: TypeAlias = Mapping[str, Any]

_SHORTEST = 6  # of charts
_BOM = "\ufeff"  # by which Excel knows UTF-8


@dataclass(frozen=True, slots=True)
class Column:
    name: str  # in rows, JSON and CSV
    heading: str | None  # None where people are not shown it
    shown: Callable[[Any], str] = str
    is_number: bool = False
    nothing: str = ""  # what people are shown instead of None
    is_told: bool = True  # to programs: in JSON and CSV


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]  # by the names of columns; None is nothing
    bars: str | None = None  # the column that is drawn as well
    courses: Sequence[Sequence[float]] = ()  # of each row values in the course of time, to be drawn instead
    drawn: "Table | None" = None  # what people are shown instead


@dataclass(frozen=True)
class Answer:
    """`facts` are what JSON has besides the tables, `headline` is what people read above them.

    `sections` are what a page has, where that is more than the tables and their pictures.
    """

    facts: Mapping[str, Any]
    headline: str
    tables: Mapping[str, Table]
    notes: Sequence[str] = ()
    sums: str = ""  # what people read below them
    sections: "Sequence[Section]" = ()


@dataclass(frozen=True, slots=True)
class Html:
    """A page that is to be written, and what it answers."""

    file: Path
    question: str


@dataclass(frozen=True, slots=True)
class Form:
    as_json: bool
    as_csv: bool
    bom: bool
    excel: bool
    html: Html | None = None


def text(name: str, heading: str | None) -> Column:
    return Column(name, heading)


def number(name: str, heading: str | None) -> Column:
    return Column(name, heading, lambda value: f"{value:,}", is_number=True)


def ratio(name: str, heading: str | None) -> Column:
    return Column(name, heading, lambda value: f"{value:.2f}", is_number=True)


def share(name: str, heading: str | None) -> Column:
    return Column(name, heading, lambda value: f"{value:.1%}", is_number=True)


def change(name: str, heading: str | None) -> Column:
    return Column(name, heading, lambda value: f"{value:+.1%}", is_number=True)


def moment(name: str, heading: str | None, zone: ZoneInfo) -> Column:
    return Column(name, heading, lambda value: f"{value.astimezone(zone):%Y-%m-%d %H:%M}")


def print_answer(answer: Answer, form: Form, zone: ZoneInfo) -> None:
    """Tables on stdout, notes on stderr. Of CSV there is the first table only."""
    if form.as_csv:
        click.echo(as_csv(next(iter(answer.tables.values())), zone, bom=form.bom, excel=form.excel), nl=False)
    elif form.as_json:
        print_json(as_plain(answer, zone))
    else:
        click.echo(printable(answer.headline))
        for table in answer.tables.values():
            _print_table(table.drawn or table)
        if answer.sums:
            click.echo(answer.sums)
    for note in answer.notes:
        click.echo(printable(note), err=True)


def as_plain(answer: Answer, zone: ZoneInfo) -> dict[str, Any]:
    """What JSON has of an answer: its facts, and its tables as lists of rows."""
    tables = {name: [_plain_row(table, row, zone) for row in table.rows] for name, table in answer.tables.items()}
    return {name: _plain(value, zone) for name, value in answer.facts.items()} | tables


def as_csv(table: Table, zone: ZoneInfo, *, bom: bool = False, excel: bool = False) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([column.name for column in table.columns if column.is_told])
    for row in table.rows:
        writer.writerow([_csv_cell(cell, excel) for cell in _plain_row(table, row, zone).values()])
    return (_BOM if bom or excel else "") + file.getvalue()


def _csv_cell(cell: Any, excel: bool) -> Any:
    from models.export import FORMULA

    if isinstance(cell, list):
        cell = json.dumps(cell, ensure_ascii=False)
    # Codes and names of places are what followers sent.
    return "'" + cell if excel and isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _print_table(table: Table) -> None:
    click.echo()
    if table.title:
        click.echo(table.title)
    if not table.rows:
        click.echo("  " + _("nothing"))
        return
    plain = _drawn(table, 0)
    room = _room(plain, COURSE if table.courses else WIDTH) if table.courses or table.bars else 0
    print_drawn(_drawn(table, room) if room >= _SHORTEST else plain)


def _drawn(table: Table, room: int) -> "Drawn":
    """With a chart of such a width as its last column, or without one."""
    from rich import box
    from rich.table import Table as Drawn
    from rich.text import Text

    columns, charts = list(seen(table)), _charts(table, room)
    drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        drawn.add_column(column.heading or "", justify="right" if column.is_number else "left", overflow="fold")
    if any(charts):
        drawn.add_column("", no_wrap=True)
    for place, row in enumerate(table.rows):
        cells = [cell(column, row) for column in columns]
        drawn.add_row(*map(Text, [*cells, charts[place]] if any(charts) else cells))
    return drawn


def _charts(table: Table, room: int) -> list[str]:
    """One for each row."""
    if room == 0:
        return []
    if table.courses:
        return [spark(values, room) for values in table.courses]
    values = [row[table.bars] or 0 for row in table.rows] if table.bars else []
    return [bar(value, max(values), room) for value in values]


def _room(drawn: "Drawn", most: int) -> int:
    """Columns of the terminal that are left beside a table: a chart that is folded says nothing."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        return most
    return min(most, console.width - console.measure(drawn).maximum - 2)


def seen(table: Table) -> Iterable[Column]:
    """Those that people are shown, without those that are empty: a terminal is narrow."""
    for column in table.columns:
        is_empty = not column.nothing and all(row[column.name] in (None, "") for row in table.rows)
        if column.heading is not None and not is_empty:
            yield column


def cell(column: Column, row: Row) -> str:
    value = row[column.name]
    return column.nothing if value is None else printable(column.shown(value))


def _plain_row(table: Table, row: Row, zone: ZoneInfo) -> dict[str, Any]:
    return {column.name: _plain(row[column.name], zone) for column in table.columns if column.is_told}


def _plain(value: Any, zone: ZoneInfo) -> Any:
    """Moments by the account's clock, with what that differs from UTC; days as such."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    return value.isoformat() if isinstance(value, date) else value
