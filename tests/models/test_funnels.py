"""Funnels: as counted by trying all ways of each follower."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from models.funnels import Of, Step, StepRow, funnel
from tests.models.heard import KEYS, START, USERS, Heard, drawn, thrown, told

FOLLOW = Step(frozenset({"subscribe"}))
TAP = Step(frozenset({"click", "view"}))
BUTTON = Step(frozenset({"click"}), "100%")
PLACE = Step(frozenset({"location_select"}))
CHOICES: dict[str, Sequence[Any]] = {
    "seconds": (-1, 0, 1, 2, 299, 300, 301, 600, 601, 899, 3599, 3600, 3700),
    "kind": ("subscribe", "click", "click", "view", "location_select", "unsubscribe"),
    "key": ("a", "100%", None),
    "user": USERS,
    "account": (1, 1, 1, 2),
}
SINCE, UNTIL, TIME = START, START + timedelta(hours=1), timedelta(minutes=5)


def came(events: Sequence[Heard], steps: Sequence[Step], of: Of) -> list[int]:
    """How many followers there is a way for to each step, by trying."""

    def ways(place: int, after: int, start: Heard, last: Heard) -> int:
        if place == len(steps):
            return place
        since = start if of == "first" else last
        best = place
        for index in range(after, len(mine)):
            one = mine[index]
            if steps[place].is_of(*one.what) and one.at - since.at <= TIME:
                best = max(best, ways(place + 1, index + 1, start, one))
        return best

    counts = [0] * len(steps)
    for who in {(one.account, one.user) for one in events if one.user}:
        mine = [
            one for one in events if (one.account, one.user) == who and any(step.is_of(*one.what) for step in steps)
        ]
        mine.sort(key=lambda one: (one.seconds, [step.is_of(*one.what) for step in steps].index(True)))
        mine = [one for one in mine if one.at >= SINCE]
        begun = [index for index, one in enumerate(mine) if steps[0].is_of(*one.what) and one.at < UNTIL]
        furthest = max((ways(1, index + 1, mine[index], mine[index]) for index in begun), default=0)
        for place in range(furthest):
            counts[place] += 1
    return counts


def check(engine: Engine, events: list[Heard], steps: Sequence[Step], of: Of) -> None:
    with told(engine, events) as connection:
        rows = funnel(connection, (1, 2), SINCE, UNTIL, steps, TIME, of)

    assert came(events, steps, of) == [row.users for row in rows]
    assert list(steps) == [row.step for row in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    events=drawn(**CHOICES),
    steps=st.lists(st.sampled_from([FOLLOW, TAP, BUTTON, PLACE]), min_size=1, max_size=4),
    of=st.sampled_from(["first", "previous"]),
)
def test_whoever_can_go_a_way_is_counted(
    sqlite_database: Engine, events: list[Heard], steps: list[Step], of: Of
) -> None:
    check(sqlite_database, events, steps, of)


@pytest.mark.parametrize("of", ["first", "previous"])
def test_all_databases_count_the_same(database: Engine, of: Of) -> None:
    check(database, thrown(300, **CHOICES), [FOLLOW, TAP, BUTTON, PLACE], of)


def test_shares_are_of_those_who_began_and_minutes_since_the_step_that_counts(sqlite_database: Engine) -> None:
    events = [Heard(0, "subscribe", "", user) for user in ("oA", "oB", "oC", "oD")]
    events += [Heard(60, user="oA"), Heard(180, user="oB"), Heard(240, "location_select", user="oA")]
    with told(sqlite_database, events) as connection:
        by_first = funnel(connection, 1, SINCE, UNTIL, [FOLLOW, TAP, PLACE], TIME)
        by_previous = funnel(connection, 1, SINCE, UNTIL, [FOLLOW, TAP, PLACE], TIME, "previous")

    rows = [StepRow(FOLLOW, 4, 1.0, None), StepRow(TAP, 2, 0.5, 2.0), StepRow(PLACE, 1, 0.25, 4.0)]
    assert rows == by_first
    assert 3.0 == by_previous[-1].median_minutes


def test_without_events_or_steps_there_is_nobody(sqlite_database: Engine) -> None:
    with told(sqlite_database, []) as connection:
        assert [StepRow(TAP, 0, None, None)] == funnel(connection, 1, SINCE, UNTIL, [TAP], TIME)
        assert [] == funnel(connection, 1, SINCE, UNTIL, [], TIME)


def test_keys_of_any_text_are_steps(database: Engine) -> None:
    steps = [Step(frozenset({"click"}), key) for key in KEYS if key is not None]
    events = [Heard(place, key=step.key) for place, step in enumerate(steps)]
    with told(database, events) as connection:
        rows = funnel(connection, 1, SINCE, UNTIL, steps, TIME)

    assert [1] * len(steps) == [row.users for row in rows]
