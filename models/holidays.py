"""Which days are worked: by the weekday, but for those in the table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import chinese_calendar
from sqlalchemy import Connection, delete, select, update

from models.bulk import insert_new
from models.rotation import Holiday

_WEEKEND = 5  # Saturday, as `date.weekday` counts
_NAMES = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}


@dataclass(frozen=True)
class Calendar:
    days: Mapping[date, bool]  # whether they are worked
    years: frozenset[int]  # whose holidays are in the table

    def is_workday(self, day: date) -> bool:
        return self.days.get(day, day.weekday() < _WEEKEND)

    def knows(self, year: int) -> bool:
        return year in self.years


@dataclass(frozen=True, slots=True)
class HolidayRow:
    date: date
    is_workday: bool
    name: str


def calendar(connection: Connection) -> Calendar:
    """A year is known by its 1 January, a holiday in every year's schedule: a single day, added by hand, is no year."""
    days = {row.date: row.is_workday for row in holidays(connection)}
    return Calendar(days, frozenset(day.year for day in days if (day.month, day.day) == (1, 1)))


def holidays(connection: Connection, year: int | None = None) -> list[HolidayRow]:
    """By date."""
    query = select(Holiday.date, Holiday.is_workday, Holiday.name).order_by(Holiday.date)
    if year is not None:
        query = query.where(Holiday.date.between(date(year, 1, 1), date(year, 12, 31)))
    return [HolidayRow(*row) for row in connection.execute(query)]


def set_day(connection: Connection, day: date, is_workday: bool, name: str) -> None:
    """Say of a day whether it is worked, whatever was said before."""
    values = {"is_workday": is_workday, "name": name}
    insert_new(connection, Holiday, [{"date": day, **values}])
    connection.execute(update(Holiday).where(Holiday.date == day).values(values))


def remove_day(connection: Connection, day: date) -> bool:
    """Whether it was there; from now on it is what its weekday says."""
    return connection.execute(delete(Holiday).where(Holiday.date == day)).rowcount > 0


def load_year(connection: Connection, year: int) -> int | None:
    """Add a year's Chinese holidays and make-up workdays; how many were new. None where the library lacks the year.

    What is there stays: somebody may have said otherwise.
    """
    # The days off at New Year may begin in December: the schedule of 2019 made 29 December 2018 a workday.
    first, last = date(year - 1, 12, 25), date(year, 12, 31)
    known = {True: chinese_calendar.workdays, False: chinese_calendar.holidays}
    rows = {
        day: {"date": day, "is_workday": is_workday, "name": _NAMES[name]}
        for is_workday, days in known.items()
        for day, name in days.items()
        if first <= day <= last
    }
    if not any(day.year == year for day in rows):
        return None
    there = {row.date for row in holidays(connection, year - 1) + holidays(connection, year)}
    new = [rows[day] for day in sorted(rows.keys() - there)]
    insert_new(connection, Holiday, new)
    return len(new)
