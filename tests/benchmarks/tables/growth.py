"""PostgreSQL with ten million events of a year in its tables, beside the same tables with none."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, Table

from models import months
from models.base import table_of
from models.db import transaction
from models.event import Event
from tests import servers
from tests.benchmarks.report import Figure
from tests.benchmarks.tables import plain
from tests.benchmarks.tables.events import DIFFERENT, events, in_batches
from tests.benchmarks.tables.options import Options, bar
from tests.benchmarks.tables.processes import POSTGRESQL, migrated, serving
from tests.benchmarks.tables.throughput import Workers, rate_of_record, ratios
from workers.record import TABLES

SIZE = 500
MONTHS = 12
# Times as many events as elsewhere: the first to touch a page after a checkpoint pay for its whole image in the log,
# which a run of two seconds would be full of, and a day is not.
LONGER = 4
# The id and the time of the event of a number, and the number of the event that it is a copy of.
_NUMBERED = f"""(
    SELECT mod(number, {DIFFERENT}) AS original, moment AS created_at, CAST(
        lpad(to_hex(CAST(extract(epoch FROM moment) * 1000 AS bigint)), 12, '0')
        || '8' || substr(md5(CAST(number AS text)), 1, 3) || '8' || substr(md5(CAST(number AS text)), 4, 15)
    AS uuid) AS id, number
    FROM generate_series({{first}}, {{last}}) AS number CROSS JOIN LATERAL (
        SELECT date_trunc('second', CAST('{{begin}}' AS timestamptz) + (number - {{first}}) * interval '{{step}} s')
    ) AS at(moment)
) AS numbered"""


def figures(options: Options) -> list[Figure]:
    with (
        serving(servers.start_rabbitmq()) as rabbitmq,
        serving(servers.start_postgresql(**POSTGRESQL)) as postgresql,
        migrated(postgresql, "grown") as grown,
        migrated(postgresql, "fresh") as fresh,
        tempfile.TemporaryDirectory() as folder,
    ):
        _fill(grown, options.rows)
        without: list[float] = []
        having: list[float] = []
        for _ in range(options.runs):
            for engine, rates in ((fresh, without), (grown, having)):
                workers = Workers(Path(folder) / str(engine.url.database), rabbitmq, engine)
                batches = in_batches(list(events(LONGER * options.events)), SIZE)
                rates.append(workers.drain(batches, f"{engine.url.database} tables", keep=engine is grown))
    return [
        Figure("PostgreSQL, tables of nothing: through RabbitMQ, events a second", without),
        Figure(f"PostgreSQL, tables of {options.rows:,} events: through RabbitMQ, events a second", having),
        Figure(f"PostgreSQL, tables of {options.rows:,} events: rate, × with none", ratios(having, without), goal=0.9),
    ]


def _fill(engine: Engine, rows: int) -> None:
    """So many events of the last twelve months, with their details: copies of simulated ones, in the order of time.

    Months of the past get their indexes when they are whole; this month's grow row by row, as in life.
    """
    rate_of_record(engine, in_batches(list(events(DIFFERENT)), SIZE))
    _keep_originals(engine)
    plain.empty(engine)
    this_month = months.month_of(datetime.now(UTC).date())
    numbered = dict(_months(this_month, rows))
    past = [month for month in numbered if month != this_month]
    with ThreadPoolExecutor(2) as pool, bar("months of a year", MONTHS) as show:
        for done, _ in enumerate(pool.map(lambda month: _make(engine, month, numbered[month]), past), 1):
            show(done / 2)
        for done, month in enumerate(past, 1):
            _attach(engine, month)
            show((len(past) + done) / 2)
        with transaction(engine) as connection:
            for model in TABLES:
                connection.exec_driver_sql(_copies(table_of(model), table_of(model).name, numbered[this_month]))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")
    assert plain.count(engine) == rows // MONTHS * MONTHS


def _keep_originals(engine: Engine) -> None:
    with transaction(engine) as connection:
        run = connection.exec_driver_sql
        run("CREATE TABLE original AS SELECT row_number() OVER (ORDER BY id) - 1 AS original, * FROM event")
        for model in TABLES[1:]:
            name = table_of(model).name
            run(
                f"CREATE TABLE original_{name} AS SELECT original, {name}.* "
                f"FROM {name} JOIN original ON original.id = event_id"
            )


def _months(this_month: date, rows: int) -> Iterator[tuple[date, str]]:
    """Each month, and its events by number."""
    of_each = rows // MONTHS
    for index in range(MONTHS):
        month = months.later(this_month, index + 1 - MONTHS)
        end = min(months.begin(months.later(month)), datetime.now(UTC))
        begin = months.begin(month)
        step = (end - begin) / of_each / timedelta(seconds=1)
        first = index * of_each
        yield month, _NUMBERED.format(first=first, last=first + of_each - 1, begin=begin.isoformat(), step=step)


def _make(engine: Engine, month: date, numbered: str) -> None:
    for model in TABLES:
        table = table_of(model)
        with transaction(engine) as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            name = months.name_of(table.name, month)
            connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING DEFAULTS)")
            connection.exec_driver_sql(_copies(table, name, numbered))


def _attach(engine: Engine, month: date) -> None:
    first, end = months.bounds(month)
    for model in TABLES:
        whole = table_of(model).name
        name = months.name_of(whole, month)
        with transaction(engine) as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql(
                f"ALTER TABLE {whole} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})"
            )


def _copies(table: Table, into: str, numbered: str) -> str:
    """The statement that copies the originals' rows of a table for each numbered event; there are many followers."""
    changed = {"id": "numbered.id", "event_id": "numbered.id", "created_at": "numbered.created_at"}
    changed["open_id"] = "left(open_id, 25) || to_char(mod(number, 97), 'FM000')"
    names = [column.name for column in table.columns]
    values = [changed.get(name, f'originals."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    source = "original" if table.name == table_of(Event).name else f"original_{table.name}"
    return (
        f"INSERT INTO {into} ({quoted}) SELECT {', '.join(values)} "
        f"FROM {numbered} JOIN {source} AS originals USING (original)"
    )
