"""Two menus side by side: counted one by one, and what is said of the difference."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, delete, update

from models.account import Account
from models.alignment import PlacedButton
from models.comparison import Compared, Comparison, Count, Subject, Verdict, compare, compared, judged
from models.db import transaction
from models.event import Event
from models.live_time import rounded
from tests.models.heard import KEYS, USERS, Heard, tell, thrown
from tests.models.put_up import PutUp, at, put_up
from workers.marks import mark
from workers.rollup import roll_up

ZONE = ZoneInfo("America/New_York")  # on 1 November its clocks are set back
DAYS = date(2026, 10, 4), date(2026, 11, 11)  # a Sunday, a Wednesday
SINCE, UNTIL = datetime(2026, 10, 4, 4, tzinfo=UTC), datetime(2026, 11, 12, 5, tzinfo=UTC)
NOW = at(24 * 41)  # on 11 November
# In hours after START; the second and third of them are as short as menus are that were put up by mistake.
LIVE: dict[int, tuple[float, float | None]] = {
    1: (10.2, 300.4),
    2: (300.4, 300.5),
    3: (300.5, 300.7),
    4: (300.7, 700.6),
    5: (700.6, 731.001),
    6: (731.001, None),
}
HOURS = sorted(
    {
        hour + more
        for span in LIVE.values()
        for hour in span
        if hour
        for more in (-2, -0.9, -0.5, -0.1, 0, 0.1, 0.5, 0.9)
    }
    | {-12, 63.9, 64.1, 200, 400, 500, 600, 750, 850, 950, 975, 1001}
)
CHOICES: dict[str, Sequence[Any]] = {
    "seconds": tuple(round(hour * 3600) for hour in HOURS),
    "kind": ("click", "click", "view", "message_text", "subscribe", "location_report", "caidan_doctor"),
    "key": KEYS,
    "user": (*USERS, *(f"o{number}" for number in range(60))),
    "account": (1, 1, 1, 1, 2),
    "publication": (1, 2, 3, 4, 5, 6, None),
}
BUTTONS = [PlacedButton(0, (place,), key, "click", key) for place, key in enumerate((*KEYS, "none")) if key is not None]
SUBJECTS = Subject(frozenset({1, 3, 6}), BUTTONS), Subject(frozenset({2, 4}), BUTTONS)


def filled(engine: Engine, publications: Sequence[PutUp], events: Sequence[Heard]) -> None:
    """With rollups. These are asked for the hours of the events alone, of which there are years."""
    with transaction(engine) as connection:
        put_up(connection, publications)
        connection.execute(update(Account).values(timezone=ZONE.key))
    assert roll_up(engine, None, NOW) is not None
    with transaction(engine) as connection:
        tell(connection, events)
        mark(connection, [(one.account, one.at) for one in events])
    assert roll_up(engine, None, NOW, 250) is not None


def asked(engine: Engine, *subjects: Subject) -> Comparison:
    with engine.connect() as connection:
        return compare(connection, 1, DAYS, ZONE, NOW, *subjects)


def counted(events: Sequence[Heard], ids: frozenset[int], what: tuple[str, str] | None = None) -> Count:
    here = [one for one in events if SINCE <= one.at < UNTIL and one.account == 1]
    taps = [one for one in here if one.publication in ids and one.kind in ("click", "view")]
    spans = [(max(at(begin), SINCE), at(end) if end else UNTIL) for begin, end in map(LIVE.__getitem__, ids)]
    live = [rounded(*span, ZONE) for span in spans]
    acts = [one for one in here if one.kind not in ("location_report", "caidan_doctor")]
    active = {one.user for one in acts if any(begin <= one.at < end for begin, end in live)}
    found = [one.user for one in taps if what in (None, one.what)]
    return Count(len(found), len(set(found) - {None}), len((active | {one.user for one in taps}) - {None}))


def test_each_side_is_what_the_events_say(database: Engine) -> None:
    events = thrown(250, **CHOICES)
    filled(database, [PutUp(number, *span) for number, span in LIVE.items()], events)
    found = asked(database, *SUBJECTS)

    for side, subject in zip((found.first, found.second), SUBJECTS, strict=True):
        assert counted(events, subject.publication_ids) == side.whole
        assert 10 < side.whole.users < side.whole.active < 60
    for button, row in zip(BUTTONS, found.buttons, strict=True):
        assert ("target", button) == (row.pair.by, row.pair.first)
        assert counted(events, SUBJECTS[0].publication_ids, button.target) == row.compared.first
        assert counted(events, SUBJECTS[1].publication_ids, button.target) == row.compared.second
    seconds = (
        (at(300.4) - SINCE, at(300.7) - at(300.5), NOW - at(731.001)),
        (at(300.5) - at(300.4), at(700.6) - at(300.7)),
    )
    assert [int(sum(one.total_seconds() for one in lengths)) for lengths in seconds] == [
        found.first.seconds,
        found.second.seconds,
    ]

    with transaction(database) as connection:
        connection.execute(delete(Event))

    assert found == asked(database, *SUBJECTS)


def test_publications_that_are_not_there_have_nothing(sqlite_database: Engine) -> None:
    found = asked(sqlite_database, Subject(frozenset(), []), Subject(frozenset({9}), BUTTONS))

    assert ("too_few", 0, None) == (found.whole.verdict, found.first.seconds, found.first.whole.per_active)


def test_of_a_button_that_one_menu_lacks_nothing_is_said(sqlite_database: Engine) -> None:
    filled(sqlite_database, [PutUp(1, 0, 100), PutUp(2, 100, 200)], [Heard(360_000, publication=2, key="A")])
    found = asked(sqlite_database, Subject(frozenset({1}), BUTTONS[:1]), Subject(frozenset({2}), BUTTONS[1:2]))
    rows = [(row.compared.verdict, row.compared.first, row.compared.second) for row in found.buttons]

    assert [("one_side", Count(0, 0, 0), None), ("one_side", None, Count(1, 1, 1))] == rows


def one(users: int, active: int) -> Count:
    return Count(3 * users, users, active)


@pytest.mark.parametrize(
    ("first", "second", "is_unequal", "verdict"),
    [
        (one(20, 200), one(60, 200), False, "more"),
        (one(60, 200), one(20, 200), False, "fewer"),
        (one(40, 200), one(44, 200), False, "no_difference"),
        (one(40, 200), Count(900, 41, 200), False, "no_difference"),  # one of them taps all day
        (one(20, 200), one(60, 99), False, "too_few"),
        (one(1, 181), one(18, 158), False, "too_few"),
        (one(20, 200), one(60, 200), True, "unequal_time"),
        (one(0, 0), one(60, 60), False, "too_few"),
        (None, one(60, 200), False, "one_side"),
    ],
)
def test_a_difference_is_told_where_it_means_something(
    first: Count | None, second: Count, is_unequal: bool, verdict: Verdict
) -> None:
    (found,) = judged([compared(first, second)], is_unequal=is_unequal)

    assert verdict == found.verdict


def test_of_many_buttons_one_that_seems_to_differ_does_not() -> None:
    def verdicts(rows: list[Compared]) -> list[Verdict]:
        return [row.verdict for row in judged(rows, is_unequal=False)]

    seeming, even = compared(one(40, 200), one(58, 200)), compared(one(40, 200), one(40, 200))

    assert ["more"] == verdicts([seeming])
    assert ["no_difference"] * 10 == verdicts([seeming, *[even] * 9])


def test_the_indicators_are_those_of_wechats_console() -> None:
    found, nobody = Count(4, 2, 4), Count(0, 0, 3)

    assert (2.0, 1.0, 0.5) == (found.per_user, found.per_active, found.share)
    assert (None, 0.0, 0.0) == (nobody.per_user, nobody.per_active, nobody.share)
    shares = compared(found, nobody).shares
    assert shares is not None
    assert -0.5 == shares.estimate
