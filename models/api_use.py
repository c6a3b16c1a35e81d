"""How often which of WeChat's calls was made on a day, as WeChat counts days: in Beijing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, ForeignKey, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.bulk import insert_new


class ApiUse(Base):
    __tablename__ = "api_use"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    call: Mapped[str] = mapped_column(String(64), primary_key=True)  # a path, such as /cgi-bin/menu/create
    count: Mapped[int]
    last_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Use:
    call: str
    count: int
    last_at: datetime


def count_calls(connection: Connection, account_id: int, day: date, calls: Iterable[str], now: datetime) -> None:
    """Add the calls to the day's; sorted, so that two writers never wait for each other in a circle."""
    for call in sorted(calls):
        key = {"account_id": account_id, "day": day, "call": call}
        insert_new(connection, ApiUse, [key | {"count": 0, "last_at": now}])
        added = {"count": ApiUse.count + 1, "last_at": now}
        connection.execute(update(ApiUse).filter_by(**key).values(added))


def uses(connection: Connection, account_id: int, day: date) -> list[Use]:
    """What was called on a day."""
    query = select(ApiUse.call, ApiUse.count, ApiUse.last_at).filter_by(account_id=account_id, day=day)
    return [Use(*row) for row in connection.execute(query.order_by(ApiUse.call))]


def last_use(connection: Connection, account_id: int, call: str) -> datetime | None:
    """When a call was made last, on whichever day."""
    return connection.scalar(select(func.max(ApiUse.last_at)).filter_by(account_id=account_id, call=call))
