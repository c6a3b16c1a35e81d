"""Scans: as counted one by one."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, Engine

from models import scans
from models.codes import kind_of
from models.event import Scan
from models.scans import ButtonRow, Code, KindRow
from tests.models.heard import KEYS, START, USERS, Heard, drawn, thrown, told

LONG = "http://例子.cn/?" + "x" * 1500  # as far as MySQL looks when it sorts, and further
RESULTS: tuple[tuple[str | None, str | None], ...] = (
    (None, None),
    (None, ""),
    (None, LONG + "1"),
    (None, LONG + "2"),
    (None, "菜单😀𠮷 100% :x"),
    (None, "690"),
    ("EAN_13", "690"),
    ("EAN_13", "4006381333931"),
    ("EAN_8", "4006381333931"),
)
DETAILS = tuple(
    ((Scan, {"scan_type": "any", "scan_result": f"{symbology},{code}" if symbology else code, "symbology": symbology,
             "code": code if symbology else None}),)
    for symbology, code in RESULTS
)  # fmt: skip
CHOICES: dict[str, Sequence[Any]] = {
    "seconds": (-86400, -1, 0, 1, 3599, 3600),
    "kind": ("scancode_push", "scancode_waitmsg"),
    "key": KEYS,
    "user": USERS,
    "account": (1, 1, 2, 3),
    "details": DETAILS,
}
SINCE, UNTIL = START, START + timedelta(hours=1)


def result_of(one: Heard) -> tuple[str | None, str | None]:
    return next(result for result, details in zip(RESULTS, DETAILS, strict=True) if details is one.details)


def check(connection: Connection, events: list[Heard]) -> None:
    mine = [one for one in events if one.account != 3 and one.at < UNTIL]
    asked = [one for one in mine if one.at >= SINCE]
    new = {result_of(one) for one in asked} - {result_of(one) for one in mine if one.at < SINCE}

    assert codes(asked) == set(scans.top_codes(connection, [1, 2], SINCE, UNTIL, top=1000))
    assert codes([one for one in asked if one.key == "100%"]) == set(
        scans.top_codes(connection, (1, 2), SINCE, UNTIL, event_key="100%", top=1000)
    )
    assert {code for code in codes(asked) if (code.symbology, code.result) in new and code.result is not None} == set(
        scans.new_codes(connection, (1, 2), SINCE, UNTIL, top=1000)
    )
    assert kinds(asked) == set(scans.kinds(connection, (1, 2), SINCE, UNTIL))
    assert buttons(asked) == set(scans.by_button(connection, (1, 2), SINCE, UNTIL))


def codes(events: list[Heard]) -> set[Code]:
    found = grouped(events, result_of)
    return {
        Code(kind_of(*code), *code, len(those), users(those), those[0].at, those[-1].at)
        for code, those in found.items()
    }


def kinds(events: list[Heard]) -> set[KindRow]:
    found = grouped(events, lambda one: (one.key, kind_of(*result_of(one))))
    return {
        KindRow(*of, len(those), len({result_of(one) for one in those if result_of(one)[1] is not None}))
        for of, those in found.items()
    }


def buttons(events: list[Heard]) -> set[ButtonRow]:
    return {ButtonRow(*what, len(those), users(those)) for what, those in grouped(events, lambda one: one.what).items()}


def grouped(events: list[Heard], by: Any) -> dict[Any, list[Heard]]:
    found = defaultdict(list)
    for one in sorted(events, key=lambda one: one.seconds):
        found[by(one)].append(one)
    return found


def users(events: list[Heard]) -> int:
    return len({one.user for one in events if one.user})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(events=drawn(**CHOICES))
def test_scans_are_counted_by_code_kind_and_button(sqlite_database: Engine, events: list[Heard]) -> None:
    with told(sqlite_database, events) as connection:
        check(connection, events)


def test_all_databases_count_the_same_scans(database: Engine) -> None:
    events = thrown(400, **CHOICES)
    with told(database, events) as connection:
        check(connection, events)


def test_the_commonest_come_first(sqlite_database: Engine) -> None:
    events = [Heard(place, "scancode_push", details=DETAILS[-1 - (place > 2)]) for place in range(5)]
    with told(sqlite_database, events) as connection:
        (first,) = scans.top_codes(connection, 1, SINCE, UNTIL, top=1)
        by_kind = scans.kinds(connection, 1, SINCE, UNTIL)

    assert ("EAN_8", 3) == (first.symbology, first.scans)
    assert [3, 2] == [row.scans for row in by_kind]
