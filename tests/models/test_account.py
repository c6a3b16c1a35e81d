"""Locking an account: whoever publishes, saves or schedules for it does so alone, but beside those who record."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy.exc import OperationalError

from models.account import account_ids, lock
from models.api_use import ApiUse
from models.bulk import insert_new
from models.db import connect, transaction


def test_only_who_locks_an_account_too_waits_for_it(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    with transaction(engine) as connection:
        account = account_ids(connection, {"wx1": "shop"})["wx1"]
    use = {"account_id": account, "day": date(2026, 11, 23), "call": "x", "count": 1, "last_at": datetime.now(UTC)}

    with transaction(engine) as recording, transaction(engine) as locking, transaction(engine) as other:
        for connection in (recording, locking, other):
            connection.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
        insert_new(recording, ApiUse, [use])  # whose foreign key holds the account
        lock(locking, account)
        insert_new(recording, ApiUse, [use | {"call": "y"}])
        with pytest.raises(OperationalError):
            lock(other, account)
        other.rollback()
    engine.dispose()
