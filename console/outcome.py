"""What came of the demonstration: figures of the tables, and the ledger compared with them."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.i18n import _
from console.output import printable
from wechat.simulator import ledger
from wechat.simulator.ledger import Comparison
from wechat.simulator.report import Report

if TYPE_CHECKING:
    from rich.console import RenderableType
    from sqlalchemy import Connection

    from models.summary import ButtonCount, KindCount, PhotoTotals, PlaceCount, ScanCount

TOP = 8


@dataclass(frozen=True)
class Tables:
    """What the tables add up to, earlier runs in the same folder included."""

    kinds: list["KindCount"]
    buttons: list["ButtonCount"]
    scans: list["ScanCount"]
    photos: "PhotoTotals"
    places: list["PlaceCount"]


def read_tables(connection: "Connection") -> Tables:
    from models import summary

    return Tables(
        kinds=summary.events_by_kind(connection),
        buttons=summary.top_buttons(connection, TOP),
        scans=summary.top_scans(connection, TOP),
        photos=summary.photo_totals(connection),
        places=summary.top_places(connection, TOP),
    )


def compare(file: Path, stored: Iterable[str], before: Set[str]) -> Comparison:
    """The ledger of this run against what has come into the tables since it began."""
    return ledger.compare(ledger.read(file), (event for event in stored if event not in before))


@dataclass(frozen=True)
class Outcome:
    history: Report
    live: Report
    comparison: Comparison
    tables: Tables

    @property
    def is_fine(self) -> bool:
        return self.comparison.agrees and self.history.is_fine and self.live.is_fine

    @property
    def stored(self) -> int:
        """Events of this run in the tables, each acknowledged."""
        return self.comparison.acknowledged - len(self.comparison.missing)

    @property
    def duplicates(self) -> int:
        """Deliveries that brought nothing new: repeats, and attempts whose answer came too late."""
        return self.history.attempts + self.live.attempts - self.comparison.acknowledged

    def as_json(self) -> dict[str, Any]:
        return {
            "agrees": self.is_fine,
            "sent": self.comparison.acknowledged,
            "stored": self.stored,
            "duplicates_dropped": self.duplicates,
            "missing": sorted(self.comparison.missing),
            "unexpected": sorted(self.comparison.unexpected),
            "history": self.history.as_json(),
            "live": self.live.as_json(),
            "tables": asdict(self.tables),
        }

    def differences(self) -> Iterator[str]:
        """What is not as promised, a sentence each."""
        for ids, text in (
            (self.comparison.missing, _("{count} events were acknowledged and are not in the tables: {ids}")),
            (self.comparison.unexpected, _("{count} events are in the tables and were never sent: {ids}")),
            (self.comparison.repeated, _("{count} events are in the tables more than once: {ids}")),
        ):
            if ids:
                yield text.format(count=len(ids), ids=", ".join(sorted(ids)[:5]))
        if unacknowledged := self.history.unacknowledged + self.live.unacknowledged:
            yield _("{count} pushes were not acknowledged").format(count=unacknowledged)

    def shown(self) -> "RenderableType":
        """Two columns of tables, and the sums below."""
        from rich.console import Group
        from rich.table import Table

        grid = Table.grid(padding=(0, 3))
        grid.add_row(self._kinds(), Group(self._buttons(), self._places()))
        return Group(grid, self._scans(), self._sums())

    def _kinds(self) -> "RenderableType":
        rows = [(kind.kind, kind.count) for kind in self.tables.kinds[: 2 * TOP]]
        if rest := sum(kind.count for kind in self.tables.kinds[2 * TOP :]):
            rows.append((_("others"), rest))
        return _table(_("Events per kind"), rows)

    def _buttons(self) -> "RenderableType":
        rows = [(f"{button.kind} {button.event_key or ''}", button.count) for button in self.tables.buttons]
        return _table(_("Top buttons"), rows)

    def _scans(self) -> "RenderableType":
        rows = [(" ".join(filter(None, (scan.symbology, scan.result))), scan.count) for scan in self.tables.scans]
        return _table(_("Top scans"), rows)

    def _places(self) -> "RenderableType":
        rows = [(" ".join(filter(None, (place.label, place.poi_name))), place.count) for place in self.tables.places]
        return _table(_("Top places"), rows)

    def _sums(self) -> "RenderableType":
        from rich.table import Table

        photos = self.tables.photos
        table = Table.grid(padding=(0, 2))
        for name, value in (
            (_("Photos"), _("{listed} in {sends} sends").format(listed=photos.listed, sends=photos.sends)),
            (_("Acknowledged, history"), _speed(self.history)),
            (_("Acknowledged, live"), _speed(self.live)),
            (_("Duplicates dropped"), f"{self.duplicates:,}"),
            (_("Sent = stored"), f"{self.comparison.acknowledged:,} {'=' if self.is_fine else '≠'} {self.stored:,}"),
        ):
            table.add_row(f"[bold]{name}[/]", value)
        if earlier := sum(kind.count for kind in self.tables.kinds) - self.stored:
            table.add_row(_("Of earlier runs, above"), f"{earlier:,}")
        return table


def _table(title: str, rows: Iterable[tuple[str, int]]) -> "RenderableType":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=box.SIMPLE, show_header=False, title_justify="left", title_style="bold")
    table.add_column(max_width=28, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right")
    for name, count in rows:
        table.add_row(Text(printable(name)), f"{count:,}")
    return table


def _speed(report: Report) -> str:
    latencies = report.latencies()
    if not latencies:
        return "-"
    text = _("{count:,} at {rate:,.0f} a second; p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    rate = report.sent / report.elapsed if report.elapsed else 0.0
    return text.format(count=report.sent, rate=rate, p50=latencies["p50"], p99=latencies["p99"])
