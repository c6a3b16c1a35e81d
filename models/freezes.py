"""Times in which an account's menu stays as it is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from models.rotation import Freeze


@dataclass(frozen=True, slots=True)
class FreezeRow:
    account_id: int
    starts_at: datetime
    ends_at: datetime
    note: str | None


def freeze(
    connection: Connection, account_id: int, starts_at: datetime, ends_at: datetime, note: str | None = None
) -> None:
    """Another with the same start is replaced."""
    remove_freeze(connection, account_id, starts_at)
    values = {"account_id": account_id, "starts_at": starts_at, "ends_at": ends_at, "note": note}
    connection.execute(insert(Freeze).values(values))


def freezes(connection: Connection, account_id: int, since: datetime | None = None) -> list[FreezeRow]:
    """By their start; with `since`, without those that were over by then."""
    query = select(Freeze.account_id, Freeze.starts_at, Freeze.ends_at, Freeze.note)
    query = query.where(Freeze.account_id == account_id).order_by(Freeze.starts_at)
    if since is not None:
        query = query.where(Freeze.ends_at > since)
    return [FreezeRow(*row) for row in connection.execute(query)]


def frozen_until(connection: Connection, account_id: int, now: datetime) -> datetime | None:
    """When the menu may change again; None where it may. One that begins before another ends prolongs it."""
    until = now
    for row in freezes(connection, account_id, since=now):
        if row.starts_at > until:
            break
        until = max(until, row.ends_at)
    return until if until > now else None


def unfreeze(connection: Connection, account_id: int, now: datetime) -> int:
    """End those that last at `now`; how many there were. Those that are to begin later stay."""
    lasting = (Freeze.account_id == account_id, Freeze.starts_at <= now, Freeze.ends_at > now)
    return connection.execute(update(Freeze).where(*lasting).values(ends_at=now)).rowcount


def remove_freeze(connection: Connection, account_id: int, starts_at: datetime) -> bool:
    """Whether it was there."""
    same = (Freeze.account_id == account_id, Freeze.starts_at == starts_at)
    return connection.execute(delete(Freeze).where(*same)).rowcount > 0
