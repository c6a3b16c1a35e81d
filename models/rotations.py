"""The rules that make menus due, as rows; `workers/due.py` decides by them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from models.account import DEFAULT_TIMEZONE, lock
from models.base import table_of
from models.menu import Menu, Publication
from models.rotation import Rotation

ALL, WORKDAYS, HOLIDAYS = "all", "workdays", "holidays"


class SecondBaseError(Exception):
    """The account has a base menu already, by the rotation `rotation_id`."""

    def __init__(self, rotation_id: int) -> None:
        super().__init__(f"rotation {rotation_id}")
        self.rotation_id = rotation_id


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A rotation that has no row yet."""

    account_id: int
    menu_id: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    cron: str | None = None
    duration: int | None = None  # seconds
    weekdays: str | None = None  # ISO numbers: 1,2,3,4,5
    hours: str | None = None  # 09:00-12:00,22:00-02:00
    days: str = ALL
    timezone: str = DEFAULT_TIMEZONE
    priority: int = 0
    lead: int = 0  # seconds
    guard_share: float | None = None
    guard_hours: int | None = None
    enabled: bool = True
    author: str | None = None
    note: str | None = None

    @property
    def is_base(self) -> bool:
        """Whether it is always due, below all others."""
        rules = (self.starts_at, self.ends_at, self.cron, self.weekdays, self.hours)
        return self.days == ALL and all(rule is None for rule in rules)


@dataclass(frozen=True, kw_only=True)
class RotationRow(Draft):
    id: int
    version: int  # of its menu


_COLUMNS = tuple(table_of(Rotation).c)


def rotations(connection: Connection, account_id: int | None = None) -> list[RotationRow]:
    """All of an account's, or of all accounts', by account and id."""
    query = _rows() if account_id is None else _rows().where(Rotation.account_id == account_id)
    return [_row(found) for found in connection.execute(query).mappings()]


def rotation(connection: Connection, rotation_id: int) -> RotationRow | None:
    found = connection.execute(_rows().where(Rotation.id == rotation_id)).mappings().one_or_none()
    return _row(found) if found else None


def base_rotation(connection: Connection, account_id: int) -> RotationRow | None:
    """The one that is always due, enabled or not."""
    return next((row for row in rotations(connection, account_id) if row.is_base), None)


def add_rotation(connection: Connection, draft: Draft) -> int:
    """Give it a row; its id. Within a transaction, in which others wait.

    What is wrong with it has been looked for before, by `workers/rotation_check.py`.

    Raises SecondBaseError.
    """
    # Who adds a base menu at the same time would find none either.
    lock(connection, draft.account_id)
    if draft.is_base and (base := base_rotation(connection, draft.account_id)) is not None:
        raise SecondBaseError(base.id)
    made = connection.execute(insert(table_of(Rotation)).values(**asdict(draft)))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def remove_rotation(connection: Connection, rotation_id: int) -> bool:
    """Whether it was there. Publications that it caused stay, without its id."""
    caused = update(Publication).where(Publication.rotation_id == rotation_id)
    connection.execute(caused.values(rotation_id=None))
    return connection.execute(delete(Rotation).where(Rotation.id == rotation_id)).rowcount > 0


def set_enabled(connection: Connection, rotation_id: int, enabled: bool) -> bool:
    """Whether it is there."""
    if connection.scalar(select(Rotation.id).where(Rotation.id == rotation_id)) is None:
        return False
    connection.execute(update(Rotation).where(Rotation.id == rotation_id).values(enabled=enabled))
    return True


def _rows() -> Select[*tuple[Any, ...]]:
    query = select(*_COLUMNS, Menu.version).join_from(Rotation, Menu, Menu.id == Rotation.menu_id)
    return query.order_by(Rotation.account_id, Rotation.id)


def _row(found: Mapping[Any, Any]) -> RotationRow:
    return RotationRow(**{str(name): value for name, value in found.items()})
