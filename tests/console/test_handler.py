"""`caidan handler`, and what the doctor says of handlers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, update

import migrations
from console.checks_handlers import judged
from models.config import Config, load
from models.db import connect, transaction
from models.handling import FAILED, HandlerRow, Handling, Listed
from tests.console.runner import run
from tests.pushes import batch_of, event_of, push
from wechat.event import Addressee
from workers.record import record

NOW = datetime.now(UTC)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A handler of two kinds, for which one event waits and one has failed."""
    config = load(Config)
    account = Addressee(config.accounts[0].name, config.accounts[0].app_id)
    engine = connect(config.database_url.get_secret_value())
    migrations.upgrade(engine)
    values = {"name": "stock", "kinds": ["click", "view"], "event_key": "a*", "accounts": [], "is_ordered": False}
    with transaction(engine) as connection:
        connection.execute(insert(HandlerRow).values(**values, free_at=NOW, seen_at=NOW))
    record(engine, batch_of(*(event_of(push(key=key), account) for key in ("a", "ab", "b"))))
    with transaction(engine) as connection:
        failed = connection.execute(Handling.__table__.select().order_by(Handling.event_id)).first()
        assert failed
        gone = {"state": FAILED, "reason": "raised", "error": "KeyError", "attempts": 4}
        connection.execute(update(Handling).where(Handling.event_id == failed.event_id).values(gone))
    yield engine
    engine.dispose()


def listed() -> dict[str, int]:
    (found,) = json.loads(run("handler", "list", "--json").output)
    counts: dict[str, int] = found["counts"]
    return {state: count for state, count in counts.items() if count}


def test_handlers_are_listed_with_what_waits_and_what_failed(engine: Engine) -> None:
    shown = run("handler", "list")

    assert 0 == shown.exit_code
    assert all(text in shown.output for text in ("stock", "click view", "a*"))
    assert {"pending": 1, "failed": 1} == listed()
    assert "KeyError" in run("handler", "failed").output
    (failed,) = json.loads(run("handler", "failed", "--reason", "raised", "--json").output)
    assert ("stock", "raised", "KeyError", 4) == tuple(
        failed[key] for key in ("handler", "reason", "error", "attempts")
    )
    assert "[]" == run("handler", "failed", "--reason", "timed_out", "--json").output.strip()
    assert 3 == run("handler", "failed", "--account", "nobody").exit_code


def test_what_failed_is_called_again(engine: Engine) -> None:
    assert "1 call will be tried again." in run("handler", "replay", "--dry-run").output
    assert {"pending": 1, "failed": 1} == listed()
    assert "0 calls" in run("handler", "replay", "--handler", "other").output
    (failed,) = json.loads(run("handler", "failed", "--json").output)
    assert 0 == run("handler", "replay", "--id", failed["event_id"]).exit_code
    assert {"pending": 2} == listed()
    assert 3 == run("handler", "replay", "--id", failed["event_id"]).exit_code
    assert 4 == run("handler", "replay", "--id", "no id").exit_code


def test_a_handler_that_is_no_more_is_removed(engine: Engine) -> None:
    assert "2 events" in run("handler", "remove", "stock", "--dry-run").output
    assert {"pending": 1, "failed": 1} == listed()
    assert 0 == run("handler", "remove", "stock").exit_code
    assert "[]" == run("handler", "list", "--json").output.strip()
    assert 3 == run("handler", "remove", "stock").exit_code


def handler(seen: timedelta | None = timedelta(), due: timedelta | None = None, **counts: int) -> Listed:
    zero = dict.fromkeys(("pending", "running", "done", "failed"), 0)
    seen_at, due_at = (None if ago is None else NOW - ago for ago in (seen, due))
    return Listed("stock", ["click"], None, [], seen_at, zero | counts, due_at)


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (handler(timedelta(hours=1), pending=7), "7"),
        (handler(None, pending=7), "handler remove"),
        (handler(due=timedelta(minutes=9), pending=7), "behind"),
        (handler(failed=2), "failed for 2"),
    ],
)
def test_the_doctor_tells_of_handlers_that_are_not_called(one: Listed, word: str) -> None:
    (finding,) = judged([one], NOW)

    assert "warning" == finding.level
    assert word in finding.message + finding.advice


def test_the_doctor_is_content_with_handlers_that_are_called() -> None:
    assert ["fine"] == [finding.level for finding in judged([handler(due=timedelta(seconds=1), pending=1)], NOW)]
    assert ["skipped"] == [finding.level for finding in judged([], NOW)]
