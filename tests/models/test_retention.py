"""What is expired goes, with its particulars, and nothing else does."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text, update

from models import partition, retention
from models.base import Base
from models.db import connect, transaction
from models.event import Event, Location, Message, Photo, PhotoSend, Scan
from models.quarantine import Quarantine
from models.retention import Gone, Limits, expired, let_go, limits, months_to_go
from tests.models.filling import fill, rows_in
from tests.pushes import RECEIVED_AT, batch_of, event_of, push
from wechat.event import EPOCH, Unreadable, unreadable_id
from workers.record import record

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MONTHS = [date(2026, month, 1) for month in range(1, 11)]
PHOTOS = "<SendPicsInfo><Count>2</Count><PicList>{}</PicList></SendPicsInfo>".format(
    "<item><PicMd5Sum>aa</PicMd5Sum></item>" * 2
)


def days_ago(days: float) -> int:
    return int((NOW - days * DAY).timestamp())


def run(engine: Engine, retention_days: dict[str, int], now: datetime = NOW) -> Gone:
    gone = Gone()
    for step in let_go(engine, limits(retention_days, now)):
        gone.add(step)
    return gone


def kinds(engine: Engine) -> Counter[str]:
    with engine.connect() as connection:
        return Counter(connection.scalars(select(Event.kind)))


def count(engine: Engine, model: type[Base]) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(model)) or 0


def test_limits_are_moments_before_now() -> None:
    found = limits({"default": 30, "click": 7, "quarantine": 90}, NOW)

    assert Limits({"click": NOW - 7 * DAY}, NOW - 30 * DAY, NOW - 90 * DAY) == found


def test_quarantine_goes_by_the_default_unless_it_has_a_number_of_its_own() -> None:
    assert limits({"default": 30}, NOW).quarantine == NOW - 30 * DAY
    assert limits({"click": 30}, NOW).quarantine is None


@pytest.mark.parametrize(
    ("retention_days", "all_before", "some_before"),
    [
        ({}, None, None),
        ({"click": 7}, None, 7),
        ({"default": 30}, 30, 30),
        ({"default": 30, "click": 7}, 30, 7),
        ({"default": 30, "click": 90, "view": 60}, 90, 30),
        ({"default": 30, "quarantine": 1}, 30, 30),
        ({"quarantine": 1}, None, None),
    ],
)
def test_before_some_moment_nothing_is_kept_and_after_another_everything(
    retention_days: dict[str, int], all_before: int | None, some_before: int | None
) -> None:
    found = limits(retention_days, NOW)

    assert (all_before and NOW - all_before * DAY) == found.all_before
    assert (some_before and NOW - some_before * DAY) == found.some_before


@pytest.mark.parametrize(
    ("retention_days", "last"),
    [
        ({"default": 30}, 8),
        ({"default": 31}, 7),
        ({"default": 30, "click": 100}, 5),
        ({"default": 100, "click": 30}, 5),
    ],
)
def test_a_month_goes_as_a_whole_when_its_last_moment_is_expired(retention_days: dict[str, int], last: int) -> None:
    now = datetime(2026, 10, 1, tzinfo=UTC)

    assert MONTHS[:last] == months_to_go(MONTHS, limits(retention_days, now))


@pytest.mark.parametrize("retention_days", [{}, {"click": 1}, {"quarantine": 1}])
def test_no_month_goes_of_which_a_kind_is_kept_for_ever(retention_days: dict[str, int]) -> None:
    assert [] == months_to_go(MONTHS, limits(retention_days, NOW))


def test_the_month_of_events_without_a_time_never_goes_as_a_whole() -> None:
    assert EPOCH == retention.UNKNOWN
    assert [date(2011, 2, 1)] == months_to_go([date(2011, 1, 1), date(2011, 2, 1)], limits({"default": 1}, NOW))


def test_events_go_by_their_kinds_with_their_particulars(database: Engine) -> None:
    ages = {"CLICK": (29, 31, 400), "LOCATION": (6, 8), "pic_weixin": (29, 31), "VIEW": (399, 401)}
    for kind, days in ages.items():
        more = (
            "<Latitude>1</Latitude><Longitude>2</Longitude><Precision>3</Precision>" if kind == "LOCATION" else PHOTOS
        )
        record(database, batch_of(*(event_of(push(kind, at=days_ago(age), more=more)) for age in days)))
    retention_days = {"default": 30, "location_report": 7, "view": 400}

    with database.connect() as connection:
        planned = expired(connection, limits(retention_days, NOW))
    gone = run(database, retention_days)

    assert {"click": 2, "location_report": 1, "pic_weixin": 1, "view": 1} == gone.rows == planned.rows
    assert {"click": 1, "location_report": 1, "pic_weixin": 1, "view": 1} == kinds(database)
    assert (1, 1, 2) == (count(database, Location), count(database, PhotoSend), count(database, Photo))
    assert {} == run(database, retention_days).rows


def test_without_a_default_other_kinds_stay(database: Engine) -> None:
    record(database, batch_of(*(event_of(push(kind, at=days_ago(500))) for kind in ("CLICK", "VIEW"))))

    run(database, {"click": 1})

    assert {"view": 1} == kinds(database)


def test_nothing_goes_where_nothing_is_configured(database: Engine) -> None:
    record(database, batch_of(event_of(push(at=days_ago(5000)))))

    assert Gone() == run(database, {})
    assert {"click": 1} == kinds(database)


def test_particulars_of_all_tables_go(database: Engine) -> None:
    scan = "<ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>"
    place = "<SendLocationInfo><Location_X>1</Location_X><Location_Y>2</Location_Y></SendLocationInfo>"
    events = [
        push("scancode_push", at=days_ago(9), more=scan),
        push("pic_weixin", at=days_ago(9), more=PHOTOS),
        push("location_select", at=days_ago(9), more=place),
        push(at=days_ago(9)).replace(b"<MsgType>event<", b"<MsgType>text<").replace(b"<Event>CLICK</Event>", b""),
    ]
    record(database, batch_of(*map(event_of, events)))
    tables = (Event, Scan, PhotoSend, Photo, Location, Message)
    before = [count(database, table) for table in tables]

    run(database, {"default": 7})

    assert [4, 1, 1, 2, 1, 1] == before
    assert [0] * 6 == [count(database, table) for table in tables]


def test_an_event_without_a_time_goes_by_when_it_was_received(database: Engine) -> None:
    record(database, batch_of(*(event_of(push(user=user, at=1)) for user in ("o1", "o2"))))
    with transaction(database) as connection:
        connection.execute(update(Event).where(Event.open_id == "o1").values(received_at=NOW - 8 * DAY))
        connection.execute(update(Event).where(Event.open_id == "o2").values(received_at=NOW - 6 * DAY))

    run(database, {"default": 7})

    with database.connect() as connection:
        assert ["o2"] == list(connection.scalars(select(Event.open_id)))


def test_quarantine_goes_by_when_it_was_quarantined(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    raws = [b"<xml>%d" % number for number in range(6)]
    entries = [Unreadable(unreadable_id("wx1", raw), "wx1", "shop", "bad_xml", raw, RECEIVED_AT) for raw in raws]
    record(database, batch_of(*entries))
    for number, entry in enumerate(entries):
        with transaction(database) as connection:
            moment = NOW - (90 + number - 3) * DAY + timedelta(hours=1)
            connection.execute(update(Quarantine).where(Quarantine.id == entry.id).values(quarantined_at=moment))

    with database.connect() as connection:
        planned = expired(connection, limits({"quarantine": 90}, NOW))
    gone = run(database, {"quarantine": 90})

    assert {"quarantine": 2} == gone.rows == planned.rows
    assert 4 == count(database, Quarantine)


def test_what_was_begun_is_ended_from_where_it_was(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    record(database, batch_of(*(event_of(push(user=f"o{age}", at=days_ago(age / 5))) for age in range(1, 60))))
    found = limits({"default": 3}, NOW)

    steps = let_go(database, found)
    first, second = next(steps), next(steps)
    steps.close()
    left = count(database, Event)
    rest = [sum(step.rows.values()) for step in let_go(database, found, second.reached)]

    assert (59 - 4, [2, 2]) == (left, [sum(step.rows.values()) for step in (first, second)])
    assert max(rest) == 2
    assert 15 == count(database, Event)


@pytest.fixture
def engine(postgresql_database_url: str) -> Iterator[Engine]:
    engine = connect(postgresql_database_url)
    partition.create(engine, MONTHS[:6])
    yield engine
    engine.dispose()


def test_whole_months_go_as_partitions_and_the_rest_as_rows(engine: Engine) -> None:
    fill(engine, datetime(2025, 12, 25, tzinfo=UTC), 280, DAY)
    found = limits({"default": 120}, NOW)

    with engine.connect() as connection:
        planned = expired(connection, found)
    gone = run(engine, {"default": 120})

    went = (NOW - 120 * DAY - datetime(2025, 12, 25, tzinfo=UTC)).days + 1
    assert {"pic_weixin": went} == gone.rows == planned.rows
    assert 5 * len(partition.PARTITIONED) == len(gone.partitions)
    assert sorted(planned.partitions) == sorted(gone.partitions)
    assert "event_y2026m05" in gone.partitions
    assert "event_y2026m06" not in gone.partitions
    assert (280 - went, 2 * (280 - went)) == rows_in(engine, "event", "photo")


def test_partitions_that_were_taken_out_stay(engine: Engine) -> None:
    fill(engine, datetime(2026, 1, 1, tzinfo=UTC), 60, DAY)
    partition.detach(engine, MONTHS[:1])
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE event DETACH PARTITION event_y2026m02"))  # and then came an end

    gone = run(engine, {"default": 30})

    assert {"event_y2026m01", "photo_y2026m01", "event_y2026m02"}.isdisjoint(gone.partitions)
    assert (31, 62, 28) == rows_in(engine, "event_y2026m01", "photo_y2026m01", "event_y2026m02")
    assert "photo_y2026m02" in gone.partitions


def test_rows_go_singly_where_one_kind_is_kept(engine: Engine) -> None:
    fill(engine, datetime(2026, 1, 25, tzinfo=UTC), 20, DAY)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE event SET kind = 'click' WHERE open_id = 'o3'"))

    gone = run(engine, {"pic_weixin": 30})

    assert ([], {"pic_weixin": 19}) == (gone.partitions, gone.rows)
    assert (1, 2) == rows_in(engine, "event", "photo")
