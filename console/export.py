"""`caidan event export`: events and their details as files."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from console.choosing import kind_filter, selected, since, until
from console.command import InvalidInputError, UnfitError, account_filter, command, option
from console.database import reading
from console.draft import check_free, draft
from console.i18n import _, ngettext
from console.progress import progress_in_time
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.export import Sink, Writer
    from models.walk import Selection

FORMATS = ("csv", "ndjson", "parquet")
TABLES = ("event", "scan", "photo_send", "photo", "location", "message")
STDOUT = Path("-")


@dataclass(frozen=True)
class Order:
    """What is to be written, and where to."""

    table: str
    form: str
    output: Path
    manifest: Path | None  # None is stderr
    bom: bool
    excel: bool
    force: bool

    @property
    def is_file(self) -> bool:
        return self.output != STDOUT


@command()
@account_filter
@kind_filter
@since
@until
@option("--table", type=click.Choice(TABLES), default="event", help="Events, or the details of their kinds.")
@option("--format", "form", type=click.Choice(FORMATS), help="Without it, as the name of the file ends.")
@option("--output", metavar="FILE", required=True, help="The file to write, or - for standard output.")
@option("--manifest", metavar="FILE", help="What was exported, in JSON; without it FILE.manifest.json beside the file.")
@option("--bom", is_flag=True, help="Begin CSV with the mark by which Excel knows UTF-8.")
@option("--excel", is_flag=True, help="As --bom, and put ' before text that Excel would take for a formula.")
@option("--force", is_flag=True, help="Replace a file that is there.")
def export(
    account: str | None,
    kind: str | None,
    since: str | None,
    until: str | None,
    table: str,
    form: str | None,
    output: str,
    manifest: str | None,
    bom: bool,
    excel: bool,
    force: bool,
) -> None:
    """Write events to a file, the oldest first, with a manifest of what is in it."""
    from models import walk

    order = _order(table, form, output, manifest, bom=bom, excel=excel, force=force)
    config = load(Config)
    with reading(config) as connection:
        walk.see_one_state(connection)
        selection = selected(config, connection, account, kind, since, until)
        done = _export(connection, selection, order)
        done["accounts"] = _accounts(connection)
    filter_ = {"account": account} | asdict(selection)
    del filter_["account_id"]
    _write_manifest(order, {"filter": filter_} | done)
    text = ngettext("{count} row exported.", "{count} rows exported.", done["rows"])
    click.echo(text.format(count=done["rows"]), err=True)


def _order(
    table: str, form: str | None, output: str, manifest: str | None, *, bom: bool, excel: bool, force: bool
) -> Order:
    """Raises InvalidInputError."""
    path = Path(output)
    form = form or path.suffix.removeprefix(".")
    if form not in FORMATS:
        raise InvalidInputError(_("Give --format: the name of the file does not tell it."))
    if path == STDOUT and form == "parquet":
        raise InvalidInputError(_("Parquet needs a file: give one with --output."))
    if (bom or excel) and form != "csv":
        raise InvalidInputError(_("--bom and --excel are for CSV only."))
    beside = None if path == STDOUT else path.with_name(path.name + ".manifest.json")
    order = Order(table, form, path, Path(manifest) if manifest else beside, bom, excel, force)
    for file in (order.output if order.is_file else None, order.manifest):
        if file is not None:
            check_free(file, force=force)
    return order


def _export(connection: "Connection", selection: "Selection", order: Order) -> dict[str, Any]:
    """Write the rows; what the manifest tells of them."""
    from models import walk
    from models.export import TABLES as MODELS
    from models.export import Sink, columns

    model, rows = MODELS[order.table], 0
    made_at = datetime.now(UTC)
    is_seen = order.is_file or not sys.stdout.isatty()  # else rows and bar would mix
    with (
        _written(order) as file,
        progress_in_time(_("Export"), walk.span(connection, selection), shown=is_seen) as advance,
    ):
        sink = Sink(file)
        writer = _writer(order, sink)
        for page in walk.pages(connection, selection, model):
            writer.write(page)
            rows += len(page)
            advance(page[-1].created_at)
        writer.close()
    return {
        "table": order.table,
        "format": order.form,
        "columns": [{"name": name, "type": kind} for name, kind in columns(model).items()],
        "rows": rows,
        "bytes": sink.size,
        "sha256": sink.sha256,
        "made_at": made_at.isoformat(),
    }


def _writer(order: Order, sink: "Sink") -> "Writer":
    from models import export

    try:
        return export.writer(order.form, export.TABLES[order.table], sink, bom=order.bom, excel=order.excel)
    except ImportError:
        text = _("Parquet needs pyarrow, which is not installed: pip install 'caidan[parquet]'")
        raise UnfitError(text) from None


@contextmanager
def _written(order: Order) -> Iterator[IO[bytes]]:
    """The file to write into; it gets its name when it is whole."""
    if not order.is_file:
        yield sys.stdout.buffer
        return
    with draft(order.output) as file:
        yield file
        if order.manifest:
            order.manifest.unlink(missing_ok=True)  # that of the file which is now replaced


def _write_manifest(order: Order, content: dict[str, Any]) -> None:
    content = {"program": f"caidan {version('caidan')}", "file": order.output.name} | content
    text = json.dumps(content, ensure_ascii=False, indent=2, default=lambda moment: moment.isoformat()) + "\n"
    if order.manifest is None:
        click.echo(text, err=True, nl=False)
        return
    with draft(order.manifest) as file:
        file.write(text.encode())


def _accounts(connection: "Connection") -> dict[str, str]:
    """The names of accounts by their ids, which the rows have."""
    from sqlalchemy import select

    from models.account import Account

    return {str(row.id): row.name for row in connection.execute(select(Account.id, Account.name).order_by(Account.id))}
