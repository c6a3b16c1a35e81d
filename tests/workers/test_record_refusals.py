"""Rows that only the tables themselves refuse: here by a trigger, with the code that real refusals have."""

import threading

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

import migrations
from models.db import transaction
from models.event import Event
from models.quarantine import Quarantine
from tests.pushes import SHOP, batch_of, event_of, push
from wechat.event import encode
from workers.record import Recorded, TooManyRefusedError, record

NEVER = {
    "sqlite": [
        """CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.event_key = 'bad' BEGIN
        INSERT INTO holiday (date, is_workday, name) VALUES ('2026-10-01', 0, NULL); END"""
    ],
    "mysql": [
        """CREATE TRIGGER refuse BEFORE INSERT ON event FOR EACH ROW IF NEW.event_key = 'bad' THEN
        SIGNAL SQLSTATE '22001' SET MYSQL_ERRNO = 1406; END IF"""
    ],
    "postgresql": [
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.event_key = 'bad' THEN
        RAISE EXCEPTION 'no' USING ERRCODE = '22001'; END IF; RETURN NEW; END $$""",
        "CREATE TRIGGER refuse BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}
NOT_NOW = {
    "sqlite": "RAISE(ABORT, 'later')",
    "mysql": "MYSQL_ERRNO = 1644",
    "postgresql": "ERRCODE = '53100'",
}


@pytest.fixture
def refusing(empty_database: Engine) -> Engine:
    """Tables that refuse one key."""
    migrations.upgrade(empty_database)
    with transaction(empty_database) as connection:
        for statement in NEVER[empty_database.dialect.name]:
            connection.exec_driver_sql(statement)
    return empty_database


@pytest.fixture
def failing(empty_database: Engine) -> Engine:
    """Tables that fail for one key, for a reason that may pass."""
    name = empty_database.dialect.name
    migrations.upgrade(empty_database)
    changes = {
        "INSERT INTO holiday (date, is_workday, name) VALUES ('2026-10-01', 0, NULL)": f"SELECT {NOT_NOW[name]}",
        "MYSQL_ERRNO = 1406": NOT_NOW[name],
        "SQLSTATE '22001'": "SQLSTATE '45000'",
        "ERRCODE = '22001'": NOT_NOW[name],
    }
    with transaction(empty_database) as connection:
        for statement in NEVER[name]:
            for old, new in changes.items():
                statement = statement.replace(old, new)
            connection.exec_driver_sql(statement)
    return empty_database


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Event)) or 0


def test_one_refused_row_goes_to_quarantine_and_the_rest_is_stored(refusing: Engine) -> None:
    bad = event_of(push(key="bad", user="oBad"))
    good = [event_of(push(user=f"o{number}", at=1_790_000_000 + number)) for number in range(25)]

    done = record(refusing, batch_of(*good[:10], bad, *good[10:]))

    with refusing.connect() as connection:
        row = connection.execute(select(Quarantine)).one()
    assert Recorded(stored=25, repeated=0, quarantined=1, forgotten=0) == done
    assert stored(refusing) == 25
    assert (bad.id, "row_refused", encode(bad), bad.received_at) == (row.id, row.reason, row.raw, row.received_at)
    assert row.detail in ("22001", "1406", "SQLITE_CONSTRAINT_NOTNULL")


def test_a_refused_row_that_comes_alone_goes_to_quarantine(refusing: Engine) -> None:
    done = record(refusing, batch_of(event_of(push(key="bad"))))

    assert Recorded(stored=0, repeated=0, quarantined=1, forgotten=0) == done


def test_a_batch_of_which_more_than_a_tenth_is_refused_is_not_stored_at_all(refusing: Engine) -> None:
    bad = [event_of(push(key="bad", user=f"oBad{number}")) for number in range(3)]
    good = [event_of(push(user=f"o{number}")) for number in range(20)]

    with pytest.raises(TooManyRefusedError):
        record(refusing, batch_of(*bad, *good))

    assert stored(refusing) == 0


def test_a_failure_that_may_pass_is_raised_and_nothing_is_stored(failing: Engine) -> None:
    with pytest.raises(DBAPIError):
        record(failing, batch_of(event_of(push()), event_of(push(key="bad"))))

    assert stored(failing) == 0


def test_a_row_that_is_too_long_goes_to_quarantine_on_every_database(database: Engine) -> None:
    long = event_of(push(user="o" * 129))

    done = record(database, batch_of(long, event_of(push())))

    with database.connect() as connection:
        row = connection.execute(select(Quarantine)).one()
    assert Recorded(stored=1, repeated=0, quarantined=1, forgotten=0) == done
    assert (long.id, "too_long", "open_id") == (row.id, row.reason, row.detail)


def test_text_with_nul_does_no_harm(database: Engine) -> None:
    """The door replaces it; should it come all the same, PostgreSQL refuses it and the others store it."""
    event = event_of(b'{"FromUserName":"o","MsgType":"text","Content":"x","CreateTime":1790000000}')
    odd = type(event)(**{name: getattr(event, name) for name in event.__struct_fields__} | {"event_key": "a\0b"})

    done = record(database, batch_of(odd, event_of(push())))

    assert done.stored + done.quarantined == 2
    assert done.quarantined == (1 if database.dialect.name == "postgresql" else 0)


def test_two_workers_with_the_same_events_store_them_once(database: Engine) -> None:
    events = [event_of(push(user=f"o{number}", at=1_790_000_000 + number)) for number in range(300)]
    failures: list[BaseException] = []

    def work(step: int) -> None:
        try:
            for start in range(0, 300, 50):
                record(database, batch_of(*events[start : start + 100][::step]))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[step]) for step in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert stored(database) == 300


def test_two_workers_meet_a_new_account_at_once(database: Engine) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            record(database, batch_of(event_of(push(user=f"o{number}"), SHOP)))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert stored(database) == 4
