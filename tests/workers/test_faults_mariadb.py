"""MariaDB that is not to be had now: the worker waits, says what for, and stores everything once when it is over."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url

import migrations
from models.base import Base
from models.db import connect
from tests import servers
from tests.servers import NotInstalledError, Server
from tests.workers.settling import BATCH, Settling, wait_until

INSERT = """INSERT INTO event (id, created_at, account_id, kind, received_at, recorded_at)
    VALUES (x'{0.id.hex}', '{0.created_at:%Y-%m-%d %H:%M:%S}', 1, 'x', now(), now())"""


class Tables:
    """A migrated database of a server of its own, as an ordinary user and as root see it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._root = make_url(server.url).set(database="caidan")
        self.url = self._root.set(username="caidan", password="right").render_as_string(hide_password=False)

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """One of root, outside of any transaction."""
        engine = create_engine(self._root, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def run(self, *statements: str) -> None:
        with self.session() as session:
            for statement in statements:
                session.exec_driver_sql(statement)

    def someone_waits(self) -> bool:
        """For a lock of another."""
        with self.session() as session:
            status = session.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").one()
            return int(status[1]) > 0


Fault = Callable[[Tables, Settling], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        server = servers.start_mariadb()
    except NotInstalledError as error:
        pytest.skip(f"{error} is not installed")
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "CREATE DATABASE caidan",
            "CREATE USER caidan@127.0.0.1 IDENTIFIED BY 'right'",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON caidan.* TO caidan@127.0.0.1",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    engine = connect(server.url.replace("/mysql", "/caidan"))
    migrations.upgrade(engine)
    engine.dispose()
    yield server
    server.stop()


@pytest.fixture
def tables(server: Server) -> Iterator[Tables]:
    tables = Tables(server)
    yield tables
    tables.run(*(f"DELETE FROM {table.name}" for table in Base.metadata.sorted_tables))


@pytest.fixture
def engine(tables: Tables, impatient: None) -> Iterator[Engine]:
    engine = connect(tables.url)
    yield engine
    engine.dispose()


@contextmanager
def in_the_middle(tables: Tables, settling: Settling) -> Iterator[Connection]:
    """The batch waits in its transaction for a row that this session is inserting."""
    with tables.session() as session:
        session.exec_driver_sql("BEGIN")
        session.exec_driver_sql(INSERT.format(BATCH.entries[0]))
        settling.begin()
        wait_until(tables.someone_waits)
        yield session
        if not session.invalidated:
            session.exec_driver_sql("ROLLBACK")


@contextmanager
def restarted(tables: Tables, settling: Settling) -> Iterator[None]:
    with in_the_middle(tables, settling) as session:
        tables.server.halt(signal.SIGTERM)
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
def locked(tables: Tables, settling: Settling) -> Iterator[None]:
    with in_the_middle(tables, settling):
        yield


@contextmanager
def deadlocked(tables: Tables, settling: Settling) -> Iterator[None]:
    """Another inserts the same rows in the opposite order; it has changed more, so that the batch gives way."""
    first, last = BATCH.entries[0], BATCH.entries[-1]
    with tables.session() as session:
        session.exec_driver_sql("BEGIN")
        session.exec_driver_sql(f"{INSERT.format(last)}, {', '.join(_others(200))}")
        settling.begin()
        wait_until(tables.someone_waits)
        session.exec_driver_sql(INSERT.format(first))
        yield
        session.exec_driver_sql("ROLLBACK")


def _others(count: int) -> Iterator[str]:
    for number in range(count):
        yield f"(unhex(lpad(hex({number}), 32, 'f')), '2037-01-01', 1, 'x', now(), now())"


@contextmanager
def too_many_connections(tables: Tables, _settling: Settling) -> Iterator[None]:
    tables.run("ALTER USER caidan@127.0.0.1 WITH MAX_USER_CONNECTIONS 1")
    other = create_engine(tables.url)
    with other.connect():
        yield
    other.dispose()
    tables.run("ALTER USER caidan@127.0.0.1 WITH MAX_USER_CONNECTIONS 0")


def changed(change: str, back: str) -> Fault:
    """A statement of root, and what undoes it."""

    @contextmanager
    def fault(tables: Tables, _settling: Settling) -> Iterator[None]:
        tables.run(change)
        yield
        tables.run(back)

    return fault


def failing(statement: str) -> Fault:
    """What a trigger does instead of inserting."""
    return changed(f"CREATE TRIGGER fail BEFORE INSERT ON event FOR EACH ROW {statement}", "DROP TRIGGER fail")


# Each with the reason and the code that the worker gives.
FAULTS: Mapping[str, tuple[Fault, str, str]] = {
    "restarted": (restarted, "database_down", "2013"),
    "crashed": (crashed, "database_down", "2013"),
    "frozen": (frozen, "database_silent", "2013"),
    "frozen in the middle": (frozen_in_the_middle, "database_silent", "2013"),
    # Said by a trigger: with a space that is really full InnoDB soon ends itself.
    "disk full": (failing("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114"), "disk_full", "1114"),
    "locked": (locked, "locked", "1205"),
    "deadlocked": (deadlocked, "locked", "1213"),
    "read only": (changed("SET GLOBAL read_only = ON", "SET GLOBAL read_only = OFF"), "read_only", "1290"),
    "too slow": (failing("DO SLEEP(10)"), "too_slow", "1969"),
    "too many connections": (too_many_connections, "too_many_connections", "1226"),
    "another password": (
        changed(
            "SET PASSWORD FOR caidan@127.0.0.1 = PASSWORD('x')", "SET PASSWORD FOR caidan@127.0.0.1 = PASSWORD('right')"
        ),
        "refused_login",
        "1045",
    ),
    "no right": (
        changed("REVOKE INSERT ON caidan.* FROM caidan@127.0.0.1", "GRANT INSERT ON caidan.* TO caidan@127.0.0.1"),
        "not_permitted",
        "1142",
    ),
    "no table": (changed("RENAME TABLE event TO away", "RENAME TABLE away TO event"), "not_migrated", "1146"),
    "no column": (
        changed("ALTER TABLE event RENAME COLUMN open_id TO away", "ALTER TABLE event RENAME COLUMN away TO open_id"),
        "not_migrated",
        "1054",
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
