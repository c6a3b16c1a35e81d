"""Versions of menus: numbered for each account, found by their content."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from models.account import upsert_accounts
from models.config import DoorAccount
from models.db import transaction
from models.menu_versions import Version, VersionRow, save_version, version, version_of, versions
from models.queries import account_id

NOW = datetime(2026, 10, 1, 12, 30, 15, 123456, tzinfo=UTC)
MENU = {"menu": {"button": [{"type": "click", "name": "🍜 今日", "key": "k", "x": [1, 2.5, None, True]}]}}
OTHER: dict[str, Any] = {"menu": {"button": []}}


@pytest.fixture
def accounts(database: Engine) -> tuple[int, int]:
    known = [
        DoorAccount.model_validate({"name": name, "app_id": f"wx_{name}", "token": "t"}) for name in ("news", "shop")
    ]
    with transaction(database) as connection:
        upsert_accounts(connection, known)
        news, shop = (account_id(connection, account.name) for account in known)
    assert news is not None
    assert shop is not None
    return news, shop


def save(connection: Connection, account: int, digest: str, **more: Any) -> tuple[int, bool]:
    return save_version(connection, account, MENU, digest, **{"now": NOW, **more})


def test_versions_are_numbered_for_each_account(database: Engine, accounts: tuple[int, int]) -> None:
    news, shop = accounts
    with transaction(database) as connection:
        saved = [save(connection, *one) for one in ((news, "a"), (shop, "a"), (news, "b"), (news, "c"), (shop, "d"))]

    assert [(1, True), (1, True), (2, True), (3, True), (2, True)] == saved


def test_the_same_content_is_the_same_version(database: Engine, accounts: tuple[int, int]) -> None:
    news, shop = accounts
    with transaction(database) as connection:
        save(connection, news, "a", note="the first", author="小王")
        save(connection, news, "b")
    with transaction(database) as connection:
        again = save(connection, news, "a", note="another", now=NOW + timedelta(days=1))
        rows = versions(connection, news)
        found = version_of(connection, news, "a"), version_of(connection, shop, "a")

    assert (1, False) == again
    assert (1, None) == found
    assert [("b", None), ("a", "the first")] == [(row.digest, row.note) for row in rows]


def test_a_version_is_read_as_it_was_saved(database: Engine, accounts: tuple[int, int]) -> None:
    news, _shop = accounts
    with transaction(database) as connection:
        save(connection, news, "a", note="国庆", author="小王")
        save_version(connection, news, OTHER, "b", now=NOW)
    with database.connect() as connection:
        first, latest, missing = (version(connection, news, number) for number in (1, None, 3))

    assert isinstance(first, Version)
    assert isinstance(latest, Version)
    assert VersionRow("news", 1, "a", "国庆", "小王", NOW) == first.row
    assert MENU == first.definition
    assert (2, OTHER) == (latest.row.version, latest.definition)
    assert missing is None


def test_an_account_may_have_no_version(database: Engine, accounts: tuple[int, int]) -> None:
    with database.connect() as connection:
        assert version(connection, accounts[0]) is None
        assert versions(connection) == []


def test_versions_are_listed_newest_first(database: Engine, accounts: tuple[int, int]) -> None:
    news, shop = accounts
    with transaction(database) as connection:
        for number, (account, digest) in enumerate(((news, "a"), (shop, "b"), (news, "c"))):
            save(connection, account, digest, now=NOW + timedelta(minutes=number))
        listed = [(row.account, row.version) for row in versions(connection, limit=2)]
        of_news = [row.digest for row in versions(connection, news)]

    assert [("news", 2), ("shop", 1)] == listed
    assert ["c", "a"] == of_news


def test_who_saves_at_the_same_time_gets_different_numbers(database: Engine, accounts: tuple[int, int]) -> None:
    def work(number: int) -> tuple[int, bool]:
        with transaction(database) as connection:
            return save(connection, accounts[0], f"digest {number % 4}")

    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(work, range(16)))

    assert [1, 2, 3, 4] == sorted(number for number, is_new in saved if is_new)
    assert 16 == len(saved)
