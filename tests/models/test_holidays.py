"""Days that are not what their weekdays say."""

from datetime import date

import chinese_calendar
from sqlalchemy import Engine

from models.db import transaction
from models.holidays import HolidayRow, calendar, holidays, load_year, remove_day, set_day


def test_without_rows_weekdays_are_worked(sqlite_database: Engine) -> None:
    with sqlite_database.connect() as connection:
        days = calendar(connection)

    assert [True] * 5 + [False] * 2 == [days.is_workday(date(2026, 9, day)) for day in range(7, 14)]
    assert not days.knows(2026)


def test_a_year_is_loaded_with_its_holidays_and_make_up_workdays(database: Engine) -> None:
    with transaction(database) as connection:
        new = load_year(connection, 2026)
        days = calendar(connection)
        again = load_year(connection, 2026)
        rows = {row.date: row for row in holidays(connection, 2026)}

    assert len(rows) == new
    assert again == 0
    assert HolidayRow(date(2026, 10, 1), False, "国庆节") == rows[date(2026, 10, 1)]
    assert date(2026, 10, 10).isoweekday() == 6
    assert days.is_workday(date(2026, 10, 10))
    assert not days.is_workday(date(2026, 10, 7))
    assert [True, False] == [days.knows(year) for year in (2026, 2027)]


def test_the_calendar_says_of_every_day_what_the_library_says(sqlite_database: Engine) -> None:
    years = range(min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year + 1)
    with transaction(sqlite_database) as connection:
        for year in years:
            assert load_year(connection, year)
        days = calendar(connection)

    every_day = chinese_calendar.get_dates(date(years[0], 1, 1), date(years[-1], 12, 31))
    assert [] == [day for day in every_day if days.is_workday(day) != chinese_calendar.is_workday(day)]
    assert all(map(days.knows, years))


def test_a_year_comes_with_the_last_days_of_the_december_before(sqlite_database: Engine) -> None:
    with transaction(sqlite_database) as connection:
        load_year(connection, 2019)
        days = calendar(connection)

    assert days.is_workday(date(2018, 12, 29))  # a Saturday, worked for New Year's Eve
    assert not days.is_workday(date(2018, 12, 31))
    assert not days.knows(2018)


def test_what_the_library_does_not_know_is_not_loaded(sqlite_database: Engine) -> None:
    with transaction(sqlite_database) as connection:
        found = [load_year(connection, year) for year in (2003, max(chinese_calendar.holidays).year + 1)]

        assert [None, None] == found
        assert [] == holidays(connection)


def test_what_somebody_has_said_of_a_day_stays_when_its_year_is_loaded(database: Engine) -> None:
    day = date(2026, 10, 1)
    with transaction(database) as connection:
        set_day(connection, day, False, "国庆")
        set_day(connection, day, True, "we open")
        load_year(connection, 2026)
        days, rows = calendar(connection), holidays(connection, 2026)

    assert days.is_workday(day)
    assert HolidayRow(day, True, "we open") in rows


def test_a_single_day_makes_no_year_known(sqlite_database: Engine) -> None:
    with transaction(sqlite_database) as connection:
        set_day(connection, date(2027, 10, 1), False, "国庆节")
        before = calendar(connection).knows(2027)
        set_day(connection, date(2027, 1, 1), False, "元旦")

        assert [False, True] == [before, calendar(connection).knows(2027)]


def test_a_removed_day_is_what_its_weekday_says(database: Engine) -> None:
    day = date(2026, 10, 1)
    with transaction(database) as connection:
        set_day(connection, day, False, "国庆节")
        removed = [remove_day(connection, day) for _ in range(2)]

        assert [True, False] == removed
        assert calendar(connection).is_workday(day)
