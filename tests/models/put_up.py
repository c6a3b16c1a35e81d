"""Publications as rows, made up, in a transaction that is rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from models.account import Account
from models.menu import Menu, Publication
from models.rotation import Rotation
from tests.models.heard import START


@dataclass(frozen=True)
class PutUp:
    id: int
    begin: float  # hours after START
    end: float | None = None
    rotation: int | None = None
    outcome: str | None = "published"
    account: int = 1


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def put_up(connection: Connection, publications: Sequence[PutUp]) -> None:
    """With an account, a menu of version 7, and the rotations that caused them."""
    if connection.scalar(select(Account.id).limit(1)) is None:
        values = {"timezone": "Asia/Shanghai"}
        for number in (1, 2):
            connection.execute(insert(Account).values(id=number, name=f"a{number}", app_id=f"wx{number}", **values))
        menu = {"id": 1, "account_id": 1, "version": 7, "digest": "", "definition": {}, "created_at": START}
        connection.execute(insert(Menu).values(menu))
    rule = {"days": "all", "timezone": "Asia/Shanghai", "priority": 0, "lead": 0, "enabled": True}
    for rotation in {one.rotation for one in publications} - {None}:
        connection.execute(insert(Rotation).values(id=rotation, account_id=1, menu_id=1, **rule))
    for one in publications:
        connection.execute(
            insert(Publication).values(
                id=one.id,
                account_id=one.account,
                menu_id=1,
                cause="rotation" if one.rotation else "publish",
                rotation_id=one.rotation,
                started_at=at(one.begin),
                ended_at=None if one.end is None else at(one.end),
                outcome=one.outcome,
            )
        )
