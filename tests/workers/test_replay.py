"""What is in quarantine, tried again."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update

from models.account import Account
from models.base import table_of
from models.db import connect, transaction
from models.event import Event, Scan
from models.quarantine import Forgotten, Quarantine, open_id_hash
from tests.pushes import RECEIVED_AT, SHOP, batch_of, event_of, push
from tests.workers.states import end_everywhere, state
from wechat import crypto
from wechat import event as pushed
from wechat.event import Batch, Unreadable, encode, unreadable_id
from workers import replay as module
from workers.record import record
from workers.replay import Choice, Replayed, count, replay
from workers.reread import Reader

KEY, OTHER_KEY = (crypto.decode_key(letter * 43) for letter in "AB")
SCAN = "<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN_13,1</ScanResult></ScanCodeInfo>"
READERS = {SHOP.app_id: Reader(SHOP.name, SHOP.app_id, SHOP.original_id, (OTHER_KEY, KEY))}
REFUSE = """CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.event_key = 'bad' BEGIN
    INSERT INTO holiday (date, is_workday, name) VALUES ('2026-10-01', 0, NULL); END"""


def unreadable(raw: bytes, reason: str = "bad_xml") -> Unreadable:
    return Unreadable(unreadable_id(SHOP.app_id, raw), SHOP.app_id, SHOP.name, reason, raw, RECEIVED_AT)


def encrypted(message: bytes, key: bytes = KEY) -> bytes:
    return (
        f"<xml><ToUserName>x</ToUserName><Encrypt>{crypto.encrypt(message, key, SHOP.app_id)}</Encrypt></xml>".encode()
    )


def refuse(engine: Engine, *events: pushed.Event, reason: str = "row_refused") -> None:
    """Have events in quarantine, as another version of the tables might have put them there."""
    with transaction(engine) as connection:
        account_id = connection.scalar(select(Account.id))
        for event in events:
            row = {"id": event.id, "account_id": account_id, "reason": reason, "detail": "1406", "raw": encode(event)}
            times = {"received_at": event.received_at, "quarantined_at": RECEIVED_AT}
            connection.execute(table_of(Quarantine).insert().values(row | times))


def suspect(event: bytes) -> Batch:
    return Batch(version=1, id="00" * 16, receipts="r", suspect=event)


def run(engine: Engine, choice: Choice | None = None, *, dry_run: bool = False) -> Replayed:
    total = Replayed()
    for part in replay(engine, READERS, choice or Choice(), dry_run=dry_run):
        total.add(part)
    return total


def stored(engine: Engine) -> set[UUID]:
    with engine.connect() as connection:
        return set(connection.scalars(select(Event.id)))


def details(engine: Engine) -> dict[str, list[str]]:
    """The details of what is still to be replayed, by reason."""
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for row in connection.execute(select(Quarantine).where(Quarantine.replayed_at.is_(None))):
            found.setdefault(row.reason, []).append(row.detail)
    return found


@pytest.fixture
def embedded(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    record(engine, batch_of(event_of(push(user="oFirst"))))
    yield engine
    engine.dispose()


def test_refused_events_and_pushes_that_can_be_read_now_are_recorded_once(database: Engine) -> None:
    plain, secret = event_of(push("scancode_push", user="oPlain", more=SCAN)), push("VIEW", user="oSecret")
    broken, known = unreadable(b"<xml>"), event_of(push(user="oKnown"))
    entries = (unreadable(encrypted(secret), "bad_padding"), unreadable(push(user="oBody"), "reader_failed"), broken)
    record(database, batch_of(*entries, known))
    refuse(database, plain, known)

    first, second = run(database), run(database)

    assert Replayed(recorded=3, known=1, refused=Counter(bad_xml=1)) == first
    assert Replayed(refused=Counter(bad_xml=1)) == second
    assert {plain.id, known.id, event_of(secret).id, event_of(push(user="oBody")).id} == stored(database)
    assert [(plain.id, "EAN_13")] == [(row[0], row[4]) for row in state(database, Scan)["scan"]]
    assert {"bad_xml": [""]} == details(database)
    assert 1 == count(database, Choice())


def test_a_push_keeps_the_time_at_which_it_was_received(database: Engine) -> None:
    record(database, batch_of(unreadable(push())))

    run(database)

    with database.connect() as connection:
        assert RECEIVED_AT == connection.scalar(select(Event.received_at))
        assert connection.scalar(select(Quarantine.replayed_at)) == connection.scalar(select(Event.recorded_at))


def test_a_push_that_came_encrypted_twice_is_one_event(database: Engine) -> None:
    record(database, batch_of(*(unreadable(encrypted(push()), "bad_padding") for _ in range(2))))

    assert Replayed(recorded=1, known=1) == run(database)


def test_what_is_refused_again_stays_with_its_reason_and_the_latest_detail(database: Engine) -> None:
    third = crypto.decode_key("C" * 43)
    plain = b"<xml><FromUserName>o</FromUserName></xml>"
    entries = (
        unreadable(encrypted(push(), third), "no_aes_key"),
        unreadable(
            plain, "no_ciphertext"
        ),  # the request was said to be encrypted, so its plain half counts for nothing
        unreadable(push(user="o" * 129), "bad_xml"),
    )
    record(database, batch_of(*entries))
    event = event_of(push(user="x" * 200))
    refuse(database, event, reason="too_long")

    done = run(database)

    (undecryptable,) = details(database)["no_aes_key"]
    assert undecryptable in ("bad_padding", "too_short", "bad_length_field", "wrong_app_id")
    assert Counter(["no_ciphertext", "too_long: open_id", "too_long: open_id", undecryptable]) == done.refused
    assert {"no_aes_key": [undecryptable], "no_ciphertext": [""], "bad_xml": ["too_long: open_id"]} == {
        reason: found for reason, found in details(database).items() if reason != "too_long"
    }
    assert ["open_id"] == details(database)["too_long"]
    assert set() == stored(database)


def test_a_body_that_looks_like_an_event_of_ours_is_none(database: Engine) -> None:
    forged = encode(event_of(push(user="oForged")))
    record(database, batch_of(unreadable(forged, "bad_json")))

    run(database)

    with database.connect() as connection:
        assert ["unknown"] == list(connection.scalars(select(Event.kind)))


def test_only_what_is_chosen_is_replayed(database: Engine) -> None:
    one, two = unreadable(push(user="oOne")), unreadable(push(user="oTwo"), "not_utf8")
    record(database, batch_of(one, two))

    assert [2, 1, 1, 0] == [
        count(database, choice)
        for choice in (Choice(), Choice(reason="bad_xml"), Choice(id=two.id), Choice(account_id=0))
    ]
    assert Replayed(recorded=1) == run(database, Choice(reason="not_utf8"))
    assert {event_of(push(user="oTwo")).id} == stored(database)


def test_a_dry_run_says_what_would_come_of_it_and_keeps_nothing(database: Engine) -> None:
    record(database, batch_of(unreadable(push()), unreadable(b"<xml>", "not_utf8")))
    before = state(database, Quarantine, Event)

    assert Replayed(recorded=1, refused=Counter(bad_xml=1)) == run(database, dry_run=True)
    assert before == state(database, Quarantine, Event)


def test_what_a_forgotten_follower_did_is_erased_instead(database: Engine) -> None:
    event, secret = event_of(push(user="oGone")), push("VIEW", user="oGone")
    record(database, batch_of(event_of(push(user="oStays")), unreadable(encrypted(secret), "bad_padding")))
    refuse(database, event)
    with transaction(database) as connection:
        row = {"account_id": connection.scalar(select(Account.id)), "open_id_hash": open_id_hash(SHOP.app_id, "oGone")}
        moment = {"forgotten_at": event.created_at + timedelta(seconds=1)}
        connection.execute(table_of(Forgotten).insert().values(row | moment))

    assert Replayed(forgotten=2) == run(database)

    with database.connect() as connection:
        rows = connection.execute(select(Quarantine)).all()
    assert {(b"", "forgotten")} == {(row.raw, row.detail) for row in rows}
    assert None not in {row.replayed_at for row in rows}
    assert {event_of(push(user="oStays")).id} == stored(database)


def test_when_most_are_refused_again_the_others_are_recorded(embedded: Engine) -> None:
    bad = [event_of(push(key="bad", user=f"oBad{number}")) for number in range(5)]
    good = event_of(push(user="oGood"))
    refuse(embedded, *bad, good)
    with transaction(embedded) as connection:
        connection.exec_driver_sql(REFUSE)

    done = run(embedded)

    assert Replayed(recorded=1, refused=Counter({"row_refused: SQLITE_CONSTRAINT_NOTNULL": 5})) == done
    assert good.id in stored(embedded)


def test_ended_at_any_statement_and_begun_again_it_comes_to_the_same(
    embedded: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    events = [event_of(push("scancode_push", user=f"o{number}", more=SCAN)) for number in range(3)]
    record(embedded, batch_of(unreadable(b"<xml>"), unreadable(push(user="oBody"))))
    refuse(embedded, *events)
    run(embedded)
    expected = outcome(embedded)
    assert 5 == len(expected["event"])
    assert 4 == len(expected["quarantine"])

    def begin_anew() -> None:
        with transaction(embedded) as connection:
            connection.execute(table_of(Event).delete().where(Event.open_id != "oFirst"))
            connection.execute(table_of(Scan).delete())
            connection.execute(update(Quarantine).values(replayed_at=None))

    def check() -> None:
        run(embedded)
        assert expected == outcome(embedded)

    assert end_everywhere(embedded, lambda: run(embedded), begin_anew, check) > 20


def outcome(engine: Engine) -> dict[str, object]:
    """The tables without the clock."""
    with engine.connect() as connection:
        replayed = select(Quarantine.id).where(Quarantine.replayed_at.is_not(None)).order_by(Quarantine.id)
        return {
            "event": list(connection.scalars(select(Event.id).order_by(Event.id))),
            "quarantine": list(connection.scalars(replayed)),
        } | state(engine, Scan)


def test_suspects_are_tried_in_a_process_of_their_own(embedded: Engine) -> None:
    event, body = event_of(push(user="oSuspect")), unreadable(push(user="oBody"))
    for entry in (encode(event), encode(body), b"{\0"):
        record(embedded, suspect(entry))

    assert Replayed(recorded=2, refused=Counter(bad_entry=1)) == run(embedded)
    assert {event.id, event_of(push(user="oBody")).id} < stored(embedded)
    assert {"suspect": ["bad_entry"]} == details(embedded)


def test_of_a_suspect_that_kills_its_process_is_told_how(embedded: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)  # nothing known kills it, but for time
    record(embedded, suspect(encode(event_of(push(user="oSuspect")))))

    assert asdict(Replayed(refused=Counter({"died: too_slow": 1}))) == asdict(run(embedded, dry_run=True))
    assert {"suspect": [""]} == details(embedded)
    run(embedded)
    assert {"suspect": ["died: too_slow"]} == details(embedded)
