"""Handlings are written down with their events, in step with them, and cost nothing where there are no handlers."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, insert, select, update

from models.db import connect, transaction
from models.handling import DONE, FAILED, HandlerRow, Handling
from tests.pushes import SAMPLES, SHOP, batch_of, event_of, push, sample
from tests.workers.handled import events, record_all
from wechat.event import Event
from workers.event_reading import handled_event, typed
from workers.forget import forget
from workers.handled_event import Location, Photos, Scan
from workers.record import record
from workers.retain import retain_handlings

NOW = datetime.now(UTC)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def tables(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


def tell(engine: Engine, name: str = "tried") -> None:
    values = {"name": name, "kinds": ["*"], "accounts": [], "is_ordered": True, "free_at": NOW, "seen_at": NOW}
    with transaction(engine) as connection:
        connection.execute(insert(HandlerRow).values(values))


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Handling)) or 0


def test_every_handler_is_noted_once_however_often_an_event_comes(tables: Engine) -> None:
    tell(tables, "one")
    tell(tables, "two")
    given = events("a", "b")
    record_all(tables, given[:1])
    for _ in range(2):
        record_all(tables, given)

    assert 4 == count(tables)


def test_handlers_are_asked_for_now_and_then_only(tables: Engine) -> None:
    statements: list[str] = []
    event.listen(tables, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement))
    for given in events("a", "b", "c"):
        record(tables, batch_of(given), may_lag=3600)

    assert 1 == sum("handler" in statement for statement in statements)
    assert not any("INTO handling" in statement for statement in statements)


def test_a_forgotten_follower_is_in_no_handling(tables: Engine) -> None:
    tell(tables)
    record_all(tables, [*events("a", "b"), *events("c", user="oOther")])
    forget(tables, 1, SHOP.app_id, "oUser", datetime.now(UTC))

    assert 1 == count(tables)


def test_no_handler_gets_the_event_of_a_forgotten_follower(tables: Engine) -> None:
    (given,) = events("a")
    record_all(tables, [given])
    with tables.connect() as connection:
        assert handled_event(connection, given.id, given.created_at, 1) == typed(given)
    forget(tables, 1, SHOP.app_id, "oUser", datetime.now(UTC))
    with tables.connect() as connection:
        assert handled_event(connection, given.id, given.created_at, 1) is None
        assert handled_event(connection, given.id, NOW, 1) is None


def test_what_is_done_goes_after_days_and_what_failed_with_quarantine(tables: Engine) -> None:
    tell(tables)
    given = events("old", "new", "failed")
    record_all(tables, given)
    old = NOW - timedelta(days=4)
    with transaction(tables) as connection:
        for one, state, moment in zip(given, (DONE, DONE, FAILED), (old, NOW, old), strict=True):
            changed = update(Handling).where(Handling.event_id == one.id)
            connection.execute(changed.values(state=state, due_at=moment))
    retain_handlings(tables, {}, datetime.now(UTC))

    assert 2 == count(tables)
    retain_handlings(tables, {"quarantine": 3}, datetime.now(UTC))
    assert 1 == count(tables)


def test_a_handler_gets_every_sample_with_names_instead_of_spellings(tables: Engine) -> None:
    read = [event_of(sample(one["file"])) for one in SAMPLES if one["file"].endswith(".xml") and "encrypt" not in one]
    found = {one.kind: typed(one) for one in read}

    assert found["scancode_waitmsg"].scan is not None
    assert found["location_select"].location is not None
    assert found["message_text"].message is not None
    assert found["click"].scan is found["click"].message is found["click"].photos is None


def test_a_scan_a_place_and_photos_are_typed() -> None:
    def of(kind: str, more: str) -> Event:
        return event_of(push(kind, more=more))

    scan = "<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN_13,69</ScanResult></ScanCodeInfo>"
    place = "<SendLocationInfo><Location_X>23.10</Location_X><Location_Y>113.5</Location_Y></SendLocationInfo>"
    photos = "<SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>ab</PicMd5Sum></item></PicList></SendPicsInfo>"

    assert Scan("barcode", "EAN_13,69", "EAN_13", "69") == typed(of("scancode_push", scan)).scan
    assert Photos(1, ("ab",)) == typed(of("pic_weixin", photos)).photos
    where = typed(of("location_select", place)).location
    empty = Location(None, None, None, None, None, None)
    assert replace(empty, latitude=Decimal("23.10"), longitude=Decimal("113.5")) == where


def test_whoever_records_imports_no_package_of_handlers(tmp_path: Path) -> None:
    told = tmp_path / "bad-1.0.dist-info"
    told.mkdir()
    (tmp_path / "bad.py").write_text("raise SystemExit('imported')")
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[caidan.handlers]\nbad = bad\n")
    script = f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
os.environ["CAIDAN_DATA_DIR"] = {str(tmp_path)!r}
from workers import tasks, handler_packages
assert ["bad"] == [entry.name for entry in handler_packages.installed()]
assert "bad" not in sys.modules
assert not any(queue.startswith("handler.") for queue in tasks.app.amqp.queues)
assert {{"bad": "SystemExit"}} == handler_packages.load(handler_packages.installed())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)

    assert (0, "") == (done.returncode, done.stdout), done.stderr
