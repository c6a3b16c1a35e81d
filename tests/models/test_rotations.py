"""Rotations as rows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from models import publications
from models.account import upsert_accounts
from models.config import DoorAccount
from models.db import transaction
from models.menu_versions import save_version, version
from models.queries import account_id
from models.rotations import (
    Draft,
    RotationRow,
    SecondBaseError,
    add_rotation,
    base_rotation,
    remove_rotation,
    rotation,
    rotations,
    set_enabled,
)

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def an_account(connection: Connection, name: str) -> tuple[int, int]:
    """Its id, and that of its menu, which is the second version."""
    upsert_accounts(connection, [DoorAccount.model_validate({"name": name, "app_id": f"wx_{name}", "token": "t"})])
    account = account_id(connection, name)
    assert account is not None
    for digest in ("a", "b"):
        save_version(connection, account, {"button": []}, digest, now=NOW)
    menu = version(connection, account)
    assert menu is not None
    return account, menu.id


@pytest.fixture
def shop(sqlite_database: Engine) -> tuple[Engine, int, int]:
    with transaction(sqlite_database) as connection:
        return sqlite_database, *an_account(connection, "shop")


def test_a_rotation_is_read_as_it_was_added(database: Engine) -> None:
    fields: dict[str, Any] = {
        "starts_at": NOW,
        "ends_at": NOW.replace(year=2027, microsecond=123456),
        "cron": "0 9 * * 1",
        "duration": 3600,
        "weekdays": "1,2",
        "hours": "22:00-02:00",
        "days": "workdays",
        "timezone": "Europe/Berlin",
        "priority": -3,
        "lead": 600,
        "guard_share": 0.5,
        "guard_hours": 2,
        "enabled": False,
        "author": "小王",
        "note": "国庆 🎉",
    }
    with transaction(database) as connection:
        account, menu = an_account(connection, "shop")
        plain, full = Draft(account_id=account, menu_id=menu), Draft(account_id=account, menu_id=menu, **fields)
        ids = [add_rotation(connection, draft) for draft in (plain, full)]
        found = rotations(connection, account)
        one, missing = rotation(connection, ids[1]), rotation(connection, 99)

    assert [
        RotationRow(id=ids[0], version=2, account_id=account, menu_id=menu),
        RotationRow(id=ids[1], version=2, account_id=account, menu_id=menu, **fields),
    ] == found
    assert (found[1], None) == (one, missing)


def test_rotations_are_those_of_the_account(shop: tuple[Engine, int, int]) -> None:
    engine, account, menu = shop
    with transaction(engine) as connection:
        news, its_menu = an_account(connection, "news")
        ids = [
            add_rotation(connection, Draft(account_id=one, menu_id=its, starts_at=NOW))
            for one, its in ((news, its_menu), (account, menu), (news, its_menu))
        ]

        assert [ids[1]] == [row.id for row in rotations(connection, account)]
        assert sorted(ids) == sorted(row.id for row in rotations(connection))


def test_an_account_has_one_base_menu(shop: tuple[Engine, int, int]) -> None:
    engine, account, menu = shop
    with transaction(engine) as connection:
        add_rotation(connection, Draft(account_id=account, menu_id=menu, days="workdays"))
        assert base_rotation(connection, account) is None

        base = add_rotation(connection, Draft(account_id=account, menu_id=menu, enabled=False))
        with pytest.raises(SecondBaseError) as raised:
            add_rotation(connection, Draft(account_id=account, menu_id=menu))
        found = base_rotation(connection, account)

    assert base == raised.value.rotation_id
    assert found is not None
    assert base == found.id


def test_a_removed_rotation_leaves_its_publications(database: Engine) -> None:
    with transaction(database) as connection:
        account, menu = an_account(connection, "shop")
        added = add_rotation(connection, Draft(account_id=account, menu_id=menu))
        publications.claim(connection, account, menu, "rotation", NOW, added)
        removed = [remove_rotation(connection, added) for _ in range(2)]
        left = rotations(connection, account), len(publications.publications(connection, account))

    assert [True, False] == removed
    assert ([], 1) == left


def test_a_rotation_is_disabled_and_enabled(database: Engine) -> None:
    with transaction(database) as connection:
        account, menu = an_account(connection, "shop")
        added = add_rotation(connection, Draft(account_id=account, menu_id=menu))
        seen = []
        for enabled in (False, False, True):  # MySQL does not count a row that is as it was
            assert set_enabled(connection, added, enabled)
            seen += [row.enabled for row in rotations(connection, account)]

        assert [False, False, True] == seen
        assert not set_enabled(connection, added + 1, False)
