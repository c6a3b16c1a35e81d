"""Before and after a button: as counted by walking from each tap to either side."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from models.event import MENU_KINDS
from models.paths import Path, Paths, paths
from models.sessions import Step
from tests.models.heard import KEYS, START, USERS, Heard, drawn, thrown, told

KINDS = ("click", "view", "message_text", "subscribe", "location_report", "messages")
CHOICES: dict[str, Sequence[Any]] = {
    "seconds": (-3601, -1800, -60, 0, 0, 1, 900, 1800, 2700, 2701, 3599, 3600, 4000, 9000),
    "kind": KINDS,
    "key": KEYS[:4],
    "user": USERS,
    "account": (1, 1, 1, 2, 3),
}
SINCE, UNTIL, GAP = START, START + timedelta(hours=1), timedelta(minutes=30)


def walked(events: Sequence[Heard], button: Step, steps: int) -> tuple[int, int, Counter[Any], Counter[Any]]:
    """Taps, users, and of both directions the taps and users of each path."""
    acts = [one for one in events if one.kind not in ("location_report", "messages") and one.account != 3 and one.user]
    acts = sorted(acts, key=lambda one: one.seconds)
    found: list[Counter[Any]] = [Counter(), Counter()]
    people: list[defaultdict[Any, set[Any]]] = [defaultdict(set), defaultdict(set)]
    tappers = []
    for tap in acts:
        if Step(*tap.what) != button or not SINCE <= tap.at < UNTIL:
            continue
        theirs = [one for one in acts if (one.account, one.user) == (tap.account, tap.user)]
        place = next(index for index, one in enumerate(theirs) if one is tap)
        sides = (reach(tap, reversed(theirs[:place]), steps)[::-1], reach(tap, theirs[place + 1 :], steps))
        tappers.append((tap.account, tap.user))
        for side, way in enumerate(sides):
            found[side][way] += 1
            people[side][way].add(tappers[-1])
    both = [Counter({(way, count, len(people[side][way])): 1 for way, count in found[side].items()}) for side in (0, 1)]
    return len(tappers), len(set(tappers)), both[0], both[1]


def reach(tap: Heard, others: Iterable[Heard], steps: int) -> tuple[Step, ...]:
    way: list[Step] = []
    last = tap
    for one in others:
        if abs(one.at - last.at) > GAP or len(way) == steps:
            break
        way.append(Step(one.kind, one.key if one.kind in MENU_KINDS else None))
        last = one
    return tuple(way)


def check(engine: Engine, events: list[Heard], steps: int = 2) -> None:
    for button in (Step("click", "a"), Step("view", "100%")):
        with told(engine, events) as connection:
            found = paths(connection, (1, 2), SINCE, UNTIL, button, steps=steps, gap=GAP, top=1000)
        before, after = (
            Counter((path.steps, path.taps, path.users) for path in side) for side in (found.before, found.after)
        )

        assert walked(events, button, steps) == (found.taps, found.users, before, after)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(events=drawn(**CHOICES))
def test_paths_are_what_is_met_from_each_tap_on(sqlite_database: Engine, events: list[Heard]) -> None:
    check(sqlite_database, [Heard(0), *events])


def test_all_databases_find_the_same_paths(database: Engine) -> None:
    check(database, thrown(300, **CHOICES), steps=3)


def test_the_commonest_paths_come_first_and_no_more_than_are_asked_for(sqlite_database: Engine) -> None:
    events = [
        *(Heard(10 * user, user=f"o{user}") for user in range(3)),
        *(Heard(10 * user + 1, "message_text", "key", f"o{user}") for user in range(2)),
    ]
    with told(sqlite_database, events) as connection:
        found = paths(connection, 1, SINCE, UNTIL, Step("click", "a"), top=1)

    assert Paths(3, 3, [Path((), 3, 3)], [Path((Step("message_text"),), 2, 2)]) == found


def test_of_a_button_that_nobody_tapped_there_is_no_path(sqlite_database: Engine) -> None:
    with told(sqlite_database, [Heard(0, key=None)]) as connection:
        assert Paths(0, 0, [], []) == paths(connection, 1, SINCE, UNTIL, Step("click", "a"))
        assert 1 == paths(connection, 1, SINCE, UNTIL, Step("click", None)).taps
