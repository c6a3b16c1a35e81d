"""Many events in PostgreSQL's tables, made there."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from models.db import transaction

_EVENTS = """
    INSERT INTO event (id, created_at, account_id, kind, open_id, received_at, recorded_at)
    SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM moment) * 1000 AS bigint)), 12, '0')
        || substr(md5(CAST(number AS text)), 1, 20) AS uuid), moment, 1, 'pic_weixin', 'o' || number, moment, moment
    FROM (
        SELECT number, CAST(:first AS timestamptz) + number * CAST(:every AS interval) AS moment
        FROM generate_series(0, :count - 1) AS number
    ) AS made
"""


def fill(engine: Engine, first: datetime, count: int, every: timedelta) -> None:
    """Events, one after the other, each with two photos."""
    with transaction(engine) as connection:
        connection.execute(text(_EVENTS), {"first": first, "count": count, "every": every})
        of_filled = {"first": first, "last": first + count * every}
        connection.execute(
            text(
                "INSERT INTO photo (event_id, created_at, position, md5)"
                " SELECT id, created_at, position, open_id FROM event, generate_series(0, 1) AS position"
                " WHERE created_at >= :first AND created_at < :last"
            ),
            of_filled,
        )


def count(connection: Connection, table: str, condition: str = "true") -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {condition}")).scalar_one())


def rows_in(engine: Engine, *tables: str) -> tuple[int, ...]:
    with engine.connect() as connection:
        return tuple(count(connection, table) for table in tables)
