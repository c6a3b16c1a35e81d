"""Which of several rotations is due: one example for every word of the rule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.holidays import Calendar
from models.rotations import RotationRow
from tests.workers.rules import DAY, HOUR, MINUTE, row
from workers.due import Due, Stopped, conflicts, due_menu, switches

NOTHING = Calendar({}, frozenset())
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
NONE: Stopped = frozenset()


def once(begin: float, end: float | None, **fields: Any) -> RotationRow:
    """From so many hours after noon until so many."""
    ends_at = None if end is None else NOON + end * HOUR
    return row(starts_at=NOON + begin * HOUR, ends_at=ends_at, **fields)


def due(hours: float, *rotations: RotationRow, stopped: Stopped = NONE) -> RotationRow | None:
    """So many hours after noon."""
    found = due_menu(rotations, NOON + hours * HOUR, NOTHING, stopped)
    return found and found.rotation


def test_without_rotations_nothing_is_due() -> None:
    assert due(0) is None
    assert due(0, once(1, 2)) is None
    assert due(0, row(enabled=False)) is None


def test_the_base_menu_is_due_when_no_window_lasts() -> None:
    base, lunch = row(priority=1000), once(0, 2, priority=-1000)

    assert [base, lunch, lunch, base] == [due(hours, base, lunch) for hours in (-0.1, 0, 1.9, 2)]


def test_a_higher_priority_wins_over_a_narrower_window() -> None:
    festival, lunch = once(-24, 24, priority=1), once(0, 2)

    assert festival == due(1, festival, lunch) == due(1, lunch, festival)


def test_a_narrower_window_wins_over_a_later_one() -> None:
    lunch, afternoon = once(0, 2), once(1, 7)

    assert lunch == due(1.5, lunch, afternoon) == due(1.5, afternoon, lunch)
    assert afternoon == due(2, lunch, afternoon)


def test_of_equally_narrow_windows_the_later_one_wins() -> None:
    second, first = once(1, 3), once(0, 2)

    assert [first, second, second] == [due(hours, second, first) for hours in (0.9, 1, 2.5)]


def test_a_window_without_end_is_wider_than_any_that_ends() -> None:
    from_now_on, year = once(0, None), once(-100, 24 * 365)

    assert year == due(1, from_now_on, year)


def test_what_rules_cannot_order_goes_to_the_rotation_added_last() -> None:
    first, second = once(0, 2), once(0, 2)

    assert second == due(1, first, second) == due(1, second, first)


def test_a_disabled_rotation_is_never_due() -> None:
    base = row()

    assert base == due(1, base, once(0, 2, enabled=False))


def test_a_window_that_was_stopped_gives_way_to_the_menu_below_and_the_next_window_comes() -> None:
    base, daily = row(), row(cron="0 12 * * *", duration=7200, timezone="UTC")
    stopped = frozenset({(daily.id, NOON)})

    assert [base, daily] == [due(hours, base, daily, stopped=stopped) for hours in (1, 25)]


def test_a_lead_puts_the_menu_up_before_its_window() -> None:
    base, lunch = row(), once(0, 2, lead=600)
    found = due_menu([base, lunch], NOON - 10 * MINUTE, NOTHING)

    assert [base, lunch] == [due(hours, base, lunch) for hours in (-0.2, -0.1)]
    assert found is not None
    assert (NOON, NOON - 10 * MINUTE) == (found.window.starts_at, found.up_at)


def test_a_lead_takes_from_the_window_that_ends_however_narrow() -> None:
    morning, afternoon = once(-1, 0), once(0, 8, lead=600)

    assert [morning, afternoon] == [due(hours, morning, afternoon) for hours in (-0.2, -0.1)]


def test_a_lead_takes_nothing_from_a_higher_priority() -> None:
    sale, afternoon = once(-3, 0, priority=1), once(0, 8, lead=600)

    assert sale == due(-0.1, sale, afternoon)


def test_a_lead_never_swallows_a_whole_window() -> None:
    base, hint, evening = row(), once(-0.1, 0), once(0, 8, lead=3600)

    assert [base, evening, hint, evening] == [due(hours, base, hint, evening) for hours in (-1.1, -0.5, -0.05, 0)]


def test_a_lead_of_a_window_that_will_not_be_due_is_nothing() -> None:
    lunch, afternoon = once(-1, 2), once(0, 8, lead=600)  # which comes up when lunch is over

    assert [lunch, lunch, afternoon] == [due(hours, lunch, afternoon) for hours in (-0.1, 1, 2)]


def test_of_two_leads_the_window_that_comes_first_goes_up_first() -> None:
    base, first, second = row(), once(0, 1, lead=3600), once(1, 2, lead=7200)

    assert first == due(-0.5, base, first, second)


def test_switches_are_told_with_what_was_and_what_will_be() -> None:
    base, lunch = row(), once(0, 2, lead=600)
    up, down = switches([base, lunch], NOTHING, NOON - DAY, NOON + DAY)

    assert (NOON - 10 * MINUTE, NOON + 2 * HOUR) == (up.at, down.at)
    assert isinstance(up.before, Due)
    assert isinstance(up.after, Due)
    assert [base, lunch] == [up.before.rotation, up.after.rotation]
    assert (up.after.rotation, base) == (down.before and down.before.rotation, down.after and down.after.rotation)


def test_there_is_no_switch_between_rotations_with_the_same_menu() -> None:
    base = row()
    same = once(0, 2, menu_id=base.menu_id)

    assert [] == list(switches([base, same], NOTHING, NOON - DAY, NOON + DAY))


def test_a_switch_at_the_begin_counts_and_one_at_the_end_does_not() -> None:
    lunch = once(0, 2)
    found = list(switches([lunch], NOTHING, NOON, NOON + 2 * HOUR))

    assert [(NOON, None)] == [(switch.at, switch.before) for switch in found]


def test_conflicts_are_windows_that_nothing_orders() -> None:
    weekly, cron = row(hours="12:00-14:00", timezone="UTC"), row(cron="0 12 * * 2", duration=7200, timezone="UTC")
    found = conflicts([cron, weekly], NOTHING, NOON - 3 * DAY, NOON + 30 * DAY)

    assert [(weekly, cron, NOON)] == [(one.first, one.second, one.at) for one in found]  # the first Tuesday


@pytest.mark.parametrize(
    "other",
    [{"priority": 1}, {"ends_at": NOON + 3 * HOUR}, {"starts_at": NOON + MINUTE}, {"enabled": False}, {"menu_id": 7}],
)
def test_what_differs_in_any_respect_is_no_conflict(other: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"starts_at": NOON, "ends_at": NOON + 2 * HOUR}
    assert len(conflicts([row(**fields, menu_id=7), row(**fields)], NOTHING, NOON, NOON + DAY)) == 1

    pair = [row(**fields, menu_id=7), row(**fields | other)]
    assert [] == conflicts(pair, NOTHING, NOON, NOON + DAY)


def test_a_conflict_that_has_begun_is_told_from_the_begin_on() -> None:
    (found,) = conflicts([once(-5, None), once(-5, None)], NOTHING, NOON, NOON + timedelta(days=1))

    assert NOON == found.at
