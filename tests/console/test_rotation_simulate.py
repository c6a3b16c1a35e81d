"""`caidan rotation simulate`: the calendar as a picture, as JSON, and as an iCalendar file."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from icalendar import Calendar
from rich.cells import cell_len

from console.rotation_calendar import per_hour
from tests.console.rotating import added, rotation, told
from tests.console.runner import run

Clock = time_machine.Traveller
SHANGHAI = ZoneInfo("Asia/Shanghai")


def drawn(*arguments: str) -> list[str]:
    """The lines of the days."""
    return [line for line in rotation("simulate", *arguments).stdout.splitlines() if line.startswith("20")]


def events(*arguments: str) -> list[tuple[str, datetime, datetime, str]]:
    """Of the file, as another program reads it: UID, start, end, summary."""
    calendar = Calendar.from_ical(rotation("simulate", *arguments, "--ics", "-").stdout_bytes)
    assert not calendar.errors
    return [(str(e["uid"]), e.start, e.end, str(e["summary"])) for e in calendar.walk("VEVENT")]


def test_days_are_lines_and_hours_columns(shop: Clock) -> None:
    added("1")
    added("2", "--weekdays", "mon-fri", "--hours", "11-14", "--note", "lunch")
    added("3", "--from", "2026-11-28", "--until", "2026-11-29T12:00", "--priority", "5")
    done = rotation("simulate", "--from", "2026-11-26", "--until", "2026-11-30")

    assert [
        "shop (Asia/Shanghai)",
        "",
        "                00  02  04  06  08  10  12  14  16  18  20  22",
        "2026-11-26 Thu  1.....................2=====1...................",
        "2026-11-27 Fri  1.....................2=====1...................",
        "2026-11-28 Sat  3###############################################",
        "2026-11-29 Sun  3#######################1.......................",
    ] == done.stdout.splitlines()[:7]
    assert "===   version 2              6 h, 2 times" in done.stdout
    assert "2 lunch" in done.stdout
    assert "" == done.stderr


def test_in_chinese_the_columns_stand_in_line(shop: Clock) -> None:
    added("1")
    lines = run("rotation", "simulate", "--lang", "zh").stdout.splitlines()

    assert {16 + 48} == {cell_len(line) for line in lines if line.startswith("20")}
    assert "2026-11-23 周一 1" in lines[3]


@pytest.mark.parametrize(("width", "cells"), [(20, 1), (63, 1), (64, 2), (80, 2), (111, 2), (112, 4), (400, 4)])
def test_an_hour_has_as_many_columns_as_there_is_room_for(width: int, cells: int) -> None:
    assert cells == per_hour(width)


def test_it_begins_today_and_lasts_a_week(shop: Clock) -> None:
    added("1")

    assert ["2026-11-23 Mon", "2026-11-29 Sun"] == [line[:14] for line in drawn()][:: len(drawn()) - 1]
    assert 7 == len(drawn())


def test_what_is_outside_of_the_time_asked_for_is_blank(shop: Clock) -> None:
    added("1")

    (line,) = drawn("--from", "2026-11-23T11:00", "--until", "2026-11-23T14:00")
    assert "2026-11-23 Mon                        1....." == line.rstrip()


def test_a_time_without_a_menu_is_told_apart(shop: Clock) -> None:
    added("2", "--hours", "11-14")
    done = rotation("simulate", "--until", "2026-11-24")

    assert "2026-11-23 Mon  ----------------------2=====--------------------" in done.stdout.splitlines()
    assert "- no menu is due, and the one that is live stays" in done.stdout


def test_a_window_too_short_to_be_drawn_leaves_a_mark(shop: Clock) -> None:
    added("1")
    added("2", "--hours", "12:20-12:40")
    done = rotation("simulate", "--until", "2026-11-24")

    assert "2026-11-23 Mon  1.......................*1......................" in done.stdout.splitlines()
    assert "* another menu, too short to be drawn" in done.stdout


def test_a_lead_is_drawn(shop: Clock) -> None:
    added("1")
    added("2", "--hours", "11-14", "--lead", "1h")

    assert ["2026-11-23 Mon  1...................2=======1..................."] == drawn("--until", "2026-11-24")


def test_days_on_which_clocks_change_are_drawn(shop: Clock) -> None:
    path = Path("caidan.toml")
    path.write_text(path.read_text() + 'timezone = "Europe/Berlin"\n')
    added("1")
    added("2", "--hours", "3-4")

    assert [
        "2027-03-28 Sun  1...  2=1.......................................",
        "2027-03-29 Mon  1.....2=1.......................................",
    ] == drawn("--from", "2027-03-28", "--until", "2027-03-30")
    assert ["2027-10-31 Sun  1.....2=1......................................."] == drawn(
        "--from", "2027-10-31", "--until", "2027-11-01"
    )


def test_as_json_it_tells_spans_without_a_gap(shop: Clock) -> None:
    added("1")
    added("2", "--hours", "11-14")
    rotation("freeze", "--until", "2026-11-23T12:00", "--note", "audit")
    found = told("simulate", "--until", "2026-11-24")

    assert [
        ("2026-11-22T16:00:00+00:00", 1),
        ("2026-11-23T03:00:00+00:00", 2),
        ("2026-11-23T06:00:00+00:00", 1),
    ] == [(span["starts_at"], span["version"]) for span in found["spans"]]
    assert [span["ends_at"] for span in found["spans"][:-1]] == [span["starts_at"] for span in found["spans"][1:]]
    assert ["audit"] == [row["note"] for row in found["freezes"]]


@pytest.mark.parametrize("until", ["2026-11-23", "2029-01-01"])
def test_a_time_that_cannot_be_drawn_is_refused(shop: Clock, until: str) -> None:
    assert 4 == rotation("simulate", "--until", until).exit_code


def test_other_programs_read_the_calendar(shop: Clock) -> None:
    added("1")
    added("2", "--hours", "11-14", "--weekdays", "mon", "--note", "午餐")
    added("3", "--hours", "20-22", "--weekdays", "mon", "--timezone", "Europe/Berlin")
    lunch, dinner = events("--until", "2026-11-25")

    assert ("rotation-2-20261123T030000Z@shop.caidan", "shop: menu version 2 · 午餐") == (lunch[0], lunch[3])
    assert datetime(2026, 11, 23, 11, tzinfo=SHANGHAI) == lunch[1]
    assert datetime(2026, 11, 23, 14, tzinfo=SHANGHAI) == lunch[2]
    assert datetime(2026, 11, 23, 20, tzinfo=ZoneInfo("Europe/Berlin")) == dinner[1]


def test_each_time_zone_is_described(shop: Clock) -> None:
    added("3", "--hours", "20-22", "--timezone", "Europe/Berlin")
    content = rotation("simulate", "--until", "2026-11-25", "--ics", "-").stdout_bytes.decode()

    assert "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n" in content
    assert "DTSTART;TZID=Europe/Berlin:20261123T200000\r\n" in content
    assert "\n\n" not in content


def test_an_event_is_the_same_in_every_file(shop: Clock) -> None:
    added("2", "--hours", "11-14")
    added("3", "--from", "2026-11-20", "--until", "2026-12-20", "--priority", "-1")
    one = events("--from", "2026-11-23T12:00", "--until", "2026-11-24T12:00")
    shop.shift(timedelta(days=1))
    other = events("--from", "2026-11-20", "--until", "2026-11-26")

    assert 3 == len(one)
    assert set(one) <= set(other)


def test_the_calendar_is_written_to_a_file(shop: Clock) -> None:
    added("2", "--hours", "11-14")
    done = rotation("simulate", "--ics", "menus.ics")

    assert "Written: menus.ics" in done.stderr
    assert "2026-11-23 Mon" in done.stdout
    assert 7 == len(Calendar.from_ical(Path("menus.ics").read_bytes()).walk("VEVENT"))
    assert 2 == rotation("simulate", "--ics", "no/such/folder.ics").exit_code


def test_json_and_a_file_go_together(shop: Clock) -> None:
    added("2", "--hours", "11-14")

    assert json.loads(rotation("simulate", "--ics", "menus.ics", "--json").stdout)["spans"]
    assert Path("menus.ics").exists()


def test_years_without_holidays_are_told(shop: Clock) -> None:
    added("2", "--hours", "11-14", "--days", "workdays")

    assert "The holidays of 2026 are not in the table" in rotation("simulate").stderr
