"""An account with menus to rotate, as the tests of these verbs know it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from click.testing import Result
from sqlalchemy import Connection

from models.account import account_ids
from models.db import connect, transaction
from models.menu_versions import save_version
from tests.console.runner import run
from tests.platforms import SHOP
from wechat.menu import Button, Menu, content, digest, write

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)  # Monday, 9:00 in Shanghai
MENUS = ("早餐", "午餐", "晚餐", "国庆")  # versions 1 to 4
FILE = f"""
secret_key = "a secret key"

[[accounts]]
name = "shop"
app_id = "{SHOP.app_id}"
app_secret = "{SHOP.app_secret}"
token = "{SHOP.token}"
"""


def save_menus(connection: Connection, account_id: int) -> None:
    for name in MENUS:
        menu = Menu((Button({"name": name, "type": "click", "key": name}),))
        save_version(connection, account_id, write(content(menu)), digest(menu), now=NOW)


def rotation(*arguments: str) -> Result:
    return run("rotation", *arguments)


def added(*arguments: str) -> Result:
    """Of a rotation that can be added."""
    done = rotation("add", *arguments)
    assert 0 == done.exit_code, done.output
    return done


def told(*arguments: str) -> Any:
    return json.loads(rotation(*arguments, "--json").stdout)


def in_database(act: Callable[[Connection, int], object]) -> None:
    """With the account's id."""
    engine = connect("sqlite:///var/caidan.db")
    with transaction(engine) as connection:
        act(connection, account_ids(connection, {SHOP.app_id: "shop"})[SHOP.app_id])
    engine.dispose()
