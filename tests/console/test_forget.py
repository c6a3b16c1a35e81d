"""`caidan event forget`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, func, select

import migrations
from console.cli import caidan
from models.config import Config, load
from models.db import connect, transaction
from models.event import Event
from models.quarantine import Forgotten, Quarantine, open_id_hash
from tests.pushes import batch_of, event_of, push
from wechat.event import Addressee, Unreadable, unreadable_id
from workers.record import record

OPEN_ID = "oZ8yx1d9m8mVw-Uo_3mCkpQ7hT4E"


@pytest.fixture
def engine() -> Engine:
    """Two events and a push in quarantine of the follower, and an event of another."""
    config = load(Config)
    account = Addressee(config.accounts[0].name, config.accounts[0].app_id)
    events = [event_of(push(event, user=OPEN_ID), account) for event in ("CLICK", "VIEW")]
    raw = push(user=OPEN_ID)[:-9]
    broken = Unreadable(
        unreadable_id(account.app_id, raw), account.app_id, account.name, "bad_xml", raw, datetime.now(UTC)
    )
    engine = connect(config.database_url.get_secret_value())
    migrations.upgrade(engine)
    record(engine, batch_of(*events, event_of(push(user="oOther"), account), broken))
    return engine


def run(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(caidan, ("event", "forget", *arguments), input=said, prog_name="caidan")


def left(engine: Engine) -> tuple[int | None, int | None, int | None]:
    """Events and pushes in quarantine of the follower, and how many are forgotten."""
    with engine.connect() as connection:
        return (
            connection.scalar(select(func.count()).where(Event.open_id == OPEN_ID)),
            connection.scalar(select(func.count()).where(Quarantine.raw != b"")),
            connection.scalar(select(func.count()).select_from(Forgotten)),
        )


def test_a_follower_is_forgotten_and_what_remains_is_told(engine: Engine) -> None:
    done = run("--open-id", OPEN_ID, "--yes")

    assert 0 == done.exit_code
    assert "2 events stripped.\n1 push in quarantine emptied.\n" == done.stdout
    assert "for 24 hours" in done.stderr
    assert "that no key decrypts" in done.stderr
    assert (0, 0, 1) == left(engine)


def test_the_line_for_audits_has_the_hash_and_nobody_prints_the_openid(engine: Engine) -> None:
    done = run("--open-id", "-", "--yes", said=f"{OPEN_ID}\n")

    (line,) = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert 0 == done.exit_code
    assert "follower forgotten" == line["event"]
    assert open_id_hash(load(Config).accounts[0].app_id, OPEN_ID) == line["open_id_hash"]
    assert OPEN_ID not in done.output
    assert (0, 0, 1) == left(engine)


def test_a_dry_run_counts(engine: Engine) -> None:
    done = run("--open-id", OPEN_ID, "--dry-run")

    assert 0 == done.exit_code
    assert "2 events would be stripped.\n1 push in quarantine would be emptied.\n" == done.stdout
    assert (2, 1, 0) == left(engine)


def test_without_a_terminal_it_wants_a_yes(engine: Engine) -> None:
    done = run("--open-id", OPEN_ID, said="y\n")

    assert 4 == done.exit_code
    assert "give --yes" in done.stderr
    assert (2, 1, 0) == left(engine)


def test_a_follower_without_events_is_put_down_all_the_same(engine: Engine) -> None:
    done = run("--open-id", "oUnknown", "--yes")

    assert 0 == done.exit_code
    assert "0 events stripped." in done.stdout
    assert (2, 1, 1) == left(engine)


def test_what_has_come_back_is_erased_again(engine: Engine) -> None:
    with engine.connect() as connection:
        events = connection.execute(select(Event).where(Event.open_id == OPEN_ID)).mappings().all()
    run("--open-id", OPEN_ID, "--yes")
    with transaction(engine) as connection:  # as from a copy
        connection.execute(Event.__table__.delete().where(Event.open_id != "oOther"))  # type: ignore[attr-defined]
        connection.execute(Event.__table__.insert(), [dict(event) for event in events])  # type: ignore[attr-defined]

    trial, done = run("--again", "--dry-run"), run("--again")

    assert 0 == done.exit_code
    assert "2 events would be stripped.\n0 pushes in quarantine would be emptied.\n" == trial.stdout
    assert "2 events stripped.\n0 pushes in quarantine emptied.\n" == done.stdout
    assert (0, 0, 1) == left(engine)


SHOPS = """
[[accounts]]
name = "shop"
app_id = "wx1"
token = "t"

[[accounts]]
name = "news"
app_id = "wx2"
token = "t"
"""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 4, "either --open-id or --again"),
        (("--open-id", OPEN_ID, "--again"), 4, "either --open-id or --again"),
        (("--open-id", " ", "--yes"), 4, "is empty"),
        (("--open-id", "-", "--yes"), 4, "is empty"),
        (("--open-id", OPEN_ID, "--account", "shop"), 3, "There is no account 'shop'; there is: demo"),
    ],
)
def test_what_is_wrong_is_said(engine: Engine, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = run(*arguments)

    assert code == done.exit_code
    assert words in done.stderr
    assert (2, 1, 0) == left(engine)


def test_of_two_accounts_one_has_to_be_named(engine: Engine) -> None:
    Path("caidan.toml").write_text(f'secret_key = "k"\n{SHOPS}')

    done = run("--open-id", OPEN_ID, "--yes")

    assert 4 == done.exit_code
    assert "--account" in done.stderr
