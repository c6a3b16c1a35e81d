"""`caidan db partition …`"""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from console.cli import caidan
from models import locks, partition
from models.db import connect
from tests.console.runner import run
from tests.models.filling import fill, rows_in
from tests.pushes import batch_of, event_of, push
from workers.record import record

CONFIG = """
secret_key = "k"
database_url = "{url}"

[retention_days]
{days}

[[accounts]]
name = "shop"
app_id = "wx1"
token = "t"
"""
CHANGING = ("create", "detach", "drop")
TABLES = len(partition.PARTITIONED)


def configure(url: str, days: str = "") -> None:
    Path("caidan.toml").write_text(CONFIG.format(url=url, days=days))


@pytest.fixture
def engine(postgresql_database_url: str) -> Iterator[Engine]:
    """January and February of 2025 in the default partition."""
    configure(postgresql_database_url)
    engine = connect(postgresql_database_url)
    fill(engine, datetime(2025, 1, 1, tzinfo=UTC), 59, timedelta(days=1))
    yield engine
    engine.dispose()


def listed(month: str | None) -> dict[str, str]:
    """The states of the partitions of a month."""
    found = run("db", "partition", "list", "--json")
    assert 0 == found.exit_code
    return {one["partition"]: one["state"] for one in json.loads(found.stdout) if one["month"] == month}


def test_partitions_are_listed_with_rows_and_size(engine: Engine) -> None:
    run("db", "partition", "create", "--month", "2025-01")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE event"))
        connection.execute(text("ANALYZE event_y2025m01"))

    as_json = {one["partition"]: one for one in json.loads(run("db", "partition", "list", "--json").stdout)}
    shown = run("db", "partition", "list").stdout

    january = as_json["event_y2025m01"]
    assert ("event", "2025-01", "attached", 31) == tuple(january[key] for key in ("table", "month", "state", "rows"))
    assert january["bytes"] > 8192
    assert (None, "default") == tuple(as_json["photo_default"][key] for key in ("month", "state"))
    assert "KiB" in shown
    assert "event_y2025m01" in shown


def test_a_range_of_months_is_created_detached_and_dropped(engine: Engine) -> None:
    months = ("--from", "2025-01", "--until", "2025-02")

    created = run("db", "partition", "create", *months)
    after_create = rows_in(engine, "event_default", "event_y2025m02", "photo")
    detached = run("db", "partition", "detach", *months)
    states = listed("2025-02")
    after_detach = rows_in(engine, "event", "event_y2025m02")
    back = run("db", "partition", "create", "--month", "2025-02")
    dropped = run("db", "partition", "drop", *months, "--yes")

    assert [0] * 4 == [done.exit_code for done in (created, detached, back, dropped)]
    assert 2 * TABLES == len(created.stdout.split())
    assert (0, 28, 118) == after_create
    assert {"detached"} == set(states.values())
    assert (0, 28) == after_detach
    assert TABLES == len(back.stdout.split())
    assert {} == listed("2025-01") | listed("2025-02")


@pytest.mark.parametrize("verb", CHANGING)
def test_a_dry_run_changes_nothing(engine: Engine, verb: str) -> None:
    run("db", "partition", "create", "--month", "2025-01")
    month = "2025-02" if verb == "create" else "2025-01"

    tried = run("db", "partition", verb, "--month", month, "--dry-run")

    assert 0 == tried.exit_code
    assert f"event_y{month.replace('-', 'm')}" in tried.stdout
    assert ({}, {"attached"}) == (listed("2025-02"), set(listed("2025-01").values()))
    if verb == "create":
        assert "28" in tried.stdout
        assert "56" in tried.stdout


def test_creating_what_is_there_is_no_error(engine: Engine) -> None:
    run("db", "partition", "create", "--month", "2025-01")

    again = run("db", "partition", "create", "--month", "2025-01")

    assert (0, "") == (again.exit_code, again.stdout)
    assert "Nothing to do" in again.stderr


@pytest.mark.parametrize(("answer", "exit_code", "left"), [("y\n", 0, 0), ("n\n", 1, TABLES), ("", 1, TABLES)])
def test_nothing_is_dropped_without_a_yes(engine: Engine, answer: str, exit_code: int, left: int) -> None:
    run("db", "partition", "create", "--month", "2025-01")

    asked = CliRunner().invoke(caidan, ("db", "partition", "drop", "--month", "2025-01"), input=answer)

    assert exit_code == asked.exit_code
    assert "Drop 6 partitions for good?" in asked.stderr
    assert left == len(listed("2025-01"))


@pytest.mark.parametrize("verb", ["detach", "drop"])
def test_a_month_without_partitions_is_not_found(engine: Engine, verb: str) -> None:
    done = run("db", "partition", verb, "--month", "2025-01")

    assert 3 == done.exit_code
    assert "caidan db partition list" in done.stderr


@pytest.mark.parametrize("verb", CHANGING)
@pytest.mark.parametrize(
    ("months", "words"),
    [
        ((), "Say which"),
        (("--from", "2025-01"), "Say which"),
        (("--month", "2025-01", "--until", "2025-02"), "Say which"),
        (("--month", "2025-13"), "'2025-13' is no month"),
        (("--month", "202501"), "'202501' is no month"),
        (("--month", "2010-12"), "'2010-12' is no month"),
        (("--from", "2025-02", "--until", "2025-01"), "--until is before --from"),
        (("--from", "2011-01", "--until", "2025-01"), "At most 120 months"),
    ],
)
def test_months_that_are_none_are_told(verb: str, months: tuple[str, ...], words: str) -> None:
    refused = run("db", "partition", verb, *months)

    assert 4 == refused.exit_code
    assert words in refused.stderr


@pytest.mark.parametrize("verb", CHANGING)
@pytest.mark.parametrize("server", ["sqlite", "mariadb"])
def test_other_databases_have_no_partitions(verb: str, server: str, request: pytest.FixtureRequest) -> None:
    configure(request.getfixturevalue(f"{server}_database_url"))

    refused, shown = run("db", "partition", verb, "--month", "2025-01"), run("db", "partition", "list", "--json")

    assert (2, 0) == (refused.exit_code, shown.exit_code)
    assert "only PostgreSQL" in refused.stderr
    assert "only PostgreSQL" in shown.stderr
    assert [] == json.loads(shown.stdout)


def test_a_database_without_tables_says_what_to_do(postgresql_url: str) -> None:
    configure(postgresql_url)

    for verb in (("list",), ("create", "--month", "2025-01")):
        refused = run("db", "partition", *verb)

        assert 2 == refused.exit_code
        assert "caidan db upgrade" in refused.stderr


def test_tables_in_use_are_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "TRIES", 1)
    monkeypatch.setattr(locks, "PAUSE", 0.0)
    with engine.connect() as reader:
        reader.execute(text("SELECT 1 FROM scan LIMIT 1"))
        refused = run("db", "partition", "create", "--month", "2025-01")
        monkeypatch.setattr(locks, "TRIES", 60)
        monkeypatch.setattr(locks, "PAUSE", 0.1)
        threading.Timer(1, reader.rollback).start()
        done = run("db", "partition", "create", "--month", "2025-01")

    assert (2, 0) == (refused.exit_code, done.exit_code)
    assert "scan is in use without a pause" in refused.stderr
    assert {"attached"} == set(listed("2025-01").values())


def test_a_detached_partition_with_too_many_rows_besides_is_told(engine: Engine) -> None:
    run("db", "partition", "create", "--month", "2025-01")
    run("db", "partition", "detach", "--month", "2025-01")
    fill(engine, datetime(2025, 1, 2, 1, tzinfo=UTC), partition.FEW + 1, timedelta(seconds=1))

    refused = run("db", "partition", "create", "--month", "2025-01")

    assert 2 == refused.exit_code
    assert "event_y2025m01 is detached, and 10001 rows" in refused.stderr


def test_what_is_expired_is_told_and_let_go(database_url: str) -> None:
    configure(database_url, "default = 30\nclick = 7")
    engine = connect(database_url)
    now = int(datetime.now(UTC).timestamp())
    for kind, days in (("CLICK", 6), ("CLICK", 8), ("CLICK", 40), ("VIEW", 8), ("VIEW", 40)):
        record(engine, batch_of(event_of(push(kind, at=now - days * 86400))))

    planned = run("db", "partition", "retain", "--dry-run", "--json")
    before = rows_in(engine, "event")
    done, again = run("db", "partition", "retain"), run("db", "partition", "retain", "--json")
    after = rows_in(engine, "event")
    engine.dispose()

    rows = {"click": 2, "view": 1}
    assert {"dry_run": True, "partitions": [], "rows": rows} == json.loads(planned.stdout)
    assert {"dry_run": False, "partitions": [], "rows": {}} == json.loads(again.stdout)
    assert ["click", "2", "view", "1"] == done.stdout.split()[-4:]
    assert ((5,), (2,)) == (before, after)


def test_partitions_that_would_go_are_named(engine: Engine, postgresql_database_url: str) -> None:
    configure(postgresql_database_url, "default = 300")
    run("db", "partition", "create", "--month", "2025-01")

    planned = run("db", "partition", "retain", "--dry-run")
    done = json.loads(run("db", "partition", "retain", "--json").stdout)

    assert "event_y2025m01" in planned.stdout
    assert (TABLES, {"pic_weixin": 59}) == (len(done["partitions"]), done["rows"])
    assert (0, 0) == rows_in(engine, "event", "photo")


def test_nothing_is_let_go_without_a_configuration(sqlite_database_url: str) -> None:
    configure(sqlite_database_url)

    done = run("db", "partition", "retain", "--json")

    assert 0 == done.exit_code
    assert {"dry_run": False, "partitions": [], "rows": {}} == json.loads(done.stdout)
    assert "everything is kept" in done.stderr
