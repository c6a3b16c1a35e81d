"""Years that rotations ask for, and whose holidays nobody has entered."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from models.db import connect, transaction
from models.holidays import set_day
from tests.workers.guarded import Guarded
from workers.holiday_years import warn_of_unknown_years

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture
def engine(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[object, object]]:
    return [(vars(record)["year"], vars(record)["rotations"]) for record in caplog.records]


def test_a_year_is_asked_for_before_it_begins_and_until_it_is_there(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = Guarded(engine, NOON)
    guarded.add(menu_id=guarded.sale, hours="11:00-14:00")
    one = guarded.add(menu_id=guarded.sale, days="workdays")
    two = guarded.add(menu_id=guarded.sale, days="holidays", hours="11:00-14:00")
    with transaction(engine) as connection:
        set_day(connection, date(2026, 1, 1), False, "元旦")
    warn_of_unknown_years(engine, NOON)

    assert [] == told(caplog)

    warn_of_unknown_years(engine, NOVEMBER)

    assert [(2027, [one, two])] == told(caplog)

    with transaction(engine) as connection:
        set_day(connection, date(2027, 1, 1), False, "元旦")
    warn_of_unknown_years(engine, NOVEMBER)

    assert 1 == len(caplog.records)


def test_rotations_that_cannot_be_read_do_not_keep_others_from_being_looked_at(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = Guarded(engine, NOON)
    guarded.add(menu_id=guarded.sale, days="workdays", timezone="Mars/Olympus")
    other = guarded.add(menu_id=guarded.sale, days="workdays")
    warn_of_unknown_years(engine, NOON)

    assert [(2026, [other])] == told(caplog)
