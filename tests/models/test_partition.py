"""Partitions are made, taken out, taken back and dropped; and every event finds a place."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

import migrations
from models import locks, partition
from models.db import connect, transaction
from models.partition import ATTACHED, DETACHED, PARTITIONED, ensure_partitions
from tests.models.filling import fill, rows_in
from tests.pushes import batch_of, event_of, push, sample
from workers.record import record

FAR = date(2031, 11, 20)
NOVEMBER, DECEMBER = date(2031, 11, 1), date(2031, 12, 1)
TURN = int(datetime(2031, 12, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def engine(postgresql_database_url: str) -> Iterator[Engine]:
    engine = connect(postgresql_database_url)
    yield engine
    engine.dispose()


def states(engine: Engine, month: date) -> set[str]:
    with engine.connect() as connection:
        return {one.state for one in partition.partitions(connection) if one.month == month}


def test_an_upgrade_makes_the_partitions_of_the_coming_months(engine: Engine) -> None:
    assert [] == ensure_partitions(engine, datetime.now(UTC).date())


def test_missing_partitions_are_made_across_the_turn_of_the_year(engine: Engine) -> None:
    made = ensure_partitions(engine, FAR, months_ahead=2)
    again = ensure_partitions(engine, FAR, months_ahead=2)

    assert {"event_y2031m11", "event_y2031m12", "event_y2032m01"} == {name for name in made if name.startswith("event")}
    assert len(PARTITIONED) * 3 == len(made)
    assert [] == again


def test_rows_that_came_before_their_partition_move_into_it(engine: Engine) -> None:
    record(engine, batch_of(*(event_of(push(at=TURN + seconds)) for seconds in (-1, 0, 1))))
    before = rows_in(engine, "event_default")

    ensure_partitions(engine, FAR)

    assert (3,) == before
    assert (0, 1, 2, 3) == rows_in(engine, "event_default", "event_y2031m11", "event_y2031m12", "event")


def test_a_reader_sees_rows_that_move_while_it_waits(engine: Engine) -> None:
    fill(engine, datetime(2031, 12, 1, tzinfo=UTC), 20, timedelta(hours=1))
    with transaction(engine) as connection:  # the new partition has the same check: so moving takes a while
        connection.execute(text("ALTER TABLE event ADD CHECK (CAST(pg_sleep(0.02) AS text) IS NOT NULL)"))
    seen = []

    mover = threading.Thread(target=partition.create, args=(engine, [DECEMBER]))
    mover.start()
    while mover.is_alive():
        seen.append(rows_in(engine, "event"))
    mover.join()

    assert {(20,)} == set(seen)
    assert (20,) == rows_in(engine, "event_y2031m12")


def test_several_make_them_at_once_while_events_arrive(engine: Engine) -> None:
    failures: list[BaseException] = []

    def attempt(work: int) -> None:
        try:
            if work < 3:
                ensure_partitions(engine, FAR)
            else:
                for number in range(10):
                    record(engine, batch_of(event_of(push(user=f"o{work}-{number}", at=TURN + number))))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=[work]) for work in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures
    assert (20, 20) == rows_in(engine, "event", "event_y2031m12")


def test_elsewhere_there_is_nothing_to_do(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    made = ensure_partitions(engine, FAR)
    with engine.connect() as connection:
        found = partition.partitions(connection)
    engine.dispose()

    assert ([], []) == (made, found)


def test_old_events_are_in_the_default_partition(engine: Engine) -> None:
    record(engine, batch_of(event_of(sample("event_CLICK.xml"))))

    assert (1,) == rows_in(engine, "event_default")


def test_a_partition_that_is_taken_out_stays_and_can_be_taken_back(engine: Engine) -> None:
    partition.create(engine, [NOVEMBER, DECEMBER])
    fill(engine, datetime(2031, 12, 1, tzinfo=UTC), 5, timedelta(hours=1))

    taken = partition.detach(engine, [DECEMBER])
    between = rows_in(engine, "event", "photo", "event_y2031m12")
    problems, found = migrations.problems(engine), states(engine, DECEMBER)
    back = partition.create(engine, [NOVEMBER, DECEMBER])

    assert len(PARTITIONED) == len(taken)
    assert (0, 0, 5) == between
    assert ([], {DETACHED}) == (problems, found)
    assert taken == back
    assert (5, 10) == rows_in(engine, "event", "photo")
    assert {ATTACHED} == states(engine, DECEMBER)


def test_what_has_come_again_meanwhile_counts_more_than_what_was_taken_out(engine: Engine) -> None:
    partition.create(engine, [DECEMBER])
    known, late = event_of(push(at=TURN)), event_of(push(at=TURN + 1))
    record(engine, batch_of(known))
    partition.detach(engine, [DECEMBER])
    record(engine, batch_of(known, late))
    with transaction(engine) as connection:
        connection.execute(text("UPDATE event SET open_id = '~forgotten'"))

    partition.create(engine, [DECEMBER])

    assert (2, 2, 0) == rows_in(engine, "event", "event_y2031m12", "event_default")
    with engine.connect() as connection:
        assert {"~forgotten"} == set(connection.scalars(text("SELECT open_id FROM event")))


def test_what_was_taken_out_is_not_taken_back_unasked(engine: Engine) -> None:
    today = datetime.now(UTC).date()
    month = date(today.year, today.month, 1)
    partition.detach(engine, [month])

    nothing = ensure_partitions(engine, today)
    others = ensure_partitions(engine, today, months_ahead=4)

    assert (0, len(PARTITIONED)) == (len(nothing), len(others))
    assert {DETACHED} == states(engine, month)


def test_an_upgrade_does_not_fail_for_a_partition_that_cannot_be_made_now(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "TRIES", 1)
    monkeypatch.setattr(locks, "PAUSE", 0.0)
    today = datetime.now(UTC).date()
    month = date(today.year, today.month, 1)
    partition.drop(engine, [month])
    record(engine, batch_of(event_of(push(at=int(datetime.now(UTC).timestamp())))))

    with engine.connect() as reader:
        reader.execute(text("SELECT 1 FROM event LIMIT 1"))
        migrations.upgrade(engine)
        made_before = states(engine, month)
    migrations.upgrade(engine)

    assert (set(), {ATTACHED}) == (made_before, states(engine, month))


def test_a_partition_without_a_place_for_many_rows_is_not_taken_back(engine: Engine) -> None:
    partition.create(engine, [DECEMBER])
    partition.detach(engine, [DECEMBER])
    fill(engine, datetime(2031, 12, 1, tzinfo=UTC), partition.FEW + 1, timedelta(seconds=1))

    with pytest.raises(partition.StrandedError, match=r"event_y2031m12: 10001 rows"):
        partition.create(engine, [NOVEMBER, DECEMBER])

    assert set() == states(engine, NOVEMBER)


def test_a_month_is_dropped_from_all_tables_whether_taken_out_or_not(engine: Engine) -> None:
    partition.create(engine, [NOVEMBER, DECEMBER])
    for month in (11, 12):
        fill(engine, datetime(2031, month, 1, tzinfo=UTC), 5, timedelta(hours=1))
    partition.detach(engine, [NOVEMBER])

    dropped = partition.drop(engine, [NOVEMBER, DECEMBER])

    assert 2 * len(PARTITIONED) == len(dropped)
    assert (0, 0) == rows_in(engine, "event", "photo")
    assert set() == states(engine, NOVEMBER) | states(engine, DECEMBER)
    assert [] == migrations.problems(engine)


def test_a_drop_that_was_interrupted_is_brought_to_its_end(engine: Engine) -> None:
    partition.create(engine, [NOVEMBER, DECEMBER])
    with transaction(engine) as connection:
        connection.execute(text("DROP TABLE event_y2031m12, scan_y2031m12"))

    assert len(PARTITIONED) - 2 == len(partition.drop(engine, [DECEMBER]))
    assert {ATTACHED} == states(engine, NOVEMBER)


@pytest.mark.parametrize("name", ["event_default", "event_y2031m12", "photo_send_y2031m12", "photo_moving_rest"])
def test_parts_are_known_by_their_names(name: str) -> None:
    assert partition.is_partition(name)


@pytest.mark.parametrize("name", ["event", "photo_send", "photo_album", "menu", "event_2031"])
def test_wholes_are_no_parts(name: str) -> None:
    assert not partition.is_partition(name)
