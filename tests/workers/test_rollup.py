"""The roll-up on each database: what it counts, what it leaves alone, and what it does when it is not alone."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, func, select, update

from models.account import Account
from models.base import table_of
from models.db import connect, transaction
from models.event import Event
from models.rollup import (
    Button,
    Follower,
    RollupAccount,
    RollupDay,
    RollupHour,
    RollupLock,
    RollupMark,
    RollupMinute,
    RollupSlot,
)
from tests.pushes import SHOP, batch_of, event_of, push
from tests.workers.counted import counted, rolled_up
from tests.workers.states import end_everywhere, state
from workers import rollup_lock
from workers.forget import forget
from workers.record import record
from workers.rollup import roll_up
from workers.rollup_lock import LEASE, LostError

HOUR = 1_790_002_800  # seconds: the beginning of one, everywhere but in half hours
NOW = datetime.fromtimestamp(HOUR + 1800, UTC)
LATER = NOW + timedelta(hours=5)


def tap(user: str = "oA", key: str = "a", at: int = 0, kind: str = "CLICK") -> bytes:
    return push(kind, key=key, user=user, at=HOUR + at)


def take(engine: Engine, *pushes: bytes) -> None:
    record(engine, batch_of(*map(event_of, pushes)))


def is_right(engine: Engine) -> bool:
    return counted(engine) == rolled_up(engine)


def rows(engine: Engine, model: type) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(model)) or 0


def test_taps_and_users_are_counted_once(database: Engine) -> None:
    take(
        database, tap(), tap(at=1), tap("oa"), tap("oB", "b"), tap(kind="VIEW"), tap(kind="subscribe", key="qrscene_1")
    )
    take(database, tap(), tap("oB", "b"))

    assert roll_up(database, None, NOW)

    with database.connect() as connection:
        found = connection.execute(
            select(Button.kind, Button.event_key, RollupDay.taps, RollupDay.users)
            .outerjoin_from(RollupDay, Button, Button.id == RollupDay.button_id)
            .order_by(Button.kind, Button.event_key)
        )
        assert {
            (None, None, 5, 3),  # the whole menu
            ("click", "a", 3, 2),
            ("click", "b", 1, 1),
            ("view", "a", 1, 1),
            ("subscribe", None, 1, 1),
        } == {tuple(row) for row in found}
    assert is_right(database)
    assert 0 == rows(database, RollupMark)
    assert 0 == roll_up(database, None, NOW)


def test_a_busy_slot_is_counted_when_it_is_over_and_a_quiet_one_at_once(database: Engine) -> None:
    take(database, tap(at=-60))
    roll_up(database, None, NOW)  # which looks at all there is of an account that it meets
    for number in range(5):
        take(database, tap(f"o{number}"))
    take(database, tap(at=6))
    slot = datetime.fromtimestamp(HOUR, UTC)

    assert roll_up(database, None, slot + timedelta(seconds=5.2)) == 1  # of the next slot, which has just begun
    assert not is_right(database)
    assert rows(database, RollupMark) == 5
    assert roll_up(database, None, slot + timedelta(seconds=5.6)) == 5
    assert is_right(database)


def test_a_busy_slot_of_a_clock_that_is_wrong_is_not_waited_for(database: Engine) -> None:
    take(database, tap(at=-60))
    roll_up(database, None, NOW)  # which looks at all there is of an account that it meets
    for number in range(5):
        take(database, tap(f"o{number}"))

    assert roll_up(database, None, datetime.fromtimestamp(HOUR - 60, UTC)) == 5
    assert is_right(database)


def test_events_of_a_young_hour_are_added_and_of_an_old_one_too(database: Engine) -> None:
    take(database, *(tap(f"o{number}", at=number * 7) for number in range(40)))
    roll_up(database, None, NOW)
    take(database, tap("oNew", at=3), tap("o1", "c", at=900))
    roll_up(database, None, NOW)

    assert is_right(database)
    assert rows(database, RollupSlot) > 0

    roll_up(database, None, LATER)
    take(database, tap("oNow", at=5 * 3600))
    roll_up(database, None, LATER)

    assert {HOUR + 5 * 3600} == {
        int(moment.timestamp()) for model in (RollupSlot, RollupMinute) for moment in distinct_times(database, model)
    }

    take(database, tap("oLate", at=4))
    roll_up(database, None, LATER)

    assert is_right(database)

    take(database, tap("oLater", at=5))
    roll_up(database, None, NOW)  # by a clock that was set back, and an hour whose slots have gone

    assert is_right(database)


def distinct_times(engine: Engine, model: type[RollupSlot] | type[RollupMinute]) -> list[datetime]:
    with engine.connect() as connection:
        return list(connection.scalars(select(model.starts_at).distinct()))


def test_what_is_no_longer_there_is_no_longer_counted(database: Engine) -> None:
    take(database, tap(), tap("oB", "b", at=60))
    roll_up(database, None, NOW)
    with transaction(database) as connection:
        connection.execute(delete(Event).where(Event.event_key == "b"))
    take(database, tap("oC", "c", at=61))
    roll_up(database, None, NOW)

    assert is_right(database)
    assert 3 == rows(database, Button)


@pytest.mark.parametrize("moment", [NOW, LATER])
def test_a_forgotten_follower_counts_on_as_one_person(database: Engine, moment: datetime) -> None:
    take(database, tap("oGone"), tap("oGone", at=90), tap("oStays", at=90), tap("oGone", "b", at=1700))
    roll_up(database, None, moment)
    forget(database, account_id(database), SHOP.app_id, "oGone", datetime.fromtimestamp(HOUR + 100, UTC))

    with database.connect() as connection:
        assert "oGone" not in set(connection.scalars(select(Follower.open_id)))  # who came back gets another number
    roll_up(database, None, moment)

    assert is_right(database)
    with database.connect() as connection:
        assert {3} == set(connection.scalars(select(func.count(Follower.number.distinct()))))
        whole = select(RollupDay.taps, RollupDay.users).where(RollupDay.button_id == 0)
        assert [(4, 3)] == [tuple(row) for row in connection.execute(whole)]


def account_id(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalars(select(Account.id)).one()


def test_days_are_those_of_the_account_and_are_cut_anew_when_its_zone_changes(database: Engine) -> None:
    take(database, *(tap(f"o{number % 9}", at=number * 2900) for number in range(60)))
    roll_up(database, None, LATER, 60)
    shanghai = rolled_up(database)

    assert is_right(database)

    with transaction(database) as connection:
        connection.execute(update(Account).values(timezone="Asia/Kathmandu"))
    roll_up(database, None, LATER, 60)

    assert is_right(database)
    assert shanghai["day"].keys() != rolled_up(database)["day"].keys() or shanghai != rolled_up(database)


def test_events_that_may_have_gone_are_not_counted_again(database: Engine) -> None:
    take(database, tap(), tap("oB", at=60))
    roll_up(database, None, NOW)
    before = rolled_up(database)
    with transaction(database) as connection:
        connection.execute(delete(table_of(Event)).where(Event.open_id == "oB"))
    take(database, tap("oLate", at=120))

    roll_up(database, NOW, LATER)

    assert before == rolled_up(database)
    assert 0 == rows(database, RollupMark)


def test_a_day_that_cannot_be_counted_keeps_its_marks_and_holds_up_no_other(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    take(engine, tap(at=-90_000))
    roll_up(engine, None, NOW)
    with transaction(engine) as connection:
        connection.execute(update(RollupHour).values(followers=b"no set"))
    take(engine, tap("oB", at=-90_000), tap("oB"), tap(at=-200_000))

    roll_up(engine, None, NOW)

    with engine.connect() as connection:
        assert {datetime.fromtimestamp(HOUR - 90_000, UTC)} == set(connection.scalars(select(RollupMark.slot)))
        assert 3 == connection.scalar(select(func.count(RollupDay.day.distinct())))

    with transaction(engine) as connection:
        connection.execute(delete(RollupHour).where(RollupHour.followers == b"no set"))
    roll_up(engine, None, NOW)

    assert is_right(engine)
    engine.dispose()


def test_of_two_at_once_one_counts(database: Engine) -> None:
    take(database, *(tap(f"o{number}", at=number) for number in range(30)))
    results: list[int | None] = []
    engines = [connect(database.url.render_as_string(hide_password=False)) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda engine: results.append(roll_up(engine, None, NOW)), args=(engine,))
        for engine in engines
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.dispose()

    assert 4 == len(results)
    assert 3 <= sum(1 for found in results if not found)
    assert is_right(database)


def test_who_was_taken_for_dead_writes_nothing(database: Engine) -> None:
    take(database, tap())
    first = rollup_lock.take(database)
    assert first is not None
    assert rollup_lock.take(database) is None
    assert roll_up(database, None, NOW) is None

    with transaction(database) as connection:
        connection.execute(update(RollupLock).values(leased_until=datetime.now(UTC) - LEASE))

    assert roll_up(database, None, NOW)
    with pytest.raises(LostError), transaction(database) as connection:
        first.keep(connection)


def test_ended_at_any_statement_and_begun_again_everything_is_counted(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    take(engine, tap())
    roll_up(engine, None, NOW)

    def begin_anew() -> None:
        with transaction(engine) as connection:
            for table in ("event", "follower", "button", "rollup_slot", "rollup_minute", "rollup_hour", "rollup_day"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
            for table in ("rollup_week", "rollup_month", "rollup_mark"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.execute(update(RollupAccount).values(followers=0))
        take(engine, tap(), tap("oB", "b", at=70), tap("oC", at=-90_000))

    def check() -> None:
        take(engine, tap("oD", at=71))
        with transaction(engine) as connection:
            connection.execute(update(RollupLock).values(leased_until=datetime.now(UTC) - LEASE))
        assert roll_up(engine, None, NOW)
        assert is_right(engine)
        assert {0, 1, 2, 3} == {row[2] for row in state(engine, Follower)["follower"]}

    assert end_everywhere(engine, lambda: roll_up(engine, None, NOW), begin_anew, check) > 30
    engine.dispose()
