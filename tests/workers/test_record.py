from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from models.account import Account, upsert_accounts
from models.base import Base
from models.config import Account as ConfiguredAccount
from models.db import transaction
from models.event import Event, Location, Message, Photo, PhotoSend, Scan
from models.quarantine import Forgotten, Quarantine, open_id_hash
from tests.pushes import RECEIVED_AT, SHOP, batch_of, event_of, push, sample
from wechat.event import Addressee, Batch, Unreadable, encode, unreadable_id
from workers.record import Recorded, record

PHOTOS = "<SendPicsInfo><Count>3</Count><PicList>{}</PicList></SendPicsInfo>"
ITEM = "<item><PicMd5Sum>{}</PicMd5Sum></item>"


def count(engine: Engine, model: type[Base]) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(model)) or 0


def test_a_batch_is_stored_with_everything_a_push_said(database: Engine) -> None:
    event = event_of(push("VIEW", key="https://例子.cn/?a=1&amp;b=😀", more="<MenuId>412</MenuId><Odd>一 二</Odd>"))
    before = datetime.now(UTC)

    done = record(database, batch_of(event))

    with database.connect() as connection:
        row = connection.execute(select(Event, Account.app_id).join(Account, Account.id == Event.account_id)).one()
    assert Recorded(stored=1, repeated=0, quarantined=0, forgotten=0) == done
    assert event.id == row.id
    assert event.created_at == row.created_at
    assert RECEIVED_AT == row.received_at
    assert before <= row.recorded_at <= datetime.now(UTC)
    assert SHOP.app_id == row.app_id
    assert ("view", "oUser", "https://例子.cn/?a=1&b=😀", "412") == (
        row.kind,
        row.open_id,
        row.event_key,
        row.wechat_menu_id,
    )
    assert row.body == {"Odd": "一 二"}


def test_an_event_without_further_fields_has_no_body(database: Engine) -> None:
    record(database, batch_of(event_of(push())))

    with database.connect() as connection:
        assert connection.scalar(select(func.count()).where(Event.body.is_(None))) == 1


def test_a_repeated_push_is_stored_once(database: Engine) -> None:
    event = event_of(sample("event_pic_weixin.xml"))

    first = record(database, batch_of(event, event))
    second = record(database, batch_of(event, event_of(push())))

    assert Recorded(stored=1, repeated=1, quarantined=0, forgotten=0) == first
    assert Recorded(stored=1, repeated=1, quarantined=0, forgotten=0) == second
    assert (2, 1, 1) == (count(database, Event), count(database, PhotoSend), count(database, Photo))


def test_an_empty_batch_is_a_probe_and_stores_nothing(database: Engine) -> None:
    assert Recorded(stored=0, repeated=0, quarantined=0, forgotten=0) == record(database, batch_of())


def test_details_go_to_the_tables_of_their_kinds(database: Engine) -> None:
    photos = PHOTOS.format(ITEM.format("aa" * 16) + ITEM.format("aa" * 16))
    names = ("event_scancode_waitmsg.xml", "event_location_select.xml", "message_link.xml", "event_CLICK.xml")

    record(database, batch_of(event_of(push("pic_sysphoto", more=photos)), *map(event_of, map(sample, names))))

    counts = [count(database, model) for model in (Event, Scan, PhotoSend, Photo, Location, Message)]
    assert [5, 1, 1, 2, 1, 1] == counts


def test_openids_that_differ_in_case_or_blanks_are_different(database: Engine) -> None:
    record(database, batch_of(*(event_of(push(user=user)) for user in ("oAb", "oaB", "oAb ", "oÀb"))))

    with database.connect() as connection:
        assert connection.scalar(select(func.count()).where(Event.open_id == "oAb")) == 1
        assert len(connection.execute(select(Event.open_id).group_by(Event.open_id)).all()) == 4


def test_an_account_that_nobody_configured_gets_a_row(database: Engine) -> None:
    stranger = Addressee("shop", "wx_other")
    record(database, batch_of(event_of(push())))
    record(database, batch_of(event_of(push(), stranger)))

    with database.connect() as connection:
        named = {row.app_id: row.name for row in connection.execute(select(Account.app_id, Account.name))}
    assert {SHOP.app_id: "shop", "wx_other": "shop~wx_other"} == named


def test_a_renamed_account_keeps_its_events(database: Engine) -> None:
    record(database, batch_of(event_of(push())))
    configured = [
        ConfiguredAccount(name="news", app_id=SHOP.app_id, token="t", original_id="gh_1"),
        ConfiguredAccount(name="shop", app_id="wx_other", token="t"),
    ]
    with transaction(database) as connection:
        upsert_accounts(connection, configured)
        upsert_accounts(connection, configured)

        names = connection.execute(select(Account.name).join(Event, Event.account_id == Account.id)).scalars().all()
    assert ["news"] == names
    assert count(database, Account) == 2


def test_accounts_may_swap_their_names(database: Engine) -> None:
    first = [ConfiguredAccount(name=name, app_id=f"wx_{name}", token="t") for name in ("a", "b")]
    swapped = [
        ConfiguredAccount(name=name, app_id=app_id, token="t") for name, app_id in (("b", "wx_a"), ("a", "wx_b"))
    ]
    with transaction(database) as connection:
        upsert_accounts(connection, first)
        upsert_accounts(connection, swapped)

        names = {row.app_id: row.name for row in connection.execute(select(Account.app_id, Account.name))}
    assert {"wx_a": "b", "wx_b": "a"} == names


def test_what_could_not_be_read_goes_to_quarantine_once(database: Engine) -> None:
    raw = b"<xml>\0\xff" + b"x" * 70_000
    entry = Unreadable(unreadable_id("wx1", raw), "wx1", "shop", "bad_xml", raw, RECEIVED_AT, "line 1")

    record(database, batch_of(entry, event_of(push())))
    done = record(database, batch_of(entry))

    with database.connect() as connection:
        row = connection.execute(select(Quarantine)).one()
    assert Recorded(stored=0, repeated=0, quarantined=1, forgotten=0) == done
    assert (entry.id, "bad_xml", "line 1", raw, RECEIVED_AT, None) == (
        row.id,
        row.reason,
        row.detail,
        row.raw,
        row.received_at,
        row.replayed_at,
    )
    assert count(database, Event) == 1


@pytest.mark.parametrize("content", [encode(event_of(push())), b'{"type":"event","id":"nonsense', b"\xff\0"])
def test_a_suspect_goes_to_quarantine_unread(database: Engine, content: bytes) -> None:
    suspect = Batch(version=1, id="00" * 16, receipts="r", suspect=content)

    done = record(database, suspect)
    record(database, suspect)

    with database.connect() as connection:
        row = connection.execute(select(Quarantine)).one()
    assert Recorded(stored=0, repeated=0, quarantined=1, forgotten=0) == done
    assert ("suspect", content, None) == (row.reason, row.raw, row.received_at)


def test_a_suspect_keeps_the_id_of_its_event(database: Engine) -> None:
    event = event_of(push())

    record(database, Batch(version=1, id="00" * 16, receipts="r", suspect=encode(event)))

    with database.connect() as connection:
        query = select(Quarantine.id, Account.app_id).join(Account, Account.id == Quarantine.account_id)
        assert [(event.id, SHOP.app_id)] == [tuple(row) for row in connection.execute(query)]


def test_events_of_a_forgotten_follower_are_dropped(database: Engine) -> None:
    old, other = event_of(push(user="oGone")), event_of(push(user="oStays"))
    back = event_of(push(user="oGone", at=1_790_000_100))
    record(database, batch_of(event_of(push(user="oNobody"))))
    with transaction(database) as connection:
        account_id = connection.scalar(select(Account.id))
        connection.execute(
            Forgotten.__table__.insert().values(
                account_id=account_id,
                open_id_hash=open_id_hash(SHOP.app_id, "oGone"),
                forgotten_at=old.created_at + timedelta(seconds=50),
            )
        )

    done = record(database, batch_of(old, other, back))

    assert Recorded(stored=2, repeated=0, quarantined=0, forgotten=1) == done
    with database.connect() as connection:
        stored = set(connection.scalars(select(Event.id).where(Event.open_id != "oNobody")))
    assert {other.id, back.id} == stored
