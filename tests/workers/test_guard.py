"""Guarded rotations: which menus are taken down, and when nothing can be said."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from models import guards, publications
from models.db import connect, transaction
from models.guards import Heard, Span
from models.holidays import Calendar, calendar
from models.rotations import remove_rotation, rotations
from tests.platforms import Platform
from tests.workers.guarded import DAY, HOUR, Guarded, a_menu
from tests.workers.shop import KEY, SHOP
from wechat.client import Client
from wechat.menu_plan import is_same
from workers.api import Api
from workers.due import due_menu
from workers.guard import (
    ALL_FELL,
    BEHIND,
    FEW_DAYS,
    FEW_TAPS,
    FINE,
    SILENT,
    STOPPED,
    comparable,
    guard_rotations,
    hours_to_judge,
    judge,
    look_at,
    same_hours,
)
from workers.publishing import live_menu
from workers.rotate import rotate

ELEVEN = datetime(2026, 10, 21, 3, tzinfo=UTC)  # by the clocks of Shanghai, on a Wednesday
MINUTE = timedelta(minutes=1)
NO_HOLIDAYS = Calendar({}, frozenset())
USUAL = [Heard(40, 30)] * 5


@pytest.mark.parametrize(
    ("heard", "before", "word"),
    [
        (Heard(20, 30), USUAL, FINE),
        (Heard(19, 30), USUAL, STOPPED),
        (Heard(0, 30), USUAL, STOPPED),
        (Heard(19, 15), USUAL, STOPPED),
        (Heard(19, 14), USUAL, ALL_FELL),
        (Heard(19, 0), [Heard(40, 19)] * 5, STOPPED),  # of so few others, none may come by chance
        (Heard(0, 0), [Heard(40, 0)] * 5, SILENT),
        (Heard(0, 0), USUAL, SILENT),
        (Heard(0, 30), USUAL[:2], FEW_DAYS),
        (Heard(0, 30), [], FEW_DAYS),
        (Heard(0, 30), [Heard(19, 30)] * 5, FEW_TAPS),
        (Heard(20, 30), [*USUAL[:3], Heard(4000, 30)], FINE),  # on one day everybody was written to
        (Heard(1, 30), [*USUAL[:3], Heard(0, 0), Heard(0, 0)], STOPPED),  # on two days the door was down
    ],
)
def test_taps_are_judged_by_those_of_days_before(heard: Heard, before: list[Heard], word: str) -> None:
    assert word == judge(heard, before, 0.5).word


@pytest.mark.parametrize(
    ("hours", "minutes", "expected"),
    [
        (1, 61, None),  # what came in the hour may be on its way
        (1, 62, (0, 1)),
        (1, 181, (1, 2)),
        (1, 182, (2, 3)),
        (2, 121, None),
        (2, 182, (1, 3)),
        (1, -30, None),
    ],
)
def test_the_last_whole_hours_since_it_went_live_are_judged(
    hours: int, minutes: int, expected: tuple[int, int] | None
) -> None:
    live_since = ELEVEN + 7 * MINUTE
    found = hours_to_judge(live_since, hours, live_since + minutes * MINUTE)

    assert found == (expected and Span(live_since + expected[0] * HOUR, live_since + expected[1] * HOUR))


def test_workdays_are_compared_with_workdays() -> None:
    holidays = Calendar(
        {date(2026, 10, 1) + n * DAY: False for n in range(7)} | {date(2026, 10, 10): True}, frozenset()
    )
    found = same_hours(Span(ELEVEN, ELEVEN + HOUR), ZoneInfo("Asia/Shanghai"), holidays)

    days = [span.begin.day for span in found if span.begin.month == 10]

    assert [20, 19, 16, 15, 14, 13, 12, 10, 9, 8] == days


def test_hours_are_the_same_by_the_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 3, 30, 2, 30, tzinfo=berlin).astimezone(UTC)
    every_day = Calendar({date(2026, 3, 28): True, date(2026, 3, 29): True}, frozenset())
    sunday, saturday, friday, *_rest = same_hours(Span(monday, monday + 2 * HOUR), berlin, every_day)

    assert "03:30" == f"{sunday.begin.astimezone(berlin):%H:%M}"  # 02:30 was left out
    assert ["02:30", "02:30"] == [f"{span.begin.astimezone(berlin):%H:%M}" for span in (saturday, friday)]
    assert monday - 3 * DAY + HOUR == friday.begin
    assert {2 * HOUR} == {span.end - span.begin for span in (sunday, saturday, friday)}


def test_days_on_which_the_menu_was_to_be_seen_are_not_compared_with() -> None:
    spans = [Span(ELEVEN - n * DAY, ELEVEN - n * DAY + HOUR) for n in range(1, 15)]
    shown = [Span(ELEVEN - 2 * DAY - HOUR, ELEVEN - 2 * DAY + MINUTE), Span(ELEVEN - 4 * DAY + HOUR, ELEVEN - 3 * DAY)]

    assert [spans[n] for n in (0, 2, 3, 4, 5, 6, 7)] == comparable(spans, shown, ELEVEN - 14 * DAY)
    assert spans[:1] == comparable(spans, shown, spans[2].begin + MINUTE)
    assert [] == comparable(spans, shown, None)


def busy(engine: Engine, today: int, others_today: int = 30) -> Guarded:
    """An account with 40 taps and 30 messages between 11 and 12 on the workdays of two weeks, and fewer today."""
    guarded = Guarded(engine, ELEVEN - 20 * DAY)
    guarded.hear(ELEVEN - 16 * DAY, 1, "subscribe")
    for ago in range(1, 15):
        guarded.hear(ELEVEN - ago * DAY, 40)
        guarded.hear(ELEVEN - ago * DAY, 30, "message_text")
    guarded.hear(ELEVEN, today)
    guarded.hear(ELEVEN, others_today, "message_text")
    guarded.hear(ELEVEN + HOUR, 60)
    return guarded


def on_sale(guarded: Guarded, **rule: object) -> int:
    """Let the other menu be due and live since 11."""
    window = {"starts_at": ELEVEN, "ends_at": ELEVEN + 3 * HOUR}
    rotation_id = guarded.add(menu_id=guarded.sale, guard_share=0.5, **window, **rule)
    guarded.publish(guarded.sale, ELEVEN)
    return rotation_id


@pytest.fixture
def engine(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


def stopped(guarded: Guarded) -> frozenset[tuple[int, datetime]]:
    with guarded.engine.connect() as connection:
        return guards.stopped(connection, guarded.account_id)


def due(guarded: Guarded, now: datetime) -> int | None:
    """The version of the menu that is due."""
    with guarded.engine.connect() as connection:
        rows = rotations(connection, guarded.account_id)
        found = due_menu(rows, now, calendar(connection), guards.stopped(connection, guarded.account_id))
    return found and found.rotation.menu_id


def word(guarded: Guarded, now: datetime) -> str | None:
    with guarded.engine.connect() as connection:
        found = look_at(connection, guarded.account_id, now)
    return found and found.verdict.word


def test_a_menu_that_is_shunned_gives_way_once(database: Engine, caplog: pytest.LogCaptureFixture) -> None:
    guarded, now = busy(database, today=10), ELEVEN + 65 * MINUTE
    rotation_id = on_sale(guarded)

    assert guarded.sale == due(guarded, now)

    for _twice in range(2):
        guard_rotations(database, now)
    with database.connect() as connection:
        (trip,) = guards.trips(connection, guarded.account_id)

    assert {(rotation_id, ELEVEN)} == stopped(guarded)
    assert guarded.base == due(guarded, now)
    assert (2, now, 10, 40) == (trip.version, trip.tripped_at, trip.taps, trip.expected)
    (told,) = [vars(record) for record in caplog.records if record.levelno == logging.ERROR]
    assert "rotation stopped by its guard" == told["message"]
    assert ("shop", rotation_id, 2, 10, 40, 0.5) == tuple(
        told[name] for name in ("account", "rotation", "version", "taps", "expected", "share")
    )


def test_the_next_tick_puts_the_menu_below_up(engine: Engine, platform: Platform) -> None:
    guarded, now = busy(engine, today=10), ELEVEN + 65 * MINUTE
    on_sale(guarded)
    guard_rotations(engine, now)
    with Client(platform.url) as client:
        api = Api(engine, client, SHOP, KEY)
        rotate(engine, api, SHOP, lambda: now)
        live = live_menu(api)
    with engine.connect() as connection:
        last = publications.publications(connection, guarded.account_id, 1)[0]

    assert live is not None
    assert is_same(live, a_menu("base"))
    assert ("guard", "published", 1) == (last.cause, last.outcome, last.version)


def test_nothing_is_done_while_taps_are_as_usual(engine: Engine) -> None:
    guarded = busy(engine, today=20)
    on_sale(guarded)

    assert FINE == word(guarded, ELEVEN + 65 * MINUTE)

    guard_rotations(engine, ELEVEN + 65 * MINUTE)

    assert frozenset() == stopped(guarded)


def test_the_next_window_is_tried_again(engine: Engine) -> None:
    guarded = busy(engine, today=10)
    rotation_id = guarded.add(menu_id=guarded.sale, guard_share=0.5, hours="11:00-14:00")
    guarded.publish(guarded.sale, ELEVEN)
    guard_rotations(engine, ELEVEN + 65 * MINUTE)

    assert {(rotation_id, ELEVEN)} == stopped(guarded)
    assert [guarded.base, guarded.sale] == [due(guarded, at) for at in (ELEVEN + 2 * HOUR, ELEVEN + DAY)]


def test_only_a_guarded_menu_that_is_live_is_judged(engine: Engine) -> None:
    guarded, now = busy(engine, today=10), ELEVEN + 65 * MINUTE
    window = {"starts_at": ELEVEN, "ends_at": ELEVEN + 3 * HOUR}
    guarded.add(menu_id=guarded.sale, guard_share=0.5, **window)

    assert word(guarded, now) is None  # due, and not live

    guarded.publish(guarded.sale, ELEVEN)

    assert STOPPED == word(guarded, now)

    guarded.add(menu_id=guarded.sale, priority=1, **window)

    assert word(guarded, now) is None  # without a guard


@pytest.mark.parametrize("live_at", [ELEVEN + 30 * MINUTE, ELEVEN - 30 * MINUTE])
def test_hours_count_from_when_a_menu_is_both_due_and_live(engine: Engine, live_at: datetime) -> None:
    guarded = busy(engine, today=10)
    guarded.add(menu_id=guarded.sale, guard_share=0.5, starts_at=ELEVEN, ends_at=ELEVEN + 3 * HOUR, lead=1800)
    guarded.publish(guarded.sale, live_at)
    begun = max(live_at, ELEVEN)

    assert [None, True] == [word(guarded, begun + minutes * MINUTE) and True for minutes in (61, 62)]


def test_a_rotation_that_cannot_be_followed_does_not_keep_others_from_being_judged(engine: Engine) -> None:
    guarded = busy(engine, today=10)
    guarded.add(menu_id=guarded.base, hours="11:00-14:00", timezone="Mars/Olympus")
    on_sale(guarded)

    assert STOPPED == word(guarded, ELEVEN + 65 * MINUTE)


def test_a_base_menu_has_nothing_to_give_way_to(engine: Engine) -> None:
    guarded = busy(engine, today=10)
    with transaction(engine) as connection:
        (base,) = rotations(connection, guarded.account_id)
        remove_rotation(connection, base.id)
    guarded.add(menu_id=guarded.sale, guard_share=0.5)
    guarded.publish(guarded.sale, ELEVEN)

    assert word(guarded, ELEVEN + 65 * MINUTE) is None


def test_events_that_come_late_are_waited_for(engine: Engine) -> None:
    guarded, now = busy(engine, today=10), ELEVEN + 65 * MINUTE
    on_sale(guarded)
    guarded.hear(ELEVEN, 5, delay=63 * MINUTE)

    assert BEHIND == word(guarded, now)

    guard_rotations(engine, now)

    assert frozenset() == stopped(guarded)

    guarded.hear(ELEVEN, 20, delay=66 * MINUTE)

    assert FINE == word(guarded, now + 10 * MINUTE)


def test_a_pipeline_that_stands_still_is_waited_for(engine: Engine) -> None:
    guarded = Guarded(engine, ELEVEN - 20 * DAY)
    for ago in range(1, 15):
        guarded.hear(ELEVEN - ago * DAY, 40)
    guarded.hear(ELEVEN, 10)
    on_sale(guarded)

    assert BEHIND == word(guarded, ELEVEN + 65 * MINUTE)

    guarded.hear(ELEVEN + HOUR, 1, "message_text")

    assert STOPPED == word(guarded, ELEVEN + 95 * MINUTE)


@pytest.mark.parametrize(("others", "expected"), [(30, STOPPED), (5, ALL_FELL)])
def test_where_all_events_fell_it_is_not_the_menu(
    engine: Engine, caplog: pytest.LogCaptureFixture, others: int, expected: str
) -> None:
    guarded, now = busy(engine, today=10, others_today=others), ELEVEN + 65 * MINUTE
    on_sale(guarded)
    guard_rotations(engine, now)

    assert expected == word(guarded, now) or stopped(guarded)
    assert (expected == STOPPED) == bool(stopped(guarded))
    assert (expected == STOPPED) != ("rotation not judged by its guard" in caplog.messages)


def test_two_guards_stop_a_window_once(database: Engine) -> None:
    guarded = Guarded(database, ELEVEN - DAY)
    rotation_id, done = on_sale(guarded), []

    def stop() -> None:
        with transaction(database) as connection:
            done.append(guards.stop(connection, rotation_id, ELEVEN, 1, 40, ELEVEN + HOUR))

    threads = [threading.Thread(target=stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [False, False, False, True] == sorted(done)


def test_what_a_guard_did_goes_with_its_rotation(database: Engine) -> None:
    guarded = Guarded(database, ELEVEN - DAY)
    rotation_id = guarded.add(menu_id=guarded.sale, guard_share=0.5, ends_at=ELEVEN + DAY)
    with transaction(database) as connection:
        (_base, sale) = rotations(connection, guarded.account_id)
        beginning = due_menu([sale], ELEVEN, NO_HOLIDAYS)
        assert beginning is not None
        guards.stop(connection, rotation_id, beginning.window.starts_at, 1, 40, ELEVEN)

    assert {(rotation_id, beginning.window.starts_at)} == stopped(guarded)  # one without a start, too

    with transaction(database) as connection:
        remove_rotation(connection, rotation_id)
        stopped_again = guards.stop(connection, rotation_id, ELEVEN, 1, 40, ELEVEN)

    assert not stopped_again
    assert frozenset() == stopped(guarded)
