"""`caidan stats rebuild`."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, delete, func, select, update

import migrations
from console.cli import caidan
from models.base import table_of
from models.config import Config, load
from models.db import connect, transaction
from models.event import Event
from models.rollup import RollupDay, RollupHour, RollupWeek
from tests.pushes import batch_of, event_of, push
from tests.workers.counted import counted, rolled_up
from wechat.event import Addressee
from workers.record import record
from workers.rollup import roll_up


@pytest.fixture
def engine() -> Engine:
    """Taps of two days, counted."""
    config = load(Config)
    account = Addressee(config.accounts[0].name, config.accounts[0].app_id)
    engine = connect(config.database_url.get_secret_value())
    migrations.upgrade(engine)
    events = [event_of(push(user=f"o{number}", at=1_780_000_000 + number * 10_000), account) for number in range(9)]
    record(engine, batch_of(*events))
    assert roll_up(engine, None, datetime.now(UTC))
    return engine


def run(*arguments: str) -> Result:
    return CliRunner().invoke(caidan, ("stats", "rebuild", *arguments), prog_name="caidan")


def spoil(engine: Engine) -> None:
    """As if by hand."""
    with transaction(engine) as connection:
        connection.execute(update(RollupHour).values(taps=99))
        connection.execute(delete(RollupDay))
        connection.execute(update(RollupWeek).values(users=0))


def test_everything_is_counted_again_as_the_ticks_did(engine: Engine) -> None:
    with engine.connect() as connection:
        days = connection.scalar(select(func.count(RollupDay.day.distinct())))
    spoil(engine)

    done = run()

    assert 0 == done.exit_code, done.output
    assert "days counted again" in done.stdout
    assert counted(engine) == rolled_up(engine)
    with engine.connect() as connection:
        assert days == connection.scalar(select(func.count(RollupDay.day.distinct())))


def test_a_dry_run_counts_days_and_nothing_else(engine: Engine) -> None:
    spoil(engine)

    done = run("--dry-run", "--since", "2026-05-29T08:00", "--until", "2026-05-29T12:00")

    assert (0, "1 day would be counted again.\n") == (done.exit_code, done.stdout)
    with engine.connect() as connection:
        assert {99} == set(connection.scalars(select(RollupHour.taps)))


def test_what_retention_let_go_stays_as_it_was_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_RETENTION_DAYS", '{"click": 1}')
    before = rolled_up(engine)
    with transaction(engine) as connection:
        connection.execute(delete(table_of(Event)))

    done = run()

    assert (0, "0 days counted again.\n") == (done.exit_code, done.stdout)
    assert before == rolled_up(engine)


def test_an_account_that_is_not_there_is_named(engine: Engine) -> None:
    done = run("--account", "nobody")

    assert 3 == done.exit_code
    assert "There is no account 'nobody'" in done.stderr
