"""Which errors of a database say that a row can never be stored: everything else is a matter of time or of repair."""

import sqlite3

from sqlalchemy.exc import DataError, DBAPIError

# PostgreSQL: data exceptions, and null where there must be a value.
_SQLSTATES = ("22", "23502")
# MySQL: no null, out of range, wrong text, too long.
_MYSQL = {1048, 1264, 1366, 1406}
_SQLITE = {sqlite3.SQLITE_CONSTRAINT_NOTNULL, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}


def is_refusal(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) in _SQLITE
    sqlstate = getattr(cause, "sqlstate", None)
    if isinstance(sqlstate, str):
        return sqlstate.startswith(_SQLSTATES)
    if cause is not None and cause.args and isinstance(cause.args[0], int):
        return cause.args[0] in _MYSQL
    return isinstance(error, DataError)  # psycopg's, of what it will not send: NUL in text
