"""Why the menu that is due for an account is not live: a row for as long as that lasts."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, table_of
from models.bulk import insert_new


class RotationDelay(Base):
    __tablename__ = "rotation_delay"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    rotation_id: Mapped[int]  # no foreign key: it may be removed, and this row be there until the next tick
    menu_id: Mapped[int] = mapped_column(ForeignKey("menu.id"))
    reason: Mapped[str] = mapped_column(String(64))  # a fixed word of workers/delays.py
    errcode: Mapped[int | None]
    since: Mapped[datetime]  # when this menu was due for the first time without becoming live
    failures: Mapped[int]  # attempts since then
    next_try_at: Mapped[datetime]
    told_at: Mapped[datetime | None]  # when this reason was last told as an alarm


@dataclass(frozen=True, slots=True)
class Delay:
    account_id: int
    rotation_id: int
    menu_id: int
    reason: str
    errcode: int | None
    since: datetime
    failures: int
    next_try_at: datetime
    told_at: datetime | None = None


def delay_of(connection: Connection, account_id: int) -> Delay | None:
    found = connection.execute(select(*table_of(RotationDelay).c).filter_by(account_id=account_id)).one_or_none()
    return Delay(**found._mapping) if found else None


def note_delay(connection: Connection, delay: Delay) -> None:
    """In the place of what was known."""
    values = asdict(delay)
    insert_new(connection, RotationDelay, [values])
    connection.execute(update(RotationDelay).filter_by(account_id=delay.account_id).values(values))


def end_delay(connection: Connection, account_id: int) -> bool:
    """Whether there was one."""
    return connection.execute(delete(RotationDelay).filter_by(account_id=account_id)).rowcount > 0
