"""The same questions to DuckDB: of the events in Parquet, with the columns, types and groups of `caidan event export`.

The export writes them row by row in Python, which takes minutes for ten millions; here DuckDB does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from models.event import Event
from models.export import GROUP_ROWS, columns

if TYPE_CHECKING:
    import duckdb

_TYPES = {"moment": "TIMESTAMPTZ", "decimal": "DECIMAL(18, 15)", "integer": "BIGINT"}


def export(engine: Engine, file: Path) -> None:
    """Every event, in the order of an export."""
    names = columns(Event)
    lines = file.with_suffix(".csv")
    with lines.open("wb") as target, engine.connect() as connection:
        cursor = connection.connection.cursor()
        query = f"COPY (SELECT {', '.join(names)} FROM event ORDER BY created_at, id) TO STDOUT (FORMAT csv)"
        with cursor.copy(query) as rows:  # type: ignore[attr-defined]
            for part in rows:
                target.write(part)
    types = {name: _TYPES.get(kind, "VARCHAR") for name, kind in names.items()}
    with _connected() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{lines}', header = false, columns = {types}))"
            f" TO '{file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS})"
        )
    lines.unlink()


@contextmanager
def opened(file: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """With the file as `event`."""
    with _connected() as connection:
        connection.execute(f"CREATE VIEW event AS SELECT * FROM read_parquet('{file}')")
        yield connection


def ask(connection: "duckdb.DuckDBPyConnection", query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """A query as it is written for SQLAlchemy: `:name` is `$name` here."""
    for name in values:
        query = query.replace(f":{name}", f"${name}")
    return connection.execute(query, values).fetchall()


def _connected() -> "duckdb.DuckDBPyConnection":
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection
