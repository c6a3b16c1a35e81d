"""`caidan quarantine replay` and `caidan event replay`."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

import migrations
from models.config import Config, load
from models.db import connect, transaction
from models.event import Event, Scan
from models.quarantine import Quarantine
from tests.console.runner import run
from tests.pushes import batch_of, event_of, push
from tests.workers.put_up import put_up
from wechat.event import Addressee, Unreadable, unreadable_id
from workers.record import record

NOW = datetime.now(UTC)
SCAN = "<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN_13,1</ScanResult></ScanCodeInfo>"


@pytest.fixture
def engine() -> Engine:
    """A scan is recorded; a push that can be read, and one that cannot, are in quarantine."""
    config = load(Config)
    account = Addressee(config.accounts[0].name, config.accounts[0].app_id)
    engine = connect(config.database_url.get_secret_value())
    migrations.upgrade(engine)
    scan = event_of(push("scancode_push", user="oScan", at=int(NOW.timestamp()) - 60, more=SCAN), account)
    bodies = {"reader_failed": push(user="oBack"), "bad_xml": b"<xml>"}
    broken = [
        Unreadable(unreadable_id(account.app_id, raw), account.app_id, account.name, reason, raw, NOW)
        for reason, raw in bodies.items()
    ]
    record(engine, batch_of(scan, *broken))
    return engine


def kinds(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.scalars(select(Event.kind)))


def left(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(Quarantine.reason).where(Quarantine.replayed_at.is_(None))))


def test_quarantine_is_replayed_and_told(engine: Engine) -> None:
    trial = run("quarantine", "replay", "--dry-run")
    assert ["scancode_push"] == kinds(engine)
    first, second = run("quarantine", "replay"), run("quarantine", "replay", "--account", "demo")

    assert (6, 6, 6) == (trial.exit_code, first.exit_code, second.exit_code)
    assert trial.stdout == first.stdout
    assert "This was a dry run" in trial.stderr
    assert ["Recorded       1", "Known already  0", "Refused again  1"] == first.stdout.splitlines()[:3]
    assert "bad_xml" in first.stdout
    assert "Recorded       0" in second.stdout
    assert ["click", "scancode_push"] == kinds(engine)
    assert ["bad_xml"] == left(engine)


def test_one_of_quarantine_is_replayed_by_its_id_or_reason(engine: Engine) -> None:
    listed = {row["reason"]: row["id"] for row in json.loads(run("quarantine", "list", "--json").stdout)}

    by_reason = run("quarantine", "replay", "--reason", "not_utf8")
    by_id = run("quarantine", "replay", "--id", listed["reader_failed"])

    assert (0, 0) == (by_reason.exit_code, by_id.exit_code)
    assert "Recorded       1" in by_id.stdout
    assert ["bad_xml"] == left(engine)


def test_details_are_derived_again_and_told(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(update(Scan).values(symbology=None, code=None))

    trial = run("event", "replay", "--since", "1h", "--dry-run")
    first, second = (run("event", "replay", "--since", "1h", "--kind", "scancode_push") for _ in range(2))

    assert (0, 0, 0) == (trial.exit_code, first.exit_code, second.exit_code)
    assert ["Looked at              1", "Of these changed       1"] == first.stdout.splitlines()[:2]
    assert trial.stdout == first.stdout
    assert "Of these changed       0" in second.stdout
    with engine.connect() as connection:
        assert "EAN_13" == connection.scalar(select(Scan.symbology))


def test_what_is_refused_now_ends_with_6(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(update(Event).values(body={"ScanCodeInfo": {"ScanType": "x" * 129}}))

    done = run("event", "replay", "--since", "1h")

    assert 6 == done.exit_code
    assert "too_long: scan_type" in done.stdout


def test_taps_are_tied_anew_to_what_their_users_saw(engine: Engine) -> None:
    config = load(Config)
    account = Addressee(config.accounts[0].name, config.accounts[0].app_id)
    record(engine, batch_of(event_of(push(key="s", at=int(NOW.timestamp()) - 60), account)))
    published = put_up(engine, "ab", NOW - timedelta(hours=2), account=account)
    put_up(engine, "sx", NOW - timedelta(hours=1), account=account)

    trial, first = run("event", "replay", "--attribution", "--dry-run"), run("event", "replay", "--attribution")
    second = run("event", "replay", "--attribution", "--since", "1h", "--kind", "click", "--account", "demo")

    assert (0, 0, 0) == (trial.exit_code, first.exit_code, second.exit_code)
    assert ["Looked at         2", "Of these changed  1"] == first.stdout.splitlines()[:2]
    assert trial.stdout == first.stdout
    assert "This was a dry run" in trial.stderr
    assert ["Looked at         1", "Of these changed  0"] == second.stdout.splitlines()[:2]
    assert ["live  the one that was live  1"] == [
        re.sub(" {2,}", "  ", line.strip()) for line in second.stdout.splitlines() if "live" in line
    ]
    with engine.connect() as connection:
        assert [None, published + 1] == sorted(
            connection.scalars(select(Event.publication_id)), key=lambda one: one or 0
        )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("quarantine", "replay", "--id", "x"), 4, "'x' is no id"),
        (("quarantine", "replay", "--id", "0199a5c0-1e00-8a4b-9c3d-5e6f708192a3"), 3, "nothing in quarantine"),
        (("quarantine", "replay", "--account", "shop"), 3, "There is no account 'shop'"),
        (("event", "replay"), 4, "--since"),
        (("event", "replay", "--since", "soon"), 4, "'soon' is no time"),
        (("event", "replay", "--since", "1d", "--account", "shop"), 3, "There is no account 'shop'"),
    ],
)
def test_what_is_wrong_is_said(engine: Engine, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = run(*arguments)

    assert code == done.exit_code
    assert words in done.stderr


def test_in_an_empty_database_there_is_nothing_to_do() -> None:
    run("db", "upgrade")

    assert 0 == run("quarantine", "replay").exit_code
    assert 0 == run("event", "replay", "--since", "1d").exit_code
