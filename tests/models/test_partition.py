import threading
from datetime import UTC, date, datetime

from sqlalchemy import Engine, text

from models.db import connect, transaction
from models.partition import PARTITIONED, ensure_partitions
from tests.pushes import batch_of, event_of, push, sample
from workers.record import record

FAR = date(2031, 11, 20)


def rows_in(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()


def test_an_upgrade_makes_the_partitions_of_the_coming_months(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    with transaction(engine) as connection:
        assert ensure_partitions(connection, datetime.now(UTC).date()) == []
    engine.dispose()


def test_missing_partitions_are_made_across_the_turn_of_the_year(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    with transaction(engine) as connection:
        made = ensure_partitions(connection, FAR, months_ahead=2)
        again = ensure_partitions(connection, FAR, months_ahead=2)
    engine.dispose()

    assert {"event_y2031m11", "event_y2031m12", "event_y2032m01"} == {name for name in made if name.startswith("event")}
    assert len(PARTITIONED) * 3 == len(made)
    assert again == []


def test_rows_that_came_before_their_partition_move_into_it(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    moment = int(datetime(2031, 12, 1, tzinfo=UTC).timestamp())
    record(engine, batch_of(*(event_of(push(at=moment + seconds)) for seconds in (-1, 0, 1))))
    before = rows_in(engine, "event_default")

    with transaction(engine) as connection:
        ensure_partitions(connection, FAR)

    assert before == 3
    assert (0, 1, 2) == tuple(rows_in(engine, f"event_{part}") for part in ("default", "y2031m11", "y2031m12"))
    assert rows_in(engine, "event") == 3
    engine.dispose()


def test_several_make_them_at_once_while_events_arrive(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    moment = int(datetime(2031, 12, 1, tzinfo=UTC).timestamp())
    failures: list[BaseException] = []

    def attempt(work: int) -> None:
        try:
            if work < 3:
                with transaction(engine) as connection:
                    ensure_partitions(connection, FAR)
            else:
                for number in range(10):
                    record(engine, batch_of(event_of(push(user=f"o{work}-{number}", at=moment + number))))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=[work]) for work in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert rows_in(engine, "event") == rows_in(engine, "event_y2031m12") == 20
    engine.dispose()


def test_elsewhere_there_is_nothing_to_do(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    with transaction(engine) as connection:
        assert ensure_partitions(connection, FAR) == []
        connection.execute(text("SELECT 1"))
    engine.dispose()


def test_old_events_are_in_the_default_partition(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    record(engine, batch_of(event_of(sample("event_CLICK.xml"))))

    assert rows_in(engine, "event_default") == 1
    engine.dispose()
