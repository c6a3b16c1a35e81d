"""What an error of a database means: that a row can never be stored, or what has to be waited for.

Everything that is no refusal of a row is a matter of time, or of repair; unknown errors too.
"""

import re
import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError

# PostgreSQL: data exceptions, and null where there must be a value.
_SQLSTATES = ("22", "23502")
# MySQL: no null, out of range, wrong text, too long; JSON that is none, or nested deeper than MariaDB's 32 and MySQL's
# 100 levels, for which MariaDB has a constraint.
_MYSQL = {1048, 1264, 1366, 1406, 3140, 3157, 4025}
_SQLITE = {sqlite3.SQLITE_CONSTRAINT_NOTNULL, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}

DOWN = "database_down"
SILENT = "database_silent"
READ_ONLY = "read_only"
DISK_FULL = "disk_full"
LOCKED = "locked"
TOO_SLOW = "too_slow"
TOO_MANY_CONNECTIONS = "too_many_connections"
REFUSED_LOGIN = "refused_login"
NOT_PERMITTED = "not_permitted"
NOT_MIGRATED = "not_migrated"
UNKNOWN = "unknown"

# By the whole SQLSTATE, or by its class.
_POSTGRESQL = {
    "08": DOWN,
    "57P01": DOWN,
    "57P02": DOWN,
    "57P03": DOWN,
    "57P05": DOWN,
    "25006": READ_ONLY,
    "53100": DISK_FULL,
    "40": LOCKED,
    "55P03": LOCKED,
    "25P03": TOO_SLOW,
    "25P04": TOO_SLOW,
    "57014": TOO_SLOW,
    "53300": TOO_MANY_CONNECTIONS,
    "28": REFUSED_LOGIN,
    "42501": NOT_PERMITTED,
    "3D000": NOT_MIGRATED,
    "3F000": NOT_MIGRATED,
    "42P01": NOT_MIGRATED,
    "42703": NOT_MIGRATED,
}
_NUMBERS = {
    DOWN: {1053, 1077, 1079, 1080, 1152, 1184, 1927, 2002, 2003, 2006, 2013, 2055, 4031},
    READ_ONLY: {1290, 1792, 1836, 3100},
    DISK_FULL: {3, 1021, 1114},
    LOCKED: {1020, 1099, 1205, 1213, 1223, 1614},
    TOO_SLOW: {1317, 1969, 3024},
    TOO_MANY_CONNECTIONS: {1040, 1203, 1226},
    REFUSED_LOGIN: {1045, 1130, 1251, 1698, 3118},
    NOT_PERMITTED: {1044, 1142, 1143, 1227, 1370},
    NOT_MIGRATED: {1049, 1054, 1146},
}
_BY_NUMBER = {number: reason for reason, numbers in _NUMBERS.items() for number in numbers}
_BY_SQLITE = {
    sqlite3.SQLITE_CANTOPEN: DOWN,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PERM: NOT_PERMITTED,
    sqlite3.SQLITE_AUTH: NOT_PERMITTED,
}
# Where there is no code, or one for everything: PostgreSQL's library has none for what happens on connecting.
_SAID = (
    (SILENT, re.compile(r"timeout expired|timed out|does not answer")),
    (TOO_MANY_CONNECTIONS, re.compile(r"too many (clients|connections)|remaining connection slots")),
    (REFUSED_LOGIN, re.compile(r'authentication failed|no pg_hba\.conf entry|role ".*" does not exist|not permitted')),
    (NOT_PERMITTED, re.compile(r"permission denied")),
    (NOT_MIGRATED, re.compile(r'database ".*" does not exist|no such (table|column)|has no column')),
)


def is_refusal(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) in _SQLITE
    if (number := _number(cause)) is not None:
        return number in _MYSQL
    sqlstate = getattr(cause, "sqlstate", None)
    if isinstance(sqlstate, str):
        return sqlstate.startswith(_SQLSTATES)
    return isinstance(error, DataError)  # psycopg's, of what it will not send: NUL in text


def explained(error: Exception) -> tuple[str, str]:
    """What is waited for, in one of a few fixed words; and the code of the error, never its words, which may quote what
    a follower wrote.

    Where an error has ended the transaction, going back to a savepoint is the next error: the first one counts.
    """
    link: BaseException | None = error
    while link is not None:
        if (reason := _reason(link)) is not None:
            return reason, _code(link)
        link = link.__cause__ or link.__context__
    return UNKNOWN, _code(error)


def _reason(error: BaseException) -> str | None:
    cause = getattr(error, "orig", None) or error
    said = str(cause)
    if isinstance(cause, sqlite3.Error):
        return _BY_SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF) or _said(said)
    if (number := _number(cause)) is not None:
        reason = _BY_NUMBER.get(number)
        return (_said(said) or reason) if reason == DOWN else reason
    sqlstate = getattr(cause, "sqlstate", None)
    if isinstance(sqlstate, str):
        return _POSTGRESQL.get(sqlstate) or _POSTGRESQL.get(sqlstate[:2])
    return _said(said) or DOWN if isinstance(error, OperationalError | InterfaceError) else None


def _code(error: BaseException) -> str:
    """The database's, else the error's type."""
    cause = getattr(error, "orig", None) or error
    found = _number(cause) or getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return str(found or type(cause).__name__)


def _number(cause: BaseException | None) -> int | None:
    """PyMySQL's, which comes first; psycopg and SQLite begin with words."""
    first = next(iter(cause.args), None) if cause is not None else None
    return first if isinstance(first, int) else None


def _said(words: str) -> str | None:
    return next((reason for reason, pattern in _SAID if pattern.search(words)), None)
