"""The beginning of the year of tests/chaos/year: `make year` goes through all of it."""

import pytest

from tests.chaos.year.people import DEEDS
from tests.chaos.year.run import run
from workers import publishing

SEED = 7


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PAUSES", (0.0,) * len(publishing.PAUSES))


def test_when_all_is_well_there_is_one_call_for_each_switch(sqlite_database_url: str) -> None:
    outcome = run(sqlite_database_url, seed=SEED, days=4, minutes=60, is_calm=True)

    assert [] == outcome.problems
    assert {"done": outcome.creates_needed} == outcome.creates
    assert outcome.changes == outcome.published
    assert outcome.changes > outcome.creates_needed > 0  # some differ in nothing but their personalised menus


def test_whatever_happens_the_due_menu_is_live_or_the_reason_on_record(sqlite_database_url: str) -> None:
    outcome = run(sqlite_database_url, seed=SEED, days=6, minutes=200)

    assert [] == outcome.problems
    assert outcome.deaths.total() > 20
    assert outcome.deeds.keys() == DEEDS.keys()
    assert {"busy", "unreachable", "refused", "frozen"} <= outcome.late.keys()
