"""What is waited for, by the errors that tests/workers/test_faults_*.py cannot have from a real server."""

import sqlite3

import psycopg
import pymysql
import pytest
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from models.refusal import explained, is_refusal


def raised(kind: type[DBAPIError], cause: BaseException) -> DBAPIError:
    return kind("SELECT 'what a follower wrote'", {}, cause)


CONNECTING = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: {}'


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Connection refused", "database_down"),
        ("FATAL:  the database system is starting up", "database_down"),
        ('could not translate host name "db" to address', "database_down"),
        ("timeout expired", "database_silent"),
        ("FATAL:  sorry, too many clients already", "too_many_connections"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "too_many_connections",
        ),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "caidan"', "refused_login"),
        ('FATAL:  role "caidan" does not exist', "refused_login"),
        ('FATAL:  database "caidan" does not exist', "not_migrated"),
        ('FATAL:  permission denied for database "caidan"', "not_permitted"),
        ("在一种没有人懂的语言里", "database_down"),
    ],
)
def test_why_postgresql_cannot_be_connected_to_is_read_from_its_words(words: str, reason: str) -> None:
    error = raised(OperationalError, psycopg.OperationalError(CONNECTING.format(words)))

    assert (reason, "OperationalError") == explained(error)


@pytest.mark.parametrize(
    ("number", "words", "reason"),
    [
        (1040, "Too many connections", "too_many_connections"),
        (1203, "User caidan already has more than 'max_user_connections' active connections", "too_many_connections"),
        (1021, "Disk full (/tmp); waiting for someone to free some space", "disk_full"),
        (1053, "Server shutdown in progress", "database_down"),
        (2003, "Can't connect to MySQL server on 'db' ([Errno 113] No route to host)", "database_down"),
        (2003, "Can't connect to MySQL server on 'db' (timed out)", "database_silent"),
        (2013, "Lost connection to MySQL server during query", "database_down"),
        (1836, "Running in read-only mode", "read_only"),
        (1644, "unhandled user-defined exception: timed out", "unknown"),
    ],
)
def test_mariadb_tells_by_number(number: int, words: str, reason: str) -> None:
    error = raised(OperationalError, pymysql.err.OperationalError(number, words))

    assert (reason, str(number)) == explained(error)
    assert not is_refusal(error)


def test_what_ended_a_transaction_counts_and_not_that_there_is_none_any_more() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode, full.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
    later = raised(OperationalError, sqlite3.OperationalError("no such savepoint: sa_savepoint_1"))
    later.__context__ = raised(OperationalError, full)

    assert ("disk_full", "SQLITE_FULL") == explained(later)


def test_a_connection_that_was_closed_is_a_database_that_is_down() -> None:
    assert "database_down" == explained(raised(InterfaceError, psycopg.InterfaceError("the connection is closed")))[0]


def test_what_is_none_of_these_is_unknown_and_named_by_its_type() -> None:
    assert ("unknown", "ZeroDivisionError") == explained(ZeroDivisionError("a follower's secret"))
    assert ("unknown", "42P10") == explained(raised(ProgrammingError, psycopg.errors.InvalidColumnReference()))


@pytest.mark.parametrize(
    "error",
    [
        raised(DataError, psycopg.errors.StringDataRightTruncation()),
        raised(IntegrityError, psycopg.errors.NotNullViolation()),
        raised(DataError, psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")),
        raised(IntegrityError, pymysql.err.IntegrityError(1048, "Column 'kind' cannot be null", sqlstate="23000")),
        raised(DataError, pymysql.err.DataError(1264, "Out of range value", sqlstate="22003")),
        raised(DataError, pymysql.err.DataError(1366, "Incorrect string value", sqlstate="22007")),
        raised(OperationalError, pymysql.err.OperationalError(3140, "Invalid JSON text", sqlstate="22032")),
        raised(OperationalError, pymysql.err.OperationalError(3157, "The JSON document exceeds the maximum depth.")),
    ],
)
def test_these_say_that_a_row_can_never_be_stored(error: DBAPIError) -> None:
    assert is_refusal(error)


@pytest.mark.parametrize(
    "error",
    [
        raised(IntegrityError, psycopg.errors.ForeignKeyViolation()),
        raised(IntegrityError, psycopg.errors.CheckViolation()),
        raised(ProgrammingError, psycopg.errors.UndefinedTable()),
        raised(IntegrityError, pymysql.err.IntegrityError(1062, "Duplicate entry", sqlstate="23000")),
        raised(OperationalError, pymysql.err.OperationalError(1213, "Deadlock found", sqlstate="40001")),
    ],
)
def test_these_do_not(error: DBAPIError) -> None:
    assert not is_refusal(error)
