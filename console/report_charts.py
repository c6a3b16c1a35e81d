"""What is drawn of each answer, by the columns that its tables have for programs; pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from console.i18n import _
from console.output import printable
from console.report_parts import Chart, Section
from console.stats_tables import Answer, Row, Table, cell

Tables: TypeAlias = Mapping[str, Table]

_COURSES = 8  # lines that an eye can tell apart


def titles() -> Mapping[str, str]:
    """Of the pages, by the questions."""
    return {
        "buttons": _("What was tapped"),
        "compare": _("Two versions of the menu"),
        "rotation": _("What each window of the rotations brought"),
        "paths": _("Before and after a tap"),
        "funnel": _("How far followers go"),
        "cohorts": _("Who comes back"),
        "scans": _("What was scanned"),
        "photos": _("Photos"),
        "places": _("Places"),
        "health": _("How well it is heard"),
    }


def section(question: str, answer: Answer, title: str = "") -> Section:
    """An answer with its pictures."""
    draw = _CHARTS.get(question)
    charts = [chart for chart in draw(answer) if chart] if draw else []
    return Section(title, charts, list(answer.tables.values()), answer.notes)


def _buttons(answer: Answer) -> list[Chart | None]:
    return [courses(answer.tables["rows"])]


def courses(table: Table) -> Chart | None:
    """What was tapped most, as lines; of a table whose rows are each of a period."""
    if table.drawn is None:
        return None
    period, things = table.columns[0], table.drawn
    each = len(table.rows) // len(things.rows)
    lines = [
        {"name": cell(things.columns[0], row), "values": course}
        for row, course in zip(things.rows[:_COURSES], things.courses[:_COURSES], strict=True)
    ]
    periods = [cell(period, row) for row in table.rows[:each]]
    return Chart("course", _("In the course of time"), {"x": periods, "lines": lines, "form": "count"})


def _compare(answer: Answer) -> list[Chart | None]:
    rows = [{"name": _("The menu as a whole")} | dict(row) for row in _rows(answer, "whole")] + [
        dict(row) for row in _rows(answer, "buttons")
    ]
    words = dict(_verdicts(answer))
    drawn = [
        {
            "name": _text(row["name"]),
            "low": row["share_low"],
            "estimate": row["share_estimate"],
            "high": row["share_high"],
            "verdict": row["verdict"],
            "words": words.get(row["verdict"], row["verdict"]),
        }
        for row in rows
        if row["share_estimate"] is not None
    ]
    first, second = (answer.facts[side]["number"] for side in ("first", "second"))
    sides = [
        {"name": str(number), "values": [row[f"{side}_share"] for row in rows]}
        for side, number in (("first", first), ("second", second))
    ]
    difference = _(
        "{second} against {first}: difference of the share of active followers who tapped, with its 95 % interval"
    )
    return [
        _bars(_("Share of active followers who tapped"), [row["name"] for row in rows], sides, "share"),
        Chart("differences", difference.format(first=first, second=second), {"rows": drawn, "form": "share"})
        if drawn
        else None,
    ]


def _verdicts(answer: Answer) -> Iterable[tuple[str, str]]:
    """The words of the tables for them."""
    for table in answer.tables.values():
        column = next(column for column in table.columns if column.name == "verdict")
        yield from ((row["verdict"], cell(column, row)) for row in table.rows)


def _rotation(answer: Answer) -> list[Chart | None]:
    table = answer.tables["windows"]
    begin = next(column for column in table.columns if column.name == "started_at")
    names = [f"{cell(begin, row)} · {row['version']}" for row in table.rows]
    series = [{"name": _("Per hour"), "values": [row["taps_per_hour"] for row in table.rows]}]
    return [_bars(_("Taps per hour of each window, by its beginning and version"), names, series, "ratio")]


def _paths(answer: Answer) -> list[Chart | None]:
    """Ways flow through the button: those before it from the left, those after it to the right."""
    button = answer.facts["button"]
    middle = {"id": "0", "label": _text(button.get("name") or button["key"] or button["kind"]), "depth": 0}
    nodes: dict[str, Any] = {"0": middle}
    links: Counter[tuple[str, str]] = Counter()
    for side, name in ((-1, "before"), (1, "after")):
        for row in _rows(answer, name):
            steps = row["names"][::side] or [cell(answer.tables[name].columns[1], row)]  # the session begins or ends
            _follow(steps, row["taps"], side, nodes, links)
    if not links:
        return []
    flows = [{"source": source, "target": target, "value": taps} for (source, target), taps in links.items()]
    return [Chart("flow", _("The commonest ways"), {"nodes": list(nodes.values()), "links": flows})]


def _follow(
    steps: Sequence[str], taps: int, side: int, nodes: dict[str, Any], links: "Counter[tuple[str, str]]"
) -> None:
    """One way from the button outwards; what is equally far away, and the same, is one."""
    inner = "0"
    for distance, label in enumerate(steps, 1):
        outer = f"{side * distance} {label}"
        nodes.setdefault(outer, {"id": outer, "label": _text(label), "depth": side * distance})
        links[(outer, inner) if side < 0 else (inner, outer)] += taps
        inner = outer


def _funnel(answer: Answer) -> list[Chart | None]:
    rows = _rows(answer, "steps")
    return [_bars(_("Users"), [row["step"] for row in rows], [_series(_("Users"), rows, "users")], "count")]


def _cohorts(answer: Answer) -> list[Chart | None]:
    rows = _rows(answer, "cohorts")
    names = [name for name in (rows[0] if rows else {}) if name.startswith("share_")]
    places = [name.removeprefix("share_") for name in names if any(row[name] is not None for row in rows)]
    cells = [
        [x, y, row[f"share_{place}"]]
        for y, row in enumerate(rows)
        for x, place in enumerate(places)
        if row[f"share_{place}"] is not None
    ]
    weeks, after = [str(row["week"]) for row in rows], [f"+{place}" for place in places]
    title = _("Share of those first seen in a week that tapped so many weeks later")
    return [heat(title, after, weeks, cells, "share", is_lettered=True)]


def _scans(answer: Answer) -> list[Chart | None]:
    table = answer.tables.get("kinds")
    sums: Counter[str] = Counter()
    if table:
        kind = next(column for column in table.columns if column.name == "code_kind")
        for row in table.rows:
            sums[cell(kind, row)] += row["scans"]
    codes = [row for row in _rows(answer, "codes") if row["code"] is not None]
    return [
        _bars(_("Scanned most often"), [row["code"] for row in codes], [_series(_("Scans"), codes, "scans")], "count"),
        _bars(
            _("By kind of code"),
            [kind for kind, _scans in sums.most_common()],
            [{"name": _("Scans"), "values": [scans for _kind, scans in sums.most_common()]}],
            "count",
        ),
    ]


def _photos(answer: Answer) -> list[Chart | None]:
    buttons, sends = _rows(answer, "buttons"), _rows(answer, "sends")
    series = [_series(_("Declared"), buttons, "declared"), _series(_("Listed"), buttons, "listed")]
    sizes = [str(row["photos"]) for row in sends]
    return [
        _bars(_("Photos by button"), [row["label"] for row in buttons], series, "count"),
        _bars(_("Photos in one send"), sizes, [_series(_("Sends"), sends, "sends")], "count"),
    ]


def _places(answer: Answer) -> list[Chart | None]:
    sides = ("west", "south", "east", "north", "times", "users", "geohash")
    cells = [[row[side] for side in sides] for row in _rows(answer, "cells")]
    words = {"times": _("Times"), "users": _("Users")}
    title = _("By longitude and latitude: the stronger the colour, the more often it was chosen")
    return [Chart("cells", title, {"cells": cells, "words": words}) if cells else None]


def _health(answer: Answer) -> list[Chart | None]:
    table = answer.tables.get("delays")
    if table is None or not table.rows:
        return []
    names = [cell(table.columns[0], row) for row in table.rows]
    series = [_series(f"p{share}", table.rows, f"p{share}_ms") for share in (50, 90, 99)]
    return [_bars(_("Delays in ms"), names, series, "count")]


def heat(
    title: str,
    x: Sequence[str],
    y: Sequence[str],
    cells: Sequence[Sequence[float]],
    form: str,
    *,
    is_lettered: bool = False,
) -> Chart | None:
    """`cells` are columns, rows and values."""
    values = {"x": x, "y": y, "cells": cells, "form": form, "lettered": is_lettered}
    return Chart("heat", title, values) if cells else None


def _bars(title: str, names: Sequence[str], series: Sequence[Mapping[str, Any]], form: str) -> Chart | None:
    if not names:
        return None
    return Chart("bars", title, {"names": [_text(name) for name in names], "series": series, "form": form})


def _series(name: str, rows: Sequence[Row], column: str) -> dict[str, Any]:
    return {"name": name, "values": [row[column] for row in rows]}


def _rows(answer: Answer, name: str) -> Sequence[Row]:
    """None where another table is asked for."""
    table = answer.tables.get(name)
    return table.rows if table else ()


def _text(name: Any) -> str:
    return printable(str(name))


_CHARTS: Mapping[str, Callable[[Answer], list[Chart | None]]] = {
    "buttons": _buttons,
    "compare": _compare,
    "rotation": _rotation,
    "paths": _paths,
    "funnel": _funnel,
    "cohorts": _cohorts,
    "scans": _scans,
    "photos": _photos,
    "places": _places,
    "health": _health,
}
