"""Events tied anew to publications, after these have changed."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select, update

from models import walk
from models.db import connect, transaction
from models.event import Event
from models.rollup import RollupMark, slot_of
from models.walk import Selection
from tests.pushes import batch_of, event_of, push
from tests.workers.put_up import put_up
from tests.workers.states import end_everywhere, state, statements
from workers.attribution import Case
from workers.reattribute import attribute_again
from workers.record import record

NOON = 1_790_000_000
MOMENT = datetime.fromtimestamp(NOON, UTC)
PUSHES = [
    push(key="s", at=NOON - 1000),
    *(push(key="s", user=f"o{number}", at=NOON + 5 + number) for number in range(4)),
    push(key="a", at=NOON + 3700),
    push("scancode_push", key="s", at=NOON + 3800),
    push("subscribe", key="", at=NOON + 3900),
]


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "PAGE", 3)


def prepared(engine: Engine) -> Engine:
    """As they are to be, of two publications; and marks are gone."""
    put_up(engine, "as", MOMENT)
    put_up(engine, "bs", MOMENT + timedelta(hours=1))
    record(engine, batch_of(*map(event_of, PUSHES)))
    with transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM rollup_mark")
    return engine


def spoil(engine: Engine) -> None:
    """As an older program left them, or one before the publications were known; one that is no tap is tied, too."""
    with transaction(engine) as connection:
        connection.execute(update(Event).where(Event.kind != "subscribe").values(publication_id=None))
        connection.execute(update(Event).where(Event.kind == "subscribe").values(publication_id=77))


def replayed(
    engine: Engine, selection: Selection | None = None, *, dry_run: bool = False
) -> tuple[int, int, dict[Case, int]]:
    """How many events were looked at and changed, and the cases."""
    pages = list(attribute_again(engine, selection or Selection(), dry_run=dry_run))
    taps = sum((page.taps for page in pages), Counter[Case]())
    return sum(page.events for page in pages), sum(page.changed for page in pages), dict(taps)


def test_events_become_what_the_rule_says_today(database: Engine) -> None:
    wanted = state(prepared(database), Event)
    spoil(database)
    spoiled = state(database, Event)
    cases = {"before_first": 1, "live": 4, "earlier": 1, "unknown": 1}

    assert (8, 6, cases) == replayed(database, dry_run=True)
    assert spoiled == state(database, Event)
    assert (8, 6, cases) == replayed(database)
    assert wanted == state(database, Event)


def test_what_has_changed_is_counted_again(database: Engine) -> None:
    spoil(prepared(database))
    replayed(database, Selection(since=MOMENT + timedelta(seconds=3850)))
    with database.connect() as connection:
        slots = set(connection.scalars(select(RollupMark.slot)))

    assert {slot_of(MOMENT + timedelta(seconds=3900))} == slots


def test_of_what_is_as_it_should_be_nothing_is_written(database: Engine) -> None:
    prepared(database)

    with statements(database) as seen:
        counts = replayed(database)

    assert 0 == counts[1]
    assert {"SELECT"} == {statement.split()[0] for statement in seen} - {"BEGIN"}


def test_only_what_is_chosen_is_changed(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    spoil(prepared(engine))
    selection = Selection(since=MOMENT, until=MOMENT + timedelta(seconds=7), kind="click")

    assert (2, 2, {"live": 2}) == replayed(engine, selection)
    assert (0, 0, {}) == replayed(engine, Selection(account_id=99))
    engine.dispose()


def test_ended_at_any_statement_and_begun_again_it_comes_to_the_same(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    wanted = state(prepared(engine), Event)

    def check() -> None:
        replayed(engine)
        assert wanted == state(engine, Event)

    assert end_everywhere(engine, lambda: replayed(engine), lambda: spoil(engine), check) > 10
    engine.dispose()


def test_two_at_once_change_everything_once(sqlite_database_url: str) -> None:
    """The other one comes between the look at a page and the change of it."""
    engine = connect(sqlite_database_url)
    wanted = state(prepared(engine), Event)
    spoil(engine)
    others: list[int] = []

    def come_between(_connection: object) -> None:
        if not others:
            others.append(0)
            others[0] = replayed(engine)[1]

    event.listen(engine, "rollback", come_between)
    changed = replayed(engine)[1]
    event.remove(engine, "rollback", come_between)

    assert [6] == others
    assert 0 == changed
    assert wanted == state(engine, Event)
    engine.dispose()
