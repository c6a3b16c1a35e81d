"""Silent hours, by the account's clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from models.local_hours import hour_of
from models.silence import Silence, silences, silent
from tests.models.heard import START, Heard, told

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def usual(hours: range, zone: ZoneInfo, count: int = 3, weeks: range = range(1, 5)) -> list[Heard]:
    """So many events at the end of each of these hours after START, by the clock, in weeks before."""
    events = []
    for hour in hours:
        local = (START + hour * HOUR).astimezone(zone).replace(tzinfo=None)
        for week in weeks:
            moment = (local - week * WEEK + timedelta(minutes=29)).replace(tzinfo=zone)
            seconds = round((moment.astimezone(UTC) - START).total_seconds())
            events += [Heard(seconds + number) for number in range(count)]
    return events


def found(engine: Engine, events: list[Heard], zone: ZoneInfo = SHANGHAI, **more: datetime) -> list[Silence]:
    asked = {"since": START, "until": START + 12 * HOUR} | more
    with told(engine, events) as connection:
        return silences(connection, 1, zone=zone, fewest=3, **asked)


def test_silent_hours_that_follow_each_other_are_one_silence(database: Engine) -> None:
    events = [*usual(range(6), SHANGHAI), Heard(2 * 3600 + 5)]

    expected = [Silence(START, START + 2 * HOUR, 6), Silence(START + 3 * HOUR, START + 6 * HOUR, 9)]
    assert expected == found(database, events)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Adelaide", "America/New_York"])
def test_hours_are_those_of_the_clock(sqlite_database: Engine, zone: str) -> None:
    """Kathmandu's begin a quarter past ours; Adelaide's clock was set on October 4 2026."""
    place, day = ZoneInfo(zone), START + timedelta(days=4)
    hour = hour_of(day + timedelta(minutes=29), place)

    expected = [Silence(hour.starts_at, hour.ends_at, 3)]
    assert expected == found(
        sqlite_database, usual(range(96, 97), place), place, since=day - 2 * HOUR, until=day + 5 * HOUR
    )


def test_hours_that_are_not_over_are_not_silent(sqlite_database: Engine) -> None:
    until = START + 2 * HOUR - timedelta(seconds=1)

    assert [Silence(START, START + HOUR, 3)] == found(sqlite_database, usual(range(4), SHANGHAI), until=until)


def test_one_hour_that_has_begun_before_is_left_out(sqlite_database: Engine) -> None:
    since = START + timedelta(minutes=1)

    assert START + HOUR == found(sqlite_database, usual(range(3), SHANGHAI), since=since)[0].begin


@pytest.mark.parametrize(("count", "weeks"), [(2, range(1, 5)), (9, range(1, 2)), (9, range(5, 9))])
def test_where_little_is_usual_nothing_is_missing(sqlite_database: Engine, count: int, weeks: range) -> None:
    assert [] == found(sqlite_database, usual(range(3), SHANGHAI, count, weeks))


def test_others_events_and_the_doctors_are_no_sound(sqlite_database: Engine) -> None:
    noise = [Heard(60, account=2), Heard(60, "caidan_doctor")]

    assert [Silence(START, START + HOUR, 3)] == found(sqlite_database, [*usual(range(1), SHANGHAI), *noise])


def test_a_week_of_outage_before_does_not_decide() -> None:
    hour = hour_of(START, SHANGHAI)
    weeks = [hour.day - week * WEEK for week in range(1, 5)]
    counts = {(day, 20): count for day, count in zip(weeks, (30, 0, 20, 90), strict=True)}

    assert [(hour, 25)] == list(silent([hour], counts, SHANGHAI, 10))
    assert [] == list(silent([hour], counts | {(hour.day, 20): 1}, SHANGHAI, 10))
    assert date(2026, 10, 1) == hour.day
