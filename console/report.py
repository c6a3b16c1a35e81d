"""`--html`: an answer as one page that needs nothing else, neither network nor server, to be seen and sent around.

Names of buttons, codes and places are what others wrote. They are escaped; and if that should fail, the page allows no
script but the two that are in it, known by their digests, and no request at all.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

import click
from markupsafe import Markup

from console.draft import draft
from console.i18n import _, language
from console.output import printable
from console.report_charts import section, titles
from console.report_parts import Chart, Section
from console.stats_tables import Answer, Column, Html, Row, Table, cell, seen

_PAGE = Markup("""\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title} · {headline}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
<header><h1>{title}</h1><p class="soft">{headline}</p></header>
{figures}
<main>
{sections}
</main>
<script type="application/json" id="charts">{charts}</script>
<script>{library}</script>
<script>{script}</script>
</html>
""")
_SECTION = Markup(
    "<section>{title}{notes}<div class='side'>{drawn}<div class='charts'>{charts}</div></div>{tables}</section>"
)
_TITLE = Markup("<h2>{title}</h2>")
_NOTE = Markup('<p class="soft">{note}</p>')
_CHART = Markup(
    '<figure><figcaption>{title}</figcaption><div class="chart" role="img" aria-label="{title}"></div></figure>'
)
_TABLE = Markup('{title}<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>')
_CAPTION = Markup("<h3>{title}</h3>")
_HEAD = Markup('<th class="{form}">{text}</th>')
_ROW = Markup("<tr>{cells}</tr>")
_CELL = Markup('<td class="{form}">{text}</td>')
_BAR = Markup('<td class="number bar" style="--share:{share:.3f}">{text}</td>')
_FIGURE = Markup('<div class="figure"><b>{value}</b><span>{name}</span>{before}</div>')
_BEFORE = Markup('<i class="soft">{text}</i>')


def write(answer: Answer, html: Html) -> None:
    """Raises UnfitError."""
    text = page(answer, html.question)
    with draft(html.file) as file:
        file.write(text.encode())
    click.echo(_("{file} is written; a browser opens it.").format(file=html.file), err=True)


def page(answer: Answer, question: str) -> str:
    notes, sections = answer.notes, answer.sections
    if not sections:
        notes, sections = [*notes, answer.sums], [replace(section(question, answer), notes=())]
    charts = [chart for part in sections for chart in part.charts]
    library, script = _file("vendored/echarts.min.js"), _file("report.js")
    return _PAGE.format(
        language={"zh": "zh-CN"}.get(language(), language()),
        policy=_policy(library, script),
        title=titles().get(question, question),
        headline=printable(answer.headline),
        style=_file("report.css"),
        figures=_figures(answer.facts.get("total"), notes),
        sections=_together(map(_section, sections)),
        charts=_json(charts),
        library=library,
        script=script,
    )


def _section(part: Section) -> Markup:
    return _SECTION.format(
        title=_TITLE.format(title=part.title) if part.title else "",
        notes=_notes(part.notes),
        drawn=part.drawn,
        charts=_together(_CHART.format(title=printable(chart.title)) for chart in part.charts),
        tables=_together(_table(table.drawn or table) for table in part.tables if table.rows),
    )


def _table(table: Table) -> Markup:
    columns = list(seen(table))
    most = max((row[table.bars] or 0 for row in table.rows), default=0) if table.bars else 0
    return _TABLE.format(
        title=_CAPTION.format(title=printable(table.title)) if table.title else "",
        heads=_together(_HEAD.format(form=_form(column), text=column.heading or "") for column in columns),
        rows=_together(
            _ROW.format(cells=_together(_cell(table, column, row, most) for column in columns)) for row in table.rows
        ),
    )


def _cell(table: Table, column: Column, row: Row, most: float) -> Markup:
    text = cell(column, row)
    if column.name == table.bars and most:
        return _BAR.format(share=(row[column.name] or 0) / most, text=text)
    return _CELL.format(form=_form(column), text=text)


def _form(column: Column) -> str:
    return "number" if column.is_number else "text"


def _figures(total: Mapping[str, Any] | None, notes: Sequence[str]) -> Markup:
    """What there was of everything together, in large letters."""
    if total is None:
        return _notes(notes)
    before = _("before: {count:,}")
    per_user = total["taps_per_user"]
    figures = [
        (_("Taps"), f"{total['taps']:,}", before.format(count=total["taps_before"])),
        (_("Users"), f"{total['users']:,}", before.format(count=total["users_before"])),
        (_("Per user"), "–" if per_user is None else f"{per_user:.2f}", ""),
    ]
    if total["change"] is not None:
        figures.append((_("Change"), f"{total['change']:+.1%}", ""))
    drawn = _together(
        _FIGURE.format(value=value, name=name, before=_BEFORE.format(text=text) if text else "")
        for name, value, text in figures
    )
    return Markup('<div class="figures">{drawn}</div>{notes}').format(drawn=drawn, notes=_notes(notes))


def _notes(notes: Iterable[str]) -> Markup:
    return _together(_NOTE.format(note=printable(line)) for note in notes for line in note.splitlines())


def _json(charts: Iterable[Chart]) -> Markup:
    """All but ASCII is escaped, and what could end the element it stands in."""
    drawn = [{"kind": chart.kind, "values": chart.values} for chart in charts]
    text = json.dumps({"language": language(), "charts": drawn}, allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - nothing in it is left that HTML could take for its own


def _policy(*scripts: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"


def _file(name: str) -> Markup:
    """As it is: our own, or vendored."""
    text = resources.files("console").joinpath(name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - nobody else's words


def _together(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)
