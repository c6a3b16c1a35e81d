"""Versions of an account's menu: saved once, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from models.account import Account, lock
from models.menu import Menu


@dataclass(frozen=True, slots=True)
class VersionRow:
    account: str
    version: int
    digest: str
    note: str | None
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    row: VersionRow
    id: int
    definition: dict[str, Any]


def save_version(
    connection: Connection,
    account_id: int,
    definition: Mapping[str, Any],
    digest: str,
    *,
    note: str | None = None,
    author: str | None = None,
    now: datetime,
) -> tuple[int, bool]:
    """The version with this content, and whether it is a new one. Within a transaction, in which others wait."""
    # Who saves for the same account at the same time would take the same number; SQLite has one writer anyway.
    lock(connection, account_id)
    if (known := version_of(connection, account_id, digest)) is not None:
        return known, False
    version = (_last(connection, account_id) or 0) + 1
    values = {"account_id": account_id, "version": version, "digest": digest, "definition": dict(definition)}
    connection.execute(insert(Menu).values(**values, note=note, author=author, created_at=now))
    return version, True


def version_of(connection: Connection, account_id: int, digest: str) -> int | None:
    """The version that has this content."""
    query = select(func.min(Menu.version)).where(Menu.account_id == account_id, Menu.digest == digest)
    return connection.scalar(query)


def versions(connection: Connection, account_id: int | None = None, limit: int = 50) -> list[VersionRow]:
    """The newest first."""
    query = _rows().order_by(Menu.created_at.desc(), Menu.id.desc()).limit(limit)
    if account_id is not None:
        query = query.where(Menu.account_id == account_id)
    return [VersionRow(*row) for row in connection.execute(query)]


def version(connection: Connection, account_id: int, number: int | None = None) -> Version | None:
    """A version with its definition; without a number, the latest."""
    if number is None and (number := _last(connection, account_id)) is None:
        return None
    query = _rows().add_columns(Menu.id, Menu.definition)
    found = connection.execute(query.where(Menu.account_id == account_id, Menu.version == number)).one_or_none()
    return Version(VersionRow(*found[:6]), found.id, found.definition) if found else None


def _last(connection: Connection, account_id: int) -> int | None:
    return connection.scalar(select(func.max(Menu.version)).where(Menu.account_id == account_id))


def _rows() -> Select[*tuple[Any, ...]]:
    columns = (Account.name, Menu.version, Menu.digest, Menu.note, Menu.author, Menu.created_at)
    return select(*columns).join_from(Menu, Account, Account.id == Menu.account_id)
