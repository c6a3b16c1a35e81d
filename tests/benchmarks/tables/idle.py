"""Nothing to do but one tap now and then: how soon after its acknowledgement is it in the tables?"""

import statistics
import tempfile
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

from sqlalchemy import Engine

from models.bulk import known_ids
from models.db import connect
from models.event import Event
from tests import servers
from tests.benchmarks.report import Figure
from tests.benchmarks.tables.events import ACCOUNT
from tests.benchmarks.tables.options import Options, bar
from tests.benchmarks.tables.processes import POSTGRESQL, configure, migrated, running, serving, wait_until
from tests.servers import Server
from wechat.simulator.connection import Connection, target
from wechat.simulator.pushes import Push, pushes
from wechat.simulator.request import make_request

WARM_UP = 20  # taps
PAUSE = (0.02, 0.12)  # seconds between taps: they come at any moment of the pipeline's rounds
GLANCE = 0.001  # seconds between looks at the tables


def on_embedded(options: Options) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/caidan.db"
        engine = connect(url)
        found = _figures("embedded", Path(folder), f"caidan+sqlite:///{folder}/broker.db", engine, options, 500)
        engine.dispose()
        return found


def on_redis(options: Options) -> list[Figure]:
    return _on_postgresql("PostgreSQL and Redis", servers.start_redis(), options)


def on_rabbitmq(options: Options) -> list[Figure]:
    return _on_postgresql("PostgreSQL and RabbitMQ", servers.start_rabbitmq(), options)


def _on_postgresql(name: str, broker: Server, options: Options) -> list[Figure]:
    with (
        serving(broker),
        serving(servers.start_postgresql(**POSTGRESQL)) as postgresql,
        migrated(postgresql, "bench") as engine,
        tempfile.TemporaryDirectory() as folder,
    ):
        return _figures(name, Path(folder), broker.url, engine, options, 100)


def _figures(name: str, folder: Path, broker: str, engine: Engine, options: Options, goal: float) -> list[Figure]:
    door = configure(folder, broker, engine.url.render_as_string(hide_password=False))
    with running(folder, "console.cli", "up"):
        wait_until(lambda: _is_ready(door), 60)
        seconds = _tap(door, engine, options.taps)
    milliseconds = sorted(1000 * each for each in seconds)
    p99 = milliseconds[min(len(milliseconds) * 99 // 100, len(milliseconds) - 1)]
    return [
        Figure(f"idle, {name}: from answer to tables, p50 ms", [statistics.median(milliseconds)], "lower"),
        Figure(f"idle, {name}: from answer to tables, p99 ms", [p99], "lower", goal),
    ]


def _is_ready(door: str) -> bool:
    try:
        with urllib.request.urlopen(f"{door}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _tap(door: str, engine: Engine, count: int) -> list[float]:
    """Push, wait until it is in the tables, pause; the seconds of the waits."""
    random = Random(1)
    connection = Connection(target(door, ACCOUNT.name), 5)
    waits = []
    with bar("taps", count + WARM_UP) as show:
        for number, push in enumerate(pushes(ACCOUNT, count + WARM_UP, seed=2)):
            request = make_request(
                ACCOUNT, push.message, push.open_id, mode="plain", timestamp=int(time.time()), random=random
            )
            response = connection.post(request)
            assert response.status == 200, response
            waits.append(_seconds_until_stored(engine, push))
            show(number + 1)
            time.sleep(random.uniform(*PAUSE))
    connection.close()
    return waits[WARM_UP:]


def _seconds_until_stored(engine: Engine, push: Push) -> float:
    answered = time.perf_counter()
    ids, moments = [UUID(push.id)], [datetime.fromtimestamp(push.created_at, UTC)]
    while True:
        with engine.connect() as connection:
            if known_ids(connection, Event, ids, moments):
                return time.perf_counter() - answered
        if time.perf_counter() - answered > 30:
            raise TimeoutError("a tap is not in the tables after 30 seconds")
        time.sleep(GLANCE)
