"""Windows of single rotations, as a calendar and a clock on the wall show them."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.holidays import Calendar
from tests.workers.rules import DAY, HOUR, row
from workers.windows import ALWAYS, Window, windows

NOTHING = Calendar({}, frozenset())


def shown(begin: str, end: str, calendar: Calendar = NOTHING, **fields: Any) -> list[tuple[str, str]]:
    """The windows that touch these days, as the zone's clocks show them."""
    rotation = row(**fields)
    zone = ZoneInfo(rotation.timezone)
    first, last = [datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC) for day in (begin, end)]
    found = windows(rotation, calendar, first, last)
    return [(_on_the_wall(one.starts_at, zone), _on_the_wall(one.end, zone)) for one in found]


def _on_the_wall(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%m-%d %H:%M}"


def test_a_base_menu_has_one_window_without_bounds() -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)

    assert [Window(ALWAYS, None)] == list(windows(row(), NOTHING, now, now + DAY))


@pytest.mark.parametrize("bound", ["starts_at", "ends_at"])
def test_one_bound_is_enough(bound: str) -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    rotation = row(**{bound: now})
    before, after = [list(windows(rotation, NOTHING, now + shift, now + shift + DAY)) for shift in (-2 * DAY, DAY)]

    expected = Window(now, None) if bound == "starts_at" else Window(ALWAYS, now)
    assert ([], [expected]) == ((before, after) if bound == "starts_at" else (after, before))


def test_an_end_is_no_part_of_its_window() -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    rotation = row(starts_at=now, ends_at=now + HOUR)

    assert [] == list(windows(rotation, NOTHING, now + HOUR, now + DAY))
    assert [] == list(windows(rotation, NOTHING, now - DAY, now))
    assert [] == list(windows(rotation, NOTHING, now, now))


def test_hours_may_cross_midnight_and_belong_to_the_day_they_begin_on() -> None:
    found = shown("2026-09-04", "2026-09-07", weekdays="5", hours="22:00-02:00")  # a Friday

    assert [("09-04 22:00", "09-05 02:00")] == found
    assert found == shown("2026-09-05", "2026-09-07", weekdays="5", hours="22:00-02:00")


def test_weeks_and_hours_end_where_the_rotation_does() -> None:
    bounds = {"starts_at": datetime(2026, 9, 1, 2, tzinfo=UTC), "ends_at": datetime(2026, 9, 2, 3, tzinfo=UTC)}
    found = shown("2026-08-30", "2026-09-05", hours="09:00-12:00", **bounds)

    assert [("09-01 10:00", "09-01 12:00"), ("09-02 09:00", "09-02 11:00")] == found


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("workdays", ["09-18", "09-20", "09-21"]),  # 20 September 2026 is a Sunday, worked for the days before October
        ("holidays", ["09-19", "09-25", "09-26", "09-27"]),  # 25 September is Mid-autumn
    ],
)
def test_make_up_workdays_are_worked_and_holidays_are_not(days: str, expected: list[str]) -> None:
    calendar = Calendar({date(2026, 9, 20): True, date(2026, 9, 25): False}, frozenset({2026}))
    found = shown("2026-09-18", "2026-09-28", calendar, days=days, hours="11:00-14:00")

    assert expected == [start[:5] for start, _ in found if start[:5] not in ("09-22", "09-23", "09-24")]


def test_the_day_of_a_window_is_the_one_it_starts_on() -> None:
    calendar = Calendar({date(2026, 10, 1): False}, frozenset({2026}))
    by_hours = shown("2026-09-30", "2026-10-01", calendar, days="workdays", hours="22:00-02:00")
    by_cron = shown("2026-09-30", "2026-10-03", calendar, days="holidays", cron="0 22 * * *", duration=4 * 3600)

    assert [("09-29 22:00", "09-30 02:00"), ("09-30 22:00", "10-01 02:00")] == by_hours
    assert [("10-01 22:00", "10-02 02:00")] == by_cron


def test_months_end_when_they_end() -> None:
    last = shown("2027-12-31", "2028-04-02", cron="0 9 L * *", duration=3600)
    thirty_first = shown("2027-12-31", "2028-06-01", cron="0 9 31 * *", duration=3600)

    assert ["12-31", "01-31", "02-29", "03-31"] == [start[:5] for start, _ in last]
    assert ["12-31", "01-31", "03-31", "05-31"] == [start[:5] for start, _ in thirty_first]


def test_a_leap_day_comes_every_four_years_but_for_2100() -> None:
    rotation = row(cron="0 0 29 2 *", duration=86400, timezone="UTC")
    begin = datetime(2088, 1, 1, tzinfo=UTC)
    found = windows(rotation, NOTHING, begin, begin + 20 * 366 * DAY)

    assert [2088, 2092, 2096, 2104] == [one.starts_at.year for one in found]


def test_the_week_of_a_year_that_ends_in_it_goes_on() -> None:
    found = shown("2026-12-28", "2027-01-11", weekdays="5,7", hours="10:00-11:00")

    assert ["01-01", "01-03", "01-08", "01-10"] == [start[:5] for start, _ in found]


def test_a_start_ends_the_window_of_the_start_before_it() -> None:
    found = shown("2026-09-01", "2026-09-02", cron="0 */6 * * *", duration=10 * 3600)

    edges = ["08-31 18:00", "09-01 00:00", "09-01 06:00", "09-01 12:00", "09-01 18:00", "09-02 00:00"]
    assert list(pairwise(edges))[1:] == found


def test_midnight_is_part_of_the_day_after_one_that_does_not_count() -> None:
    calendar = Calendar({date(2026, 9, 10): False}, frozenset())  # a Thursday
    found = shown("2026-09-09", "2026-09-12", calendar, cron="0 0 * * *", duration=3600, days="workdays")

    assert ["09-09", "09-11"] == [start[:5] for start, _ in found]


def test_a_window_is_found_a_year_after_its_start() -> None:
    found = shown("2027-06-01", "2027-06-02", cron="0 0 1 7 *", duration=365 * 86400)

    assert [("07-01 00:00", "07-01 00:00")] == found


def test_a_day_that_does_not_count_prolongs_the_window_before_it() -> None:
    found = shown("2026-09-04", "2026-09-08", cron="0 9 * * *", duration=5 * 86400, days="workdays")

    # Friday's window lasts over the weekend, until Monday's begins.
    assert ("09-04 09:00", "09-07 09:00") in found


@pytest.mark.parametrize(
    ("zone", "day", "hours", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", "01:00-02:30", [("03-29 01:00", "03-29 03:00")]),
        ("Europe/Berlin", "2026-03-29", "02:15-02:45", []),
        ("Europe/Berlin", "2026-03-29", "02:30-04:00", [("03-29 03:00", "03-29 04:00")]),
        ("Europe/Berlin", "2026-10-25", "02:00-02:30", [("10-25 02:00", "10-25 02:30")]),
        ("America/New_York", "2026-03-08", "02:00-03:00", []),
        ("Australia/Lord_Howe", "2026-10-04", "02:10-02:40", [("10-04 02:30", "10-04 02:40")]),
        ("Asia/Beirut", "2026-03-29", None, [("03-29 01:00", "03-30 00:00")]),  # has no midnight
        ("Pacific/Apia", "2011-12-31", None, [("12-31 00:00", "01-01 00:00")]),
    ],
)
def test_hours_that_daylight_saving_skips_begin_after_the_gap(
    zone: str, day: str, hours: str | None, expected: list[tuple[str, str]]
) -> None:
    following = f"{date.fromisoformat(day) + DAY}"

    found = shown(day, following, timezone=zone, hours=hours, weekdays="6,7")
    assert expected == [one for one in found if one[0][:5] == day[5:]]


def test_the_second_time_of_an_hour_that_comes_twice_is_in_windows_that_last_beyond_it() -> None:
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    short, long = [
        next(windows(row(timezone="Europe/Berlin", hours=hours), NOTHING, midnight, midnight + DAY))
        for hours in ("02:00-02:30", "02:00-03:00")
    ]

    assert HOUR / 2 == short.length
    assert 2 * HOUR == long.length


@pytest.mark.parametrize(
    ("cron", "day", "expected"),
    [
        ("30 2 * * *", "2026-03-29", ["03:00"]),  # named, so it takes place
        ("0,30 2,3 * * *", "2026-03-29", ["03:00", "03:30"]),
        ("30 2 * * *", "2026-10-25", ["02:30"]),  # named, so it takes place once
        ("30 * * * *", "2026-10-25", ["00:30", "01:30", "02:30", "02:30", "03:30"]),  # every hour
        ("30 * * * *", "2026-03-29", ["00:30", "01:30", "03:30"]),
        ("*/30 2 * * *", "2026-03-29", []),
    ],
)
def test_cron_starts_as_debians_does_when_clocks_are_changed(cron: str, day: str, expected: list[str]) -> None:
    found = shown(day, f"{day}T04:00", timezone="Europe/Berlin", cron=cron, duration=60)

    assert expected == [start[6:] for start, _ in found]


def test_a_duration_is_time_that_passes_whatever_clocks_do() -> None:
    (window,) = windows(
        row(timezone="Europe/Berlin", cron="0 1 29 3 *", duration=3 * 3600),
        NOTHING,
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 3, 30, tzinfo=UTC),
    )

    assert timedelta(hours=3) == window.ends_at - window.starts_at  # from 1 to 5 o'clock


def test_windows_lie_where_the_zones_rules_of_their_year_put_them() -> None:
    # Moscow was three hours ahead of UTC from October 2014 on, and four before.
    found = [
        next(
            windows(row(timezone="Europe/Moscow", hours="09:00-10:00"), NOTHING, begin, begin + 2 * DAY)
        ).starts_at.hour
        for begin in (datetime(2014, 7, 1, 12, tzinfo=UTC), datetime(2015, 7, 1, 12, tzinfo=UTC))
    ]

    assert [5, 6] == found
