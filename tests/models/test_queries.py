from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from models import queries
from tests.pushes import SHOP, batch_of, event_of, push
from wechat.event import Addressee, Event, Unreadable, unreadable_id
from workers.record import record

NEWS = Addressee("news", "wx_news")
NOBODY = UUID(int=0)


@pytest.fixture
def events(database: Engine) -> list[Event]:
    """Six events, the oldest first, recorded two by two; the last two are another account's."""
    pushes = [event_of(push(user=f"o{n}", at=1_790_000_000 + n), SHOP if n < 4 else NEWS) for n in range(5)]
    pushes.append(event_of(push("VIEW", at=1_790_000_005), NEWS))
    for start in (0, 2, 4):
        record(database, batch_of(*pushes[start : start + 2]))
    return pushes


def ids(rows: list[queries.EventRow]) -> list[UUID]:
    return [row.id for row in rows]


def test_events_are_listed_newest_first_and_page_by_page(database: Engine, events: list[Event]) -> None:
    newest_first = [event.id for event in reversed(events)]
    with database.connect() as connection:
        first = queries.events(connection, limit=4)
        second = queries.events(connection, limit=4, before=first[-1].id)
        account = queries.account_id(connection, "shop")
        of_account = queries.events(connection, account_id=account, limit=3)
        rest = queries.events(connection, account_id=account, before=of_account[-1].id)

    assert newest_first == ids(first + second)
    assert newest_first[2:] == ids(of_account + rest)


def test_events_are_chosen_by_account_kind_and_time(database: Engine, events: list[Event]) -> None:
    with database.connect() as connection:
        news = queries.account_id(connection, "news")
        by_kind = queries.events(connection, account_id=news, kind="view")
        by_time = queries.events(connection, since=events[1].created_at, until=events[3].created_at)

    assert [events[5].id] == ids(by_kind)
    assert [events[2].id, events[1].id] == ids(by_time)
    assert ("news", "view", "oUser", "menu") == (
        by_kind[0].account,
        by_kind[0].kind,
        by_kind[0].open_id,
        by_kind[0].event_key,
    )


def test_events_can_be_followed_in_the_order_of_their_recording(database: Engine, events: list[Event]) -> None:
    with database.connect() as connection:
        followed: list[queries.EventRow] = []
        at, last = datetime(2020, 1, 1, tzinfo=UTC), NOBODY
        while rows := queries.events_after(connection, at, last, limit=1):
            followed += rows
            at, last = rows[-1].recorded_at, rows[-1].id
        end = queries.last_recorded(connection)

    assert [event.id for event in events] == ids(followed)
    assert (at, last) == end


def test_an_empty_database_has_no_last_event(database: Engine) -> None:
    with database.connect() as connection:
        assert queries.last_recorded(connection) is None
        assert queries.events(connection) == []
        assert list(queries.event_ids(connection)) == []


def test_an_event_is_shown_with_all_there_is_about_it(database: Engine) -> None:
    photos = "".join(f"<item><PicMd5Sum>{md5}</PicMd5Sum></item>" for md5 in ("b", "a"))
    pushed = event_of(
        push("pic_weixin", more=f"<SendPicsInfo><Count>2</Count><PicList>{photos}</PicList></SendPicsInfo>")
    )
    record(database, batch_of(pushed))

    with database.connect() as connection:
        shown = queries.event(connection, pushed.id)
        missing = queries.event(connection, NOBODY)

    assert missing is None
    assert shown is not None
    assert (pushed.id, pushed.body) == (shown.event.id, shown.body)
    assert {
        "photo_send": [{"declared_count": 2, "listed_count": 2}],
        "photo": [{"position": 0, "md5": "b"}, {"position": 1, "md5": "a"}],
    } == shown.details


def test_all_ids_are_read_in_order(database: Engine, events: list[Event]) -> None:
    with database.connect() as connection:
        everything = list(queries.event_ids(connection))
        recent = list(queries.event_ids(connection, since=events[4].created_at))

    assert [event.id for event in events] == everything
    assert [event.id for event in events[4:]] == recent


def test_quarantine_is_listed_newest_first_and_shown_with_its_bytes(database: Engine) -> None:
    at = datetime(2026, 10, 1, tzinfo=UTC)
    entries = [
        Unreadable(unreadable_id("wx1", raw), "wx1", "shop", "bad_xml", raw, at + timedelta(seconds=number))
        for number, raw in enumerate((b"\0one", b"\xfftwo"))
    ]
    for entry in entries:
        record(database, batch_of(entry))

    with database.connect() as connection:
        listed = queries.quarantined(connection)
        none = queries.quarantined(connection, account_id=0)
        item = queries.quarantine_item(connection, entries[1].id)
        missing = queries.quarantine_item(connection, NOBODY)
        every = set(queries.quarantine_ids(connection))

    assert [entries[1].id, entries[0].id] == [row.id for row in listed]
    assert (none, missing) == ([], None)
    assert item is not None
    assert (b"\xfftwo", "shop", "bad_xml", entries[1].received_at) == (
        item.raw,
        item.row.account,
        item.row.reason,
        item.row.received_at,
    )
    assert {entry.id for entry in entries} == every


def test_an_unknown_account_has_no_id(database: Engine) -> None:
    with database.connect() as connection:
        assert queries.account_id(connection, "nobody") is None
