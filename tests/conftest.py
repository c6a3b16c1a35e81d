"""Databases and brokers: each server starts when the first test asks for it, and ends with the tests.

`make test` has several processes run tests side by side; each has servers of its own.
"""

import itertools
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from kombu import Connection
from sqlalchemy import Engine, create_engine, make_url

import migrations
from models.base import Base
from models.db import connect, transaction
from tests import servers
from tests.platforms import SHOP, Platform, platform_of
from tests.servers import NotInstalledError, Server
from workers.queues import EVENTS, MENUS, ROLLUPS, UPKEEP

_numbers = itertools.count(1)

# How fast the machine is, with other tests beside this one, is not what is asked.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# What a machine checks must not depend on its luck; who develops gets new examples each time.
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands set up logging for their process, and here it is the tests'."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def _serve(start: Callable[[], Server]) -> Iterator[Server]:
    try:
        server = start()
    except NotInstalledError as error:
        message = f"{error} is not installed"
        if os.environ.get("CAIDAN_TEST_REQUIRE_SERVICES") == "1":
            pytest.fail(message)
        pytest.skip(message)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    yield from _serve(servers.start_postgresql)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    yield from _serve(servers.start_mariadb)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    yield from _serve(servers.start_redis)


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Server]:
    yield from _serve(servers.start_rabbitmq)


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """An empty database."""
    yield from _new_database(postgresql_server, "CREATE DATABASE {}", "DROP DATABASE {} WITH (FORCE)")


@pytest.fixture
def mariadb_url(mariadb_server: Server) -> Iterator[str]:
    """An empty database."""
    yield from _new_database(mariadb_server, "CREATE DATABASE {}", "DROP DATABASE {}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'caidan.db'}"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def empty_database(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database without tables, on each kind of server."""
    yield from _connected(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with all tables and no rows, on each kind of server."""
    url: str = request.getfixturevalue(f"{request.param}_database_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    yield from _connected(database_url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "caidan.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_database_url(sqlite_template: Path, sqlite_url: str, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "caidan.db")
    return sqlite_url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: Server) -> str:
    with _administered(postgresql_server) as statement:
        statement("CREATE DATABASE caidan_template")
    _migrate(_in(postgresql_server, "caidan_template"))
    return "caidan_template"


@pytest.fixture
def postgresql_database_url(postgresql_server: Server, postgresql_template: str) -> Iterator[str]:
    create = "CREATE DATABASE {} TEMPLATE " + postgresql_template
    yield from _new_database(postgresql_server, create, "DROP DATABASE {} WITH (FORCE)")


@pytest.fixture(scope="session")
def mariadb_tables(mariadb_server: Server) -> str:
    with _administered(mariadb_server) as statement:
        statement("CREATE DATABASE caidan_tables")
    url = _in(mariadb_server, "caidan_tables")
    _migrate(url)
    return url


@pytest.fixture
def mariadb_database_url(mariadb_tables: str) -> Iterator[str]:
    """One database for all, emptied after each: MariaDB has no templates, and takes its time to make tables."""
    yield mariadb_tables
    engine = connect(mariadb_tables)
    with transaction(engine) as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    engine.dispose()


@pytest.fixture
def redis_url(redis_server: Server) -> str:
    """An empty database."""
    with Connection(redis_server.url) as connection:
        connection.default_channel.client.flushall()
    return redis_server.url


@pytest.fixture
def rabbitmq_url(rabbitmq_server: Server) -> str:
    """A broker without our queues; those of receipts have names that tests choose, each its own."""
    with Connection(rabbitmq_server.url) as connection:
        for queue in (EVENTS, UPKEEP, MENUS, ROLLUPS):
            connection.default_channel.queue_delete(queue)
    return rabbitmq_server.url


@pytest.fixture
def embedded_url(tmp_path: Path) -> str:
    return f"caidan+sqlite:///{tmp_path / 'broker.db'}"


@pytest.fixture(params=["embedded", "redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def platform() -> Iterator[Platform]:
    """WeChat, simulated, with the account SHOP and twenty followers."""
    with platform_of(SHOP) as running:
        yield running


def _connected(url: str) -> Iterator[Engine]:
    engine = connect(url)
    yield engine
    engine.dispose()


def _migrate(url: str) -> None:
    engine = connect(url)
    migrations.upgrade(engine)
    engine.dispose()


def _new_database(server: Server, create: str, drop: str) -> Iterator[str]:
    name = f"caidan_{next(_numbers)}"
    with _administered(server) as statement:
        statement(create.format(name))
    yield _in(server, name)
    with _administered(server) as statement:
        statement(drop.format(name))


@contextmanager
def _administered(server: Server) -> Iterator[Callable[[str], object]]:
    """Statements outside of any transaction."""
    engine = create_engine(server.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection.exec_driver_sql
    engine.dispose()


def _in(server: Server, database: str) -> str:
    return make_url(server.url).set(database=database).render_as_string(hide_password=False)
