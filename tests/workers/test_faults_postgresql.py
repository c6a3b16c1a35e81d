"""PostgreSQL that is not to be had now: the worker waits, says what for, and stores everything once when it is over."""

import itertools
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url

import migrations
from models.db import connect
from tests import servers
from tests.servers import Server
from tests.workers.settling import BATCH, Settling, wait_until

_numbers = itertools.count(1)


class Tables:
    """A migrated database of a server of its own, as an ordinary role and as the superuser see it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        own = make_url(server.url).set(database=name)
        self.url = own.set(username="caidan", password="right").render_as_string(hide_password=False)
        self._superuser = own.set(drivername="postgresql+psycopg")

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """One of the superuser, outside of any transaction."""
        engine = create_engine(self._superuser, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def run(self, *statements: str) -> None:
        with self.session() as session:
            for statement in statements:
                session.exec_driver_sql(statement)

    def ask(self, query: str) -> Any:
        with self.session() as session:
            return session.exec_driver_sql(query).scalar()

    def someone_waits(self) -> bool:
        """For a lock of another."""
        return bool(self.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


Fault = Callable[[Tables, Settling], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # Sooner than anybody gives way to a lock, and later than a deadlock takes to be made: it is looked for only once.
    server = servers.start_postgresql(deadlock_timeout="600ms")
    rules = server.folder / "pgdata" / "pg_hba.conf"
    rules.write_text(f"host all caidan 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    administered = Tables(server, "postgres")
    administered.run("SELECT pg_reload_conf()", "CREATE ROLE caidan LOGIN PASSWORD 'right'")
    administered.run("CREATE DATABASE template OWNER caidan")
    engine = connect(Tables(server, "template").url)
    migrations.upgrade(engine)
    engine.dispose()
    yield server
    server.stop()


@pytest.fixture
def tables(server: Server) -> Tables:
    name = f"tables_{next(_numbers)}"
    Tables(server, "postgres").run(f"CREATE DATABASE {name} TEMPLATE template OWNER caidan")
    return Tables(server, name)


@pytest.fixture
def engine(tables: Tables, impatient: None) -> Iterator[Engine]:
    engine = connect(tables.url)
    yield engine
    engine.dispose()


@contextmanager
def in_the_middle(tables: Tables, settling: Settling) -> Iterator[Connection]:
    """The batch waits in its transaction for a lock that this session holds."""
    with tables.session() as session:
        session.exec_driver_sql("BEGIN; LOCK TABLE event IN SHARE MODE")
        settling.begin()
        wait_until(tables.someone_waits)
        yield session


@contextmanager
def restarted(tables: Tables, settling: Settling) -> Iterator[None]:
    with in_the_middle(tables, settling) as session:
        tables.server.halt(signal.SIGINT)
        session.invalidate()
    yield
    tables.server.start()


@contextmanager
def crashed(tables: Tables, settling: Settling) -> Iterator[None]:
    with in_the_middle(tables, settling) as session:
        tables.server.kill()
        session.invalidate()
    yield
    tables.server.start()


@contextmanager
def frozen(tables: Tables, _settling: Settling) -> Iterator[None]:
    """Nobody gets in."""
    tables.server.freeze()
    try:
        yield
    finally:
        tables.server.thaw()


@contextmanager
def frozen_in_the_middle(tables: Tables, settling: Settling) -> Iterator[None]:
    with in_the_middle(tables, settling), frozen(tables, settling):
        yield


@contextmanager
def disk_full(tables: Tables, settling: Settling) -> Iterator[None]:
    """The files of a table are on a device that is full."""
    (partition,) = {f"event_y{entry.created_at:%Y}m{entry.created_at:%m}" for entry in BATCH.entries}
    if not tables.ask(f"SELECT to_regclass('{partition}') IS NOT NULL"):
        partition = "event_default"
    file = tables.server.folder / "pgdata" / tables.ask(f"SELECT pg_relation_filepath('{partition}')")
    aside = file.with_name("aside")
    file.rename(aside)
    file.symlink_to("/dev/full")
    yield
    file.unlink()
    aside.rename(file)


@contextmanager
def locked(tables: Tables, settling: Settling) -> Iterator[None]:
    with in_the_middle(tables, settling):
        yield


@contextmanager
def deadlocked(tables: Tables, settling: Settling) -> Iterator[None]:
    """Another inserts the same rows in the opposite order, and is the more patient one."""
    first, last = sorted(entry.id for entry in BATCH.entries)[:: len(BATCH.entries) - 1]
    insert = """INSERT INTO event (id, created_at, account_id, kind, received_at, recorded_at)
        SELECT '{0}', to_timestamp(('x' || substr(replace('{0}', '-', ''), 1, 12))::bit(48)::bigint / 1000), 1, 'x',
        now(), now()"""
    with tables.session() as session:
        session.exec_driver_sql("SET deadlock_timeout = '60s'")
        session.exec_driver_sql(f"BEGIN; {insert.format(last)}")
        settling.begin()
        wait_until(tables.someone_waits)
        session.exec_driver_sql(insert.format(first))
        yield
        session.exec_driver_sql("ROLLBACK")


def changed(change: str, back: str) -> Fault:
    """A statement of the superuser, and what undoes it."""

    @contextmanager
    def fault(tables: Tables, _settling: Settling) -> Iterator[None]:
        tables.run(change)
        yield
        tables.run(back)

    return fault


def failing(statement: str) -> Fault:
    """What a trigger does instead of inserting."""
    return changed(
        f"""CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NEW; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION fail()""",
        "DROP FUNCTION fail CASCADE",
    )


# Each with the reason and the code that the worker gives.
FAULTS: Mapping[str, tuple[Fault, str, str]] = {
    "restarted": (restarted, "database_down", "57P01"),
    "crashed": (crashed, "database_down", "OperationalError"),
    "frozen": (frozen, "database_silent", "ConnectionTimeout"),
    "frozen in the middle": (frozen_in_the_middle, "database_silent", "SilentError"),
    "disk full": (disk_full, "disk_full", "53100"),
    "locked": (locked, "locked", "55P03"),
    "deadlocked": (deadlocked, "locked", "40P01"),
    "read only": (
        changed(
            "ALTER ROLE caidan SET default_transaction_read_only = on",
            "ALTER ROLE caidan RESET default_transaction_read_only",
        ),
        "read_only",
        "25006",
    ),
    "no serial order": (failing("RAISE EXCEPTION 'no' USING ERRCODE = '40001'"), "locked", "40001"),
    "out of memory": (failing("RAISE EXCEPTION 'no' USING ERRCODE = '53200'"), "unknown", "53200"),
    "too slow": (failing("PERFORM pg_sleep(10)"), "too_slow", "57014"),
    "too many connections": (
        changed("ALTER ROLE caidan CONNECTION LIMIT 0", "ALTER ROLE caidan CONNECTION LIMIT -1"),
        "too_many_connections",
        "OperationalError",
    ),
    "another password": (
        changed("ALTER ROLE caidan PASSWORD 'other'", "ALTER ROLE caidan PASSWORD 'right'"),
        "refused_login",
        "OperationalError",
    ),
    "no right": (
        changed("REVOKE INSERT ON event FROM caidan", "GRANT INSERT ON event TO caidan"),
        "not_permitted",
        "42501",
    ),
    "no table": (
        changed("ALTER TABLE event RENAME TO away", "ALTER TABLE away RENAME TO event"),
        "not_migrated",
        "42P01",
    ),
    "no column": (
        changed("ALTER TABLE event RENAME open_id TO away", "ALTER TABLE event RENAME away TO open_id"),
        "not_migrated",
        "42703",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_worker_waits_and_stores_everything_once(
    name: str, tables: Tables, engine: Engine, settle: Callable[[Engine], Settling]
) -> None:
    fault, reason, code = FAULTS[name]
    settling = settle(engine)

    with fault(tables, settling):
        settling.begin()
        settling.wait_for(reason, code)

    settling.end()


def test_after_a_failover_the_worker_does_not_stay_with_the_server_that_only_reads(
    engine: Engine, settle: Callable[[Engine], Settling]
) -> None:
    with engine.connect() as connection:  # it goes back to the pool like that
        connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()
    settling = settle(engine)

    settling.begin()
    settling.wait_for("read_only", "25006")

    settling.end()


def test_a_database_that_is_not_there_is_waited_for(
    tables: Tables, engine: Engine, settle: Callable[[Engine], Settling]
) -> None:
    administered = Tables(tables.server, "postgres")
    administered.run(f"ALTER DATABASE {tables.name} RENAME TO away")
    settling = settle(engine)

    settling.begin()
    settling.wait_for("not_migrated", "OperationalError")
    administered.run(f"ALTER DATABASE away RENAME TO {tables.name}")

    settling.end()
