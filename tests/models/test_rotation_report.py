"""Windows of rotations, and what they brought."""

from datetime import timedelta

from sqlalchemy import Engine

from models.db import transaction
from models.rotation_report import WindowRow, windows
from tests.models.heard import START, Heard, tell
from tests.models.put_up import PutUp, at, put_up
from workers.rollup import roll_up

SINCE, UNTIL = START, START + timedelta(hours=48)
PUBLICATIONS = [
    PutUp(1, 0, 2, rotation=5),
    PutUp(2, 2, 3),  # by a person
    PutUp(3, 3, 4, rotation=6),
    PutUp(4, 24, 26, rotation=5),
    PutUp(5, 26, 27, rotation=5, outcome="refused"),
    PutUp(6, 27, None, rotation=6),
    PutUp(7, 50, None, rotation=5),  # too late
    PutUp(8, 1, None, rotation=5, account=2),
]


def tap(hours: float, publication: int | None, user: str | None = "oA", kind: str = "click") -> Heard:
    return Heard(round(hours * 3600), kind, user=user, publication=publication)


TAPS = [
    tap(-0.01, 1),  # WeChat's clock is somewhat before ours
    *(tap(1, 1, user) for user in ("oA", "oa", "oA", None)),
    tap(2.5, 1, "oB"),  # by a phone that still showed it
    tap(1, 1, kind="subscribe"),
    Heard(3600, publication=1, account=2),
    tap(2.5, 2),
    tap(24.5, 4),
    tap(60, 6),
]


def test_windows_have_the_taps_that_are_tied_to_them(database: Engine) -> None:
    with transaction(database) as connection:
        put_up(connection, PUBLICATIONS)
        tell(connection, TAPS)
    assert roll_up(database, None, at(61), 250) is not None  # of accounts that it has not seen, it counts all there is
    with database.connect() as connection:
        found = windows(connection, 1, SINCE, UNTIL)
        of_one = windows(connection, 1, SINCE, UNTIL, rotation_id=6)

    expected = [
        WindowRow(1, 5, 7, at(0), at(2), taps=6, users=3),
        WindowRow(3, 6, 7, at(3), at(4), taps=0, users=0),
        WindowRow(4, 5, 7, at(24), at(26), taps=1, users=1),
        WindowRow(6, 6, 7, at(27), None, taps=1, users=1),
    ]
    assert expected == found
    assert [expected[1], expected[3]] == of_one


def test_taps_are_told_by_the_hour_as_well() -> None:
    first, live = WindowRow(1, 5, 7, at(0), at(2), 6, 3), WindowRow(1, 5, 7, at(0), None, 6, 3)

    assert (3.0, 6.0, 0.0) == (first.taps_per_hour(at(9)), live.taps_per_hour(at(1)), live.taps_per_hour(at(0)))


def test_without_rotations_there_are_no_windows(sqlite_database: Engine) -> None:
    with sqlite_database.connect() as connection:
        assert [] == windows(connection, 1, SINCE, UNTIL)
