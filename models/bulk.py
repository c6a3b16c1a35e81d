"""Rows in bulk. The one place that knows how each database takes many rows at once, and passes over known ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite

from models.base import Base, table_of


def insert_new(connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet; all of them give the same columns.

    Rows of one table come sorted by key: two writers with the same rows in another order wait for each other.
    """
    if rows:
        connection.execute(_insert(connection.dialect.name, table_of(model)), rows)


def _insert(dialect: str, table: Table) -> Insert:
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    # Not INSERT IGNORE: it would store what does not fit, cut off.
    key = next(iter(table.primary_key))
    return mysql.insert(table).on_duplicate_key_update({key.name: key})
