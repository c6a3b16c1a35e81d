"""`caidan rotation next`: the coming changes, with what changes."""

import pytest
import time_machine

from tests.console.rotating import added, rotation, told

Clock = time_machine.Traveller


@pytest.fixture
def lunch(shop: Clock) -> Clock:
    added("1")
    added("2", "--weekdays", "mon-fri", "--hours", "11-14", "--lead", "10m", "--note", "lunch")
    return shop


def test_each_change_is_told_with_what_changes(lunch: Clock) -> None:
    done = rotation("next", "--count", "2")

    assert [
        "Now: version 1 by rotation 1",
        "",
        "2026-11-23 Mon 10:50  version 2 by rotation 2  lunch",
        "Default menu",
        "├── + 午餐  click 午餐",
        "└── - 早餐  click 早餐",
        "",
        "2026-11-23 Mon 14:00  version 1 by rotation 1",
    ] == done.stdout.splitlines()[:8]


def test_as_json_changes_are_listed(lunch: Clock) -> None:
    found = told("next", "--count", "3")

    assert [
        ("2026-11-23T02:50:00+00:00", 1, 2),
        ("2026-11-23T06:00:00+00:00", 2, 1),
        ("2026-11-24T02:50:00+00:00", 1, 2),
    ] == [(one["at"], one["before"]["version"], one["after"]["version"]) for one in found]
    assert ["added", "removed"] == [change["kind"] for change in found[0]["changes"]]


def test_a_change_far_away_is_found(shop: Clock) -> None:
    added("1")
    added("2", "--from", "2027-09-01", "--until", "2027-09-02")
    done = rotation("next")

    assert "2027-09-01 Wed 00:00  version 2" in done.stdout
    assert "No other change within 366 days." in done.stderr


def test_a_change_during_a_freeze_waits(lunch: Clock) -> None:
    rotation("freeze")
    for_good = rotation("next", "--count", "2")
    rotation("freeze", "--until", "2026-11-23T12:00")  # which replaces the one that begins at this moment
    done = rotation("next", "--count", "2")

    assert 2 == for_good.stdout.count("frozen: it waits until the freeze is ended")
    assert 1 == done.stdout.count("frozen: it waits until 2026-11-23 Mon 12:00")
    assert ["2026-11-23T04:00:00+00:00", None] == [one["frozen_until"] for one in told("next", "--count", "2")]


def test_that_no_menu_is_due_is_told(shop: Clock) -> None:
    added("2", "--from", "now", "--until", "2h")
    done = rotation("next")

    assert "2026-11-23 Mon 11:00  no menu is due; the one that is live stays" in done.stdout
    assert [(2, None)] == [(one["before"]["version"], one["after"]) for one in told("next")]
