"""`caidan stats reconcile`, and what status and doctor say of missing pushes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import Engine

from console.missing_words import spans
from models import reconciliation
from models.config import Config, load
from models.db import connect, transaction
from models.queries import account_id
from models.reconciliation import Day, Delay, Hour
from tests.console.examined import FILE, Told
from tests.console.runner import run
from tests.pushes import batch_of, event_of, push
from tests.workers.reconciling import HOUR, beijing
from tests.workers.shop import SHOP
from wechat.event import Addressee
from workers.reconcile import NO_FIGURES
from workers.record import record

MORNING = beijing(11, 9)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An installation in the morning of 11 October, whose first event was on the 8th."""
    (tmp_path / "caidan.toml").write_text(FILE)
    (tmp_path / "caidan.toml").chmod(0o600)
    with time_machine.travel(MORNING):
        assert 0 == run("db", "upgrade").exit_code
        engine = connect(load(Config).database_url.get_secret_value())
        store(engine, 8, 12, 1)
        yield engine
    engine.dispose()


def store(engine: Engine, day: int, hour: int, count: int) -> None:
    """Followers tap in this hour."""
    at = int(beijing(day, hour).timestamp())
    account = Addressee(SHOP.name, SHOP.app_id)
    record(engine, batch_of(*(event_of(push(user=f"o{number}", at=at), account) for number in range(count))))


def compared(engine: Engine, day: int, *given: Hour) -> None:
    """As the worker has left it, an hour ago."""
    hours = {hour: Hour(hour, 0, 0, 0, 0) for hour in range(24)} | {hour.hour: hour for hour in given}
    with transaction(engine) as connection:
        known = Day(beijing(day, 0).date(), tuple(hours.values()), MORNING - HOUR)
        reconciliation.note_day(connection, number(engine), known)


def delayed(engine: Engine, reason: str) -> None:
    with transaction(engine) as connection:
        reconciliation.note_delay(connection, number(engine), Delay(reason, MORNING))


def number(engine: Engine) -> int:
    with engine.connect() as connection:
        found = account_id(connection, SHOP.name)
    assert found is not None
    return found


def cells(output: str) -> list[list[str]]:
    """Of the lines that are about the shop."""
    return [line.split() for line in output.splitlines() if line.split()[:1] == ["shop"]]


def test_days_are_shown_with_the_hours_that_are_short(engine: Engine) -> None:
    compared(engine, 9, Hour(9, 1_000, 4, 997, 1))
    compared(engine, 10, Hour(9, 5, 0, 5, 0), Hour(10, 9, 9, 0, 0), Hour(11, 7, 6, 1, 0), Hour(23, 3, 3, 0, 0))
    store(engine, 10, 9, 5)
    store(engine, 10, 11, 1)
    ended = run("stats", "reconcile")

    assert 6 == ended.exit_code, ended.output
    assert [
        ["shop", "2026-10-09", "1,000", "4", "997", "1", "0"],
        ["shop", "2026-10-10", "24", "18", "6", "0", "6–18", "10:00-12:00,", "23:00-24:00"],
    ] == cells(ended.stdout)


def test_a_day_is_shown_by_its_hours(engine: Engine) -> None:
    compared(engine, 10, Hour(9, 5, 0, 5, 0), Hour(10, 9, 9, 0, 0))
    ended = run("stats", "reconcile", "--day", "2026-10-10")
    rows = cells(ended.stdout)

    assert 6 == ended.exit_code
    assert 24 == len(rows)
    assert [["shop", "10:00", "9", "9", "0", "0", "3–9"]] == [row for row in rows if row[1] == "10:00"]
    assert rows == cells(run("stats", "reconcile", "--day", "yesterday").stdout)


def test_what_was_recorded_since_counts_at_once(engine: Engine) -> None:
    compared(engine, 10, Hour(9, 5, 0, 0, 0))
    before = json.loads(run("stats", "reconcile", "--json").stdout)
    store(engine, 10, 9, 5)
    ended = run("stats", "reconcile", "--json")
    (day,) = json.loads(ended.stdout)

    assert [(5, 0, 5)] == [(one["counted"], one["stored"], one["missing_at_least"]) for one in before]
    assert 0 == ended.exit_code
    assert ("shop", "2026-10-10", 5, 0, 5, 0, 0) == tuple(
        day[name] for name in ("account", "day", "counted", "failed", "stored", "missing_at_least", "missing_at_most")
    )
    assert {"hour": 9, "counted": 5, "failed": 0, "stored": 5, "late": 0} == {
        name: value for name, value in day["hours"][9].items() if "missing" not in name
    }


def test_what_retention_has_let_go_is_not_counted_anew(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    compared(engine, 9, Hour(9, 50, 0, 40, 0))
    monkeypatch.setenv("CAIDAN_RETENTION_DAYS", '{"click": 1}')

    (day,) = json.loads(run("stats", "reconcile", "--json").stdout)

    assert (40, 10) == (day["stored"], day["missing_at_most"])


def test_why_there_is_nothing_is_said(engine: Engine) -> None:
    nothing = run("stats", "reconcile")
    delayed(engine, "errcode_48001")
    refused = run("stats", "reconcile")
    in_chinese = run("--lang", "zh", "stats", "reconcile")

    assert (0, "shop: Nothing has been compared yet.\n") == (nothing.exit_code, nothing.stderr)
    assert "(48001)" in refused.stderr
    assert "拿不到微信的统计数据" in in_chinese.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--day", "2026-10-07"], 3, "2026-10-07 was not compared"),
        (["--day", "soon"], 4, "'soon' is no time"),
        (["--account", "nobody"], 3, "'nobody'"),
    ],
)
def test_what_cannot_be_shown_is_explained(engine: Engine, arguments: list[str], code: int, words: str) -> None:
    ended = run("stats", "reconcile", *arguments)

    assert code == ended.exit_code
    assert words in ended.stderr
    assert "" == ended.stdout


def test_status_and_doctor_tell_what_is_missing(engine: Engine) -> None:
    compared(engine, 9, Hour(9, 50, 0, 50, 0))
    compared(engine, 10, Hour(9, 50, 0, 40, 0), Hour(10, 9, 9, 0, 0))
    status, told = run("status"), json.loads(run("status", "--json").stdout)
    sentence = "13–19 pushes of 2026-10-10, 09:00-11:00 (Beijing time)"

    assert [f"Missing of shop {sentence}"] == [
        " ".join(line.split()) for line in status.stdout.splitlines() if "Missing" in line
    ]
    assert {"shop": [{"day": "2026-10-10", "hours": [9, 10], "at_least": 13, "at_most": 19}]} == told["missing_pushes"]
    (warning,) = Told().of("pushes", "warning")
    assert warning.startswith(f"Missing: {sentence}. Look at the hours with: caidan stats reconcile --day 2026-10-10.")


def test_the_doctor_says_that_all_is_here_or_why_it_is_not_known(engine: Engine) -> None:
    delayed(engine, NO_FIGURES)
    (nothing,) = Told().of("pushes", "skipped")
    compared(engine, 9, Hour(9, 50, 0, 50, 0))
    compared(engine, 10)
    (fine,) = Told().of("pushes", "fine")
    delayed(engine, "errcode_48001")
    (refused,) = Told().of("pushes", "skipped")

    assert "Nothing has been compared" in nothing
    assert "All that WeChat counted from 2026-10-09 to 2026-10-10 is here." == fine
    assert "(48001)" in refused


def test_hours_that_follow_each_other_are_one_span() -> None:
    assert "" == spans([])
    assert "00:00-02:00, 09:00-10:00, 22:00-24:00" == spans([0, 1, 9, 22, 23])
