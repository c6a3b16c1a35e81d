"""PostgreSQL's partitions by month. Elsewhere there are none, and nothing to do."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, text

from models.base import Base, table_of
from models.event import Event, Location, Message, Photo, PhotoSend, Scan

PARTITIONED: tuple[type[Base], ...] = (Event, Scan, PhotoSend, Photo, Location, Message)
_LOCK = 0x_CA1DA_0002  # of PostgreSQL's advisory locks


def ensure_partitions(connection: Connection, today: date, months_ahead: int = 3) -> list[str]:
    """Make the partitions of this month and those ahead; the names of those that were missing.

    May run any number of times, by several at once. Months before, and whatever is not made in time, are in the
    default partition; rows of a month that are there already move to its partition.
    """
    if connection.dialect.name != "postgresql":
        return []
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    made = []
    for model in PARTITIONED:
        table = table_of(model).name
        for first, end in _months(today, months_ahead):
            name = f"{table}_y{first:%Y}m{first:%m}"
            if connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is None:
                _make(connection, table, name, first, end)
                made.append(name)
    return made


def is_partition(table: str) -> bool:
    """Whether a table of this name is a part of another."""
    whole, _, part = table.rpartition("_")
    return whole in {table_of(model).name for model in PARTITIONED} and (part == "default" or part[:1] == "y")


def _months(today: date, ahead: int) -> Iterator[tuple[date, date]]:
    for offset in range(ahead + 1):
        months = today.year * 12 + today.month - 1 + offset
        yield date(months // 12, months % 12 + 1, 1), date((months + 1) // 12, (months + 1) % 12 + 1, 1)


def _make(connection: Connection, table: str, name: str, first: date, end: date) -> None:
    # Attaching locks out writers of the default partition alone; CREATE TABLE … PARTITION OF, those of the whole table.
    start, stop = (f"'{day} 00:00:00+00'" for day in (first, end))
    within = f"created_at >= {start} AND created_at < {stop}"
    for statement in (
        f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)",
        f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE",
        f"INSERT INTO {name} SELECT * FROM {table}_default WHERE {within}",  # noqa: S608 (names are the models')
        f"DELETE FROM {table}_default WHERE {within}",  # noqa: S608
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({stop})",
    ):
        connection.exec_driver_sql(statement)
