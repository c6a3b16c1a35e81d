"""Everything counted again, or a time of it, while events are recorded and counted as always."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Engine, func, select

from models.account import Account
from models.db import transaction
from models.rollup import RollupMark
from workers.rollup import roll_up
from workers.rollup_accounts import mark_day, stored_days

Work: TypeAlias = tuple[date, int]
"""A day of UTC, and an account."""

_PAUSE = 0.2  # seconds, while a tick of the worker's counts, or the database refuses


def work(
    engine: Engine, account_id: int | None, since: datetime | None, until: datetime | None, kept_since: datetime | None
) -> list[Work]:
    """What there is to do, the latest first; nothing of times of which events may have gone."""
    start = max((moment for moment in (since, kept_since) if moment), default=None)
    with engine.connect() as connection:
        query = select(Account.id) if account_id is None else select(Account.id).where(Account.id == account_id)
        accounts = connection.scalars(query).all()
        found = [(day, account) for account in accounts for day in stored_days(connection, account, start, until)]
    return sorted(found, reverse=True)


def rebuild(
    engine: Engine, todo: Sequence[Work], since: datetime | None, until: datetime | None, kept_since: datetime | None
) -> Iterator[Work]:
    """Count anew, day by day; tells each that is done. It may be ended anywhere and begun again."""
    for day, account_id in todo:
        now = datetime.now(UTC)
        with transaction(engine) as connection:
            mark_day(connection, account_id, day, now, since, until)
            last = connection.scalar(select(func.max(RollupMark.id))) or 0
        while _is_marked(engine, account_id, day, last):
            if not roll_up(engine, kept_since, datetime.now(UTC)):
                time.sleep(_PAUSE)
        yield day, account_id


def _is_marked(engine: Engine, account_id: int, day: date, last: int) -> bool:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    during = (RollupMark.slot >= midnight, RollupMark.slot < midnight + timedelta(days=1))
    query = select(RollupMark.id).where(RollupMark.account_id == account_id, RollupMark.id <= last, *during)
    with engine.connect() as connection:
        return connection.scalar(query.limit(1)) is not None
