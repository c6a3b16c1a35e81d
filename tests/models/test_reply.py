"""Rules for replies as rows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from models.account import upsert_accounts
from models.config import DoorAccount
from models.db import transaction
from models.queries import account_id
from models.reply import ReplyRule, remove_rule, rule_named, rules, rules_by_account, save_rule, set_enabled
from tests.wechat.rules import rule
from tests.wechat.test_reply import EACH
from wechat.reply import Text
from wechat.reply_rules import Match, Rule

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
FULL = Rule(
    id=0,
    name="库存",
    reply=Text("{code}: 在售 🙂"),
    priority=-3,
    is_default=True,
    kinds=("click", "scancode_waitmsg"),
    key=Match("STOCK", "prefix"),
    scan_code=Match("EAN_13,*", "pattern"),
    keyword=Match("退款", "contains"),
    menu_version=3,
    tag_id="100",
    starts_at=NOW,
    ends_at=NOW + timedelta(days=1, microseconds=1),
    weekdays="1,2",
    hours="09:00-12:00",
    timezone="Europe/Paris",
)


def plain(one: Rule) -> dict[str, Any]:
    return dict(msgspec.to_builtins(one, builtin_types=(datetime,)))


def read(fields: dict[str, Any]) -> Rule:
    return msgspec.convert(fields, Rule)


def an_account(connection: Connection, name: str = "shop") -> int:
    upsert_accounts(connection, [DoorAccount.model_validate({"name": name, "app_id": f"wx_{name}", "token": "t"})])
    found = account_id(connection, name)
    assert found is not None
    return found


def test_a_rule_comes_back_as_it_was_saved(database: Engine) -> None:
    given = [FULL, *(Rule(id=0, name=f"{number}", reply=one) for number, one in enumerate(EACH))]
    with transaction(database) as connection:
        account = an_account(connection)
        ids = [save_rule(connection, account, plain(one), author="li", note="n", now=NOW) for one in given]
        found = rules(connection, account)

    assert [(number, True) for number in range(ids[0][0], ids[0][0] + len(given))] == ids
    assert [msgspec.structs.replace(one, id=id_) for one, (id_, _new) in zip(given, ids, strict=True)] == [
        read(row.rule) for row in found
    ]
    assert {("shop", True, "li", "n", NOW)} == {
        (row.account, row.enabled, row.author, row.note, row.created_at) for row in found
    }


def test_what_goes_to_the_doors_is_the_same_each_time(database: Engine) -> None:
    with transaction(database) as connection:
        account = an_account(connection)
        save_rule(connection, account, plain(FULL), now=NOW)
        first, second = rules_by_account(connection), rules_by_account(connection)

    assert msgspec.json.encode(first[0][1]) == msgspec.json.encode(second[0][1])
    assert [msgspec.structs.replace(FULL, id=first[0][1][0]["id"])] == msgspec.json.decode(
        msgspec.json.encode(first[0][1]), type=list[Rule]
    )


def test_of_one_name_there_is_one_rule_in_an_account(database: Engine) -> None:
    later = NOW + timedelta(hours=1)
    with transaction(database) as connection:
        account, other = an_account(connection), an_account(connection, "other")
        first = save_rule(connection, account, plain(FULL), now=NOW)
        save_rule(connection, other, plain(FULL), now=NOW)
        second = save_rule(connection, account, plain(rule(reply=Text("b"))) | {"name": "库存"}, now=later)
        row = rule_named(connection, account, "库存")
        upper = rule_named(connection, account, "库存 ")
        every = rules(connection)

    assert (first[0], False) == second
    assert row is not None
    assert (NOW, later, Text("b"), None) == (row.created_at, row.updated_at, read(row.rule).reply, read(row.rule).key)
    assert upper is None
    assert ["shop", "other"] == [one.account for one in every]


def test_the_name_is_held_by_the_database(database: Engine) -> None:
    with transaction(database) as connection:
        save_rule(connection, an_account(connection), plain(FULL), now=NOW)
        row = dict(connection.execute(select(ReplyRule.__table__)).mappings().one())
    again = ReplyRule.__table__.insert().values({**row, "id": row["id"] + 1})
    with database.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(again)


def test_a_rule_that_is_disabled_goes_to_no_door(database: Engine) -> None:
    with transaction(database) as connection:
        account = an_account(connection)
        save_rule(connection, account, plain(FULL), now=NOW)
        before = rules_by_account(connection)
        changed = [set_enabled(connection, account, "库存", enabled, NOW) for enabled in (False, False, True)]
        after = rules_by_account(connection)
        removed = [remove_rule(connection, account, "库存") for _ in range(2)]
        at_last = rules_by_account(connection)

    assert "wx_shop" == before[0][0].app_id
    assert [True, False, True] == changed
    assert before == after
    assert [True, False] == removed
    assert [] == at_last


def test_no_field_of_a_rule_is_forgotten(database: Engine) -> None:
    """A field that is added to `Rule` needs a column."""
    assert json.loads(msgspec.json.encode(FULL)).keys() == set(Rule.__struct_fields__)
