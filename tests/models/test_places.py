"""Places: as counted one by one, and what is told of none where few were."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, Engine

from models import places
from models.event import Location
from models.geohash import box, geohash, grid
from models.places import Cell, Density, Hidden, Name, Names
from tests.models.heard import KEYS, START, USERS, Heard, drawn, thrown, told

HERE = ("23.128999999999998", "113.264")
POINTS: tuple[tuple[str | None, str | None], ...] = (
    HERE,
    HERE,
    ("23.129", "113.264"),
    ("-33.9", "-0.000000000000001"),
    ("90", "180"),
    ("-90", "-180"),
    ("0", "0"),
    ("45", "90"),
    ("91", "0"),
    ("0", "-180.1"),
    (None, "113"),
    ("23", None),
)
_LONG = "路" * 500
WORDS = (
    ("", " 广州 路"),
    ("店😀", "广州 路"),
    (" 店😀 ", "广州 路 "),
    ("店😀", None),
    (None, None),
    ("", " "),
    ("100%", "%s"),
    (f"{_LONG}1", "1"),
    (f"{_LONG}2", "1"),
)
CHOICES: dict[str, Sequence[Any]] = {
    "seconds": (-1, 0, 3599, 3600),
    "kind": ("location_select",) * 4 + ("location_report", "message_location"),
    "key": KEYS[:5],
    "user": USERS,
    "account": (1, 1, 1, 2),
    "details": tuple(
        ((Location, {"latitude": number(x), "longitude": number(y), "poi_name": name, "label": label}),)
        for number in [lambda text: Decimal(text) if text else None]
        for x, y in POINTS
        for name, label in WORDS
    ),
}
SINCE, UNTIL = START, START + timedelta(hours=1)


def check(connection: Connection, events: list[Heard], level: int, at_least: int) -> None:
    asked = [one for one in events if SINCE <= one.at < UNTIL and one.account == 1 and one.kind == "location_select"]
    keyed = [one for one in asked if one.key == "100%"]
    choice = {"level": level, "at_least": at_least}

    assert density(asked, level, at_least) == tuple_of(places.density(connection, 1, SINCE, UNTIL, **choice))
    assert density(keyed, level, at_least) == tuple_of(
        places.density(connection, 1, SINCE, UNTIL, **choice, event_key="100%")
    )
    assert names(asked, at_least) == named(places.top_names(connection, 1, SINCE, UNTIL, at_least=at_least))


def density(events: list[Heard], level: int, at_least: int) -> Any:
    rows, columns = grid(level)
    cells, nowhere = defaultdict(list), 0
    for one in events:
        values = one.details[0][1]
        x, y = values["latitude"], values["longitude"]
        if x is None or y is None or abs(x) > 90 or abs(y) > 180:
            nowhere += 1
            continue
        row = min(int((float(x) + 90) * rows / 180), rows - 1)
        cells[row, min(int((float(y) + 180) * columns / 360), columns - 1)].append(one)
    told = {
        Cell(geohash(*cell, level), box(*cell, level), len(those), users(those))
        for cell, those in cells.items()
        if users(those) >= at_least
    }
    return told, 0, hidden(cells, at_least), nowhere


def names(events: list[Heard], at_least: int) -> Any:
    found, unnamed = defaultdict(list), 0
    for one in events:
        values = one.details[0][1]
        name = tuple((values[column] or "").strip(" ") or None for column in ("poi_name", "label"))
        if name == (None, None):
            unnamed += 1
        else:
            found[name].append(one)
    told = {Name(*name, len(those), users(those)) for name, those in found.items() if users(those) >= at_least}
    return told, 0, hidden(found, at_least), unnamed


def hidden(groups: dict[Any, list[Heard]], at_least: int) -> Hidden:
    few = [those for those in groups.values() if users(those) < at_least]
    return Hidden(len(few), sum(map(len, few)))


def users(events: list[Heard]) -> int:
    return len({one.user for one in events if one.user})


def tuple_of(found: Density) -> Any:
    return set(found.cells), found.more, found.hidden, found.nowhere


def named(found: Names) -> Any:
    return set(found.names), found.more, found.hidden, found.unnamed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(events=drawn(**CHOICES))
def test_places_are_counted_by_cell_and_name(sqlite_database: Engine, events: list[Heard]) -> None:
    with told(sqlite_database, events) as connection:
        for level, at_least in ((1, 2), (4, 1), (9, 2)):
            check(connection, events, level, at_least)


def test_all_databases_count_the_same_places(database: Engine) -> None:
    events = thrown(600, **CHOICES)
    with told(database, events) as connection:
        for level in range(1, 10):
            check(connection, events, level, at_least=3)


def chosen(second: int, user: str, x: str) -> Heard:
    values = {"latitude": Decimal(x), "longitude": Decimal(113), "poi_name": f"店{x}", "label": "路"}
    return Heard(second, "location_select", user=user, details=((Location, values),))


def test_of_a_place_that_one_person_chose_often_nothing_is_told(sqlite_database: Engine) -> None:
    events = [chosen(second, "oA", "23") for second in range(9)]
    with told(sqlite_database, events) as connection:
        cells = places.density(connection, 1, SINCE, UNTIL, level=5, at_least=2)
        found = places.top_names(connection, 1, SINCE, UNTIL, at_least=2)

    assert Density([], 0, Hidden(1, 9), 0) == cells
    assert Names([], 0, Hidden(1, 9), 0) == found


def test_the_places_chosen_most_often_come_first(sqlite_database: Engine) -> None:
    events = [chosen(second, f"o{second}", x) for second, x in enumerate(("23", "24", "24", "25"))]
    with told(sqlite_database, events) as connection:
        cells = places.density(connection, 1, SINCE, UNTIL, level=5, at_least=1, top=1)
        found = places.top_names(connection, 1, SINCE, UNTIL, at_least=1, top=2)

    assert ([2], 2) == ([cell.times for cell in cells.cells], cells.more)
    assert (["店24", "店23"], 1) == ([name.name for name in found.names], found.more)


def test_other_kinds_of_places_are_counted_when_asked_for(sqlite_database: Engine) -> None:
    report = Heard(0, "location_report", details=((Location, {"latitude": Decimal(1), "longitude": Decimal(1)}),))
    with told(sqlite_database, [report]) as connection:
        asked = places.density(connection, 1, SINCE, UNTIL, level=5, at_least=1, kinds=("location_report",))

        assert 1 == len(asked.cells)
        assert Density([], 0, Hidden(0, 0), 0) == places.density(connection, 1, SINCE, UNTIL, level=5, at_least=1)


def test_a_level_that_there_is_not_is_refused(sqlite_database: Engine) -> None:
    with told(sqlite_database, []) as connection, pytest.raises(ValueError, match="from 1 to 9"):
        places.density(connection, 1, SINCE, UNTIL, level=12, at_least=1)
