"""What WeChat counted of its pushes, hour by hour, beside what is in the tables."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Integer,
    Select,
    String,
    case,
    delete,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, table_of
from models.bulk import insert_new
from models.elapsed import elapsed
from models.event import DOCTORS, Event
from models.quarantine import Quarantine
from models.retention import UNKNOWN

DAY = timedelta(days=1)
# A door that cannot keep a push says so within four seconds, and then WeChat sends it again. CreateTime has whole
# seconds, so what came at once may seem to be one behind.
LATE = timedelta(seconds=3)


class InterfaceSummary(Base):
    """An hour of a day, both in Beijing; a day that is known has all 24."""

    __tablename__ = "interface_summary"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    callback_count: Mapped[int]  # WeChat's
    fail_count: Mapped[int]  # WeChat's, of these
    stored: Mapped[int]  # by CreateTime; in quarantine too
    late: Mapped[int]  # of these, what came so late that WeChat may have sent it before
    compared_at: Mapped[datetime]


class ReconciliationDelay(Base):
    """Why WeChat's figures of an account are not here: a row for as long as that lasts."""

    __tablename__ = "reconciliation_delay"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(64))  # a fixed word
    next_try_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Hour:
    hour: int  # 0 to 23
    counted: int
    failed: int
    stored: int
    late: int


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    hours: tuple[Hour, ...]
    compared_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    pushes: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Delay:
    reason: str
    next_try_at: datetime


def days(connection: Connection, account_id: int, since: date) -> dict[date, Day]:
    """The days that are known, from one on, in their order."""
    table = table_of(InterfaceSummary)
    query = select(table).where(table.c.account_id == account_id, table.c.day >= since)
    hours: dict[date, list[Hour]] = {}
    compared: dict[date, datetime] = {}
    for row in connection.execute(query.order_by(table.c.day, table.c.hour)):
        hour = Hour(row.hour, row.callback_count, row.fail_count, row.stored, row.late)
        hours.setdefault(row.day, []).append(hour)
        compared[row.day] = row.compared_at
    return {day: Day(day, tuple(of_day), compared[day]) for day, of_day in hours.items()}


def note_day(connection: Connection, account_id: int, day: Day) -> None:
    """In the place of what was known of it."""
    table = table_of(InterfaceSummary)
    rows = [
        {"account_id": account_id, "day": day.day, "hour": hour.hour, "compared_at": day.compared_at}
        | {"callback_count": hour.counted, "fail_count": hour.failed, "stored": hour.stored, "late": hour.late}
        for hour in day.hours
    ]
    insert_new(connection, InterfaceSummary, rows)
    for row in rows:
        this = (table.c.account_id == account_id, table.c.day == day.day, table.c.hour == row["hour"])
        connection.execute(update(table).where(*this).values(row))


def stored(connection: Connection, account_id: int, begin: datetime) -> Mapping[int, Stored]:
    """The distinct pushes of the day that begins then, by its hours; hours without any are left out.

    What is in quarantine has no CreateTime that could be read, so the door's clock stands for it.
    """
    late = case((elapsed(Event.created_at, Event.received_at) > _milliseconds(LATE), 1), else_=0)
    events = select(_hour(begin, Event.created_at), late.label("late")).where(
        Event.account_id == account_id,
        Event.created_at >= begin,
        Event.created_at < begin + DAY,
        Event.kind != DOCTORS,
    )
    # No doubt later than a day before it came in, whichever clocks were wrong; there is an index over it.
    arrived = func.coalesce(Quarantine.received_at, Quarantine.quarantined_at, type_=Event.created_at.type)
    set_aside: Select[*tuple[Any, ...]] = select(_hour(begin, arrived), literal_column("0").label("late")).where(
        Quarantine.account_id == account_id,
        Quarantine.replayed_at.is_(None),  # what was replayed is an event
        Quarantine.quarantined_at >= begin - DAY,
        arrived >= begin,
        arrived < begin + DAY,
    )
    found: dict[int, Stored] = {}
    for query in (events, set_aside):
        for hour, pushes, of_these_late in connection.execute(_counted(query)):
            known = found.get(hour, Stored())
            found[int(hour)] = Stored(known.pushes + pushes, known.late + int(of_these_late))
    return found


def first_event_at(connection: Connection, account_id: int) -> datetime | None:
    """When the oldest event was created that is kept; what was pushed before may have gone elsewhere."""
    query = select(func.min(Event.created_at)).where(Event.account_id == account_id, Event.created_at > UNKNOWN)
    return connection.scalar(query.where(Event.kind != DOCTORS))


def delay_of(connection: Connection, account_id: int) -> Delay | None:
    table = table_of(ReconciliationDelay)
    found = connection.execute(select(table).where(table.c.account_id == account_id)).one_or_none()
    return Delay(found.reason, found.next_try_at) if found else None


def note_delay(connection: Connection, account_id: int, delay: Delay) -> bool:
    """Write down why nothing can be compared; whether the reason is news."""
    known = delay_of(connection, account_id)
    values = asdict(delay)
    insert_new(connection, ReconciliationDelay, [{"account_id": account_id} | values])
    connection.execute(update(ReconciliationDelay).filter_by(account_id=account_id).values(values))
    return known is None or known.reason != delay.reason


def end_delay(connection: Connection, account_id: int) -> None:
    connection.execute(delete(ReconciliationDelay).filter_by(account_id=account_id))


def _hour(begin: datetime, moment: Any) -> ColumnElement[int]:
    since = elapsed(literal(begin, Event.created_at.type), moment)
    hour: ColumnElement[int] = since // literal_column(str(_milliseconds(timedelta(hours=1))), Integer)
    return hour.label("hour")


def _counted(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    one = rows.subquery()
    return select(one.c.hour, func.count(), func.sum(one.c.late)).group_by(one.c.hour)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
