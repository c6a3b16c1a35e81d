"""Rows in bulk. The one place that knows how each database takes many rows at once, and passes over known ones.

SQLAlchemy's work for a row costs more than the database's, so statements are made once for each table, and rows go to
the driver all together: to PostgreSQL as one JSON document, which it reads by the types of its table; to the others as
tuples of what the columns' types make of the values.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Dialect, LargeBinary, Table
from sqlalchemy.exc import IntegrityError

from models.base import Base, table_of

Row: TypeAlias = Mapping[str, Any]

_MARK = {"sqlite": "?", "mysql": "%s"}


def insert_new(connection: Connection, model: type[Base], rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not there yet; all of them give the same columns.

    Rows of one table come sorted by key: two writers with the same rows in another order wait for each other.
    """
    if rows:
        insert = _insert(connection.dialect, table_of(model), tuple(rows[0]))
        connection.exec_driver_sql(insert.passing_over, insert.parameters(rows))


def insert_fresh(connection: Connection, rows: Mapping[type[Base], Sequence[Row]]) -> None:
    """The same for rows of several tables of which hardly any is there: for PostgreSQL it is less work to trust that
    none is, and to do it again where one was, than to look for each."""
    if connection.dialect.name == "postgresql":
        with contextlib.suppress(IntegrityError), connection.begin_nested():
            for model, its_rows in rows.items():
                if its_rows:
                    insert = _insert(connection.dialect, table_of(model), tuple(its_rows[0]))
                    connection.exec_driver_sql(insert.plain, insert.parameters(its_rows))
            return
    for model, its_rows in rows.items():
        insert_new(connection, model, its_rows)


def known_ids(connection: Connection, model: type[Base], created: Mapping[UUID, datetime]) -> set[UUID]:
    """Those ids that are there; with each comes its row's `created_at`, so that PostgreSQL leaves out other months."""
    if not created:
        return set()
    table = table_of(model).name
    if connection.dialect.name == "postgresql":
        query = f"SELECT id FROM {table} WHERE id = ANY(%s::uuid[]) AND created_at BETWEEN %s AND %s"  # noqa: S608
        ids = "{" + ",".join([key.hex for key in created]) + "}"
        found = connection.exec_driver_sql(query, (ids, min(created.values()), max(created.values())))
        return set(found.scalars())
    marks = ", ".join([_MARK[connection.dialect.name]] * len(created))
    query = f"SELECT id FROM {table} WHERE id IN ({marks})"  # noqa: S608 (names are the models')
    found = connection.exec_driver_sql(query, tuple([key.bytes for key in created]))
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
        binary = [name for name in names if isinstance(table.c[name].type, LargeBinary)]
        plain = f"{into} SELECT {columns} FROM json_populate_recordset(NULL::{table.name}, %s)"  # noqa: S608
        return _Insert(plain, f"{plain} ON CONFLICT DO NOTHING", lambda rows: _document(rows, binary))
    types = [table.c[name].type.dialect_impl(dialect) for name in names]
    converters = dict(zip(names, [one.bind_processor(dialect) for one in types], strict=True))
    plain = f"{into} VALUES ({', '.join([_MARK[dialect.name]] * len(names))})"
    # Not INSERT IGNORE: it would store what does not fit, cut off.
    key = next(iter(table.primary_key)).name
    known = "ON CONFLICT DO NOTHING" if dialect.name == "sqlite" else f"ON DUPLICATE KEY UPDATE {key} = {key}"
    return _Insert(plain, f"{plain} {known}", lambda rows: _tuples(rows, converters))


def _document(rows: Sequence[Row], binary: Sequence[str]) -> tuple[str]:
    """All rows as JSON, in which bytes are written as PostgreSQL reads them."""
    for name in binary:
        rows = [{**row, name: "\\x" + row[name].hex()} for row in rows]
    return (msgspec.json.encode(rows).decode(),)


def _tuples(rows: Sequence[Row], converters: Mapping[str, Callable[[Any], Any] | None]) -> list[tuple[Any, ...]]:
    """Made column by column, which is faster than row by row."""
    columns = []
    for name, convert in converters.items():
        values = [row[name] for row in rows]
        columns.append(list(map(convert, values)) if convert else values)
    return list(zip(*columns, strict=True))
