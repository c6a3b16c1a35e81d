"""PostgreSQL's partitions by month. Elsewhere there are none, and nothing to do.

What belongs to a month without a partition, because it is old, or younger than a clock should have it, is in the
default partition: every event finds a place.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlalchemy import Connection, Engine, Table, text

from models import months, moving
from models.base import Base, table_of
from models.db import transaction
from models.event import Event, Location, Message, Photo, PhotoSend, Scan
from models.locks import alone, patiently

PARTITIONED: tuple[type[Base], ...] = (Event, Scan, PhotoSend, Photo, Location, Message)
FEW = 10_000  # rows that may be moved while others wait
_TABLES = {table.name: table for table in map(table_of, PARTITIONED)}

# What a partition may be: part of its table, for a month or for what is left; a table of its own; being filled.
ATTACHED, DEFAULT, DETACHED, UNFINISHED = "attached", "default", "detached", "unfinished"


@dataclass(frozen=True, slots=True)
class Partition:
    table: str  # of which it is a part
    name: str
    month: date | None  # its first day
    state: str
    rows: int  # an estimate
    bytes: int  # indexes included


@dataclass(frozen=True, slots=True)
class Missing:
    """A partition that is to be made, or to be attached again."""

    table: str
    name: str
    month: date
    is_there: bool
    rows: int  # of its month, in the default partition


class StrandedError(Exception):
    """A detached partition cannot be attached again: the default one has too many rows of its month."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(f"{missing.name}: {missing.rows} rows of its month are in the default partition")
        self.missing = missing


def has_partitions(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def is_partition(table: str) -> bool:
    """Whether a table of this name is a part of another, or was, or is to be."""
    return months.part_of(table, _TABLES) is not None


def partitions(connection: Connection) -> list[Partition]:
    """All of them, by table and month, each table's default partition first."""
    if connection.dialect.name != "postgresql":
        return []
    found = []
    for row in connection.execute(text(_PARTITIONS)):
        table, month = months.part_of(row.name, _TABLES) or (row.whole, None)
        if row.whole in _TABLES:
            state = DEFAULT if row.is_default else ATTACHED
            found.append(Partition(row.whole, row.name, month, state, row.rows, row.bytes))
        elif month is not None:
            state = DETACHED if row.whole is None else UNFINISHED
            found.append(Partition(table, row.name, month, state, row.rows, row.bytes))
    order = list(_TABLES)
    return sorted(found, key=lambda one: (order.index(one.table), one.month or date.min, one.name))


_PARTITIONS = """
    SELECT part.relname AS name, whole.relname AS whole, pg_total_relation_size(part.oid) AS bytes,
        COALESCE(pg_get_expr(part.relpartbound, part.oid) = 'DEFAULT', false) AS is_default,
        CAST(COALESCE(NULLIF(part.reltuples, -1), pg_stat_get_live_tuples(part.oid)) AS bigint) AS rows
    FROM pg_class part
    LEFT JOIN pg_inherits ON inhrelid = part.oid
    LEFT JOIN pg_class whole ON whole.oid = inhparent
    WHERE part.relkind = 'r'
    AND part.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = CAST('event' AS regclass))
"""


def of_months(connection: Connection, wanted: Iterable[date], *states: str) -> list[Partition]:
    """The partitions of months that are in one of the states, by month."""
    chosen = set(wanted)
    found = [one for one in partitions(connection) if one.month in chosen and one.state in states]
    return sorted(found, key=lambda one: one.month or date.min)


def missing(connection: Connection, wanted: Sequence[date]) -> list[Missing]:
    """The partitions of months that are not attached, by table."""
    states = {one.name: one.state for one in partitions(connection) if one.state != UNFINISHED}
    found = []
    for table in _TABLES:
        names = {months.name_of(table, month): month for month in wanted}
        absent = [name for name in names if states.get(name) != ATTACHED]
        rows = _rows_by_month(connection, f"{table}_default") if absent else {}
        found += [Missing(table, name, names[name], name in states, rows.get(names[name], 0)) for name in absent]
    return found


def ensure_partitions(engine: Engine, today: date, months_ahead: int = 3) -> list[str]:
    """Make the partitions of this month and those ahead; the names of those that were missing.

    What somebody has detached stays so. May run any number of times, by several at once. Raises BusyError.
    """
    if not has_partitions(engine):
        return []
    first = months.month_of(today)
    wanted = list(months.span(first, months.later(first, months_ahead)))
    with engine.connect() as connection:
        is_interrupted = any(one.state == UNFINISHED for one in partitions(connection))
        if not is_interrupted and all(one.is_there for one in missing(connection, wanted)):
            return []
    return create(engine, wanted, take_back=False)


def create(
    engine: Engine,
    wanted: Sequence[date],
    moved: Callable[[int], object] = lambda _rows: None,
    *,
    take_back: bool = True,
) -> list[str]:
    """Make the partitions of months, and take back those that were detached; the names of those that were not there.

    Rows of these months that are in the default partition move; where they are many, all rows of that partition are
    copied, and `moved` is told how many at a time. Raises BusyError, StrandedError.
    """
    with alone(engine):
        for table in _TABLES.values():
            moving.clear(engine, table)
        with engine.connect() as connection:
            absent = [one for one in missing(connection, wanted) if take_back or not one.is_there]
        for one in absent:
            if one.is_there and one.rows > FEW:
                raise StrandedError(one)
        for name, table in _TABLES.items():
            _create(engine, table, [one for one in absent if one.table == name], moved)
    return [one.name for one in absent]


def detach(engine: Engine, wanted: Iterable[date]) -> list[str]:
    """Take the partitions of months out of their tables, and leave them as tables of their own; their names.

    Not CONCURRENTLY: PostgreSQL refuses that where there is a default partition. Raises BusyError.
    """
    return _each(engine, wanted, (ATTACHED,), "ALTER TABLE {one.table} DETACH PARTITION {one.name}")


def drop(engine: Engine, wanted: Iterable[date], states: Sequence[str] = (ATTACHED, DETACHED)) -> list[str]:
    """Drop the partitions of months with all that is in them; their names. Raises BusyError."""
    return _each(engine, wanted, states, "DROP TABLE {one.name}")


def _each(engine: Engine, wanted: Iterable[date], states: Sequence[str], statement: str) -> list[str]:
    """Each in a transaction of its own, so that no table is locked while another is waited for."""
    with alone(engine):
        with engine.connect() as connection:
            chosen = of_months(connection, wanted, *states)
        for one in chosen:
            patiently(engine, one.table, partial(Connection.exec_driver_sql, statement=statement.format(one=one)))
    return [one.name for one in chosen]


def _create(engine: Engine, table: Table, absent: Sequence[Missing], moved: Callable[[int], object]) -> None:
    new = [one.month for one in absent if not one.is_there] if sum(one.rows for one in absent) > FEW else []
    if new:
        moving.move(engine, table, new, moved)
    for one in absent:
        if one.month not in new:
            _attach(engine, table, one)


def _attach(engine: Engine, table: Table, one: Missing) -> None:
    """Make a partition, or take a detached one back, with the few rows of its month that are in the default one.

    Attaching locks the default partition only, and looks through it, a million rows in some 0.2 seconds; CREATE TABLE …
    PARTITION OF would lock all of the table, as this does where rows move.
    """
    whole, rest, within = table.name, f"{table.name}_default", months.within(one.month)
    first, end = months.bounds(one.month)
    if one.is_there:
        _prove(engine, one.name, within)

    def work(connection: Connection) -> None:
        run = connection.exec_driver_sql
        if not one.is_there:
            run(f"CREATE TABLE {one.name} (LIKE {whole} INCLUDING ALL)")
        if run(f"SELECT EXISTS (SELECT FROM {rest} WHERE {within})").scalar_one():  # noqa: S608 (names are the models')
            # The whole first: a reader that waits for the default partition only would not see what has left it.
            run(f"LOCK TABLE ONLY {whole} IN ACCESS EXCLUSIVE MODE")
            run(f"LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE")
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            key = ", ".join(column.name for column in table.primary_key)
            if one.is_there:
                run(f"DELETE FROM {one.name} WHERE ({key}) IN (SELECT {key} FROM {rest} WHERE {within})")  # noqa: S608
            run(
                f"WITH gone AS (DELETE FROM {rest} WHERE {within} RETURNING {columns})"  # noqa: S608
                f" INSERT INTO {one.name} ({columns}) SELECT {columns} FROM gone"
            )
        run(f"ALTER TABLE {whole} ATTACH PARTITION {one.name} FOR VALUES FROM ({first}) TO ({end})")
        run(f"ALTER TABLE {one.name} DROP CONSTRAINT IF EXISTS moving")

    patiently(engine, whole, work)


def _prove(engine: Engine, partition: str, within: str) -> None:
    """Have a detached partition looked through before others have to wait for it."""
    with transaction(engine) as connection:
        connection.exec_driver_sql(f"ALTER TABLE {partition} DROP CONSTRAINT IF EXISTS moving")
        connection.exec_driver_sql(f"ALTER TABLE {partition} ADD CONSTRAINT moving CHECK ({within})")


def _rows_by_month(connection: Connection, table: str) -> dict[date, int]:
    month = "CAST(date_trunc('month', created_at AT TIME ZONE 'UTC') AS date)"
    counted = connection.exec_driver_sql(f"SELECT {month}, count(*) FROM {table} GROUP BY 1")  # noqa: S608
    return {row[0]: row[1] for row in counted}
