"""What verbs print: tables for people, JSON for programs."""

import base64
import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

_HARMLESS = "\n\u3000\u200d"  # new line, the blank of Chinese text, and what joins emoji


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain, indent=2))


def print_json_line(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, err: bool = False) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")  # Chinese has no blanks to break lines at
    for row in rows:
        table.add_row(*("" if cell is None else printable(str(cell)) for cell in row))
    print_drawn(table, err=err)


def print_drawn(drawn: "RenderableType", *, err: bool = False) -> None:
    """Something of Rich's, as wide as its content where nobody watches: nothing is cut for a pipe."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, stderr=err)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, stderr=err, width=10_000)
    console.print(drawn)


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, a line each, without those that are empty."""
    from rich.cells import cell_len

    shown = [(name, printable(str(value))) for name, value in pairs if value is not None]
    width = max((cell_len(name) for name, _value in shown), default=0)
    for name, value in shown:
        click.echo(name + " " * (width - cell_len(name)) + "  " + value)


def printable(text: str) -> str:
    """The text with what would move a terminal's cursor, or hide something, escaped."""
    return "".join(sign if sign.isprintable() or sign in _HARMLESS else ascii(sign)[1:-1] for sign in text)


def local(moment: datetime | None, zone: tzinfo) -> str | None:
    return None if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, UUID | Decimal | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
