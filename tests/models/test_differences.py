"""Tests of differences, by figures that have been published, and by dice."""

from random import Random

import pytest

from models.differences import holm, of_shares, wilson


def test_a_share_lies_where_wilson_says() -> None:
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    assert pytest.approx((0.2553, 0.3662), abs=5e-5) == wilson(81, 263)
    assert pytest.approx((0.0, 0.1611), abs=5e-5) == wilson(0, 20)


def test_shares_differ_by_what_newcombe_says() -> None:
    # Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10.
    found = of_shares((48, 80), (56, 70))

    assert pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5) == (found.estimate, found.low, found.high)
    assert pytest.approx(0.0080, abs=5e-4) == found.p


def test_where_nothing_differs_nothing_is_found() -> None:
    assert 1.0 == of_shares((0, 10), (0, 10)).p
    assert 1.0 == of_shares((10, 10), (10, 10)).p
    assert 0.0 < of_shares((0, 10), (10, 10)).p < 1e-4


def test_many_questions_at_once_are_allowed_for() -> None:
    assert pytest.approx([0.03, 0.06, 0.06, 0.02]) == holm([0.01, 0.04, 0.03, 0.005])
    assert [1.0, 1.0] == holm([0.6, 0.7])
    assert [] == holm([])


def test_groups_of_the_same_dice_seldom_differ() -> None:
    dice = Random(1)
    throws = [[sum(dice.random() < 0.2 for _ in range(200)) for _ in range(2)] for _ in range(1_000)]
    found = [of_shares((first, 200), (second, 200)) for first, second in throws]

    assert 0.02 < sum(one.p < 0.05 for one in found) / len(found) < 0.09
    assert 0.93 < sum(one.low <= 0 <= one.high for one in found) / len(found) < 0.98
