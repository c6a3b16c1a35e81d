"""How fast events reach the tables: as counted one by one."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from models.percentiles import Percentiles, percentiles
from models.pulse import Delays, delays
from tests.models.heard import START, Heard, drawn, thrown, told

CHOICES: dict[str, Sequence[Any]] = {
    "seconds": (-1, 0, 3599, 3600),
    "kind": ("click", "message_text", "location_report", "caidan_doctor"),
    "door": (-3000, -1001, -1000, -1, 0, 1, 45, 999, 5000, 5001, 16_001, 90_061_001),
    "table": (0, 1, 20, 1500),
    "account": (1, 1, 2),
}
SINCE, UNTIL = START, START + timedelta(hours=1)


def ranked(values: list[int]) -> Percentiles | None:
    """By looking them up in order."""
    values = sorted(values)
    if not values:
        return None
    return Percentiles(*(values[max(ceil(len(values) * share / 100), 1) - 1] for share in (50, 90, 99, 100)))


def check(engine: Engine, events: list[Heard]) -> None:
    asked = [one for one in events if SINCE <= one.at < UNTIL and one.account == 1]
    asked = [one for one in asked if one.kind in ("click", "message_text")]
    with told(engine, events) as connection:
        found = delays(connection, 1, SINCE, UNTIL)

    assert (
        Delays(
            events=len(asked),
            to_door=ranked([one.door for one in asked]),
            to_table=ranked([one.door + one.table for one in asked]),
            in_house=ranked([one.table for one in asked]),
            late=sum(one.door > 5000 for one in asked),
            early=sum(one.door < -1000 for one in asked),
        )
        == found
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(events=drawn(**CHOICES))
def test_delays_are_what_lies_between_the_moments_of_an_event(sqlite_database: Engine, events: list[Heard]) -> None:
    check(sqlite_database, events)


def test_all_databases_measure_the_same(database: Engine) -> None:
    check(database, thrown(300, **CHOICES))


@given(st.lists(st.integers(-5, 5)))
def test_percentiles_are_values_that_occurred(values: list[int]) -> None:
    assert ranked(values) == percentiles({value: values.count(value) for value in range(-5, 6)})
