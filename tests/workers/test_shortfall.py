"""What is missing, by WeChat's counts and by what is stored."""

from datetime import date

from models.reconciliation import Hour, Stored
from wechat.answers import InterfaceUse
from workers.shortfall import Shortfall, counted_anew, shortfall, shortfalls, side_by_side

DAY = date(2026, 10, 10)


def hour(counted: int, failed: int, stored: int, late: int = 0, at: int = 9) -> Hour:
    return Hour(at, counted, failed, stored, late)


def use(at: int, pushes: int, failures: int = 0) -> InterfaceUse:
    return InterfaceUse(DAY, at, pushes, failures, 0, 0)


def test_an_hour_that_is_all_here_is_not_short() -> None:
    for here in (hour(0, 0, 0), hour(1000, 0, 1000), hour(0, 0, 50)):
        assert Shortfall(9, 0, 0) == shortfall(here)
        assert [] == shortfalls([here])


def test_what_was_answered_well_and_is_not_here_is_lost() -> None:
    (found,) = shortfalls([hour(100, 0, 80)])

    assert (20, 0, 20, 20) == (found.lost, found.unanswered, found.at_least, found.at_most)


def test_what_was_not_answered_is_known_within_a_factor_of_three() -> None:
    (found,) = shortfalls([hour(190, 90, 100)])

    assert (0, 90, 30, 90) == (found.lost, found.unanswered, found.at_least, found.at_most)


def test_both_may_happen_in_an_hour() -> None:
    (found,) = shortfalls([hour(190, 91, 80)])

    assert (19, 91, 19 + 31, 110) == (found.lost, found.unanswered, found.at_least, found.at_most)


def test_attempts_before_one_that_went_well_are_no_loss() -> None:
    # Fifty pushes, each answered with 503 twice, seconds apart.
    assert [] == shortfalls([hour(150, 100, 50, late=50)])
    # If only forty of them came late, twenty failures remain unexplained.
    assert [Shortfall(9, 0, 20)] == shortfalls([hour(150, 100, 50, late=40)])


def test_what_is_here_although_no_answer_came_in_time_is_no_loss() -> None:
    assert [] == shortfalls([hour(150, 150, 50)])
    assert [Shortfall(9, 0, 3)] == shortfalls([hour(150, 150, 49)])


def test_one_push_of_which_nothing_arrived_is_a_loss_and_one_across_the_hour_is_none() -> None:
    assert [Shortfall(9, 0, 3)] == shortfalls([hour(13, 3, 10)])
    assert [] == shortfalls([hour(10, 0, 9, at=9), hour(10, 0, 11, at=10)])


def test_counters_are_a_hundredth_inexact() -> None:
    assert [] == shortfalls([hour(10_000, 0, 9_900)])
    assert [Shortfall(9, 101, 0)] == shortfalls([hour(10_000, 0, 9_899)])


def test_an_outage_shows_in_its_hour_however_much_the_day_brings() -> None:
    day = [hour(100_000, 0, 100_000, at=8), hour(1_000, 30, 970, at=9), hour(100_000, 0, 99_995, at=10)]

    assert [9] == [missing.hour for missing in shortfalls(day)]


def test_a_loss_too_small_for_each_hour_shows_in_the_day() -> None:
    day = [hour(2, 0, 0, at=at) for at in (3, 4, 5)]

    assert [3, 4, 5] == [missing.hour for missing in shortfalls(day)]
    assert [] == shortfalls(day[:1])


def test_the_hours_that_wechat_leaves_out_are_there() -> None:
    found = side_by_side([use(9, 12, 2), use(23, 1)], {8: Stored(3, 1), 9: Stored(10, 2)})

    assert list(range(24)) == [one.hour for one in found]
    assert [Hour(8, 0, 0, 3, 1), Hour(9, 12, 2, 10, 2), Hour(23, 1, 0, 0, 0)] == [found[8], found[9], found[23]]
    assert {(0, 0, 0, 0)} == {
        (one.counted, one.failed, one.stored, one.late) for one in found if one.hour not in (8, 9, 23)
    }


def test_what_is_here_by_now_takes_the_place_of_what_was() -> None:
    before = side_by_side([use(9, 12, 2)], {8: Stored(3, 1)})

    after = counted_anew(before, {9: Stored(10, 2)})

    assert side_by_side([use(9, 12, 2)], {9: Stored(10, 2)}) == after
