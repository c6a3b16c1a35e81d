"""Taps of no menu, and buttons without taps."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from models.tapped import Tapped, gone, tapped, unattributed, untapped
from tests.models.heard import KEYS, START, USERS, Heard, drawn, thrown, told

CHOICES: dict[str, Sequence[Any]] = {
    "seconds": (-1, 0, 1, 3599, 3600),
    "kind": ("click", "view", "subscribe", "message_text"),
    "key": KEYS,
    "user": USERS,
    "account": (1, 1, 2),
    "publication": (None, 4),
}
SINCE, UNTIL = START, START + timedelta(hours=1)


def check(engine: Engine, events: list[Heard]) -> None:
    asked = [one for one in events if SINCE <= one.at < UNTIL and one.account == 1 and one.kind in ("click", "view")]
    expected = set()
    for what in {one.what for one in asked}:
        those = [one for one in asked if one.what == what]
        users = {one.user for one in those if one.user}
        unknown = sum(one.publication is None for one in those)
        expected.add(Tapped(*what, len(those), unknown, len(users), max(one.at for one in those)))
    with told(engine, events) as connection:
        found = tapped(connection, 1, SINCE, UNTIL)

    assert expected == set(found)
    assert len(expected) == len(found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(events=drawn(**CHOICES))
def test_what_was_tapped_is_counted_by_button(sqlite_database: Engine, events: list[Heard]) -> None:
    check(sqlite_database, events)


def test_all_databases_count_the_same_taps(database: Engine) -> None:
    check(database, thrown(400, **CHOICES))


def row(key: str | None, unknown: int = 0) -> Tapped:
    return Tapped("click", key, 5, unknown, 1, START)


def test_what_is_not_in_the_live_menu_is_gone_and_what_nobody_tapped_is_told() -> None:
    found = [row("a"), row("old"), row(None)]
    live = [("view", "http://b"), ("click", "a"), ("click", "b"), ("click", "b")]

    assert [row("old"), row(None)] == gone(found, live)
    assert [("click", "b"), ("view", "http://b")] == untapped(found, live)
    assert (found, []) == (gone(found, []), untapped([], []))


def test_of_unknown_menus_the_most_comes_first() -> None:
    assert [row("c", 3), row("b", 1)] == unattributed([row("a"), row("b", 1), row("c", 3)])
