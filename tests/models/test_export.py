"""Rows as files, and read back again."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from console.export import TABLES as OFFERED
from models import export
from models.base import table_of
from models.db import connect, transaction
from models.event import Event, Location
from models.export import Sink, columns, writer
from models.walk import Selection, pages
from tests.pushes import SAMPLES, batch_of, event_of, push, sample
from wechat import event as pushed
from workers.record import record

ODD = ('a,"b"', "line\nbreak\r", "", " ", "=1+1", "-", "😀 餐厅", "\\N", "'")


@pytest.fixture
def samples(database: Engine) -> Engine:
    record(database, batch_of(*_samples()))
    return database


def _samples() -> list[pushed.Event]:
    """Every push that WeChat documents, and texts that are odd in one format or another."""
    odd = [
        {"FromUserName": f"o{number}", "MsgType": "text", "Content": text, "EventKey": text}
        for number, text in enumerate(ODD)
    ]
    messages = [*(sample(one["file"]) for one in SAMPLES), *(json.dumps(fields).encode() for fields in odd)]
    return [event_of(message) for message in messages]


def exported(engine: Engine, table: str, form: str, **settings: bool) -> bytes:
    model = export.TABLES[table]
    file = io.BytesIO()
    with engine.connect() as connection:
        sink = Sink(file)
        to_file = writer(form, model, sink, **settings)
        for page in pages(connection, Selection(), model):
            to_file.write(page)
        to_file.close()
    content = file.getvalue()
    assert len(content) == sink.size
    return content


def stored(engine: Engine, table: str) -> list[dict[str, Any]]:
    model = table_of(export.TABLES[table])
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(model).order_by(*model.primary_key)).mappings()]


def test_the_tables_offered_are_those_there_are() -> None:
    assert tuple(export.TABLES) == OFFERED


def test_columns_come_in_the_order_that_is_promised() -> None:
    promised = "id created_at account_id kind open_id event_key wechat_menu_id msg_id received_at recorded_at"
    promised += " publication_id body"

    assert promised.split() == list(columns(Event))
    assert ("id", "moment", "integer", "text", "json") == tuple(
        columns(Event)[name] for name in ("id", "created_at", "account_id", "kind", "body")
    )
    assert "decimal" == columns(Location)["latitude"]


@pytest.mark.parametrize("table", export.TABLES)
def test_csv_holds_what_the_table_holds(samples: Engine, table: str) -> None:
    text = exported(samples, table, "csv").decode()
    kinds = columns(export.TABLES[table])
    header, *lines = csv.reader(io.StringIO(text, newline=""))

    assert list(kinds) == header
    rows = [{name: _said(kind, cell) for (name, kind), cell in zip(kinds.items(), line, strict=True)} for line in lines]
    assert [{name: _blank(value) for name, value in row.items()} for row in stored(samples, table)] == rows


def _said(kind: str, cell: str) -> Any:
    if not cell:
        return None
    readers = {"moment": datetime.fromisoformat, "decimal": Decimal, "integer": int, "json": json.loads}
    return readers.get(kind, str)(cell)


def _blank(value: Any) -> Any:
    """Python's reader of CSV does not tell text of no length from none at all."""
    return (
        str(value) if hasattr(value, "hex") and not isinstance(value, float) else value or (0 if value == 0 else None)
    )


def test_postgresql_reads_the_csv_as_it_was(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    record(engine, batch_of(*_samples()))
    content, before = exported(engine, "event", "csv"), stored(engine, "event")
    with transaction(engine) as connection:
        connection.execute(table_of(Event).delete())
        with (
            connection.connection.cursor() as cursor,
            cursor.copy("COPY event FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            copy.write(content)

    assert before == stored(engine, "event")
    engine.dispose()


@pytest.mark.parametrize("table", export.TABLES)
def test_ndjson_holds_what_the_table_holds(samples: Engine, table: str) -> None:
    kinds = columns(export.TABLES[table])
    lines = [json.loads(line) for line in exported(samples, table, "ndjson").splitlines()]

    assert all(list(kinds) == list(line) for line in lines)
    readers = {"moment": datetime.fromisoformat, "decimal": Decimal}
    rows = [
        {name: readers.get(kinds[name], lambda cell: cell)(cell) if cell else cell for name, cell in line.items()}
        for line in lines
    ]
    ids = {"id", "event_id"}
    expected = [
        {name: str(value) if name in ids else value for name, value in row.items()} for row in stored(samples, table)
    ]
    assert expected == rows


@pytest.mark.parametrize("table", export.TABLES)
def test_parquet_holds_what_the_table_holds(samples: Engine, table: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = parquet.ParquetFile(io.BytesIO(exported(samples, table, "parquet")))
    types = {field.name: str(field.type) for field in file.schema_arrow}

    assert "timestamp[us, tz=UTC]" == types["created_at"]
    assert types.get("latitude", "decimal128(18, 15)") == "decimal128(18, 15)"
    ids = {"id", "event_id"}
    expected = [
        {name: str(value) if name in ids else value for name, value in row.items()} for row in stored(samples, table)
    ]
    rows = [
        {name: json.loads(value) if name == "body" and value else value for name, value in row.items()}
        for row in file.read().to_pylist()
    ]
    assert expected == rows


def test_an_empty_table_is_a_file_with_columns_only(database: Engine) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")

    assert b"event_id,created_at,position,md5\n" == exported(database, "photo", "csv")
    assert b"" == exported(database, "photo", "ndjson")
    assert 0 == parquet.read_table(io.BytesIO(exported(database, "photo", "parquet"))).num_rows


def test_for_excel_a_formula_is_made_text_and_nothing_else_is_changed(samples: Engine) -> None:
    plain, marked = exported(samples, "event", "csv"), exported(samples, "event", "csv", bom=True)
    guarded = exported(samples, "event", "csv", excel=True)

    assert b"\xef\xbb\xbf" + plain == marked
    assert guarded.startswith(b"\xef\xbb\xbfid,")
    lines = zip(plain.splitlines(), guarded[3:].splitlines(), strict=True)
    changed = [(before, after) for before, after in lines if before != after]
    assert 2 == len(changed)
    assert all(after == before.replace(b",=1", b",'=1").replace(b",-,", b",'-,") for before, after in changed)


@pytest.fixture
def large(sqlite_database_url: str) -> Iterator[Connection]:
    """Five megabytes of events."""
    engine = connect(sqlite_database_url)
    for start in range(0, 5_000, 500):
        made = [
            event_of(push(user=f"o{number}", at=1_790_000_000 + number, more=f"<Long>{number:01000}</Long>"))
            for number in range(start, start + 500)
        ]
        record(engine, batch_of(*made))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_memory_does_not_grow_with_the_table(large: Connection, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    pool = pytest.importorskip("pyarrow").default_memory_pool()
    monkeypatch.setattr(export, "GROUP_BYTES", 500_000)
    peaks = []
    with Path("/dev/null").open("wb") as nowhere:
        to_file = writer(form, Event, Sink(nowhere))
        tracemalloc.start()
        for page in pages(large, Selection(), Event):
            to_file.write(page)
            peaks.append(tracemalloc.get_traced_memory()[1] + pool.bytes_allocated())
        tracemalloc.stop()
        to_file.close()

    assert 10 == len(peaks)
    assert peaks[-1] - peaks[2] < 1_000_000  # of the four that were written since


def test_row_groups_of_parquet_are_bounded(large: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(export, "GROUP_BYTES", 1_000_000)
    file = io.BytesIO()
    to_file = writer("parquet", Event, Sink(file))
    for page in pages(large, Selection(), Event):
        to_file.write(page)
    to_file.close()

    content = parquet.ParquetFile(file)
    assert [1000] * 5 == [content.metadata.row_group(number).num_rows for number in range(content.num_row_groups)]
