"""Answers after the push was answered: one for an event, within its window, and never one that may have been sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update

from models import answers as rows
from models.answers import FORGOTTEN, LATE, REFUSED, SENDING, SENT, UNKNOWN, WAITING, Answer, counts
from models.base import table_of
from models.config import Config
from models.db import connect, transaction
from tests.platforms import Platform
from tests.workers.shop import KEY, SHOP
from wechat.errcodes import Invalid, Unreachable, Words, refusal
from wechat.reply import Article, Image, Music, News, Nothing, Reply, Text, Transfer, Video, Voice
from workers import answers
from workers.answers import answer, send_due
from workers.forget import forget
from workers.handled_event import Event
from workers.retain import retain

TEXT = Text("三件")


@pytest.fixture(autouse=True)
def platform(platform: Platform) -> Iterator[Platform]:
    """With a follower, and a token that is known already."""
    platform.followers({"open_id": "o1"})
    answers._client.cache_clear()
    yield platform
    answers._client.cache_clear()


@pytest.fixture
def sqlite_engine(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def config(platform: Platform) -> Config:
    return Config(accounts=(SHOP,), api_base_url=platform.url, secret_key=KEY)


def event(kind: str = "click", *, ago: float = 0, number: int = 1, **changes: Any) -> Event:
    fields = {
        "id": UUID(int=number),
        "account": SHOP.name,
        "app_id": SHOP.app_id,
        "kind": kind,
        "created_at": datetime.now(UTC) - timedelta(seconds=ago),
        "received_at": datetime.now(UTC),
        "open_id": "o1",
        "event_key": "STOCK",
        "wechat_menu_id": None,
        "msg_id": None,
        "body": {},
    }
    return Event(**(fields | changes))


def tap(platform: Platform) -> None:
    """So that the platform lets us answer."""
    platform.push("o1", MsgType="event", Event="CLICK", EventKey="STOCK")


def row(engine: Engine) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(*table_of(Answer).columns)).one()


def said(platform: Platform) -> list[str]:
    return [turn["text"] for turn in platform.conversation("o1")["turns"] if turn["by"] == "account"]


def hasten(engine: Engine, **columns: Any) -> None:
    """Let what is waiting be due."""
    past = {"due_at": datetime.now(UTC) - timedelta(seconds=1)}
    with transaction(engine) as connection:
        connection.execute(update(Answer).values(past | columns))


def test_a_reply_is_sent_and_not_kept(database: Engine, platform: Platform, config: Config) -> None:
    tap(platform)
    outcome = answer(database, config, event(), TEXT, "stock")
    stored = row(database)

    assert SENT == outcome == stored.state
    assert ["三件"] == said(platform)
    assert ("stock", 1, None, None, None) == (
        stored.handler,
        stored.attempts,
        stored.message,
        stored.open_id,
        stored.due_at,
    )


def test_an_event_is_answered_once(database: Engine, platform: Platform, config: Config) -> None:
    tap(platform)
    outcomes = [answer(database, config, event(), Text(text), handler) for text, handler in ("a1", "a1", "b2")]

    assert [SENT, "answered", "answered"] == outcomes
    assert ["a"] == said(platform)


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (Image("m1"), "image", "m1"),
        (Voice("m1"), "voice", "m1"),
        (Video("m1", "title", "words"), "video", "m1 · title · words"),
        (Music("m1", "title", "words", "http://x/a"), "music", "title · words · http://x/a · http://x/a · m1"),
        (News((Article("title", "words", "", "http://x/"),)), "news", "title · words · http://x/"),
        (Text("中" * 700), "text", "中" * 682),
    ],
)
def test_each_type_of_reply_is_sent(
    sqlite_engine: Engine, platform: Platform, config: Config, reply: Reply, kind: str, text: str
) -> None:
    tap(platform)

    assert SENT == answer(sqlite_engine, config, event(), reply, "h")

    last = platform.conversation("o1")["turns"][-1]

    assert (kind, text, "service") == (last["kind"], last["text"], last["how"])


@pytest.mark.parametrize(
    ("asked", "reply", "reason"),
    [
        ({}, Nothing(), "nothing"),
        ({}, Transfer(), "not_sendable"),
        ({}, News(()), "bad_reply"),
        ({}, Text(" "), "bad_reply"),
        ({}, Image("no id"), "bad_reply"),
        ({"open_id": None}, TEXT, "no_follower"),
        ({"open_id": "~forgotten"}, TEXT, "no_follower"),
        ({"app_id": "wx0"}, TEXT, "no_secret"),
        *(({"kind": kind}, TEXT, "no_window") for kind in ("view", "pic_weixin", "location_select", "location_report")),
    ],
)
def test_what_cannot_be_sent_is_told_by_a_word(
    sqlite_engine: Engine, platform: Platform, config: Config, asked: dict[str, Any], reply: Reply, reason: str
) -> None:
    assert reason == answer(sqlite_engine, config, event(**asked), reply, "h")
    assert [] == platform.calls()


@pytest.mark.parametrize(
    ("kind", "ago", "outcome"),
    [
        ("click", 55, SENT),
        ("click", 61, LATE),
        ("scancode_waitmsg", 61, LATE),
        ("scancode_push", 61, LATE),
        ("subscribe", 61, LATE),
        ("qrcode_scan", 61, LATE),
        ("message_text", 61, SENT),
        ("message_image", 47 * 3600, SENT),
        ("message_text", 48 * 3600 + 1, LATE),
    ],
)
def test_the_window_is_counted_from_when_it_happened(
    sqlite_engine: Engine, platform: Platform, config: Config, kind: str, ago: float, outcome: str
) -> None:
    tap(platform)

    assert outcome == answer(sqlite_engine, config, event(kind, ago=ago), TEXT, "h") == row(sqlite_engine).state
    assert (1 if outcome == SENT else 0) == len(platform.calls("message/custom/send"))


def test_an_entry_of_a_msgmenu_is_a_menu(sqlite_engine: Engine, config: Config) -> None:
    tapped = event("message_text", ago=61, body={"bizmsgmenuid": "101"})

    assert LATE == answer(sqlite_engine, config, tapped, TEXT, "h")


@pytest.mark.parametrize("errcode", [45015, 45047, 40003, 48001])
def test_a_refusal_is_final(database: Engine, platform: Platform, config: Config, errcode: int) -> None:
    tap(platform)
    platform.fault("message/custom/send", errcode=errcode, times=1)

    assert REFUSED == answer(database, config, event(), TEXT, "h")

    hasten(database)
    send_due(database, config)

    assert (REFUSED, errcode, None) == (row(database).state, row(database).errcode, row(database).message)
    assert [errcode] == platform.calls("message/custom/send")


def test_the_platform_itself_refuses_what_no_window_is_open_for(
    sqlite_engine: Engine, platform: Platform, config: Config
) -> None:
    """45015 as it comes, and 45047 after three messages."""
    assert REFUSED == answer(sqlite_engine, config, event(number=1), TEXT, "h")
    assert 45015 == row(sqlite_engine).errcode

    tap(platform)
    outcomes = [answer(sqlite_engine, config, event(number=number), TEXT, "h") for number in range(2, 6)]

    assert [SENT, SENT, SENT, REFUSED] == outcomes
    assert [45015, 0, 0, 0, 45047] == platform.calls("message/custom/send")


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"errcode": 45011}, {"errcode": 40001}, {"errcode": 45009}])
def test_what_was_not_sent_is_sent_later(
    database: Engine, platform: Platform, config: Config, fault: dict[str, Any]
) -> None:
    tap(platform)
    platform.fault("message/custom/send", **fault)

    assert WAITING == answer(database, config, event(), TEXT, "h")
    assert "answered" == answer(database, config, event(), Text("another"), "h")

    hasten(database)
    send_due(database, config)

    assert (WAITING, 2) == (row(database).state, row(database).attempts)

    platform.heal()
    send_due(database, config)  # it is not due yet
    hasten(database)
    send_due(database, config)

    assert (SENT, 3, None) == (row(database).state, row(database).attempts, row(database).message)
    assert ["三件"] == said(platform)


def test_nothing_is_sent_where_there_is_no_token(sqlite_engine: Engine, platform: Platform, config: Config) -> None:
    """A token that did not come in time leaves no doubt about the message."""
    tap(platform)
    platform.fault("stable_token", drop=True, times=1)

    assert WAITING == answer(sqlite_engine, config, event(), TEXT, "h")
    assert [] == platform.calls("message/custom/send")


def test_a_server_that_is_not_there_leaves_no_doubt(sqlite_engine: Engine, config: Config) -> None:
    away = config.model_copy(update={"api_base_url": "http://127.0.0.1:9"})

    assert WAITING == answer(sqlite_engine, away, event(), TEXT, "h")


@pytest.mark.parametrize("fault", [{"drop": True}, {"garbage": True}, {"status": 502, "garbage": True}])
def test_what_may_have_been_sent_is_not_sent_again(
    sqlite_engine: Engine, platform: Platform, config: Config, fault: dict[str, Any]
) -> None:
    tap(platform)
    platform.fault("message/custom/send", after=True, times=1, **fault)

    assert UNKNOWN == answer(sqlite_engine, config, event(), TEXT, "h")

    hasten(sqlite_engine)
    send_due(sqlite_engine, config)

    assert (UNKNOWN, None) == (row(sqlite_engine).state, row(sqlite_engine).message)
    assert ["三件"] == said(platform)


def test_a_claim_of_the_dead_is_not_taken_over(database: Engine, platform: Platform, config: Config) -> None:
    tap(platform)
    platform.fault("message/custom/send", errcode=-1, times=1)
    answer(database, config, event(), TEXT, "h")
    hasten(database, state=SENDING, due_at=datetime.now(UTC) + timedelta(seconds=30))
    send_due(database, config)

    assert SENDING == row(database).state

    hasten(database)
    send_due(database, config)

    assert (UNKNOWN, None, None) == (row(database).state, row(database).message, row(database).open_id)
    assert [] == said(platform)


def test_what_waited_too_long_is_late(sqlite_engine: Engine, platform: Platform, config: Config) -> None:
    tap(platform)
    platform.fault("message/custom/send", errcode=-1, times=1)
    answer(sqlite_engine, config, event(), TEXT, "h")
    hasten(sqlite_engine, until=datetime.now(UTC) - timedelta(seconds=1))
    send_due(sqlite_engine, config)

    assert (LATE, None) == (row(sqlite_engine).state, row(sqlite_engine).message)
    assert [] == said(platform)


def test_what_would_be_tried_after_its_window_is_late_at_once(
    sqlite_engine: Engine, platform: Platform, config: Config
) -> None:
    platform.fault("message/custom/send", errcode=-1)

    assert LATE == answer(sqlite_engine, config, event(ago=59.5), TEXT, "h")


def test_an_account_out_of_reach_is_asked_once_a_time(
    sqlite_engine: Engine, platform: Platform, config: Config
) -> None:
    platform.fault("message/custom/send", errcode=-1)
    for number in range(1, 6):
        answer(sqlite_engine, config, event("message_text", number=number), TEXT, "h")
    hasten(sqlite_engine)
    before = len(platform.calls("message/custom/send"))
    send_due(sqlite_engine, config)

    assert 1 == len(platform.calls("message/custom/send")) - before


def test_two_ticks_send_it_once(database: Engine, platform: Platform, config: Config) -> None:
    tap(platform)
    platform.fault("message/custom/send", errcode=-1, times=1)
    answer(database, config, event(), TEXT, "h")
    hasten(database)
    with database.connect() as connection:
        seen = rows.due(connection, datetime.now(UTC), 10)
    send_due(database, config)
    with transaction(database) as connection:
        taken = [rows.claim_again(connection, one, datetime.now(UTC), datetime.now(UTC)) for one in seen]

    assert [False] == taken
    assert ["三件"] == said(platform)


def test_a_forgotten_follower_is_not_answered(database: Engine, platform: Platform, config: Config) -> None:
    tap(platform)
    platform.fault("message/custom/send", errcode=-1, times=1)
    answer(database, config, event(), TEXT, "h")
    forget(database, row(database).account_id, SHOP.app_id, "o1", datetime.now(UTC))
    hasten(database)
    send_due(database, config)

    assert (FORGOTTEN, None, None) == (row(database).state, row(database).message, row(database).open_id)
    assert [] == said(platform)


def test_answers_are_counted_and_let_go(database: Engine, platform: Platform, config: Config) -> None:
    tap(platform)
    answer(database, config, event(), TEXT, "stock")
    answer(database, config, event(number=2, ago=8 * 86400), TEXT, "stock")
    answer(database, config, event(number=3, ago=100), TEXT, "price")
    now = datetime.now(UTC)
    with database.connect() as connection:
        found = counts(connection, now - timedelta(days=1))

    assert {"stock": {SENT: 1}, "price": {LATE: 1}} == found

    retain(database, {}, now, None)
    with database.connect() as connection:
        left = connection.scalars(select(Answer.event_id).order_by(Answer.event_id)).all()

    assert [UUID(int=1), UUID(int=3)] == left


SEND = "/cgi-bin/message/custom/send"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Unreachable(SEND, "timeout"), UNKNOWN),
        (Unreachable(SEND, "timeout", sent=False), WAITING),
        (Unreachable("/cgi-bin/stable_token", "timeout"), WAITING),
        (refusal(SEND, 40164, "x"), WAITING),  # the address can be entered while the window is open
        (refusal("/cgi-bin/stable_token", 40125, "x"), WAITING),
        (refusal(SEND, 48001, "x"), REFUSED),
        (Invalid(SEND, Words("new", "新"), 99999), REFUSED),
    ],
)
def test_an_error_tells_whether_it_may_be_sent_again(error: Any, outcome: str) -> None:
    assert outcome == answers.judged(error)


def test_the_waits_grow_up_to_five_minutes() -> None:
    assert [1, 2, 4, 8, 300, 300] == [answers.wait(attempts).total_seconds() for attempts in (1, 2, 3, 4, 10, 1000)]
