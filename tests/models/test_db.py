import sqlite3
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import StatementError

from models.account import Account, upsert_accounts
from models.bulk import insert_new
from models.config import Account as ConfiguredAccount
from models.db import connect, transaction
from models.disk import NetworkDiskError
from models.event import Event, Location
from models.queries import account_names

SHOP = ConfiguredAccount(name="shop", app_id="wx1", token="t")


def test_a_transaction_is_committed_at_its_end_or_not_at_all(database: Engine) -> None:
    def change_one_s_mind() -> None:
        with transaction(database) as connection:
            upsert_accounts(connection, [SHOP])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_one_s_mind()
    with database.connect() as connection:
        assert account_names(connection) == []

    with transaction(database) as connection:
        upsert_accounts(connection, [SHOP])

    with database.connect() as connection:
        assert ["shop"] == account_names(connection)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_any_way_to_write_postgresql_is_understood(postgresql_url: str, scheme: str) -> None:
    engine = connect(postgresql_url.replace("postgresql", scheme, 1))
    with engine.connect() as connection:
        shown = [connection.execute(text(f"SHOW {name}")).scalar() for name in ("statement_timeout", "lock_timeout")]
        level = connection.execute(text("SHOW transaction_isolation")).scalar()
    engine.dispose()

    assert ["1min", "10s"] == shown
    assert level == "read committed"


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_any_way_to_write_mariadb_is_understood(mariadb_url: str, scheme: str) -> None:
    engine = connect(mariadb_url.replace("mysql+pymysql", scheme, 1))
    with engine.connect() as connection:
        mode, level, zone = connection.execute(text("SELECT @@sql_mode, @@tx_isolation, @@time_zone")).one()
    engine.dispose()

    assert "STRICT_ALL_TABLES" in mode
    assert ("READ-COMMITTED", "+00:00") == (level, zone)


def test_sqlite_survives_a_power_failure_and_several_processes(sqlite_url: str) -> None:
    engine = connect(sqlite_url)
    with engine.connect() as connection:
        pragmas = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
        pragmas += [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("foreign_keys", "busy_timeout")]
    engine.dispose()

    assert ["wal", 2, 1, 10_000] == pragmas


def test_a_transaction_on_sqlite_has_the_right_to_write_from_its_beginning(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    with transaction(engine):
        other = sqlite3.connect(str(engine.url.database), timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    engine.dispose()


def test_writers_on_sqlite_wait_for_each_other(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(10):
                with transaction(engine) as connection:
                    connection.execute(select(Account)).all()
                    upsert_accounts(connection, [SHOP])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()

    assert failures == []


def test_a_database_on_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.disk.mounts", lambda: [(Path("/"), "nfs4")])

    with pytest.raises(NetworkDiskError):
        connect(f"sqlite:///{tmp_path / 'caidan.db'}")


def test_moments_are_aware_utc_and_numbers_exact(database: Engine) -> None:

    moment = datetime(2026, 10, 1, 23, 59, 59, 999999, tzinfo=UTC)
    numbers = {"latitude": Decimal("31.257036285476123"), "longitude": Decimal("-121.5"), "precision": None}
    blank = dict.fromkeys(("scale", "label", "poi_name", "datum"))
    with transaction(database) as connection:
        insert_new(connection, Location, [{"event_id": uuid4(), "created_at": moment, **numbers, **blank}])
        row = connection.execute(select(Location)).one()

    assert moment == row.created_at
    assert row.created_at.tzinfo is UTC
    assert numbers == {name: getattr(row, name) for name in numbers}


def test_a_moment_without_a_zone_is_a_mistake(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    with pytest.raises(StatementError, match="time zone"), engine.connect() as connection:
        connection.execute(select(Event).where(Event.created_at > datetime(2026, 1, 1)))  # noqa: DTZ001
    engine.dispose()
