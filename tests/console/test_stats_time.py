"""Times as people say them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from console.command import InvalidInputError
from console.stats_asked import time_words
from console.stats_counting import periods
from console.stats_time import Time, time_of
from models.local_hours import hour_of
from tests.console.rotating import NOW  # Monday, 23 November, 9:00 in Shanghai

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def meant(
    word: str | None = None,
    last: str | None = None,
    since: str | None = None,
    until: str | None = None,
    now: datetime = NOW,
    zone: ZoneInfo = SHANGHAI,
) -> Time:
    found = time_of(word, last, since, until, now, zone)
    assert found
    return found


@pytest.mark.parametrize(
    ("word", "days", "before"),
    [
        ("today", ("11-23", "11-23"), ("11-22", "11-22")),
        ("yesterday", ("11-22", "11-22"), ("11-21", "11-21")),
        ("this-week", ("11-23", "11-23"), ("11-16", "11-16")),
        ("last-week", ("11-16", "11-22"), ("11-09", "11-15")),
        ("this-month", ("11-01", "11-23"), ("10-01", "10-23")),
        ("last-month", ("10-01", "10-31"), ("09-01", "09-30")),
        ("7d", ("11-17", "11-23"), ("11-10", "11-16")),
        ("2w", ("11-10", "11-23"), ("10-27", "11-09")),
        ("2026-09", ("09-01", "09-30"), ("08-01", "08-31")),
        ("2026-11", ("11-01", "11-23"), ("10-01", "10-23")),
        ("2026-10-01", ("10-01", "10-01"), ("09-30", "09-30")),
    ],
)
def test_a_word_means_days_and_the_days_before(word: str, days: tuple[str, str], before: tuple[str, str]) -> None:
    found = meant(word)

    assert days == tuple(f"{day:%m-%d}" for day in found.days())
    assert before == tuple(f"{day:%m-%d}" for day in found.days_before())


def test_at_the_end_of_a_month_the_one_before_may_be_over_sooner() -> None:
    found = meant("this-month", now=datetime(2027, 3, 31, 12, tzinfo=UTC))

    assert (date(2027, 2, 1), date(2027, 2, 28)) == found.days_before()


def test_since_and_until_are_days_or_moments() -> None:
    assert (date(2026, 11, 1), date(2026, 11, 6)) == meant(since="2026-11-01", until="2026-11-07").days()
    assert (date(2026, 10, 26), date(2026, 10, 31)) == meant(since="2026-11-01", until="2026-11-07").days_before()
    assert (date(2026, 11, 1), date(2026, 11, 23)) == meant(since="2026-11-01").days()
    assert (date(2026, 11, 1), date(2026, 11, 23)) == meant(since="2026-11-01", until="2027-01-01").days()
    assert (date(2026, 11, 20), date(2026, 11, 23)) == meant(since="3d").days()
    assert datetime(2026, 11, 22, 4, tzinfo=UTC) == meant(since="2026-11-22T12:00").since
    assert datetime(2026, 11, 22, 12, tzinfo=UTC) == meant(since="2026-11-22T12:00+00:00").since


def test_hours_end_now() -> None:
    found = meant(last="12h")

    assert NOW == found.until
    assert (
        12 * 3600 == (found.until - found.since).total_seconds() == (found.since - found.before_since).total_seconds()
    )
    with pytest.raises(InvalidInputError, match="whole days"):
        found.days()


def test_days_are_those_of_the_clock_when_it_is_set_back() -> None:
    found = meant("2026-10-25", zone=BERLIN)

    assert 25 == (found.until.astimezone(UTC) - found.since.astimezone(UTC)).total_seconds() / 3600
    assert (date(2026, 10, 24), date(2026, 10, 24)) == found.days_before()


@pytest.mark.parametrize(
    ("day", "count"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)]
)
def test_a_day_has_the_hours_that_the_rollups_know(day: date, count: int) -> None:
    hours = periods(day, day, "hour", BERLIN)

    assert count == len(hours)
    assert hours == [hour_of(hour, BERLIN).starts_at for hour in hours if isinstance(hour, datetime)]
    assert {day} == {hour_of(hour, BERLIN).day for hour in hours if isinstance(hour, datetime)}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"word": "lastweek"}, "'lastweek' is no time; there is: today, yesterday, this-week"),
        ({"word": "2026-02-30"}, "is no time"),
        ({"word": "2026-13"}, "is no time"),
        ({"word": "0d"}, "no length"),
        ({"word": "999999w"}, "too far away"),
        ({"last": "9999h", "word": "today"}, "Give one time"),
        ({"last": "999999h"}, None),
        ({"last": "yesterday"}, "is no length of time"),
        ({"last": "7d", "since": "2026-11-01"}, "Give one time"),
        ({"until": "2026-11-01"}, "Give one time"),
        ({"word": "2026-12"}, "2026-12 has not come yet"),
        ({"word": "2026-11-24"}, "2026-11-24 has not come yet"),
        ({"since": "2026-11-24"}, "2026-11-24 has not come yet"),
        ({"since": "2026-11-10", "until": "2026-11-10"}, "ends before it begins"),
        ({"since": "999999w"}, "too far away"),
        ({"since": "soon"}, "'soon' is no time"),
    ],
)
def test_what_is_no_time_is_refused_with_a_sentence(given: dict[str, str], sentence: str | None) -> None:
    if sentence is None:
        assert meant(**given).since.year == 1912
        return
    with pytest.raises(InvalidInputError, match=sentence):
        meant(**given)


def test_a_time_is_told_with_its_last_day() -> None:
    assert "2026-11-22 (Asia/Shanghai)" == time_words(meant("yesterday"), SHANGHAI)
    assert "2026-11-17 to 2026-11-23 (Asia/Shanghai)" == time_words(meant("7d"), SHANGHAI)
    assert "2026-11-23 06:00 to 2026-11-23 09:00 (Asia/Shanghai)" == time_words(meant("3h"), SHANGHAI)
