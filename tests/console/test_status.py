"""`caidan status`, with a real database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, insert

from models.account import account_ids
from models.answers import Answer
from models.base import table_of
from models.db import connect, transaction
from models.event import Event
from models.overview import overview
from models.quarantine import Quarantine
from tests.console.runner import run

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def put(database: Engine, *recorded_at: datetime) -> None:
    with transaction(database) as connection:
        account = account_ids(connection, {"wxshop": "shop"})["wxshop"]
        rows = [
            {"id": UUID(int=number), "account_id": account, "kind": "click", "created_at": at, "received_at": at}
            | {"recorded_at": at}
            for number, at in enumerate(recorded_at)
        ]
        connection.execute(insert(table_of(Event)), rows)
        kept = {"account_id": account, "reason": "bad_xml", "detail": "", "raw": b"", "received_at": NOW}
        held = [
            {"id": UUID(int=number), "quarantined_at": NOW, "replayed_at": at} for number, at in ((1, NOW), (2, None))
        ]
        connection.execute(insert(table_of(Quarantine)), [kept | one for one in held])


def test_what_was_recorded_is_counted(database: Engine) -> None:
    put(database, *(NOW - timedelta(minutes=minutes) for minutes in (1, 59, 61, 23 * 60, 25 * 60)))

    with database.connect() as connection:
        found = overview(connection, NOW)

    assert (2, 4, 1) == (found.last_hour, found.last_day, found.quarantined)
    assert NOW - timedelta(minutes=1) == found.last_recorded_at


def test_answers_of_the_last_day_are_told() -> None:
    assert 0 == run("db", "upgrade").exit_code
    engine, now = connect("sqlite:///var/caidan.db"), datetime.now(UTC)
    times = {"created_at": now, "until": now, "changed_at": now}
    row = times | {"account_id": 1, "handler": "stock", "state": "sent", "attempts": 1}
    rows = [row | {"event_id": UUID(int=number)} for number in range(3)]
    rows[2] |= {"state": "late"}
    old = row | {"event_id": UUID(int=9), "created_at": now - timedelta(days=2)}
    with transaction(engine) as connection:
        connection.execute(insert(table_of(Answer)), [*rows, old])
    engine.dispose()

    assert "Answers of stock in the last day  late 1, sent 2" in run("status").stdout
    assert {"stock": {"late": 1, "sent": 2}} == json.loads(run("status", "--json").stdout)["answers"]


def test_the_glance_is_shown_and_as_json() -> None:
    assert 0 == run("db", "upgrade").exit_code
    Path("var/beat").touch()

    shown, told = run("status"), json.loads(run("status", "--json").stdout)

    assert 0 == shown.exit_code
    assert ["Beat running", "Workers 0"] == sorted(
        " ".join(line.split()) for line in shown.stdout.splitlines() if line.startswith(("Beat", "Workers"))
    )
    assert {"publisher": False, "workers": 0, "beat": True, "journal_pending": 0} == {
        name: told["host"][name] for name in ("publisher", "workers", "beat", "journal_pending")
    }
    assert (0, None, {"demo": None}) == (
        told["events"]["last_day"],
        told["events"]["last_recorded_at"],
        told["live_menus"],
    )


def test_without_tables_it_says_what_to_do() -> None:
    ended = run("status")

    assert 2 == ended.exit_code
    assert "caidan db upgrade" in ended.stderr
