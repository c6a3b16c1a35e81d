"""Forgetting a follower: what is erased, what stays, and what may not come back."""

import base64
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

import migrations
from models.account import Account
from models.base import table_of
from models.db import connect, transaction
from models.event import Event, Message
from models.quarantine import Forgotten, Quarantine, open_id_hash
from models.queries import DETAILS
from tests.pushes import RECEIVED_AT, SAMPLES, SHOP, batch_of, event_of, push, sample
from tests.workers.states import end_everywhere, state
from wechat import event as pushed
from wechat.event import Addressee, Batch, Unreadable, encode, encode_batch, read, unreadable_id
from wechat.parse import parse
from workers import mentions
from workers.forget import STRIPPED, erase_again, forget, remember, would_forget
from workers.record import record

NEWS = Addressee("news", "wx_news")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
OPEN_ID = "oZ8yx1d9m8mVw-Uo_3mCkpQ7hT4E"
KINDS = (
    "event_scancode_push",
    "event_pic_weixin",
    "event_location_select",
    "message_text",
    "message_link",
    "event_VIEW",
)
KEPT = {  # of the details: what kind of thing it was, and how many
    "scan_type",
    "declared_count",
    "listed_count",
    "position",
    "datum",
    "msg_type",
    "format",
}


def of_follower(name: str, open_id: str = OPEN_ID, account: Addressee = SHOP) -> pushed.Event:
    fields, _ = parse(sample(f"{name}.xml"))
    return read(fields | {"FromUserName": open_id}, account, RECEIVED_AT)


def account_id(engine: Engine, app_id: str = SHOP.app_id) -> int:
    with engine.connect() as connection:
        found = connection.scalar(select(Account.id).where(Account.app_id == app_id))
    assert found
    return found


def forget_them(engine: Engine, now: datetime = NOW) -> tuple[int, int]:
    return forget(engine, account_id(engine), SHOP.app_id, OPEN_ID, now)


def everything(engine: Engine) -> str:
    """All that is in the tables of events and in quarantine, as text."""
    return repr(state(engine, Event, Quarantine, *DETAILS))


def forgotten_at(engine: Engine) -> list[datetime]:
    with engine.connect() as connection:
        return list(connection.scalars(select(Forgotten.forgotten_at)))


@pytest.fixture
def recorded(database: Engine) -> Engine:
    events = [of_follower(name) for name in KINDS]
    others = [of_follower("message_text", "oOther"), of_follower("message_text", account=NEWS)]
    record(database, batch_of(*events, *others))
    return database


def test_nothing_is_left_of_a_follower_but_that_somebody_did_something(recorded: Engine) -> None:
    before = state(recorded, Event)["event"]

    assert (len(KINDS), 0) == would_forget(recorded, account_id(recorded), SHOP.app_id, OPEN_ID, NOW)
    assert (len(KINDS), 0) == forget_them(recorded)
    assert (0, 0) == forget_them(recorded)

    with recorded.connect() as connection:
        shop = Event.account_id == account_id(recorded)
        rows = connection.execute(select(Event).where(shop, Event.open_id != "oOther")).all()
        details = [
            dict(row._mapping)
            for model in DETAILS
            for row in connection.execute(select(table_of(model)).where(model.event_id.in_([row.id for row in rows])))
        ]
    (pseudonym,) = {row.open_id for row in rows}
    assert pseudonym.startswith("~")
    assert {(None, None)} == {(row.msg_id, row.body) for row in rows}
    assert len(before) == len(state(recorded, Event)["event"])
    assert {"scancode_push", "view"} < {row.kind for row in rows}
    assert 6 == len(details)
    assert {None} == {
        value for detail in details for name, value in detail.items() if name not in KEPT | {"event_id", "created_at"}
    }
    assert {(row[0], row[2]) for row in before} == {(row[0], row[2]) for row in state(recorded, Event)["event"]}


def test_others_and_the_same_openid_of_another_account_stay(recorded: Engine) -> None:
    forget_them(recorded)

    with recorded.connect() as connection:
        left = select(Event.open_id, Account.name, Message.content).where(~Event.open_id.startswith("~"))
        query = left.join(Account, Account.id == Event.account_id).join(Message, Message.event_id == Event.id)
        found = {tuple(row) for row in connection.execute(query)}
    assert {("oOther", "shop", "this is a test"), (OPEN_ID, "news", "this is a test")} == found


def test_every_column_of_the_details_is_either_stripped_or_known_to_tell_nothing() -> None:
    columns = {column.name for model in DETAILS for column in table_of(model).columns} - {"event_id", "created_at"}
    stripped = {name for names in STRIPPED.values() for name in names}

    assert columns == stripped | KEPT
    assert set() == stripped & KEPT


def test_what_comes_late_is_dropped_and_what_is_done_later_is_recorded(recorded: Engine) -> None:
    at = int(datetime.now(UTC).timestamp())
    forget_them(recorded, datetime.fromtimestamp(at, UTC))

    done = record(recorded, batch_of(*(event_of(push(user=OPEN_ID, at=moment)) for moment in (at - 1, at, at + 1))))

    assert (2, 1) == (done.stored, done.forgotten)
    assert (0, 0) == erase_again(recorded, None, datetime.now(UTC))
    assert 3 == everything(recorded).count(OPEN_ID)  # two of them, and one of the other account


def test_a_clock_that_is_ahead_keeps_no_event(recorded: Engine) -> None:
    now = datetime.now(UTC)
    record(recorded, batch_of(event_of(push(user=OPEN_ID, at=int(now.timestamp()) + 86_400))))

    assert (len(KINDS) + 1, 0) == forget_them(recorded, datetime.now(UTC))


def test_forgotten_once_more_the_later_moment_holds(recorded: Engine) -> None:
    for seconds in (0, 60, 30):
        forget_them(recorded, NOW + timedelta(seconds=seconds))

    assert [NOW + timedelta(seconds=60)] == forgotten_at(recorded)


def test_a_line_in_the_log_tells_of_it_by_the_hash_alone(recorded: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "workers.forget"):
        forget_them(recorded)

    (line,) = caplog.records
    assert ("follower forgotten", open_id_hash(SHOP.app_id, OPEN_ID), 6) == (
        line.message,
        vars(line)["open_id_hash"],
        vars(line)["events"],
    )
    assert OPEN_ID not in repr(vars(line))


def quarantine(engine: Engine) -> None:
    """Pushes of the follower in every form that quarantine has, and others that are not theirs."""
    mine = push(user=OPEN_ID)
    bodies = (mine[:-9], b"<xml>" + OPEN_ID.encode() + b"x", push(user="oOther")[:-9])
    record(engine, batch_of(*(unreadable(body) for body in bodies)))
    for entry in (unreadable(mine[:-8]), event_of(push(user=OPEN_ID, key="a")), event_of(push(key="b"))):
        record(engine, Batch(version=1, id="00" * 16, receipts="r", suspect=encode(entry)))
    record(engine, Batch(version=1, id="00" * 16, receipts="r", suspect=b"{" + OPEN_ID.encode()))  # of no known account
    refused = event_of(push(user=OPEN_ID, key="c" * 10, more="<MenuId>" + "9" * 129 + "</MenuId>"))
    record(engine, batch_of(refused))


def unreadable(raw: bytes) -> Unreadable:
    return Unreadable(unreadable_id(SHOP.app_id, raw), SHOP.app_id, SHOP.name, "bad_xml", raw, RECEIVED_AT)


def test_quarantine_is_searched_in_every_form_that_can_be_read(
    recorded: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "_PAGE", 2)
    quarantine(recorded)
    with recorded.connect() as connection:
        raws = list(connection.scalars(select(Quarantine.raw)))
    inside = base64.b64encode(push(user=OPEN_ID)[:-8])
    assert [5, 1] == [sum(text in raw for raw in raws) for text in (OPEN_ID.encode(), inside)]

    assert 5 == would_forget(recorded, account_id(recorded), SHOP.app_id, OPEN_ID, datetime.now(UTC))[1]
    assert 5 == forget_them(recorded, datetime.now(UTC))[1]
    quarantine(recorded)  # once more, from a journal

    with recorded.connect() as connection:
        rows = connection.execute(select(Quarantine)).all()
    assert [(b"", "forgotten")] * 5 == [(row.raw, row.detail) for row in rows if row.replayed_at]
    assert [] == [row for row in rows if inside in row.raw]
    assert [b"<xml>" + OPEN_ID.encode() + b"x"] == [row.raw for row in rows if OPEN_ID.encode() in row.raw]
    assert 8 == len(rows)


def bring_back(engine: Engine, name: str) -> None:
    """As a batch that was being recorded while its follower was forgotten, or a table restored from a copy."""
    with transaction(engine) as connection:
        kept = connection.execute(select(Forgotten)).all()
        connection.execute(table_of(Forgotten).delete())
    record(engine, batch_of(of_follower(name)))
    with transaction(engine) as connection:
        remember(connection, {(row.account_id, row.open_id_hash): row.forgotten_at for row in kept})


def test_what_slipped_past_is_erased_when_its_turn_comes(recorded: Engine) -> None:
    forget_them(recorded)
    bring_back(recorded, "message_voice")
    now = datetime.now(UTC)

    assert [(0, 0), (1, 0), (0, 0)] == [
        erase_again(recorded, since, now) for since in (now + timedelta(1), now - timedelta(hours=1), None)
    ]
    assert 1 == everything(recorded).count(OPEN_ID)  # the other account's


def test_a_dry_run_counts_what_slipped_past_once(recorded: Engine) -> None:
    forget_them(recorded)
    for name in ("message_voice", "message_image"):
        bring_back(recorded, name)
    with transaction(recorded) as connection:
        old = update(Event).where(Event.kind == "message_voice")
        connection.execute(old.values(recorded_at=datetime(2020, 1, 1, tzinfo=UTC)))
    now = datetime.now(UTC)

    assert (2, 0) == erase_again(recorded, None, now, dry_run=True)
    assert (2, 0) == erase_again(recorded, None, now)


def test_what_was_recorded_long_ago_is_found_when_all_is_looked_through(recorded: Engine) -> None:
    forget_them(recorded)
    bring_back(recorded, "message_voice")
    with transaction(recorded) as connection:
        old = update(Event).where(Event.kind == "message_voice")
        connection.execute(old.values(recorded_at=datetime(2020, 1, 1, tzinfo=UTC)))
    now = datetime.now(UTC)

    assert (0, 0) == erase_again(recorded, now - timedelta(days=2), now)
    assert (1, 0) == erase_again(recorded, None, now)


def test_pushes_in_quarantine_are_looked_through_again_too(recorded: Engine) -> None:
    record(recorded, batch_of(unreadable(push(user="oOther")[:-9])))
    forget_them(recorded, datetime.now(UTC) + timedelta(seconds=5))
    record(recorded, batch_of(unreadable(push(user=OPEN_ID)[:-9])))
    now = datetime.now(UTC)

    assert [(0, 0), (0, 1), (0, 0)] == [
        erase_again(recorded, since, now) for since in (now + timedelta(1), now - timedelta(hours=1), None)
    ]


def test_whoever_unsubscribes_is_forgotten_where_that_is_wanted(database: Engine) -> None:
    at = 1_790_000_000
    batch = [
        event_of(push(event, user=user, at=moment))
        for event, user, moment in (
            ("CLICK", OPEN_ID, at - 60),
            ("unsubscribe", OPEN_ID, at),
            ("CLICK", "oStays", at),
            ("subscribe", OPEN_ID, at + 1),
        )
    ]
    record(database, batch_of(*batch), forget_unsubscribed=True)
    late = record(database, batch_of(event_of(push("VIEW", user=OPEN_ID, at=at - 30))), forget_unsubscribed=True)

    assert [datetime.fromtimestamp(at + 1, UTC)] == forgotten_at(database)
    assert 1 == late.forgotten
    now = datetime.now(UTC)
    assert (2, 0) == erase_again(database, now - timedelta(minutes=30), now)
    with database.connect() as connection:
        kinds = {tuple(row) for row in connection.execute(select(Event.kind, func.substr(Event.open_id, 1, 1)))}
    assert {("click", "~"), ("unsubscribe", "~"), ("click", "o"), ("subscribe", "o")} == kinds


def test_without_being_wanted_nobody_is(database: Engine) -> None:
    record(database, batch_of(event_of(push("unsubscribe"))))

    assert [] == forgotten_at(database)


def test_an_unsubscribe_of_the_future_forgets_no_further_than_now(database: Engine) -> None:
    record(database, batch_of(event_of(push("unsubscribe", at=4_000_000_000))), forget_unsubscribed=True)

    (moment,) = forgotten_at(database)
    assert moment < datetime.now(UTC) + timedelta(seconds=2)


def test_ended_at_any_statement_and_begun_again_nothing_is_left(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    entries = batch_of(*(of_follower(name) for name in KINDS), unreadable(push(user=OPEN_ID)[:-9]))
    record(engine, entries)
    counts = {name: len(rows) for name, rows in state(engine, Event, Quarantine, *DETAILS).items()}

    def begin_anew() -> None:
        with transaction(engine) as connection:
            for model in (Forgotten, Event, Quarantine, *DETAILS):
                connection.execute(table_of(model).delete())
        record(engine, entries)

    def check() -> None:
        has_begun = "'~" in everything(engine)
        late = record(engine, batch_of(event_of(push(user=OPEN_ID, key="late"))))
        assert late.forgotten == 1 or not has_begun  # from the first stripped row on, nothing comes in any more
        record(engine, entries)  # brings nothing back
        forget_them(engine)
        with transaction(engine) as connection:
            connection.execute(table_of(Event).delete().where(Event.event_key == "late"))
        assert OPEN_ID not in everything(engine)
        assert counts == {name: len(rows) for name, rows in state(engine, Event, Quarantine, *DETAILS).items()}

    assert end_everywhere(engine, lambda: forget_them(engine), begin_anew, check) > 15
    engine.dispose()


def test_each_sample_is_forgotten_whole(sqlite_database_url: str) -> None:
    """Every push that WeChat documents: no word of its body stays in the details."""
    engine = connect(sqlite_database_url)
    events = [event_of(sample(one["file"])) for one in SAMPLES]
    record(engine, batch_of(*events))
    shop = account_id(engine)
    for open_id in {event.open_id for event in events if event.open_id}:
        forget(engine, shop, SHOP.app_id, open_id, NOW)

    left = repr(state(engine))
    said = {text for event in events for text in _texts(event.body or {}) if len(text) > 7}
    assert said
    assert set() == {text for text in said if repr(text)[1:-1] in left}
    engine.dispose()


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value]


def test_the_tasks_forget_who_unsubscribes_where_that_is_configured(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'caidan.db'}")
    migrations.upgrade(engine)
    batch = encode_batch("00" * 16, "receipts.test", [encode(event_of(push("unsubscribe", user=OPEN_ID)))])
    script = f"""
from workers.tasks import app, erase_forgotten, record_events
often, nightly = (one["args"] for one in app.conf.beat_schedule.values() if one["task"] == erase_forgotten.name)
record_events.apply(({batch.decode()!r},))
erase_forgotten(*often)
print(nightly)
"""
    variables = {
        "CAIDAN_DATA_DIR": str(tmp_path),
        "CAIDAN_JOURNAL_RETENTION": "90000",
        "CAIDAN_FORGET_ON_UNSUBSCRIBE": "true",
    }

    done = subprocess.run([sys.executable, "-c", script], env=os.environ | variables, capture_output=True, text=True)

    assert (0, "(180000,)\n") == (done.returncode, done.stdout), done.stderr
    assert 1 == len(forgotten_at(engine))
    assert 1 == len(state(engine, Event)["event"])
    assert OPEN_ID not in everything(engine)
    engine.dispose()
