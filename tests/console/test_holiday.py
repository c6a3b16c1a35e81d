"""`caidan holiday …`, with a real database."""

import json
from typing import Any

import pytest
import time_machine

from tests.console.runner import run

Clock = time_machine.Traveller


def told(*arguments: str) -> Any:
    return json.loads(run("holiday", "list", *arguments, "--json").stdout)


def test_a_year_is_loaded_once(shop: Clock) -> None:
    first, again = run("holiday", "load", "2026"), run("holiday", "load", "2026")
    found = told("--year", "2026")

    assert (0, 0) == (first.exit_code, again.exit_code)
    assert f"2026: {len(found)} days are new.\n" == first.stdout
    assert "2026: 0 days are new.\n" == again.stdout
    assert {"date": "2026-10-01", "is_workday": False, "name": "国庆节"} in found
    assert any(row["is_workday"] for row in found)


def test_a_year_that_nobody_knows_is_said(shop: Clock) -> None:
    asked, usual = run("holiday", "load", "2026", "2090"), run("holiday", "load")

    assert 3 == asked.exit_code
    assert "2090: not known here." in asked.stderr
    assert told("--year", "2026")
    assert 0 == usual.exit_code


def test_days_are_set_and_removed(shop: Clock) -> None:
    done = run("holiday", "set", "2026-12-24", "2026-12-25", "--holiday", "--name", "圣诞")
    again = run("holiday", "set", "2026-12-25", "--workday")
    removed = run("holiday", "remove", "2026-12-24")

    assert "2026-12-24 Thu  holiday  圣诞\n2026-12-25 Fri  holiday  圣诞\n" == done.stdout
    assert "2026-12-25 Fri  workday\n" == again.stdout
    assert "2026-12-24 Thu  workday\n" == removed.stdout
    assert [{"date": "2026-12-25", "is_workday": True, "name": ""}] == told()


def test_what_is_not_there_is_not_removed(shop: Clock) -> None:
    run("holiday", "set", "2026-12-24", "--holiday")

    assert 3 == run("holiday", "remove", "2026-12-24", "2026-12-25").exit_code
    assert 1 == len(told())


def test_what_days_are_has_to_be_said(shop: Clock) -> None:
    done = run("holiday", "set", "2026-12-24")

    assert 4 == done.exit_code
    assert "--workday or --holiday" in done.stderr


def test_a_dry_run_changes_nothing(shop: Clock) -> None:
    run("holiday", "set", "2026-12-24", "--holiday")
    for arguments in (("load", "2026"), ("set", "2026-12-25", "--holiday"), ("remove", "2026-12-24")):
        assert 0 == run("holiday", *arguments, "--dry-run").exit_code

    assert ["2026-12-24"] == [row["date"] for row in told()]


def test_years_that_are_missing_are_told(shop: Clock) -> None:
    run("holiday", "load", "2026")
    done = run("holiday", "list")

    assert "2026-10-01   Thu       holiday      国庆节" in done.stdout
    assert "The holidays of 2027 are not in the table.\n" == done.stderr
    assert "The holidays of 2025 are not in the table.\n" == run("holiday", "list", "--year", "2025").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "2026-02-30", "--holiday"),
        ("set", "tomorrow", "--holiday"),
        ("set", "2026-12-24"),
        ("set", "2026-12-24", "--holiday", "--name", "x" * 256),
        ("remove",),
        ("load", "soon"),
    ],
)
def test_what_is_wrong_is_refused(shop: Clock, arguments: tuple[str, ...]) -> None:
    assert 4 == run("holiday", *arguments).exit_code
    assert [] == told()
