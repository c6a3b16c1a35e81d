"""Rules are handed to the doors when they, or the menus that they ask for, have changed; and not again and again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import time_machine
from sqlalchemy import Engine, insert, update

from ingest import snapshot as door
from models.account import account_ids
from models.db import connect, transaction
from models.ingress import note_ingress, put_addresses
from models.menu import Menu, Publication, PublicationMenu
from models.reply import remove_rule, save_rule, set_enabled
from tests.servers import free_port
from tests.workers.settling import make_app, waiting
from wechat.reply_rules import Menus, Rule
from workers import ingresses, replies
from workers.ingresses import hand_out, hand_out_replies
from workers.outgoing import Outgoing

NOW = datetime(2026, 11, 1, 4, tzinfo=UTC)
QUEUE = "receipts.test-replies"
STOCK = {"name": "stock", "reply": {"type": "text", "content": "有货"}, "key": {"text": "STOCK", "how": "exact"}}
VIEW = {"type": "view", "name": "v", "url": "http://a"}


@pytest.fixture
def sending(embedded_url: str) -> Iterator[Outgoing]:
    app = make_app(embedded_url)
    yield Outgoing(app)
    app.close()


@pytest.fixture
def tables(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> int:
    """An account, in the database that the test is about, which has heard of an ingress."""
    engine: Engine = request.getfixturevalue("tables" if "tables" in request.fixturenames else "database")
    with transaction(engine) as connection:
        note_ingress(connection, QUEUE, datetime.now(UTC))
        return account_ids(connection, {"wx1": "shop"})["wx1"]


def save(engine: Engine, account_id: int, **rule: Any) -> None:
    given = {**STOCK, "timezone": "Asia/Shanghai"} | rule
    with transaction(engine) as connection:
        save_rule(connection, account_id, given, now=datetime.now(UTC))


def publish(engine: Engine, account_id: int, version: int, menu_ids: dict[int, str], at: datetime, **menu: Any) -> None:
    """Put up a version, and take down what was there."""
    definition = {"menu": {"button": [key("DEFAULT")]}} | menu
    with transaction(engine) as connection:
        ends = (Publication.account_id == account_id, Publication.ended_at.is_(None))
        connection.execute(update(Publication).where(*ends).values(ended_at=at))
        new = {"account_id": account_id, "version": version, "digest": str(version), "definition": definition}
        menu_id = connection.execute(insert(Menu).values(new | {"created_at": at}).returning(Menu.id)).scalar_one()
        live = {"account_id": account_id, "menu_id": menu_id, "cause": "test", "started_at": at, "outcome": "published"}
        publication = connection.execute(insert(Publication).values(live).returning(Publication.id)).scalar_one()
        for position, wechat_menu_id in menu_ids.items():
            one = {"publication_id": publication, "position": position, "wechat_menu_id": wechat_menu_id}
            connection.execute(insert(PublicationMenu).values(one))


def _days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days) + timedelta(minutes=1)


def key(text: str) -> dict[str, str]:
    return {"type": "click", "name": "b", "key": text}


def personal(rule: dict[str, object], *buttons: dict[str, str]) -> dict[str, object]:
    return {"button": list(buttons), "matchrule": rule}


def handed(url: str) -> list[Any]:
    """What an ingress finds in its queue."""
    return [message.payload["snapshot"] for message in waiting(url, QUEUE)]


def menus_of(engine: Engine, now: datetime = NOW) -> Menus:
    """As the door reads them."""
    with engine.connect() as connection:
        made = msgspec.json.decode(replies.encoded(connection, now))
    return msgspec.convert(made["wx1"]["menus"], Menus)


def test_rules_are_handed_out_once_and_when_they_change(
    database: Engine, shop: int, sending: Outgoing, embedded_url: str
) -> None:
    found = []
    with transaction(database) as connection:
        put_addresses(connection, shop, ("1.2.3.4",), datetime.now(UTC))

    def tick() -> None:
        for _ in range(2):
            hand_out_replies(database, sending)
        found.append([one["replies"].get("wx1", {}).get("rules", []) for one in handed(embedded_url)])

    tick()
    save(database, shop)
    tick()
    tick()
    save(database, shop, priority=3)
    tick()
    with transaction(database) as connection:
        assert set_enabled(connection, shop, "stock", False, datetime.now(UTC))
    tick()
    with transaction(database) as connection:
        assert set_enabled(connection, shop, "stock", True, datetime.now(UTC))
    tick()
    with transaction(database) as connection:
        assert remove_rule(connection, shop, "stock")
    tick()

    assert [0, 1, 0, 1, 1, 1, 1] == [len(each) for each in found]
    assert [[], 0, [], 3, [], 3, []] == [each[0][0]["priority"] if each and each[0] else [] for each in found]


def test_doors_can_read_what_is_handed_out(database: Engine, shop: int, sending: Outgoing, embedded_url: str) -> None:
    at = datetime(2026, 10, 1, 4, 0, 0, tzinfo=UTC)
    save(database, shop, kinds=["click", "subscribe"], starts_at=at, ends_at=at + timedelta(days=1), weekdays="1,2")
    save(database, shop, name="another", keyword={"text": "有货吗", "how": "contains"}, hours="09:00-12:00")
    hand_out_replies(database, sending)
    [content] = handed(embedded_url)

    read = door.decode(msgspec.json.encode(content))
    assert read.replies is not None
    first, second = msgspec.json.decode(read.replies["wx1"], type=dict[str, Any])["rules"]
    first, second = msgspec.convert([first, second], list[Rule])
    assert (("click", "subscribe"), at, at + timedelta(days=1), "1,2") == (
        first.kinds,
        first.starts_at,
        first.ends_at,
        first.weekdays,
    )
    assert ("contains", "09:00-12:00") == (second.keyword.how if second.keyword else "", second.hours)


def test_rules_that_were_not_sent_are_sent_by_the_next_tick(
    tables: Engine, shop: int, sending: Outgoing, embedded_url: str
) -> None:
    save(tables, shop)
    refusing = make_app(f"redis://127.0.0.1:{free_port()}/0")
    hand_out_replies(tables, Outgoing(refusing))
    refusing.close()
    hand_out_replies(tables, sending)

    assert 1 == len(handed(embedded_url))


def test_rules_are_handed_out_hourly_as_a_broker_may_have_lost_them(
    tables: Engine, shop: int, sending: Outgoing, embedded_url: str
) -> None:
    found = []
    with time_machine.travel(NOW) as clock:
        with transaction(tables) as connection:
            note_ingress(connection, QUEUE, datetime.now(UTC) + timedelta(days=1))
        save(tables, shop)
        for minutes in (0, 30, 29, 2, 30):
            clock.shift(timedelta(minutes=minutes))
            hand_out_replies(tables, sending)
            found.append(len(handed(embedded_url)))

    assert [1, 0, 0, 1, 0] == found


def test_with_the_addresses_come_the_rules(tables: Engine, shop: int, sending: Outgoing, embedded_url: str) -> None:
    save(tables, shop)
    hand_out(tables, sending)
    hand_out_replies(tables, sending)
    [content] = handed(embedded_url)

    assert ["stock"] == [rule["name"] for rule in content["replies"]["wx1"]["rules"]]


def test_too_many_rules_keep_no_addresses_from_the_doors(
    tables: Engine,
    shop: int,
    sending: Outgoing,
    embedded_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(ingresses, "REPLIES_BYTES", 100)
    with transaction(tables) as connection:
        put_addresses(connection, shop, ("1.2.3.4",), datetime.now(UTC))
    save(tables, shop)
    for _ in range(3):
        hand_out_replies(tables, sending)
    [content] = handed(embedded_url)

    assert {"wx1": ["1.2.3.4"]} == content["callback_addresses"]
    assert None is door.decode(msgspec.json.encode(content)).replies
    assert ["too_large"] == [record.__dict__["reason"] for record in caplog.records if record.levelname == "ERROR"]


def test_publications_matter_to_rules_that_ask_for_a_menu_only(
    tables: Engine, shop: int, sending: Outgoing, embedded_url: str
) -> None:
    save(tables, shop)
    publish(tables, shop, 1, {}, NOW)
    hand_out_replies(tables, sending)
    publish(tables, shop, 2, {}, NOW)
    hand_out_replies(tables, sending)
    without = handed(embedded_url)
    save(tables, shop, menu_version=2)
    hand_out_replies(tables, sending)
    publish(tables, shop, 3, {}, NOW + timedelta(minutes=1))
    hand_out_replies(tables, sending)

    assert [{}] == [one["replies"]["wx1"]["menus"] for one in without]
    assert [2, 3] == [one["replies"]["wx1"]["menus"]["live_version"] for one in handed(embedded_url)]


def test_menus_are_told_by_their_ids_while_somebody_may_see_them(database: Engine, shop: int) -> None:
    save(database, shop, menu_version=2)
    for version in (1, 2, 3, 4):
        publish(database, shop, version, {0: f"{version}00", 1: f"{version}01"}, _days_ago(5 - version))

    ids = {f"{version}0{position}": (version, None) for version in (2, 3, 4) for position in (0, 1)}
    assert Menus(live_version=4, by_wechat_menu_id=ids) == menus_of(database)
    assert {"400", "401"} == menus_of(database, NOW + timedelta(days=30)).by_wechat_menu_id.keys()


def test_tags_are_told_by_ids_and_by_keys_that_stand_in_menus_of_one_tag_only(database: Engine, shop: int) -> None:
    save(database, shop, tag_id="101")
    rules = [{"tag_id": "101"}, {"group_id": 102}, {"client_platform_type": "1"}]
    keys = [("A", "OLD"), ("A", "B"), ("C",)]
    conditional = [personal(rule, *map(key, its)) for rule, its in zip(rules, keys, strict=True)]
    deep = {"name": "more", "sub_button": [key("DEEP"), key("DEFAULT"), VIEW]}
    conditional.append(personal({"tag_id": "103"}, deep))  # type: ignore[arg-type]
    publish(database, shop, 1, dict(enumerate("01234")), NOW, conditionalmenu=conditional)
    publish(database, shop, 2, {}, NOW, menu={"button": [key("OLD")]})

    found = menus_of(database)
    assert {"B": "102", "DEEP": "103"} == found.tag_by_key
    tags = {menu_id: tag for menu_id, (_, tag) in found.by_wechat_menu_id.items()}
    assert {"0": None, "1": "101", "2": "102", "3": None, "4": "103"} == tags


@pytest.mark.parametrize(
    "definition", [{}, {"conditionalmenu": 1}, {"menu": [], "conditionalmenu": [{"matchrule": 1}]}]
)
def test_a_menu_that_cannot_be_read_has_no_tags(tables: Engine, shop: int, definition: dict[str, Any]) -> None:
    save(tables, shop, tag_id="101")
    publish(tables, shop, 1, {1: "7"}, NOW, **({"menu": {}} | definition))

    assert Menus(live_version=1, by_wechat_menu_id={"7": (1, None)}) == menus_of(tables)
