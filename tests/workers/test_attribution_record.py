"""Taps tied to publications as they are recorded, and the cost of that in statements."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from models import publications
from models.db import connect, transaction
from models.event import Event
from models.menu import Menu
from tests.pushes import SAMPLES, SHOP, batch_of, event_of, push, sample
from tests.workers.put_up import claim, put_up
from tests.workers.states import statements
from wechat.event import Addressee
from workers.record import Recorded, record

NEWS = Addressee("news", "wx_news")
NOON = 1_790_000_000
MOMENT = datetime.fromtimestamp(NOON, UTC)
HOUR = 3600


def tap(engine: Engine, key: str, at: int, account: Addressee = SHOP, event: str = "CLICK", more: str = "") -> Recorded:
    return record(engine, batch_of(event_of(push(event, key=key, at=NOON + at, more=more), account)))


def tied(engine: Engine) -> list[int | None]:
    """By time."""
    with engine.connect() as connection:
        return list(connection.scalars(select(Event.publication_id).order_by(Event.created_at, Event.id)))


def test_taps_are_recorded_with_the_publication_that_was_seen(database: Engine) -> None:
    first = put_up(database, "as", MOMENT, {0: "70", 1: "71"})
    second = put_up(database, "bs", MOMENT + timedelta(hours=1), {0: "72", 1: "71"})
    put_up(database, "as", MOMENT, account=NEWS)
    pushes = [
        push(key="s", at=NOON - 100),
        push(key="s", at=NOON + 5),
        push("VIEW", key="https://example.com", at=NOON + 6, more="<MenuId>70</MenuId>"),
        push("VIEW", key="https://example.com", at=NOON + 7, more="<MenuId>99</MenuId>"),
        push("subscribe", key="", at=NOON + 8),
        push(key="b", at=NOON + HOUR - 10),
        push(key="s", at=NOON + HOUR + 5),
        push(key="a", at=NOON + HOUR + 6),
        push("VIEW", key="", at=NOON + HOUR + 7, more="<MenuID>71</MenuID>"),
        push(key="x", at=NOON + HOUR + 8),
    ]

    done = record(database, batch_of(*map(event_of, pushes)))
    again = record(database, batch_of(*map(event_of, pushes)))

    assert [None, first, first, None, None, second, second, first, second, None] == tied(database)
    assert {"before_first": 1, "live": 2, "menu_id": 2, "unknown": 2, "later": 1, "earlier": 1} == done.taps
    assert {} == again.taps


def test_what_changes_between_two_batches_is_seen(database: Engine) -> None:
    first = put_up(database, "as", MOMENT, {0: "70"})
    tap(database, "s", 5)
    second = claim(database, "bs", MOMENT + timedelta(seconds=10))
    tap(database, "s", 12)
    tap(database, "b", 13)
    with transaction(database) as connection:
        publications.finish(connection, second, {0: "71"}, MOMENT + timedelta(seconds=14))
    tap(database, "s", 15)
    tap(database, "", 16, event="VIEW", more="<MenuId>71</MenuId>")
    third = put_up(database, "cs", MOMENT + timedelta(seconds=20))
    tap(database, "s", 25)
    failed = claim(database, "ds", MOMENT + timedelta(seconds=18))  # by a clock that is behind
    with transaction(database) as connection:
        publications.fail(connection, failed, publications.FAILED, None, MOMENT + timedelta(seconds=30))
    tap(database, "s", 40)
    tap(database, "d", 41)

    assert [first, first, second, second, second, third, third, failed] == tied(database)


def test_that_a_menu_is_gone_is_seen_after_hours_of_failures(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    first = put_up(engine, "as", MOMENT)
    failed = claim(engine, "bs", MOMENT + timedelta(hours=3))
    with transaction(engine) as connection:
        publications.fail(connection, failed, publications.FAILED, None, MOMENT + timedelta(hours=3))

    before = tap(engine, "a", 3 * HOUR + 5)
    put_up(engine, "cs", MOMENT + timedelta(hours=4))
    after = tap(engine, "a", 4 * HOUR + 5)

    assert [{"live": 1}, {"earlier": 1}] == [before.taps, after.taps]
    assert [first, first] == tied(engine)
    engine.dispose()


def test_a_batch_costs_one_more_statement_and_none_without_taps(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    texts = [event_of(sample("message_text.xml"))]
    put_up(engine, "as", MOMENT)
    put_up(engine, "bs", MOMENT + timedelta(hours=1))
    tap(engine, "a", 5)

    with statements(engine) as seen:
        tap(engine, "b", HOUR + 5)
        record(engine, batch_of(*texts))

    assert 1 == len([statement for statement in seen if "FROM publication" in statement])
    assert [] == [statement for statement in seen if "FROM menu" in statement or "publication_menu" in statement]
    engine.dispose()


def test_without_publications_nothing_is_counted(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    put_up(engine, "as", MOMENT, account=NEWS)

    done = record(engine, batch_of(*(event_of(sample(one["file"])) for one in SAMPLES)))

    assert {} == done.taps
    assert {None} == set(tied(engine))
    engine.dispose()


def test_what_is_quarantined_is_not_counted(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    put_up(engine, "as", MOMENT)
    long = push(key="s", user="o" * 200, at=NOON + 5)

    done = record(engine, batch_of(event_of(push(key="s", at=NOON + 5)), event_of(long)))

    assert (1, 1, {"live": 1}) == (done.stored, done.quarantined, done.taps)
    engine.dispose()


@pytest.mark.parametrize("definition", [{"menu": 1}, {"menu": {"button": [1]}}, [], 5])
def test_a_menu_that_cannot_be_read_costs_no_event(
    sqlite_database_url: str, definition: object, caplog: pytest.LogCaptureFixture
) -> None:
    engine = connect(sqlite_database_url)
    put_up(engine, "as", MOMENT)
    put_up(engine, "bs", MOMENT + timedelta(hours=1), {0: "71"})
    with transaction(engine) as connection:
        connection.execute(update(Menu).where(Menu.version == 2).values(definition=definition))

    done = [tap(engine, "a", HOUR + 5), tap(engine, "b", HOUR + 6)]

    assert [{"earlier": 1}, {"unknown": 1}] == [one.taps for one in done]
    assert ["menu cannot be read"] == [one.message for one in caplog.records]
    engine.dispose()


def test_after_a_failover_everything_is_read_anew(sqlite_database_url: str) -> None:
    """To a copy of an earlier moment, in which the same ids may come to mean other publications."""
    engine = connect(sqlite_database_url)
    first = put_up(engine, "as", MOMENT)
    second = put_up(engine, "bs", MOMENT + timedelta(hours=1))
    tap(engine, "s", 2 * HOUR)
    with transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM publication WHERE id = ?", (second,))
        connection.exec_driver_sql("UPDATE publication SET ended_at = NULL")
    engine.dispose()

    tap(engine, "s", 2 * HOUR + 1)

    assert [second, first] == tied(engine)
    engine.dispose()


def test_who_may_lag_behind_looks_again_only_after_that(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    first = put_up(engine, "s", MOMENT)
    batches = [batch_of(event_of(push(key="s", at=NOON + HOUR + 10 + number))) for number in range(4)]

    record(engine, batches[0], may_lag=1000)
    second = put_up(engine, "sx", MOMENT + timedelta(hours=1))
    with statements(engine) as seen:
        record(engine, batches[1], may_lag=1000)
    record(engine, batches[2])
    record(engine, batches[3], may_lag=1000)

    assert [] == [statement for statement in seen if "FROM publication" in statement]
    assert [first, first, second, second] == tied(engine)
    engine.dispose()
