"""The calendar of a rotation, as a terminal shows it: a line for each day, and in it what is due hour by hour.

Only ASCII draws the blocks: of box and block characters a Chinese terminal may make two columns.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from console.i18n import _

if TYPE_CHECKING:
    from rich.text import Text

    from console.rotation_plan import Span

BASE, NOTHING, OUTSIDE, SHORT = ".", "-", " ", "*"
_HATCHES = "=#/+xo%~:"
_COLOURS = ("green", "yellow", "cyan", "magenta", "blue", "red")
_LABEL = 16  # columns: a date, a weekday, and blanks
_HOURS = 24
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cell:
    span: int | None  # which of the spans; None outside of all
    is_short: bool = False  # another one lies within, too short for a cell of its own


Day: TypeAlias = tuple[date, list[Cell]]


def hatches(versions: Sequence[int], base: int | None) -> dict[int, str]:
    """What each version is drawn with; where there are many, some share it, and their numbers tell them apart."""
    others = [version for version in sorted(set(versions)) if version != base]
    drawn = {version: _HATCHES[index % len(_HATCHES)] for index, version in enumerate(others)}
    return drawn if base is None else {base: BASE} | drawn


def per_hour(width: int) -> int:
    """Cells of an hour, as many as a terminal has room for."""
    return max((cells for cells in (1, 2, 4) if _LABEL + _HOURS * cells <= width), default=1)


def days(spans: Sequence["Span"], zone: ZoneInfo, cells: int) -> Iterator[Day]:
    """The spans, which follow each other without a gap, as days of a time zone with so many cells to the hour."""
    starts = [span.starts_at for span in spans]
    starting: dict[date, list[tuple[int, datetime]]] = defaultdict(list)
    for index, start in enumerate(starts):
        starting[start.astimezone(zone).date()].append((index, start.astimezone(zone)))
    day, last = spans[0].starts_at.astimezone(zone).date(), (spans[-1].ends_at - _MOMENT).astimezone(zone).date()
    step = timedelta(hours=1) / cells
    while day <= last:
        midnight = datetime.combine(day, time())
        moments = [_moment(midnight + step * n, zone) for n in range(_HOURS * cells)]
        drawn = [Cell(_longest(spans, starts, moment, moment + step) if moment else None) for moment in moments]
        yield day, _with_short(drawn, starting[day], cells)
        day += timedelta(days=1)


def picture(drawn: Sequence[Day], spans: Sequence["Span"], marks: Mapping[int, str], cells: int) -> "Text":
    """All days with a line of hours above them."""
    from rich.text import Text

    shown = Text()
    shown.append(_header(cells), style="dim")
    for day, row in drawn:
        shown.append(f"\n{_label(day)}")
        for text, version in _blocks(row, spans, marks):
            shown.append(text, style=_style(version, marks))
    return shown


def _moment(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The first at which clocks show this time; None where daylight saving skips it."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == wall else None


def _longest(spans: Sequence["Span"], starts: Sequence[datetime], begin: datetime, end: datetime) -> int | None:
    """Which span has most of a time."""
    first = max(bisect_right(starts, begin) - 1, 0)
    parts = {
        index: min(spans[index].ends_at, end) - max(spans[index].starts_at, begin)
        for index in range(first, bisect_right(starts, end - _MOMENT))
    }
    best = max(parts, key=lambda index: parts[index], default=None)
    return best if best is not None and parts[best] > timedelta() else None


def _with_short(row: list[Cell], starting: Sequence[tuple[int, datetime]], cells: int) -> list[Cell]:
    """With a mark where a span of this day has got no cell."""
    shown = {cell.span for cell in row}
    for index, start in starting:
        if index not in shown:
            place = int((start.hour + start.minute / 60) * cells)
            row[place] = Cell(row[place].span, is_short=True)
    return row


def _blocks(row: Sequence[Cell], spans: Sequence["Span"], marks: Mapping[int, str]) -> Iterator[tuple[str, int | None]]:
    """Runs of cells with the same menu; the number of its version stands in front, where it has room."""
    place = 0
    while place < len(row):
        end = place
        while end < len(row) and row[end].span == row[place].span:
            end += 1
        span = row[place].span
        version = None if span is None else spans[span].version
        length = end - place
        mark = OUTSIDE if span is None else NOTHING if version is None else marks[version]
        number = "" if version is None else str(version)
        text = (number if len(number) <= length else "").ljust(length, mark)
        yield "".join(SHORT if row[place + n].is_short else sign for n, sign in enumerate(text)), version
        place = end


def _header(cells: int) -> str:
    every = 3 if cells == 1 else 2
    return " " * _LABEL + "".join(f"{hour:02}".ljust(every * cells) for hour in range(0, _HOURS, every)).rstrip()


def _label(day: date) -> str:
    from rich.cells import cell_len

    label = f"{day:%Y-%m-%d} {weekday(day)}"
    return label + " " * (_LABEL - cell_len(label))


def weekday(day: date) -> str:
    return weekday_names()[day.weekday()]


def weekday_names() -> tuple[str, ...]:
    return _("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")


def _style(version: int | None, marks: Mapping[int, str]) -> str:
    if version is None or marks[version] == BASE:
        return ""
    return f"black on {_COLOURS[list(marks).index(version) % len(_COLOURS)]}"
