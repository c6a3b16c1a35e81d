"""Details derived again from bodies. What an older program wrote is made by hand: no code is replaced."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy import event as listening

from models.account import Account
from models.base import table_of
from models.db import connect, transaction
from models.event import Event, Location, Message, Photo, PhotoSend, Scan
from models.walk import Selection
from tests.pushes import SAMPLES, SHOP, batch_of, event_of, push, sample
from tests.workers.states import end_everywhere, state, statements
from wechat.event import Addressee
from workers.derive import derive_again
from workers.forget import forget
from workers.record import record

NEWS = Addressee("news", "wx_news")
DAY = 86_400
PHOTOS = "<SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item></PicList></SendPicsInfo>"
SCAN = "<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN_13,1</ScanResult></ScanCodeInfo>"
PUSHES = (
    push(),
    push("pic_weixin", more=PHOTOS),
    push("scancode_push", at=1_790_000_000 + DAY, more=SCAN),
    push("scancode_push", at=1_790_000_000 + 40 * DAY, more=SCAN),
    sample("event_location_select.xml"),
    sample("message_text.xml"),
)


@pytest.fixture
def recorded(database: Engine) -> Engine:
    record(database, batch_of(*(event_of(each, SHOP) for each in PUSHES), event_of(PUSHES[1], NEWS)))
    return database


def spoil(engine: Engine) -> None:
    """Let the details be what some older program might have written."""
    with transaction(engine) as connection:
        for kind, model in (("click", Scan), ("scancode_push", Photo)):  # kinds that have no such details any more
            event = connection.execute(select(Event).where(Event.kind == kind).order_by(Event.id)).first()
            assert event
            values: dict[str, Any] = {"position": 7, "md5": "x"} if model is Photo else {"scan_type": "x"}
            key = {"event_id": event.id, "created_at": event.created_at}
            connection.execute(table_of(model).delete().where(model.event_id == event.id))
            connection.execute(table_of(model).insert().values(key | values))
        connection.execute(update(Location).values(latitude=None, label="elsewhere"))
        connection.execute(table_of(Message).delete())
        connection.execute(table_of(PhotoSend).delete())
        connection.execute(update(Photo).where(Photo.position == 0).values(position=3))


def derive(engine: Engine, selection: Selection | None = None, *, dry_run: bool = False) -> tuple[int, int]:
    """How many events were looked at, and how many were changed."""
    done = list(derive_again(engine, selection or Selection(), dry_run=dry_run))
    return sum(part.events for part in done), sum(len(part.changed) for part in done)


def test_details_become_what_this_program_makes_of_them(recorded: Engine) -> None:
    before = state(recorded), state(recorded, Event)
    spoil(recorded)
    assert before[0] != state(recorded)

    counts = derive(recorded)

    assert before == (state(recorded), state(recorded, Event))
    assert (7, 6) == counts  # all but one of the scans


def test_of_what_is_as_it_should_be_nothing_is_written(database: Engine) -> None:
    samples = [event_of(sample(one["file"])) for one in SAMPLES]
    record(database, batch_of(*samples))

    with statements(database) as seen:
        counts = derive(database)

    assert (len({event.id for event in samples}), 0) == counts
    assert {"SELECT"} == {statement.split()[0] for statement in seen} - {"BEGIN"}


def test_a_dry_run_says_what_would_change_and_changes_nothing(recorded: Engine) -> None:
    spoil(recorded)
    spoiled = state(recorded)

    assert (7, 6) == derive(recorded, dry_run=True)
    assert spoiled == state(recorded)


def test_only_what_is_chosen_is_derived(recorded: Engine) -> None:
    spoil(recorded)
    at = event_of(PUSHES[0]).created_at
    with recorded.connect() as connection:
        news = connection.scalar(select(Account.id).where(Account.name == "news"))

    looked_at = [
        derive(recorded, selection, dry_run=True)
        for selection in (
            Selection(account_id=news),
            Selection(kind="scancode_push"),
            Selection(since=at + timedelta(seconds=1)),
            Selection(since=at, until=at + timedelta(days=1)),
            Selection(kind="scancode_push", since=at + timedelta(days=2)),
        )
    ]

    assert [(1, 1), (2, 1), (2, 1), (3, 3), (1, 0)] == looked_at


def test_ended_at_any_statement_and_begun_again_it_comes_to_the_same(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    record(engine, batch_of(*(event_of(each, SHOP) for each in PUSHES[:3])))
    before = state(engine), state(engine, Event)

    def check() -> None:
        with engine.connect() as connection:  # never a half: photo_send and photo go together
            sends = connection.scalar(select(func.count()).select_from(PhotoSend))
        assert sends == 0 or 0 in {row[2] for row in state(engine, Photo)["photo"]}
        derive(engine)
        assert before == (state(engine), state(engine, Event))

    assert end_everywhere(engine, lambda: derive(engine), lambda: spoil(engine), check) > 20
    engine.dispose()


def test_ended_between_pages_and_begun_again_it_comes_to_the_same(recorded: Engine) -> None:
    before = state(recorded)
    for pages in range(5):
        spoil(recorded)
        running = derive_again(recorded, Selection())
        for _page in zip(range(pages), running, strict=False):
            pass
        running.close()

        derive(recorded)

        assert before == state(recorded)


def test_what_is_refused_now_stays_as_it_is_and_is_told(recorded: Engine) -> None:
    event = event_of(PUSHES[2])
    with transaction(recorded) as connection:
        body = {"ScanCodeInfo": {"ScanType": "x" * 129}}
        connection.execute(update(Event).where(Event.id == event.id).values(body=body))
    before = state(recorded)

    done = list(derive_again(recorded, Selection()))

    assert ["too_long: scan_type"] == [reason for part in done for reason in part.refused]
    assert before == state(recorded)


def test_what_the_tables_refuse_stays_as_it_is_and_the_rest_is_derived(sqlite_database_url: str) -> None:
    engine = connect(sqlite_database_url)
    scans = [event_of(push("scancode_push", user=f"o{number}", more=SCAN)) for number in range(3)]
    bad = event_of(push("scancode_push", more=SCAN.replace("EAN_13,1", "bad")))
    record(engine, batch_of(*scans, bad))
    with transaction(engine) as connection:
        connection.execute(update(Scan).values(symbology=None, code=None, scan_type="old"))
        connection.exec_driver_sql(
            """CREATE TRIGGER refuse BEFORE INSERT ON scan WHEN NEW.scan_result = 'bad' BEGIN
            INSERT INTO holiday (date, is_workday, name) VALUES ('2026-10-01', 0, NULL); END"""
        )

    (done,) = derive_again(engine, Selection())

    assert {event.id for event in scans} == done.changed
    assert {"row_refused": 1} == dict(done.refused)
    with engine.connect() as connection:
        types = {row.event_id: row.scan_type for row in connection.execute(select(Scan))}
    assert {event.id: "barcode" for event in scans} | {bad.id: "old"} == types
    engine.dispose()


def test_whoever_is_forgotten_meanwhile_stays_forgotten(recorded: Engine) -> None:
    spoil(recorded)
    with recorded.connect() as connection:
        account_id = connection.scalar(select(Account.id).where(Account.app_id == SHOP.app_id))
    assert account_id
    times = 0

    def forget_now(_connection: object) -> None:  # when the first page has been compared, and nothing is written yet
        nonlocal times
        times += 1
        if times == 1:
            assert (4, 0) == forget(recorded, account_id, SHOP.app_id, "oUser", datetime.now(UTC))

    listening.listen(recorded, "rollback", forget_now)
    derive(recorded, Selection(account_id=account_id, since=event_of(PUSHES[0]).created_at))
    listening.remove(recorded, "rollback", forget_now)

    with recorded.connect() as connection:
        rows = connection.execute(select(Scan.scan_result).join(Event, Event.id == Scan.event_id)).all()
        assert {None} == {row.scan_result for row in rows}
        photos = select(Photo.md5).join(Event, Event.id == Photo.event_id).where(Event.account_id == account_id)
        assert {None} == set(connection.scalars(photos))
    assert (7, 3) == derive(recorded)  # the other account's, and two of another follower
