"""The accounts that are rolled up, and by whose clock: a new one is counted from its first event on, one whose time
zone has changed is counted anew."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select, update

from models.account import Account
from models.bulk import insert_new
from models.db import transaction
from models.event import Event
from models.local_hours import monday_of
from models.months import month_of
from models.rollup import (
    RollupAccount,
    RollupDay,
    RollupHour,
    RollupMinute,
    RollupMonth,
    RollupSlot,
    RollupWeek,
    slot_of,
)
from workers import levels
from workers.marks import mark
from workers.rollup_lock import Turn

SLOTS_STAY = timedelta(hours=1)  # when their hour is over, as events come late
_YOUNG = SLOTS_STAY + timedelta(hours=2)  # at least as old is an hour without slots
_QUARTER = timedelta(minutes=15)  # every hour, by any clock, begins at one
_DAY = timedelta(days=1)


def zones(turn: Turn, kept_since: datetime | None, now: datetime) -> dict[int, ZoneInfo]:
    """Every account, by id, with the clock that its hours are cut by from now on."""
    query = select(Account.id, Account.timezone, RollupAccount.timezone.label("former"))
    query = query.outerjoin_from(Account, RollupAccount, RollupAccount.account_id == Account.id)
    with turn.engine.connect() as connection:
        accounts = connection.execute(query).all()
    for account_id, timezone, former in accounts:
        if former != timezone:
            with transaction(turn.engine) as connection:
                turn.keep(connection)
                if former is None:
                    row = {"account_id": account_id, "timezone": timezone, "followers": 0}
                    insert_new(connection, RollupAccount, [row])
                    mark_stored(connection, account_id, kept_since, None, now)
                else:
                    _cut_anew(connection, account_id, ZoneInfo(former), kept_since, now)
                    account = update(RollupAccount).where(RollupAccount.account_id == account_id)
                    connection.execute(account.values(timezone=timezone))
    return {account_id: ZoneInfo(timezone) for account_id, timezone, _former in accounts}


def mark_stored(
    connection: Connection, account_id: int, since: datetime | None, until: datetime | None, now: datetime
) -> None:
    """Have all that is there of an account counted again, or what is of a time."""
    for day in stored_days(connection, account_id, since, until):
        mark_day(connection, account_id, day, now, since, until)


def mark_day(
    connection: Connection,
    account_id: int,
    day: date,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """Have a day of UTC counted again, or what of it is within bounds.

    One mark is enough for an hour that is over; of a young one every slot needs its own.
    """
    midnight = datetime.combine(day, time(), UTC)
    start, end = max(midnight, since or midnight), min(midnight + _DAY, until or midnight + _DAY)
    young = max(start, now - _YOUNG)
    mark(connection, ((account_id, moment) for moment in _quarters(start, min(end, young))))
    for column, owner in ((Event.created_at, Event.account_id), (RollupSlot.starts_at, RollupSlot.account_id)):
        query = select(column).distinct().where(owner == account_id, column >= slot_of(young), column < end)
        mark(connection, ((account_id, moment) for moment in connection.scalars(query)))


def _quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    moment = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
    while moment < end:
        yield moment
        moment += _QUARTER


def stored_days(
    connection: Connection, account_id: int, since: datetime | None, until: datetime | None
) -> Iterator[date]:
    """The days, by UTC, that have events, or counts of events; in order."""
    counted = select(RollupHour.starts_at).distinct().where(RollupHour.account_id == account_id)
    days = {
        hour.date()
        for hour in connection.scalars(counted)
        if (since is None or hour >= since) and (until is None or hour < until)
    }
    moment = since
    query = select(Event.created_at).where(Event.account_id == account_id).order_by(Event.created_at).limit(1)
    while found := connection.scalar(query if moment is None else query.where(Event.created_at >= moment)):
        if until is not None and found >= until:
            break
        days.add(found.date())
        moment = datetime.combine(found.date() + _DAY, time(), UTC)
    return iter(sorted(days))


def _cut_anew(
    connection: Connection, account_id: int, former: ZoneInfo, kept_since: datetime | None, now: datetime
) -> None:
    """Let go what was counted by another clock, as far back as there are events to count it from, and mark these."""
    first = date.min if kept_since is None else (kept_since.astimezone(former) + 2 * _DAY).date()
    for model in (RollupSlot, RollupMinute):
        connection.execute(delete(model).where(model.account_id == account_id))
    since = None if kept_since is None else datetime.combine(first, time(), former).astimezone(UTC)
    days = list(stored_days(connection, account_id, since, None))
    connection.execute(delete(RollupHour).where(RollupHour.account_id == account_id, RollupHour.day >= first))
    connection.execute(delete(RollupDay).where(RollupDay.account_id == account_id, RollupDay.day >= first))
    monday = date.min if kept_since is None else monday_of(first)
    connection.execute(delete(RollupWeek).where(RollupWeek.account_id == account_id, RollupWeek.monday >= monday))
    month = date.min if kept_since is None else month_of(first)
    connection.execute(delete(RollupMonth).where(RollupMonth.account_id == account_id, RollupMonth.month >= month))
    if kept_since is not None:
        levels.write_week(connection, account_id, monday)
        levels.write_month(connection, account_id, month)
    for day in days:
        mark_day(connection, account_id, day, now, since)
