"""Times in which a menu stays as it is."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from models.account import upsert_accounts
from models.config import DoorAccount
from models.db import transaction
from models.freezes import FreezeRow, freeze, freezes, frozen_until, remove_freeze, unfreeze
from models.queries import account_id

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def account(database: Engine) -> int:
    with transaction(database) as connection:
        upsert_accounts(connection, [DoorAccount.model_validate({"name": "shop", "app_id": "wx1", "token": "t"})])
        found = account_id(connection, "shop")
    assert found is not None
    return found


def test_a_menu_is_frozen_until_the_freeze_ends(database: Engine, account: int) -> None:
    with transaction(database) as connection:
        freeze(connection, account, NOW, NOW + HOUR, "考试")
        moments = [NOW - HOUR, NOW, NOW + HOUR / 2, NOW + HOUR]
        found = [frozen_until(connection, account, now) for now in moments]
        rows = freezes(connection, account)

    assert [None, NOW + HOUR, NOW + HOUR, None] == found
    assert [FreezeRow(account, NOW, NOW + HOUR, "考试")] == rows


def test_freezes_that_touch_are_one_and_others_are_not(database: Engine, account: int) -> None:
    with transaction(database) as connection:
        for begin, end in ((-2, 1), (0, 0.5), (1, 2), (3, 4)):
            freeze(connection, account, NOW + begin * HOUR, NOW + end * HOUR)

        assert NOW + 2 * HOUR == frozen_until(connection, account, NOW)
        assert frozen_until(connection, account, NOW + 2.5 * HOUR) is None
        assert frozen_until(connection, account + 1, NOW) is None
        assert 2 == len(freezes(connection, account, since=NOW + HOUR))


def test_a_freeze_with_the_same_start_is_replaced(database: Engine, account: int) -> None:
    with transaction(database) as connection:
        freeze(connection, account, NOW, NOW + HOUR, "first")
        freeze(connection, account, NOW, NOW + 2 * HOUR)

        assert [FreezeRow(account, NOW, NOW + 2 * HOUR, None)] == freezes(connection, account)


def test_unfreezing_ends_what_lasts_and_leaves_what_is_to_come(database: Engine, account: int) -> None:
    with transaction(database) as connection:
        for begin in (-1, 0, 5):
            freeze(connection, account, NOW + begin * HOUR, NOW + (begin + 3) * HOUR)
        ended = unfreeze(connection, account, NOW)

        assert 2 == ended
        assert frozen_until(connection, account, NOW) is None
        assert NOW + 8 * HOUR == frozen_until(connection, account, NOW + 5 * HOUR)
        assert 0 == unfreeze(connection, account, NOW)


def test_a_freeze_is_taken_back_by_its_start(database: Engine, account: int) -> None:
    with transaction(database) as connection:
        freeze(connection, account, NOW, NOW + HOUR)
        removed = [remove_freeze(connection, account, NOW) for _ in range(2)]

        assert [True, False] == removed
        assert [] == freezes(connection, account)
