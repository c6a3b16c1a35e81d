"""Menus with click buttons, and publications of them written down as if WeChat had taken them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from models import menu_versions, publications
from models.account import account_ids
from models.db import transaction
from tests.pushes import SHOP
from wechat.event import Addressee
from wechat.menu import digest, read, write

TOOK = timedelta(seconds=2)


def put_up(
    engine: Engine, keys: str, at: datetime, ids: Mapping[int, str] | None = None, account: Addressee = SHOP
) -> int:
    """Publish a menu whose buttons have these one-letter keys, under WeChat's ids by position; its id."""
    number = claim(engine, keys, at, account)
    with transaction(engine) as connection:
        assert publications.finish(connection, number, ids or {}, at + TOOK)
    return number


def claim(engine: Engine, keys: str, at: datetime, account: Addressee = SHOP) -> int:
    """Begin to publish it."""
    menu = read({"menu": {"button": [{"name": key, "type": "click", "key": key} for key in keys]}})
    definition: dict[str, Any] = write(menu)
    with transaction(engine) as connection:
        account_id = account_ids(connection, {account.app_id: account.name})[account.app_id]
        version, _ = menu_versions.save_version(connection, account_id, definition, digest(menu), now=at)
        found = menu_versions.version(connection, account_id, version)
        assert found
        return publications.claim(connection, account_id, found.id, "publish", at)
