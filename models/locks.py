"""Locks on whole tables of PostgreSQL, taken without a queue of writers forming behind whoever waits for one.

Changing partitions takes ACCESS EXCLUSIVE locks, for milliseconds; but until it is granted, everybody who comes later
waits as well, and one long query of somebody's may keep it from being granted for hours. So nobody waits for such a
lock longer than LOCK_MILLISECONDS: all give way, and it is tried anew a second later.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from models.db import transaction

LOCK_MILLISECONDS = 300
PAUSE = 1.0  # seconds, in which the others have the tables for themselves
TRIES = 60
_KEY = 0x_CA1DA_0002  # of PostgreSQL's advisory locks
# Lock timeout, deadlock; and the default partition has just been given a row of the partition that is to be attached.
_PASSING = {"55P03", "40P01", "23514"}

Result = TypeVar("Result")


class BusyError(Exception):
    """Others have been using the tables without a pause; `subject` is the table, or `partitions`."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject}: in use by others")
        self.subject = subject


class NotYetError(Exception):
    """To be raised by work that would have to wait."""


def patiently(engine: Engine, table: str, work: Callable[[Connection], Result], tries: int | None = None) -> Result:
    """Do work in one transaction, again and again until it gets its locks at once.

    Raises BusyError.
    """
    for _ in range(tries or TRIES):
        try:
            with transaction(engine) as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
                return work(connection)
        except NotYetError:
            pass
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _PASSING:
                raise
        time.sleep(PAUSE)
    raise BusyError(table)


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """While this lasts, nobody else changes partitions. The lock is a session's: it ends with its process, too.

    Raises BusyError.
    """
    give_up = time.monotonic() + TRIES * PAUSE
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}):
            if time.monotonic() > give_up:
                raise BusyError("partitions")
            time.sleep(PAUSE / 10)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})
