"""Why a due menu is not live, and when that is tried again: pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from models.publications import UnderWayError
from models.rotation_delays import Delay
from models.rotations import RotationRow
from wechat.errcodes import Unreachable, WeChatError, refusal
from workers import delays
from workers.delays import failed, held_up, holds, must_tell
from workers.due import Due
from workers.publishing import NotAsPublishedError
from workers.windows import ALWAYS, Window

NOW = datetime(2026, 10, 1, 1, 0, tzinfo=UTC)  # nine in the morning in Beijing
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MIDNIGHT = datetime(2026, 10, 1, 16, 0, tzinfo=UTC)


def due(menu_id: int = 1) -> Due:
    return Due(RotationRow(id=menu_id, account_id=7, menu_id=menu_id, version=menu_id), Window(ALWAYS, None))


def refused(errcode: int) -> WeChatError:
    return refusal("/cgi-bin/menu/create", errcode, "")


def after(*errors: Exception, every: timedelta = MINUTE) -> list[Delay]:
    """What is known after each of so many failures, one after the other."""
    found: list[Delay] = []
    for number, error in enumerate(errors):
        found.append(failed(found[-1] if found else None, due(), error, NOW + number * every))
    return found


@pytest.mark.parametrize(
    ("error", "reason", "wait"),
    [
        pytest.param(Unreachable("/cgi-bin/menu/get", "timeout"), "unreachable", MINUTE, id="no answer"),
        pytest.param(refused(-1), "busy", MINUTE, id="busy"),
        pytest.param(refused(40001), "token_rejected", MINUTE, id="somebody else refreshes"),
        pytest.param(NotAsPublishedError(), "not_as_published", MINUTE, id="something else is there"),
        pytest.param(refused(45009), "quota", MIDNIGHT - NOW, id="calls of the day"),
        pytest.param(refused(40018), "refused", HOUR, id="wrong menu"),
        pytest.param(refused(48001), "refused", HOUR, id="no right to it"),
        pytest.param(refused(40164), "refused", HOUR, id="address not allowed"),
        pytest.param(refused(65305), "refused", HOUR, id="too many menus"),
        pytest.param(refused(99999), "refused", HOUR, id="unknown"),
        pytest.param(UnderWayError(NOW), "under_way", timedelta(), id="somebody publishes"),
    ],
)
def test_each_failure_has_its_reason_and_its_wait(error: Exception, reason: str, wait: timedelta) -> None:
    (delay,) = after(error)
    errcode = error.errcode if isinstance(error, WeChatError) else None

    assert (reason, errcode) == (delay.reason, delay.errcode)
    assert abs(NOW + wait - delay.next_try_at) <= timedelta(minutes=5)
    assert holds(delay, due(), NOW + wait / 2) == (wait > MINUTE)
    assert not holds(delay, due(), NOW + max(wait + timedelta(minutes=5), MINUTE))


def test_what_may_pass_is_tried_at_the_next_tick_and_then_less_often() -> None:
    found = after(*[refused(-1)] * 8, every=HOUR)
    waits = [round((delay.next_try_at - NOW - number * HOUR) / MINUTE + 0.5) for number, delay in enumerate(found)]

    assert [1, 2, 4, 8, 10, 10, 10, 10] == waits
    assert list(range(1, 9)) == [delay.failures for delay in found]
    assert {NOW} == {delay.since for delay in found}


def test_attempts_that_take_many_calls_come_down_to_one_an_hour() -> None:
    found = after(*[NotAsPublishedError()] * 9, every=2 * HOUR)
    waits = [delay.next_try_at - NOW - number * 2 * HOUR for number, delay in enumerate(found)]

    assert all(first <= second for first, second in pairwise(waits))
    assert 50 * MINUTE < waits[-1] <= HOUR


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_the_day_of_calls_ends_after_the_next_midnight_in_beijing(hour: int) -> None:
    now = datetime(2026, 10, 1, hour, 30, tzinfo=UTC)
    moment = delays.after_midnight(now)

    assert now < moment <= now + timedelta(days=1, minutes=5)
    assert "00:05" == f"{moment + timedelta(hours=8):%H:%M}"


def test_another_menu_is_tried_at_once_unless_the_account_has_to_wait() -> None:
    (wrong,), (used_up,) = after(refused(40018)), after(refused(45009))

    assert holds(wrong, due(1), NOW)
    assert not holds(wrong, due(2), NOW)
    assert holds(used_up, due(2), NOW)


def test_for_another_menu_the_count_begins_anew() -> None:
    known = after(refused(-1), refused(-1))[-1]
    other = failed(known, due(2), refused(-1), NOW + HOUR)

    assert (1, 2, NOW + HOUR) == (other.failures, other.menu_id, other.since)


def test_while_somebody_publishes_what_is_known_stays() -> None:
    (known,) = after(refused(-1))

    assert known == failed(known, due(), UnderWayError(NOW), NOW + MINUTE)


def test_a_wait_that_was_noted_before_the_clock_was_set_back_is_none() -> None:
    (delay,) = after(refused(45009))

    assert not holds(delay, due(), NOW - timedelta(days=2))


def test_what_stands_in_the_way_is_looked_at_at_each_tick() -> None:
    for reason in (delays.FROZEN, delays.NOT_CONFIGURED):
        assert not holds(held_up(None, due(), reason, NOW + HOUR, NOW), due(), NOW)


def test_a_reason_that_lasts_is_the_same_row_as_before() -> None:
    (known,) = after(refused(40018))
    told = replace(known, told_at=NOW)

    assert told == held_up(told, due(), told.reason, told.next_try_at, NOW + MINUTE)


def test_an_alarm_comes_once_for_each_reason_and_hour() -> None:
    (delay,) = after(refused(-1))

    assert must_tell(delay, NOW)

    told = replace(delay, told_at=NOW)

    assert not must_tell(told, NOW + HOUR - MINUTE)
    assert must_tell(told, NOW + HOUR)
    assert must_tell(failed(told, due(), refused(40018), NOW + MINUTE), NOW + MINUTE)
    assert not must_tell(failed(told, due(), refused(-1), NOW + MINUTE), NOW + MINUTE)
    assert not must_tell(failed(None, due(), UnderWayError(NOW), NOW), NOW)
