"""Whoever is let read the views reads them, and nothing else, and changes nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from models import views
from models.base import Base
from models.db import connect
from models.view_dialects import Dialect
from models.view_readers import statements

NAME, PASSWORD = "analyst", "a-password"
_PLAIN = {"no_parameters": True}  # in which % is a character like any other
REFUSED = ["UPDATE v_account SET account = 'x'", "DELETE FROM v_account", "CREATE TABLE mine (a integer)"]


@pytest.fixture(params=["postgresql", "mariadb"])
def reading(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """The database as the role sees it, which was let twice, as after an update."""
    url = make_url(request.getfixturevalue(f"{request.param}_database_url"))
    is_postgresql = request.param == "postgresql"
    admin = create_engine(connect(url.render_as_string(hide_password=False)).url, isolation_level="AUTOCOMMIT")
    login = f"ALTER USER '{NAME}'@'%' IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK"
    with admin.connect() as connection:
        for statement in 2 * statements(url.get_backend_name(), url.database or "", NAME):
            connection.exec_driver_sql(statement, execution_options=_PLAIN)
        connection.exec_driver_sql(
            f"ALTER ROLE {NAME} PASSWORD '{PASSWORD}'" if is_postgresql else login, execution_options=_PLAIN
        )
        theirs = create_engine(admin.url.set(username=NAME, password=PASSWORD))
        with theirs.connect() as found:
            yield found
        theirs.dispose()
        for statement in (
            [f"DROP OWNED BY {NAME}", f"DROP ROLE {NAME}"] if is_postgresql else [f"DROP USER '{NAME}'@'%'"]
        ):
            connection.exec_driver_sql(statement, execution_options=_PLAIN)
    admin.dispose()


def test_the_views_can_be_read_and_no_table(reading: Connection) -> None:
    for view in views.views(Dialect()):
        reading.execute(text(f"SELECT * FROM {view.name}"))

    for table in Base.metadata.sorted_tables:
        with pytest.raises(DBAPIError, match="denied"):
            reading.execute(table.select())
        reading.rollback()


@pytest.mark.parametrize("statement", REFUSED)
def test_nothing_can_be_changed(reading: Connection, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"denied|read-only"):
        reading.execute(text(statement))


def test_nor_after_the_role_has_switched_off_that_it_only_reads(reading: Connection) -> None:
    if reading.dialect.name != "postgresql":
        pytest.skip("MariaDB has only rights")
    reading.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"))
    reading.commit()

    for statement in REFUSED:
        with pytest.raises(DBAPIError, match=r"denied|cannot update view|cannot delete from view"):
            reading.execute(text(statement))
        reading.rollback()
