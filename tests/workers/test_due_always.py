"""Whatever rotations say, and whenever it is: an answer comes, and soon; and what is wrong with them is said."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from models.holidays import Calendar
from models.rotations import Draft
from tests.workers.rules import DAY, HOUR, row
from workers.due import Due, conflicts, due_menu, switches
from workers.rotation_check import Problem, problems, unknown_years

NOTHING = Calendar({}, frozenset())
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
ZONES = ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Havana"]
MOMENTS = st.datetimes(datetime(2011, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def parts(low: int, high: int) -> st.SearchStrategy[str]:
    """Of a cron expression: numbers, ranges, lists and steps."""
    numbers = st.integers(low, high)
    spans = st.tuples(numbers, numbers).map(sorted).map("{0[0]}-{0[1]}".format)
    return st.one_of(
        st.just("*"),
        numbers.map(str),
        spans,
        st.integers(1, 9).map("*/{}".format),
        st.lists(numbers.map(str), min_size=1, max_size=3).map(",".join),
    )


CRONS = st.tuples(
    parts(0, 59),
    parts(0, 23),
    st.one_of(parts(1, 31), st.sampled_from(["L", "LW"])),
    parts(1, 12),
    st.one_of(parts(0, 7), st.sampled_from(["MON-FRI", "5L", "SUN#5"])),
).map(" ".join)
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map("{0[0]}:{0[1]:02}".format)
HOURS = st.lists(st.tuples(CLOCKS, CLOCKS).map("-".join), min_size=1, max_size=2).map(",".join)
WEEKDAYS = st.lists(st.integers(1, 7).map(str), min_size=1, max_size=7).map(",".join)


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "timezone": draw(st.sampled_from(ZONES)),
        "days": draw(st.sampled_from(["all", "workdays", "holidays"])),
        "priority": draw(st.integers(-1000, 1000)),
        "lead": draw(st.sampled_from([0, 1, 600, 86400])),
        "starts_at": draw(st.none() | MOMENTS),
        "ends_at": draw(st.none() | MOMENTS),
    }
    if draw(st.booleans()):
        return fields | {"cron": draw(CRONS), "duration": draw(st.integers(1, 366 * 86400))}
    return fields | {"weekdays": draw(st.none() | WEEKDAYS), "hours": draw(st.none() | HOURS)}


@settings(max_examples=100, deadline=None)
@given(st.lists(drafts(), max_size=4), MOMENTS)
def test_there_is_an_answer_for_all_rotations_that_nothing_is_wrong_with(
    made: list[dict[str, Any]], now: datetime
) -> None:
    rows = [one for one in (row(**fields) for fields in made) if not problems(one)]
    event(f"{len(rows)} of {len(made)} rotations fit")

    found = due_menu(rows, now, NOTHING)

    assert found is None or found.up_at <= now < found.window.end
    assert all(now <= switch.at < now + HOUR for switch in switches(rows, NOTHING, now, now + HOUR))
    assert all(one.first.menu_id != one.second.menu_id for one in conflicts(rows, NOTHING, now, now + HOUR))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"timezone": "Asia/Beijing"}, ("timezone", "unknown_zone", "Asia/Beijing", "Asia/Shanghai")),
        ({"timezone": "shanghai"}, ("timezone", "unknown_zone", "shanghai", "Asia/Shanghai")),
        ({"timezone": "Europe/Berln"}, ("timezone", "unknown_zone", "Europe/Berln", "Europe/Berlin")),
        ({"timezone": "new york"}, ("timezone", "unknown_zone", "new york", "America/New_York")),
        ({"timezone": "../etc/passwd"}, ("timezone", "unknown_zone", "../etc/passwd", None)),
        ({"cron": "0 0 30 2 *", "duration": 1}, ("cron", "never_starts", "0 0 30 2 *", None)),
        ({"cron": "0 0 31 4,6,9,11 *", "duration": 1}, ("cron", "never_starts", "0 0 31 4,6,9,11 *", None)),
        ({"cron": "0 0 32 2 *", "duration": 1}, ("cron", "unreadable_cron", "0 0 32 2 *", None)),
        ({"cron": "0 0 30 13 *", "duration": 1}, ("cron", "unreadable_cron", "0 0 30 13 *", None)),
        ({"cron": "every day", "duration": 1}, ("cron", "unreadable_cron", "every day", None)),
        ({"cron": "", "duration": 1}, ("cron", "unreadable_cron", "", None)),
        ({"cron": "0 0 9 * * *", "duration": 1}, ("cron", "cron_with_seconds", "0 0 9 * * *", None)),
        ({"cron": "0 9 * * *", "duration": 1, "hours": "9:00-10:00"}, ("hours", "beside_cron", "9:00-10:00", None)),
        ({"cron": "0 9 * * *", "duration": 1, "weekdays": "1"}, ("weekdays", "beside_cron", "1", None)),
        ({"cron": "0 9 * * *"}, ("duration", "missing_duration", "", None)),
        ({"cron": "0 9 * * *", "duration": 0}, ("duration", "not_positive", "0", None)),
        ({"cron": "0 9 * * *", "duration": 366 * 86400 + 1}, ("duration", "too_long", "31622401", None)),
        ({"duration": 60}, ("duration", "without_cron", "60", None)),
        ({"weekdays": "1,8"}, ("weekdays", "unknown_weekday", "8", None)),
        ({"weekdays": ""}, ("weekdays", "unknown_weekday", "", None)),
        ({"hours": "9-10"}, ("hours", "unreadable_hours", "9-10", None)),
        ({"hours": "09:00-10:00,"}, ("hours", "unreadable_hours", "", None)),
        ({"hours": "09:00-25:00"}, ("hours", "unreadable_hours", "09:00-25:00", None)),
        ({"hours": "09:00-10:60"}, ("hours", "unreadable_hours", "09:00-10:60", None)),
        ({"hours": "24:00-10:00"}, ("hours", "unreadable_hours", "24:00-10:00", None)),
        ({"hours": "09:00-09:00"}, ("hours", "unreadable_hours", "09:00-09:00", None)),
        ({"hours": "09:00-12:00,11:00-13:00"}, ("hours", "overlapping_hours", "09:00-12:00,11:00-13:00", None)),
        ({"hours": "00:00-03:00,22:00-01:00"}, ("hours", "overlapping_hours", "00:00-03:00,22:00-01:00", None)),
        ({"days": "weekends"}, ("days", "unknown_days", "weekends", None)),
        ({"starts_at": datetime(2026, 9, 1)}, ("starts_at", "without_zone", "2026-09-01 00:00:00", None)),  # noqa: DTZ001
        ({"ends_at": NOW.replace(year=2222)}, ("ends_at", "far_away", "2222-09-01 12:00:00+00:00", None)),
        ({"starts_at": NOW, "ends_at": NOW}, ("ends_at", "ends_before_start", "2026-09-01 12:00:00+00:00", None)),
        (
            {"starts_at": NOW, "ends_at": NOW + DAY, "weekdays": "7"},  # from Tuesday until Wednesday
            ("ends_at", "no_window", "2026-09-02 12:00:00+00:00", None),
        ),
        ({"lead": -1}, ("lead", "negative", "-1", None)),
        ({"lead": 86401}, ("lead", "too_long", "86401", None)),
        ({"lead": 10**18}, ("lead", "too_long", "1000000000000000000", None)),
        ({"priority": -1001}, ("priority", "out_of_range", "-1001", None)),
        ({"starts_at": NOW, "guard_share": 0.0}, ("guard_share", "out_of_range", "0.0", None)),
        ({"starts_at": NOW, "guard_share": 1.1}, ("guard_share", "out_of_range", "1.1", None)),
        ({"starts_at": NOW, "guard_share": float("nan")}, ("guard_share", "out_of_range", "nan", None)),
        ({"starts_at": NOW, "guard_hours": 2}, ("guard_hours", "without_share", "2", None)),
        ({"starts_at": NOW, "guard_share": 0.5, "guard_hours": 0}, ("guard_hours", "out_of_range", "0", None)),
        ({"guard_share": 0.5}, ("guard_share", "guarded_base", "0.5", None)),
        ({"author": "x" * 256}, ("author", "too_long", "x" * 256, None)),
        (
            {"hours": ",".join(f"{n}:00-{n}:01" for n in range(24)) + ",9:02-9:03" * 9},
            ("hours", "too_long", None, None),
        ),
    ],
)
def test_what_is_wrong_with_a_rotation_is_said(fields: dict[str, Any], expected: tuple[Any, ...]) -> None:
    found = problems(Draft(account_id=1, menu_id=1, **fields))

    if expected[2] is None:
        assert expected[:2] in [(one.field, one.reason) for one in found]
    else:
        assert [Problem(*expected)] == found


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"starts_at": NOW, "guard_share": 1.0, "guard_hours": 1, "lead": 86400, "priority": 1000},
        {"cron": "0 0 29 2 MON", "duration": 366 * 86400},
        {"cron": "0 0 31 2 MON-FRI", "duration": 60},  # on every workday of February: cron takes either
        {"hours": "9:00-12:00, 12:00-24:00", "weekdays": "7, 1"},
        {"hours": "12:00-22:00,22:00-02:00,02:00-03:00"},
        {"hours": "18:00-00:00"},
        {"starts_at": NOW, "ends_at": NOW + DAY, "days": "holidays", "timezone": "UTC"},
    ],
)
def test_there_is_nothing_to_say_about_a_good_one(fields: dict[str, Any]) -> None:
    assert [] == problems(Draft(account_id=1, menu_id=1, **fields))


def test_a_second_base_menu_is_a_problem_and_the_base_menu_itself_is_none() -> None:
    base, lunch = row(), row(starts_at=NOW)
    draft = Draft(account_id=1, menu_id=1)

    assert [Problem("starts_at", "second_base", "", str(base.id))] == problems(draft, [lunch, base])
    assert [] == problems(base, [lunch, base])
    assert [] == problems(draft, [lunch, row(account_id=2)])


def test_all_problems_are_said_at_once() -> None:
    found = problems(Draft(account_id=1, menu_id=1, timezone="x", lead=-1, hours="x", weekdays="x"))

    assert ["timezone", "weekdays", "hours", "lead"] == [one.field for one in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [2027]),
        ({"days": "all"}, []),
        ({"enabled": False}, []),
        ({"ends_at": datetime(2026, 12, 31, 15, tzinfo=UTC)}, []),
        ({"ends_at": datetime(2026, 12, 31, 17, tzinfo=UTC)}, [2027]),  # 1 January in Shanghai
        ({"starts_at": datetime(2028, 1, 1, tzinfo=UTC)}, []),  # later than is asked for
    ],
)
def test_years_are_unknown_if_a_rotation_asks_for_their_holidays(fields: dict[str, Any], expected: list[int]) -> None:
    calendar = Calendar({date(2026, 1, 1): False}, frozenset({2026}))

    assert expected == unknown_years([row(**{"days": "workdays"} | fields)], calendar, NOW)


def test_years_are_looked_for_so_many_months_ahead() -> None:
    rotation = row(days="holidays")
    found = [unknown_years([rotation], NOTHING, NOW, months) for months in (2, 5, 18)]

    assert [[2026], [2026, 2027], [2026, 2027, 2028]] == found


def test_a_window_says_when_it_may_go_up_even_if_it_has_no_start() -> None:
    found = due_menu([row(lead=600)], NOW, NOTHING)

    assert isinstance(found, Due)
    assert found.up_at < NOW - timedelta(days=700_000)
