"""What WeChat counted compared with what was stored, against the simulated platform and through a real door."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine

from models import reconciliation
from models.db import connect, transaction
from models.reconciliation import Day, Hour
from models.retention import Limits
from tests.platforms import SHOP as SIMULATED
from tests.platforms import platform_of
from tests.pushes import event_of, push
from tests.workers.reconciling import HOUR, Reconciling, beijing
from tests.workers.shop import SHOP, configured
from wechat.event import Addressee, Unreadable, unreadable_id
from workers.reconcile import NO_FIGURES, comparable, to_compare_again
from workers.shortfall import side_by_side

MORNING = beijing(11, 8, 27)
KEPT = Limits({}, None, None)


@pytest.fixture
def here(sqlite_database_url: str, tmp_path: Path) -> Iterator[Reconciling]:
    engine = connect(sqlite_database_url)
    with reconciling(engine, tmp_path) as here:
        yield here
    engine.dispose()


@contextmanager
def reconciling(engine: Engine, folder: Path) -> Iterator[Reconciling]:
    """On 9 October, the day of the first event, and so before the first day that is compared."""
    with time_machine.travel(beijing(9, 12)) as clock, platform_of(SIMULATED, followers=1) as platform:
        here = Reconciling(engine, platform, folder, clock)
        with here.door():
            here.push(beijing(9, 12), "the first")
        here.record()
        yield here
        here.close()


def told(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.message == message]


def a_day_with_an_outage(here: Reconciling) -> None:
    with here.door():
        here.push(beijing(10, 9, 59), "a", "b")
    here.push(beijing(10, 10, 1), "c")
    here.push(beijing(10, 11, 30), "d", "e")
    with here.door():
        here.push(beijing(10, 11, 50), "f")
    here.record()


def test_a_day_of_which_all_is_here_is_asked_for_once(here: Reconciling, caplog: pytest.LogCaptureFixture) -> None:
    with here.door():
        here.push(beijing(10, 9), "a", "b")
        here.push(beijing(10, 23), "c")
    here.record()
    for hours in range(5):
        here.tick(MORNING + hours * HOUR)

    assert [10] == list(here.days())
    assert [Hour(9, 2, 0, 2, 0), Hour(23, 1, 0, 1, 0)] == [hour for hour in here.days()[10].hours if hour.counted]
    assert 24 == len(here.days()[10].hours)
    assert 1 == here.asked()
    assert [] == told(caplog, "pushes missing")


def test_pushes_lost_while_the_door_was_down_are_reported_once_with_their_hours(
    here: Reconciling, caplog: pytest.LogCaptureFixture
) -> None:
    a_day_with_an_outage(here)
    for hours in range(0, 25, 6):
        here.tick(MORNING + hours * HOUR)

    (line,) = told(caplog, "pushes missing")

    assert (logging.ERROR, "shop", "2026-10-10", [10, 11]) == (
        line["levelno"],
        line["account"],
        line["day"],
        line["hours"],
    )
    assert (12, 9, 3, 3, 9) == tuple(
        line[name] for name in ("counted", "failed", "stored", "missing_at_least", "missing_at_most")
    )


def test_what_is_recorded_later_heals(here: Reconciling, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with here.door():
        here.push(beijing(10, 9), "a", "b", "c")
    in_journal = here.taken()
    here.tick(MORNING)
    here.record(in_journal)
    here.tick(MORNING + HOUR)

    assert 0 == here.days()[10].hours[9].stored
    assert [(3, 3)] == [(line["missing_at_least"], line["missing_at_most"]) for line in told(caplog, "pushes missing")]

    here.tick(MORNING + 6 * HOUR)

    assert 3 == here.days()[10].hours[9].stored
    assert ["2026-10-10"] == [line["day"] for line in told(caplog, "no pushes missing any more")]
    assert 1 == len(told(caplog, "pushes missing"))
    assert 1 == here.asked()


def test_a_push_that_came_at_the_second_attempt_is_not_missing(
    here: Reconciling, caplog: pytest.LogCaptureFixture
) -> None:
    with here.door():
        here.push(beijing(10, 9), "a", "b", "c")
    entries = here.taken()
    held_up = [
        type(entry)(**{name: getattr(entry, name) for name in entry.__struct_fields__} | {"received_at": received})
        for entry in entries
        for received in [entry.received_at + timedelta(seconds=5)]
    ]
    here.record(held_up)
    attempts = {"2026-10-10T09": {"callback_count": 9, "fail_count": 6}}
    here.platform.holdings(statistics=attempts)
    here.tick(MORNING)

    assert Hour(9, 9, 6, 3, 3) == here.days()[10].hours[9]
    assert [] == told(caplog, "pushes missing")


def test_days_that_were_missed_are_made_up_for_thirty_at_the_most(here: Reconciling) -> None:
    hours = {f"{beijing(1, 9) + timedelta(days=number):%Y-%m-%dT%H}": {"callback_count": 1} for number in range(60)}
    here.platform.holdings(statistics=hours)
    noon = beijing(10, 12) + timedelta(days=35)
    here.tick(noon)
    here.tick(noon + HOUR)

    days = [day.day for day in here.days().values()]

    assert [(noon - timedelta(days=back)).date() for back in range(30, 0, -1)] == days
    assert 30 == here.asked()


def test_before_eight_only_the_day_before_is_asked_for(here: Reconciling) -> None:
    here.platform.holdings(statistics={"2026-10-10T09": {"callback_count": 1}})
    here.tick(beijing(11, 7, 59))
    assert 0 == here.asked()

    here.tick(beijing(11, 8))

    assert [10] == list(here.days())


def test_figures_that_come_late_are_waited_for(here: Reconciling, caplog: pytest.LogCaptureFixture) -> None:
    here.tick(MORNING)
    waiting = here.delay()
    here.tick(MORNING + HOUR)

    assert waiting is not None
    assert NO_FIGURES == waiting.reason
    assert ({}, 1) == (here.days(), here.asked())

    here.platform.holdings(statistics={"2026-10-10T09": {"callback_count": 5}})
    here.tick(MORNING + 6 * HOUR)

    assert ([10], None) == (list(here.days()), here.delay())
    assert [[9]] == [line["hours"] for line in told(caplog, "pushes missing")]


def test_a_day_without_any_push_is_known_after_three_more(here: Reconciling) -> None:
    for days in range(4):
        here.tick(MORNING + timedelta(days=days))

    assert [10] == list(here.days())
    assert {(0, 0)} == {(hour.counted, hour.stored) for hour in here.days()[10].hours}


def test_an_account_without_the_right_is_told_of_once_and_asked_about_daily(
    here: Reconciling, caplog: pytest.LogCaptureFixture
) -> None:
    here.platform.holdings(is_verified=False)
    for hours in range(49):
        here.tick(MORNING + hours * HOUR)

    assert [("shop", "errcode_48001")] == [
        (line["account"], line["reason"]) for line in told(caplog, "pushes not compared")
    ]
    assert 3 == here.asked()
    assert {} == here.days()


def test_what_may_pass_is_tried_again_an_hour_later(here: Reconciling, caplog: pytest.LogCaptureFixture) -> None:
    here.platform.holdings(statistics={"2026-10-10T09": {"callback_count": 1}})
    here.platform.fault("datacube/getinterfacesummaryhour", garbage=True)
    for hours in range(2):
        here.tick(MORNING + hours * HOUR)

    assert 1 == len(told(caplog, "pushes not compared"))

    here.platform.heal()
    here.tick(MORNING + 2 * HOUR)

    assert ([10], None) == (list(here.days()), here.delay())


def test_without_an_app_secret_wechat_is_not_asked(here: Reconciling) -> None:
    before = len(here.platform.calls())
    here.tick(MORNING, configured(SIMULATED, app_secret=None))

    assert before == len(here.platform.calls())
    assert ({}, None) == (here.days(), here.delay())


def test_what_retention_lets_go_is_not_compared(here: Reconciling) -> None:
    here.tick(MORNING, SHOP, retention_days={"location_report": 1})

    assert 0 == here.asked()


def test_it_works_in_every_kind_of_database(database: Engine, tmp_path: Path) -> None:
    with reconciling(database, tmp_path) as here:
        a_day_with_an_outage(here)
        raw = Unreadable(
            id=unreadable_id(SHOP.app_id, b"?"),
            app_id=SHOP.app_id,
            account=SHOP.name,
            received_at=beijing(10, 23, 59),
            reason="bad_xml",
            detail="",
            raw=b"?",
        )
        of_the_doctor = push(event="caidan_doctor", at=int(beijing(10, 12).timestamp()))
        here.record([raw, event_of(of_the_doctor, Addressee(SHOP.name, SHOP.app_id))])
        for hours in (0, 6):
            here.tick(MORNING + hours * HOUR)
        stored = [hour.stored for hour in here.days()[10].hours]

        assert [2, 0, 1, 1] == [stored[at] for at in (9, 10, 11, 23)]
        assert 4 == sum(stored)
        assert MORNING + 6 * HOUR == here.days()[10].compared_at

        for reason, expected in (("errcode_48001", True), ("errcode_48001", False), ("timeout", True)):
            with transaction(database) as connection:
                delay = reconciliation.Delay(reason, MORNING)
                assert expected == reconciliation.note_delay(connection, here.account_id, delay)
        assert reconciliation.Delay("timeout", MORNING) == here.delay()


def test_days_are_compared_from_the_one_after_the_first_event() -> None:
    def compared(first: datetime | None, kept: Limits = KEPT) -> list[int]:
        return [day.day for day in comparable(first, kept, beijing(20, 12))]

    assert [] == compared(None)
    assert [] == compared(beijing(19, 0, 1))
    assert [19, 18] == compared(beijing(17, 23, 59))
    assert 30 == len(compared(beijing(1, 0) - timedelta(days=90)))
    assert [19] == compared(beijing(1, 0), Limits({"click": beijing(18, 12)}, None, None))
    assert [19] == compared(beijing(1, 0), Limits({}, None, beijing(18, 12)))


def test_only_days_with_a_shortfall_are_compared_again_and_not_at_once() -> None:
    short, whole = side_by_side([], {}), side_by_side([], {})
    short = (Hour(0, 9, 0, 0, 0), *short[1:])
    days = [Day(beijing(10, 0).date(), short, MORNING), Day(beijing(9, 0).date(), whole, MORNING)]

    assert [] == to_compare_again(days, MORNING + 5 * HOUR)
    assert days[:1] == to_compare_again(days, MORNING + 6 * HOUR)
