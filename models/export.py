"""Rows of `event` or of a detail table as CSV, NDJSON or Parquet, a page at a time."""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, Any, Protocol

import msgspec
from sqlalchemy import JSON, Column, Integer

from models.base import Base, table_of
from models.event import Event
from models.queries import DETAILS
from models.types import Coordinate, Id, Moment
from models.walk import AnyRow

_MODELS: tuple[type[Base], ...] = (Event, *DETAILS)
TABLES = {table_of(model).name: model for model in _MODELS}
GROUP_ROWS, GROUP_BYTES = 100_000, 32 << 20  # of one row group of Parquet, which is held in memory

_SPECIAL = re.compile(r'[",\r\n]')
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that Excel would calculate


class Writer(Protocol):
    def write(self, rows: Sequence[AnyRow]) -> None: ...

    def close(self) -> None: ...


class Sink:
    """A file that is only written, from its beginning to its end; with the number and the digest of its bytes."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, content: Any) -> int:
        content = bytes(content)  # pyarrow gives buffers of its own
        self._digest.update(content)
        self.size += len(content)
        self._file.write(content)
        return len(content)

    def flush(self) -> None:
        self._file.flush()

    def tell(self) -> int:
        return self.size


def columns(model: type[Base]) -> dict[str, str]:
    """What there is in a table, in its order, and as what: id, moment, decimal, json, integer or text."""
    return {column.name: _kind(column) for column in table_of(model).columns}


def writer(form: str, model: type[Base], sink: Sink, *, bom: bool = False, excel: bool = False) -> Writer:
    """What writes rows of a table in one of the formats.

    Raises ImportError where Parquet is wanted and pyarrow is not installed.
    """
    if form == "parquet":
        return _Parquet(columns(model), sink)
    return _Csv(columns(model), sink, bom or excel, excel) if form == "csv" else _Ndjson(columns(model), sink)


class _Csv:
    """As PostgreSQL's COPY has it: null is an empty cell, and text of no length is "" in quotes."""

    def __init__(self, names: dict[str, str], sink: Sink, bom: bool, excel: bool) -> None:
        self._sink = sink
        converters: dict[str, Callable[[Any], str]] = {
            "text": _guarded if excel else _quoted,
            "json": lambda value: _quoted(_json(value)),
            "moment": datetime.isoformat,
            "decimal": _decimal,
        }
        self._converters = [converters.get(kind, str) for kind in names.values()]
        sink.write((("\ufeff" if bom else "") + ",".join(names) + "\n").encode())

    def write(self, rows: Sequence[AnyRow]) -> None:
        lines = (",".join(map(_cell, self._converters, row)) + "\n" for row in rows)
        self._sink.write("".join(lines).encode())

    def close(self) -> None:
        self._sink.flush()


class _Ndjson:
    """An object per line; `body` is an object in it, and coordinates are text, so that no digit is lost."""

    def __init__(self, names: dict[str, str], sink: Sink) -> None:
        self._sink = sink
        converters: dict[str, Callable[[Any], Any]] = {
            "id": str,
            "moment": datetime.isoformat,
            "decimal": _decimal,
        }
        self._columns = [(name, converters.get(kind)) for name, kind in names.items()]

    def write(self, rows: Sequence[AnyRow]) -> None:
        self._sink.write(b"".join(msgspec.json.encode(self._object(row)) + b"\n" for row in rows))

    def close(self) -> None:
        self._sink.flush()

    def _object(self, row: AnyRow) -> dict[str, Any]:
        return {
            name: convert(value) if convert and value is not None else value
            for (name, convert), value in zip(self._columns, row, strict=True)
        }


class _Parquet:
    def __init__(self, names: dict[str, str], sink: Sink) -> None:
        import pyarrow
        from pyarrow import parquet

        types = {
            "moment": pyarrow.timestamp("us", tz="UTC"),
            "decimal": pyarrow.decimal128(18, 15),
            "integer": pyarrow.int64(),
        }
        self._pyarrow = pyarrow
        self._schema = pyarrow.schema([(name, types.get(kind, pyarrow.string())) for name, kind in names.items()])
        converters: dict[str, Callable[[Any], str]] = {"id": str, "json": _json}
        self._converters = [converters.get(kind) for kind in names.values()]
        self._writer = parquet.ParquetWriter(sink, self._schema, compression="zstd")
        self._group: list[Any] = []

    def write(self, rows: Sequence[AnyRow]) -> None:
        arrays = [
            self._pyarrow.array(
                [convert(value) if convert and value is not None else value for value in values], type=field.type
            )
            for field, convert, values in zip(self._schema, self._converters, zip(*rows, strict=True), strict=True)
        ]
        self._group.append(self._pyarrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        if sum(map(len, self._group)) >= GROUP_ROWS or sum(batch.nbytes for batch in self._group) >= GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        if self._group:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_table(self._pyarrow.Table.from_batches(self._group), row_group_size=GROUP_ROWS)
        self._group = []


def _kind(column: Column[Any]) -> str:
    for of_type, kind in ((Id, "id"), (Moment, "moment"), (Coordinate, "decimal"), (JSON, "json")):
        if isinstance(column.type, of_type):
            return kind
    return "integer" if isinstance(column.type, Integer) else "text"


def _cell(convert: Callable[[Any], str], value: Any) -> str:
    return "" if value is None else convert(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not text or _SPECIAL.search(text) else text


def _guarded(text: str) -> str:
    return _quoted("'" + text if text.startswith(FORMULA) else text)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _decimal(value: Decimal) -> str:
    """Without the zeros that PostgreSQL and MySQL fill the column with."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
