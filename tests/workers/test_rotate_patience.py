"""A tick that finds somebody else publishing waits for them, so that who was killed costs less than a minute."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Thread

import pytest

from models.db import transaction
from models.publications import CLAIM, PUBLISHED, claim, finish
from tests.workers.rotating import NINE, Rotating, a_menu, rotating_on
from workers.publishing import Clock
from workers.rotate import rotate_all


@pytest.fixture
def rotating(sqlite_database_url: str) -> Iterator[Rotating]:
    with rotating_on(sqlite_database_url) as rotating:
        yield rotating


def running_from(moment: datetime) -> Clock:
    begun = time.monotonic()
    return lambda: moment + timedelta(seconds=time.monotonic() - begun)


def begin(rotating: Rotating) -> int:
    """A publication of the base menu, by somebody who gives no further sign of life."""
    rotating.add(a_menu("base"))
    with transaction(rotating.engine) as connection:
        return claim(connection, rotating.account_id(), 1, "rotation", NINE, 1)


def test_the_tick_goes_on_where_another_was_killed(rotating: Rotating) -> None:
    begin(rotating)

    rotate_all(rotating.engine, rotating.config, running_from(NINE + CLAIM - timedelta(seconds=1)), patience=30.0)

    assert rotating.live() == 1
    assert ["abandoned", "published"] == [row.outcome for row in rotating.written()]


def test_the_tick_ends_when_its_patience_does(rotating: Rotating) -> None:
    begin(rotating)

    rotate_all(rotating.engine, rotating.config, lambda: NINE, patience=0.1)

    assert rotating.live() is None
    assert [None] == [row.outcome for row in rotating.written()]


def test_the_tick_ends_when_the_other_has_published(rotating: Rotating) -> None:
    publication_id = begin(rotating)

    tick = Thread(target=rotate_all, args=(rotating.engine, rotating.config, running_from(NINE), 30.0))
    tick.start()
    time.sleep(1)
    with transaction(rotating.engine) as connection:
        finish(connection, publication_id, {}, NINE)
    tick.join(20)

    assert not tick.is_alive()
    assert [PUBLISHED] == [row.outcome for row in rotating.written()]
    assert 0 == rotating.calls()
