"""Rows in bulk. The one place that knows how each database takes many rows at once, and passes over known ones.

SQLAlchemy's work for a row costs more than the database's, so statements are made once for each table, and rows go to
the driver all together: to PostgreSQL as one JSON document, an array of arrays, which it takes apart by position; to
the others as tuples of what the columns' types make of the values.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import JSON, Column, Connection, Dialect, LargeBinary, String, Table

from models.base import Base, table_of

if TYPE_CHECKING:
    from psycopg.types.json import Jsonb

Row: TypeAlias = Mapping[str, Any]
Converters: TypeAlias = Mapping[str, Callable[[Any], Any] | None]  # what the driver is given, by column

_MARK = {"sqlite": "?", "mysql": "%s"}


def insert_new(connection: Connection, model: type[Base], rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not there yet; all of them give the same columns.

    Rows of one table come sorted by key: two writers with the same rows in another order wait for each other.
    """
    if rows:
        insert = _insert(connection.dialect, table_of(model), tuple(rows[0]))
        connection.exec_driver_sql(insert.passing_over, insert.parameters(rows))


def insert_fresh(connection: Connection, rows: Mapping[type[Base], Sequence[Row]]) -> None:
    """The same for rows of several tables of which none is there yet, which is less work than to look for each.

    Raises IntegrityError where one is, or came at the same time; then the transaction is to be taken back to before.
    """
    for model, its_rows in rows.items():
        if its_rows:
            insert = _insert(connection.dialect, table_of(model), tuple(its_rows[0]))
            connection.exec_driver_sql(insert.plain, insert.parameters(its_rows))


def known_ids(connection: Connection, model: type[Base], ids: Sequence[UUID], moments: Sequence[datetime]) -> set[UUID]:
    """Those ids that are there. With them come their rows' `created_at`, so that PostgreSQL leaves out other months."""
    if not ids:
        return set()
    table = table_of(model).name
    if connection.dialect.name == "postgresql":
        query = f"SELECT id FROM {table} WHERE id = ANY(%s::uuid[]) AND created_at BETWEEN %s AND %s"  # noqa: S608
        array = "{" + ",".join([key.hex for key in ids]) + "}"
        return set(connection.exec_driver_sql(query, (array, min(moments), max(moments))).scalars())
    marks = ", ".join([_MARK[connection.dialect.name]] * len(ids))
    query = f"SELECT id FROM {table} WHERE id IN ({marks})"  # noqa: S608 (names are the models')
    found = connection.exec_driver_sql(query, tuple([key.bytes for key in ids]))
    return {UUID(bytes=key) for key in found.scalars()}


class _Insert(NamedTuple):
    """A statement, alone and with what makes it pass over known keys; and what makes its parameters from rows."""

    plain: str
    passing_over: str
    parameters: Callable[[Sequence[Row]], Any]


@lru_cache(maxsize=100)
def _insert(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Insert:
    columns = ", ".join(dialect.identifier_preparer.quote(name) for name in names)
    into = f"INSERT INTO {table.name} ({columns})"
    if dialect.name == "postgresql":
        values = ", ".join(_element(table.c[name], at, dialect) for at, name in enumerate(names))
        plain = f"{into} SELECT {values} FROM jsonb_array_elements(%s) AS element"  # noqa: S608
        converters = {name: _hex if isinstance(table.c[name].type, LargeBinary) else None for name in names}
        return _Insert(plain, f"{plain} ON CONFLICT DO NOTHING", lambda rows: _document(rows, converters))
    types = [table.c[name].type.dialect_impl(dialect) for name in names]
    converters = dict(zip(names, [one.bind_processor(dialect) for one in types], strict=True))
    plain = f"{into} VALUES ({', '.join([_MARK[dialect.name]] * len(names))})"
    # Not INSERT IGNORE: it would store what does not fit, cut off.
    key = next(iter(table.primary_key)).name
    known = "ON CONFLICT DO NOTHING" if dialect.name == "sqlite" else f"ON DUPLICATE KEY UPDATE {key} = {key}"
    return _Insert(plain, f"{plain} {known}", lambda rows: _tuples(rows, converters))


def _element(column: Column[Any], at: int, dialect: Dialect) -> str:
    """What stands in its place in an array, as the column's type."""
    if isinstance(column.type, JSON):
        return f"nullif(element -> {at}, 'null')"
    if isinstance(column.type, String):
        return f"element ->> {at}"  # a cast would cut off what is too long, where storing it refuses
    return f"(element ->> {at})::{column.type.compile(dialect)}"


def _hex(value: bytes | None) -> str | None:
    """As PostgreSQL reads bytes."""
    return value if value is None else "\\x" + value.hex()


def _document(rows: Sequence[Row], converters: Converters) -> tuple["Jsonb"]:
    from psycopg.types.json import Jsonb  # psycopg may not be installed

    return (Jsonb(_tuples(rows, converters), dumps=msgspec.json.encode),)  # bytes: text would be made into them again


def _tuples(rows: Sequence[Row], converters: Converters) -> list[tuple[Any, ...]]:
    """Made column by column, which is faster than row by row."""
    columns = []
    for name, convert in converters.items():
        values = [row[name] for row in rows]
        columns.append(list(map(convert, values)) if convert else values)
    return list(zip(*columns, strict=True))
