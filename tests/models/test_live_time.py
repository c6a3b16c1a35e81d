"""When menus were live, as days and hours of a clock, beside the same found hour by hour."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.live_time import Hours, LiveTime, Moments, bounds, live_time, rounded
from models.local_hours import hour_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Where clocks are set, by an hour, by half of one, at midnight; and where they never are.
PLACES = {
    "America/New_York": datetime(2026, 11, 1, 6, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, tzinfo=UTC),
    "America/Asuncion": datetime(2023, 10, 1, 4, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2026, 12, 31, 18, 15, tzinfo=UTC),
}


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+08:00").astimezone(UTC)


def hours(begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Of two that begin hours, those from one until before the other."""
    while begin < end:
        yield begin
        begin = hour_of(begin, zone).ends_at


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("10-01 11:00:03", "10-01 14:00:02", ("10-01 11:00", "10-01 14:00")),
        ("10-01 10:50:00", "10-01 13:31:00", ("10-01 11:00", "10-01 14:00")),
        ("10-01 10:30:00", "10-01 11:30:00", ("10-01 11:00", "10-01 12:00")),
        ("10-01 10:10:00", "10-01 10:20:00", ("10-01 10:00", "10-01 11:00")),
        ("10-01 10:50:00", "10-01 11:20:00", ("10-01 11:00", "10-01 12:00")),
    ],
)
def test_times_are_rounded_to_hours_and_to_one_at_least(begin: str, end: str, expected: tuple[str, str]) -> None:
    assert (local(expected[0]), local(expected[1])) == rounded(local(begin), local(end), SHANGHAI)


def test_days_stay_together_and_hours_are_what_is_left() -> None:
    found = live_time(
        [
            (local("10-05 09:00"), local("10-07 12:00")),
            (local("10-01 22:00"), local("10-04 00:00")),
            (local("10-07 12:00"), local("10-07 14:00")),  # put up again
            (local("10-09 23:00"), local("10-10 01:00")),
        ],
        SHANGHAI,
    )

    assert [(date(2026, 10, 2), date(2026, 10, 3)), (date(2026, 10, 6), date(2026, 10, 6))] == found.days
    assert [
        Hours(date(2026, 10, 1), local("10-01 22:00"), local("10-02 00:00")),
        Hours(date(2026, 10, 5), local("10-05 09:00"), local("10-06 00:00")),
        Hours(date(2026, 10, 7), local("10-07 00:00"), local("10-07 14:00")),
        Hours(date(2026, 10, 9), local("10-09 23:00"), local("10-10 00:00")),
        Hours(date(2026, 10, 10), local("10-10 00:00"), local("10-10 01:00")),
    ] == found.hours
    assert LiveTime([], []) == live_time([], SHANGHAI)


minutes = st.integers(-3_000, 3_000)


@given(place=st.sampled_from(sorted(PLACES)), drawn=st.lists(st.tuples(minutes, minutes), max_size=4))
def test_every_hour_is_there_once(place: str, drawn: list[tuple[int, int]]) -> None:
    zone = ZoneInfo(place)
    spans: list[Moments] = [
        (PLACES[place] + timedelta(minutes=min(pair)), PLACES[place] + timedelta(minutes=max(pair)))
        for pair in drawn
        if pair[0] != pair[1]
    ]
    found = live_time(spans, zone)
    parts = [bounds(*days, zone) for days in found.days] + [(part.begin, part.end) for part in found.hours]
    told = [hour for part in parts for hour in hours(*part, zone)]

    assert len(told) == len(set(told))
    assert {hour for span in spans for hour in hours(*rounded(*span, zone), zone)} == set(told)
    assert {part.day for part in found.hours} == {
        hour_of(hour, zone).day for part in found.hours for hour in hours(part.begin, part.end, zone)
    }
