"""Moving many rows out of PostgreSQL's default partition into partitions of their months, beside its writers.

PostgreSQL attaches a partition only when the default one holds no row of it, and looks through all of the default
partition for one, under a lock. So rows cannot go over in portions: whatever had left the default partition before its
new home is attached would be nowhere to be seen. And moving all of them in the transaction that attaches would keep
everybody waiting as long as that takes. Instead, the default partition is replaced:

1. beside the table, a second one of its form is made, with the partitions that are wanted and a default partition;
2. a trigger notes the keys of rows of the old default partition that are written from now on;
3. its rows are copied, in portions, which blocks nobody; then, again and again, those that were noted;
4. in one transaction of milliseconds, what was noted last is copied, the new partitions are attached instead of the old
   default one, and that is dropped. CHECK constraints spare PostgreSQL looking through any of them.

Until step 4 commits, the copies are invisible and the old partition is as it was; a process that is killed leaves
only the copies behind, and `clear` removes them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Table, text

from models.db import transaction
from models.locks import BusyError, NotYetError, patiently
from models.months import bounds, name_of, within

PORTION = 5000  # rows
FEW = 1000  # rows noted, which may be copied under the lock
TRIES = 600  # to get the lock, a second each: what is copied is not lightly thrown away
_RANGE = re.compile(r"FOR VALUES FROM \(('[^']+')\) TO \(('[^']+')\)")


def move(engine: Engine, table: Table, months: Sequence[date], moved: Callable[[int], object]) -> None:
    """Make partitions of months of which there is none, and move what the default partition holds of them.

    `moved` is told of each portion. Raises BusyError.
    """
    moving = _Moving(table)
    try:
        patiently(engine, table.name, lambda connection: _prepare(connection, moving, months))
        _copy(engine, moving, moved)
        _finish(engine, moving, months)
    except BaseException:
        clear(engine, table)
        raise


def clear(engine: Engine, table: Table) -> None:
    """Remove what a move that did not come to its end has left."""
    moving = _Moving(table)
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": moving.new}) is None:
            return
    statements = (
        f"DROP FUNCTION IF EXISTS {moving.new}() CASCADE",  # and its trigger
        f"DROP TABLE IF EXISTS {moving.new}, {moving.noted}",
    )
    patiently(engine, table.name, lambda connection: _run(connection, *statements))


class _Moving:
    """The names of what takes part, and the statements that copy."""

    def __init__(self, table: Table) -> None:
        self.whole = table.name
        self.old = f"{table.name}_default"
        self.new = f"{table.name}_moving"  # the function of the trigger as well
        self.rest = f"{table.name}_moving_rest"
        self.noted = f"{table.name}_moving_noted"
        self.key = [column.name for column in table.primary_key]
        self.columns = [column.name for column in table.columns]

    def portion(self, *, is_first: bool) -> str:
        """Copy the next rows by key; tells the last of them, and how many."""
        key, columns = _listed(self.key), _listed(self.columns)
        after = "" if is_first else f"WHERE ({key}) > ({', '.join(f':{name}' for name in self.key)})"
        return f"""
            WITH portion AS MATERIALIZED (
                SELECT {columns} FROM {self.old} {after} ORDER BY {key} LIMIT {PORTION}
            ), copied AS (
                INSERT INTO {self.new} ({columns}) SELECT {columns} FROM portion
            )
            SELECT {key}, count(*) OVER () AS rows FROM portion
            ORDER BY {", ".join(f'"{name}" DESC' for name in self.key)} LIMIT 1
        """  # noqa: S608 (all names are the models')

    def noted_portion(self, limit: int | None) -> str:
        """Copy rows that were written, as they are now, and take away those that are gone; tells how many notes."""
        key, columns = _listed(self.key), _listed(self.columns)
        others = [name for name in self.columns if name not in self.key]
        same = " AND ".join(f'kept."{name}" = written."{name}"' for name in self.key)
        return f"""
            WITH taken AS (
                DELETE FROM {self.noted} WHERE ctid IN (SELECT ctid FROM {self.noted} LIMIT {limit or "ALL"})
                RETURNING {key}
            ), written AS (
                SELECT DISTINCT {key} FROM taken
            ), there AS (
                SELECT {columns} FROM {self.old} JOIN written USING ({key})
            ), gone AS (
                DELETE FROM {self.new} kept USING written
                WHERE {same} AND ({_listed(self.key, "written.")}) NOT IN (SELECT {key} FROM there)
            ), copied AS (
                INSERT INTO {self.new} ({columns}) SELECT {columns} FROM there
                ON CONFLICT ({key}) DO UPDATE SET ({_listed(others)}) = ROW ({_listed(others, "EXCLUDED.")})
            )
            SELECT count(*) FROM taken
        """  # noqa: S608

    def note(self) -> str:
        """What the trigger does: in its owner's name, for whoever writes may know nothing of the notes."""
        old, new = _listed(self.key, "OLD."), _listed(self.key, "NEW.")
        return f"""
            CREATE FUNCTION {self.new}() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path FROM CURRENT AS $$ BEGIN
                IF TG_OP <> 'INSERT' THEN INSERT INTO {self.noted} VALUES ({old}); END IF;
                IF TG_OP <> 'DELETE' THEN INSERT INTO {self.noted} VALUES ({new}); END IF;
                RETURN NULL;
            END $$
        """  # noqa: S608


def _prepare(connection: Connection, moving: _Moving, months: Sequence[date]) -> None:
    _run(connection, f"CREATE TABLE {moving.new} (LIKE {moving.whole} INCLUDING ALL) PARTITION BY RANGE (created_at)")
    for month in months:
        part = name_of(moving.whole, month)
        _run(
            connection,
            f"CREATE TABLE {part} PARTITION OF {moving.new} {_place(month)}",
            f"ALTER TABLE {part} ADD CONSTRAINT moving CHECK ({within(month)})",
        )
    taken = _attached(connection, moving.whole) + [bounds(month) for month in months]
    elsewhere = " AND ".join(f"(created_at < {first} OR created_at >= {end})" for first, end in taken)
    _run(
        connection,
        f"CREATE TABLE {moving.rest} PARTITION OF {moving.new} DEFAULT",
        f"ALTER TABLE {moving.rest} ADD CONSTRAINT moving CHECK ({elsewhere})",
        # A crash of the server empties it; the move ends with it anyway.
        f"CREATE UNLOGGED TABLE {moving.noted} AS SELECT {_listed(moving.key)} FROM {moving.whole} WITH NO DATA",  # noqa: S608
        moving.note(),
        f"CREATE TRIGGER moving AFTER INSERT OR UPDATE OR DELETE ON {moving.old}"
        f" FOR EACH ROW EXECUTE FUNCTION {moving.new}()",
    )


def _copy(engine: Engine, moving: _Moving, moved: Callable[[int], object]) -> None:
    last: dict[str, Any] = {}
    while True:
        with transaction(engine) as connection:
            row = connection.execute(text(moving.portion(is_first=not last)), last).one_or_none()
        if row is None:
            return
        moved(row.rows)
        last = {name: getattr(row, name) for name in moving.key}


def _finish(engine: Engine, moving: _Moving, months: Sequence[date]) -> None:
    """Switch as soon as nobody is in the way; until then, keep up with those who write."""
    copied = _now(engine)
    for _ in range(TRIES):
        if _catch_up(engine, moving):
            copied = _now(engine)
        switch = partial(_switch, moving=moving, months=months, copied=copied)
        with suppress(BusyError):
            return patiently(engine, moving.whole, switch, tries=1)
    raise BusyError(moving.whole)


def _catch_up(engine: Engine, moving: _Moving) -> bool:
    """Copy what was written meanwhile, until hardly anything is left: copying is faster than any writer."""
    was_written = False
    while True:
        with transaction(engine) as connection:
            noted: int = connection.execute(text(moving.noted_portion(PORTION))).scalar_one()
        was_written |= noted > 0
        if noted < FEW:
            return was_written


def _now(engine: Engine) -> datetime:
    """Transactions that begin from now on see what is copied now."""
    with engine.connect() as connection:
        moment: datetime = connection.scalars(text("SELECT now()")).one()
        return moment


def _switch(connection: Connection, moving: _Moving, months: Sequence[date], copied: datetime) -> None:
    """Let the new partitions take the place of the old default one.

    The lock on the whole comes first: whoever waits for that has not looked yet which partitions there are, while
    whoever waits for a partition would not see those that have come meanwhile.
    """
    _run(
        connection,
        f"LOCK TABLE ONLY {moving.whole} IN ACCESS EXCLUSIVE MODE",
        f"LOCK TABLE {moving.old} IN ACCESS EXCLUSIVE MODE",
    )
    if connection.scalar(text(_OLDER), {"copied": copied}):
        raise NotYetError
    connection.execute(text(moving.noted_portion(None)))  # few, unless many writers have come in this very second
    _run(
        connection,
        f"ALTER TABLE {moving.whole} DETACH PARTITION {moving.old}",
        f"DROP TABLE {moving.old}",
        f"DROP FUNCTION {moving.new}()",
    )
    for month in months:
        _hand_over(connection, moving, name_of(moving.whole, month), _place(month))
    _hand_over(connection, moving, moving.rest, "DEFAULT")
    for name in connection.scalars(text(_INDEXES), {"table": moving.rest}).all():
        _run(connection, f"ALTER INDEX {name} RENAME TO {name.replace(moving.rest, moving.old)}")
    _run(connection, f"ALTER TABLE {moving.rest} RENAME TO {moving.old}", f"DROP TABLE {moving.new}, {moving.noted}")


# Whether somebody still reads the tables as they were before the copies were made: REPEATABLE READ sees none of them.
_OLDER = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND backend_xmin IS NOT NULL AND xact_start < :copied
        AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    )
"""

_INDEXES = """
    SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE indrelid = CAST(:table AS regclass)
"""


def _hand_over(connection: Connection, moving: _Moving, part: str, place: str) -> None:
    _run(
        connection,
        f"ALTER TABLE {moving.new} DETACH PARTITION {part}",
        f"ALTER TABLE {moving.whole} ATTACH PARTITION {part} {place}",
        f"ALTER TABLE {part} DROP CONSTRAINT moving",
    )


def _attached(connection: Connection, whole: str) -> list[tuple[str, str]]:
    """The ranges of the partitions there are."""
    query = """
        SELECT pg_get_expr(relpartbound, oid) FROM pg_class
        WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = CAST(:whole AS regclass))
    """
    found = map(_RANGE.fullmatch, connection.scalars(text(query), {"whole": whole}))
    return [(place[1], place[2]) for place in found if place]


def _place(month: date) -> str:
    first, end = bounds(month)
    return f"FOR VALUES FROM ({first}) TO ({end})"


def _listed(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in names)


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
