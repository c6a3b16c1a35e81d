"""Rows in bulk are what SQLAlchemy would have stored, row by row."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from models.account import Account
from models.base import Base, table_of
from models.bulk import insert_fresh, insert_new, known_ids
from models.db import connect, transaction
from models.event import Event, Location, Message, Scan
from models.quarantine import Quarantine
from models.refusal import is_refusal
from models.types import Moment

NOW = datetime(2026, 10, 1, 12, 30, 15, 123456, tzinfo=UTC)
AWKWARD = [
    *("", " ", "'", '"', "\\", "\\\\", "\\N", "\\x41", "\t", "\r\n", "%", "%s", "{}", "{a,b}", "null", "[1", "?", "a "),
    *("中文", "😀👨‍👩‍👧", "\u2028", "\ufeff", "\x01\x7f", "é", "e\u0301"),
]


def numbered(number: int) -> UUID:
    return UUID(int=(0x01 << 120) + number)


def event(number: int, **values: Any) -> dict[str, Any]:
    given = {"id": numbered(number), "created_at": NOW, "account_id": 1, "kind": "click", "open_id": "o"}
    given |= dict.fromkeys(("event_key", "wechat_menu_id", "msg_id", "body"))
    return given | {"received_at": NOW, "recorded_at": NOW} | values


def place(number: int, latitude: str | None) -> dict[str, Any]:
    values = {"event_id": numbered(number), "created_at": NOW, "latitude": latitude and Decimal(latitude)}
    return values | dict.fromkeys(("longitude", "scale", "label", "poi_name", "precision", "datum"))


def texts() -> list[dict[str, Any]]:
    return [event(number, kind=text, event_key=text, body={text: text}) for number, text in enumerate(AWKWARD)]


def moments() -> list[dict[str, Any]]:
    china = timezone(timedelta(hours=8))
    several = [
        datetime(2011, 1, 1, tzinfo=UTC),
        datetime(2100, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 2, 28, 0, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 2, 28, 0, 0, 0, 120000, tzinfo=UTC),
        datetime(2026, 1, 1, 7, 59, 59, tzinfo=china),
    ]
    return [event(number, created_at=moment, received_at=moment) for number, moment in enumerate(several)]


def bodies() -> list[dict[str, Any]]:
    deep: dict[str, Any] = {}
    for _ in range(15):  # MariaDB's end is at 32 levels
        deep = {"a": [deep]}
    odd: dict[str, Any] = {"n": None, "t": True, "f": 0.1, "i": 2**53 + 1, "s": "", "l": [], "d": {}}
    huge = {f"k{number}": "长" * 100 for number in range(2000)}
    return [event(number, body=body) for number, body in enumerate([None, {}, odd, deep, huge])]


def long_texts() -> list[dict[str, Any]]:
    blank = dict.fromkeys(("media_id", "url", "title", "description", "format", "recognition"))
    key = {"created_at": NOW, "msg_type": "text"}
    contents = ["长" * 20_000, "x" * 60_000, None]
    return [{"event_id": numbered(n), **key, "content": text, **blank} for n, text in enumerate(contents)]


def places() -> list[dict[str, Any]]:
    numbers = ["0", "-0.5", "999.999999999999999", "-999.999999999999999", "1e-15", "1E+2", "113.352425000", None]
    return [place(number, text) for number, text in enumerate(numbers)]


def raws() -> list[dict[str, Any]]:
    several = [bytes(range(256)), b"", b"\\x41", b"\xff\0" * 35_000]
    key = {"account_id": None, "reason": "bad_xml", "detail": "", "received_at": None, "quarantined_at": NOW}
    return [{"id": numbered(number), **key, "raw": raw} for number, raw in enumerate(several)]


def swapped() -> list[dict[str, Any]]:
    """Rows that name their columns in another order than the first does."""
    first, *others = texts()
    return [first, *(dict(reversed(list(row.items()))) for row in others)]


ROWS: dict[str, tuple[type[Base], list[dict[str, Any]]]] = {
    "texts": (Event, texts()),
    "moments": (Event, moments()),
    "bodies": (Event, bodies()),
    "one row": (Event, [event(1, event_key="?")]),
    "long texts": (Message, long_texts()),
    "places": (Location, places()),
    "bytes": (Quarantine, raws()),
    "in another order": (Event, swapped()),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_stored_as_by_sqlalchemy(database: Engine, name: str) -> None:
    model, rows = ROWS[name]
    one_by_one = stored(database, model, lambda connection: connection.execute(table_of(model).insert(), rows))

    in_bulk = stored(database, model, lambda connection: insert_new(connection, model, rows))
    fresh = stored(database, model, lambda connection: insert_fresh(connection, {model: rows}))

    assert len(rows) == len(one_by_one)
    assert one_by_one == in_bulk
    assert one_by_one == fresh


def test_a_missing_body_is_null_and_not_the_null_of_json(database: Engine) -> None:
    """The driver gives both as None."""
    with transaction(database) as connection:
        insert_new(connection, Event, [event(1), event(2, body={"n": None})])
        insert_fresh(connection, {Event: [event(3)]})

        without = connection.exec_driver_sql("SELECT id FROM event WHERE body IS NULL").all()

    assert 2 == len(without)


def test_moments_are_text_on_sqlite_as_sqlalchemy_writes_it() -> None:
    ours, theirs = (kind.bind_processor(sqlite.dialect()) for kind in (Moment(), sqlite.DATETIME()))
    several = [row["created_at"] for row in moments()]

    assert [theirs(moment.astimezone(UTC).replace(tzinfo=None)) for moment in several] == list(map(ours, several))


def stored(engine: Engine, model: type[Base], insert: Any) -> list[tuple[Any, ...]]:
    """The rows as the driver gives them, and gone again."""
    with engine.connect() as connection:
        insert(connection)
        table = table_of(model)
        key = ", ".join(column.name for column in table.primary_key)
        found = connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY {key}").all()
        connection.rollback()
    return [tuple(row) for row in found]


def test_known_rows_are_passed_over_and_keep_what_they_say(database: Engine) -> None:
    with transaction(database) as connection:
        insert_new(connection, Event, [event(2, event_key="first")])

        insert_new(connection, Event, [event(number, event_key="second") for number in (1, 2, 3)])

        assert ["second", "first", "second"] == keys(connection)


def test_rows_that_were_thought_new_and_are_not_are_an_error(database: Engine) -> None:
    scan = {"created_at": NOW, "scan_type": "qrcode", "scan_result": "", "symbology": None, "code": None}
    scans = [{"event_id": numbered(number), **scan} for number in (1, 2)]
    with transaction(database) as connection:
        insert_fresh(connection, {Event: [event(2, event_key="first")], Scan: scans[1:], Location: []})

        for again in ({Event: [event(1), event(2)]}, {Event: [event(3)], Scan: scans}):
            with pytest.raises(IntegrityError), connection.begin_nested():
                insert_fresh(connection, again)

        assert ["first"] == keys(connection)
        assert 1 == connection.scalar(select(func.count()).select_from(Scan))


def keys(connection: Connection) -> list[str | None]:
    return list(connection.scalars(select(Event.event_key).order_by(Event.id)))


def test_a_table_that_numbers_its_rows_goes_on_doing_so(database: Engine) -> None:
    accounts = [{"app_id": name, "name": name, "timezone": "Asia/Shanghai"} for name in ("a", "b", "a")]
    with transaction(database) as connection:
        insert_new(connection, Account, accounts)

        assert 2 == len(set(connection.scalars(select(Account.id))))


def test_which_ids_are_known(database: Engine) -> None:
    months = {numbered(number): NOW + timedelta(days=31 * number) for number in range(6)}
    rows = [event(number, created_at=months[numbered(number)]) for number in range(6)]
    with transaction(database) as connection:
        insert_new(connection, Event, rows[::2])

        known = known_ids(connection, Event, list(months), list(months.values()))

        assert {numbered(number) for number in (0, 2, 4)} == known
        assert set() == known_ids(connection, Event, [numbered(7)], [NOW])
        assert set() == known_ids(connection, Event, [], [])


def test_what_a_table_refuses_is_refused(database: Engine) -> None:
    odd = [event(1, kind=None)]
    if database.dialect.name != "sqlite":  # which takes any text and number
        odd += [event(1, kind="x" * 129), event(1, account_id=2**40)]
    for rows in ([event(0), row, event(2)] for row in odd):
        for insert in (lambda c: insert_new(c, Event, rows), lambda c: insert_fresh(c, {Event: rows})):  # noqa: B023
            with pytest.raises(DBAPIError) as caught, transaction(database) as connection:
                insert(connection)

            assert is_refusal(caught.value)


def test_plans_are_made_for_the_values_at_hand(postgresql_database_url: str) -> None:
    """One that is kept from when a month was empty would read the whole month for every batch."""
    engine = connect(postgresql_database_url)
    with engine.connect() as connection:
        insert_new(connection, Event, [event(number) for number in range(2000)])
        connection.exec_driver_sql("ANALYZE event")
        for _ in range(20):
            known_ids(connection, Event, list(map(numbered, range(500))), [NOW])
        query = (
            "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements WHERE statement LIKE '%%ANY%%'"
        )
        custom, generic = connection.exec_driver_sql(query).one()
    engine.dispose()

    assert custom > 10
    assert 0 == generic
