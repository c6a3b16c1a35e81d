"""MariaDB and SQLite: recording, beside the best plain bulk insert of their drivers into the same tables."""

import tempfile
from pathlib import Path

from sqlalchemy import Engine

import migrations
from models.db import connect
from tests import servers
from tests.benchmarks.report import Figure
from tests.benchmarks.tables.events import events, in_batches
from tests.benchmarks.tables.options import Options, bar
from tests.benchmarks.tables.processes import MARIADB, migrated, serving
from tests.benchmarks.tables.throughput import rate_of_plain, rate_of_record, ratios

SIZE = 500


def on_mariadb(options: Options) -> list[Figure]:
    with serving(servers.start_mariadb(*MARIADB)) as server, migrated(server, "bench") as engine:
        return _figures("MariaDB", engine, options)


def on_sqlite(options: Options) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'caidan.db'}")
        migrations.upgrade(engine)
        found = _figures("SQLite", engine, options)
        engine.dispose()
        return found


def _figures(name: str, engine: Engine, options: Options) -> list[Figure]:
    driver: list[float] = []
    ours: list[float] = []
    with bar(name, options.runs) as show:
        for run in range(options.runs):
            batches = in_batches(list(events(options.events // 2)), SIZE)
            driver.append(rate_of_plain(engine, batches))
            ours.append(rate_of_record(engine, batches))
            show(run + 1)
    return [
        Figure(f"{name}, batches of {SIZE}: plain bulk insert of the driver, events a second", driver),
        Figure(f"{name}, batches of {SIZE}: recorded, events a second", ours),
        Figure(f"{name}, batches of {SIZE}: recorded, × the driver", ratios(ours, driver), goal=0.5),
    ]
