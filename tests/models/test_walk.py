"""Walking through events and details page by page, on each database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from models import queries, walk
from models.db import connect, transaction
from models.event import Event, Location, Photo, Scan
from models.walk import Selection, pages, see_one_state, span
from tests.pushes import batch_of, event_of, push
from wechat import event as pushed
from wechat.event import Addressee
from workers.record import record

NEWS = Addressee("news", "wx_news")
AT = 1_790_000_000
DAY = 86_400
ITEM = "<item><PicMd5Sum>{}</PicMd5Sum></item>"
PHOTOS = "<SendPicsInfo><Count>5</Count><PicList>" + "".join(map(ITEM.format, "abcde")) + "</PicList></SendPicsInfo>"


@pytest.fixture
def events(database: Engine) -> list[pushed.Event]:
    """In the order of their ids; of two accounts, over forty days, several of the same second, one without a time."""
    made = [event_of(push(user=f"o{number}", at=AT)) for number in range(5)]
    made += [event_of(push("pic_weixin", user=f"o{number}", at=AT + DAY, more=PHOTOS)) for number in range(2)]
    made += [event_of(push("pic_weixin", at=AT + 40 * DAY, more=PHOTOS), NEWS)]
    made += [event_of(push("VIEW", at=AT + number), NEWS) for number in (1, 2)]
    made += [event_of(push(at=0))]
    record(database, batch_of(*made))
    return sorted(made, key=lambda event: event.id)


@pytest.fixture(params=[1, 2, 3, 500])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(walk, "PAGE", request.param)
    size: int = request.param
    return size


def walked(engine: Engine, selection: Selection, model: type = Event) -> list[walk.AnyRow]:
    with engine.connect() as connection:
        found: list[Sequence[walk.AnyRow]] = list(pages(connection, selection, model))
    assert all(0 < len(page) <= walk.PAGE for page in found)
    return [row for page in found for row in page]


def test_every_event_comes_once_and_in_order(database: Engine, events: list[pushed.Event], size: int) -> None:
    assert [event.id for event in events] == [row.id for row in walked(database, Selection())]


def test_every_detail_comes_once_and_in_order(database: Engine, events: list[pushed.Event], size: int) -> None:
    expected = [(event.id, position) for event in events for position in range(5) if event.kind == "pic_weixin"]

    assert expected == [(row.event_id, row.position) for row in walked(database, Selection(), Photo)]
    assert [] == walked(database, Selection(), Scan)


@pytest.mark.parametrize("model", [Event, Photo])
def test_only_what_is_chosen_comes(database: Engine, events: list[pushed.Event], size: int, model: type) -> None:
    with database.connect() as connection:
        ids = {name: queries.account_id(connection, name) for name in ("shop", "news")}
    start = datetime.fromtimestamp(AT, UTC)
    for account in (None, "shop", "news"):
        for kind in (None, "click", "pic_weixin"):
            for since, until in ((None, None), (start, None), (None, start), (start, start + timedelta(days=1))):
                selection = Selection(ids.get(account or ""), kind, since, until)
                expected = [
                    event.id
                    for event in events
                    if account in (None, event.account)
                    and kind in (None, event.kind)
                    and (since is None or event.created_at >= since)
                    and (until is None or event.created_at < until)
                    and (model is Event or event.kind == "pic_weixin")
                ]
                found = [row[0] for row in walked(database, selection, model)]
                assert expected == sorted(set(found)), selection
                assert len(found) == len(expected) * (1 if model is Event else 5)


def test_a_moment_between_two_milliseconds_parts_them(database: Engine) -> None:
    early, late = (event_of(push(at=AT * 1000 + milliseconds)) for milliseconds in (0, 1))
    record(database, batch_of(early, late))
    between = early.created_at + timedelta(microseconds=500)

    assert [late.id] == [row.id for row in walked(database, Selection(since=between))]
    assert [early.id] == [row.id for row in walked(database, Selection(until=between))]


def test_the_span_is_that_of_the_first_and_the_last_event(database: Engine, events: list[pushed.Event]) -> None:
    start = datetime.fromtimestamp(AT, UTC)
    with database.connect() as connection:
        news = queries.account_id(connection, "news")
        spans = [
            span(connection, selection)
            for selection in (Selection(since=start), Selection(news, until=start + timedelta(days=1)))
        ]
        none = span(connection, Selection(until=datetime(2000, 1, 1, tzinfo=UTC)))

    assert [(0, 40 * DAY), (1, 2)] == [tuple(round(each.timestamp()) - AT for each in one or ()) for one in spans]
    assert none is None


@pytest.mark.usefixtures("events")
def test_what_is_recorded_or_removed_meanwhile_is_not_seen(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "PAGE", 2)
    with database.connect() as connection:
        see_one_state(connection)
        walking = pages(connection, Selection())
        seen = list(next(walking))
        record(database, batch_of(event_of(push(user="oLate", at=AT + 50 * DAY))))
        with transaction(database) as writing:
            writing.execute(Event.__table__.delete().where(Event.kind == "view"))  # type: ignore[attr-defined]
        seen += [row for page in walking for row in page]

    assert 11 == len(seen)
    assert 10 == len(walked(database, Selection()))


def test_one_state_does_not_cling_to_the_connection(database_url: str) -> None:
    engine = connect(database_url)
    for _ in range(2):
        with engine.connect() as connection:
            levels = connection.get_isolation_level()
            connection.rollback()
            see_one_state(connection)
            assert [] == list(pages(connection, Selection(), Location))
        with engine.connect() as connection:
            assert levels == connection.get_isolation_level()
    engine.dispose()
