import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import api_limits
from console.api_limits import Limits


def test_a_minute_may_be_used_up_at_once_and_comes_back_bit_by_bit() -> None:
    limits = Limits(4)

    assert [0, 0, 0, 0, 15] == [limits.take(1, 100.0) for _ in range(5)]
    assert [10, 0, 15] == [limits.take(1, 105.0), limits.take(1, 115.0), limits.take(1, 115.0)]
    assert 0 == limits.take(2, 115.0)


@given(st.lists(st.floats(0, 30), max_size=100))
def test_no_minute_has_more_than_twice_what_is_allowed(waits: list[float]) -> None:
    limits, now, taken = Limits(10), 0.0, []
    for wait in waits:
        now += wait
        if not limits.take(1, now):
            taken.append(now)

    assert all(sum(begin <= one < begin + 60 for one in taken) <= 20 for begin in taken)


def test_who_waits_as_long_as_was_said_may_ask() -> None:
    limits, now = Limits(7), 0.0

    for _ in range(50):
        if seconds := limits.take(1, now):
            now += seconds
            assert 0 == limits.take(1, now)


def test_to_look_costs_nothing() -> None:
    limits = Limits(1)

    assert [0, 0, 0, 60, 60] == [
        limits.wait("a", 0.0),
        limits.wait("a", 0.0),
        limits.take("a", 0.0),
        limits.wait("a", 0.0),
        limits.wait("a", 0.0),
    ]


def test_of_many_strangers_those_are_remembered_who_have_to_wait_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_limits, "_REMEMBERED", 3)
    limits = Limits(2)

    for who in ("a", "a", "b", "c", "d", "e"):
        limits.take(who, 0.0)

    assert [30, 0] == [limits.wait("a", 0.0), limits.wait("b", 0.0)]
    assert 3 == len(limits._paid)
