"""Days as WeChat counts them, and what a day comes to."""

from datetime import UTC, date, datetime, timedelta

import pytest

from wechat.quota import BEIJING, DAILY, day_of, forecast

NOON = datetime(2026, 10, 1, 12, tzinfo=BEIJING)


def test_a_day_begins_at_midnight_in_beijing() -> None:
    assert date(2026, 10, 1) == day_of(datetime(2026, 9, 30, 16, tzinfo=UTC))
    assert date(2026, 9, 30) == day_of(datetime(2026, 9, 30, 15, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    ("used", "planned", "hour", "expected"),
    [
        (0, 0, 12, 0),
        (100, 0, 12, 200),
        (100, 50, 12, 250),
        (100, 0, 24, 100),
        (1, 0, 0, 13),  # a call in the first minute does not make one every minute
        (0, 1000, 23, 1000),
    ],
)
def test_the_day_goes_on_as_it_began_and_plans_come_on_top(used: int, planned: int, hour: int, expected: int) -> None:
    now = NOON.replace(hour=0) + timedelta(hours=min(hour, 23), minutes=59 if hour == 24 else 0, seconds=59)

    found = forecast(used, 1000, now.replace(minute=0, second=0) if hour < 24 else now, planned=planned)

    assert expected == found.expected
    assert found.suffices
    assert found.runs_out_at is None


def test_it_is_told_when_the_calls_run_out() -> None:
    found = forecast(600, 900, NOON)

    assert (1200, False) == (found.expected, found.suffices)
    assert NOON + timedelta(hours=6) == found.runs_out_at


def test_a_plan_that_exceeds_the_day_is_told() -> None:
    found = forecast(10, 100, NOON, planned=200)

    assert not found.suffices
    assert found.runs_out_at is not None
    assert NOON < found.runs_out_at < NOON + timedelta(hours=12)


def test_what_is_used_up_has_run_out_now() -> None:
    assert NOON == forecast(1000, 1000, NOON).runs_out_at
    assert NOON == forecast(5, 0, NOON).runs_out_at


def test_limits_are_those_of_the_documentation() -> None:
    assert 2000 == DAILY["/cgi-bin/token"]
    assert 1000 == DAILY["/cgi-bin/menu/create"]
