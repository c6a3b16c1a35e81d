"""What people do in between: each to an account, at a moment, when nothing else is going on."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import TypeAlias

from models import freezes, guards
from models.config import Account
from models.db import transaction
from models.rotations import rotations, set_enabled
from tests.chaos.year.installed import Installed
from tests.chaos.year.scheduled import DAY, MINUTE
from wechat.menu_shapes import create_body
from workers.drift import look_for_drift
from workers.due import due_menu
from workers.publishing import Wanted, publish

Deed: TypeAlias = Callable[[Installed, Account, Random], None]


def freeze(installed: Installed, account: Account, random: Random) -> None:
    lasts = random.choice((30 * MINUTE, DAY / 2, DAY, DAY))
    with transaction(installed.engine) as connection:
        freezes.freeze(connection, installed.ids[account.app_id], installed.now, installed.now + lasts)


def unfreeze(installed: Installed, account: Account, _random: Random) -> None:
    with transaction(installed.engine) as connection:
        freezes.unfreeze(connection, installed.ids[account.app_id], installed.now)


def enable_or_disable(installed: Installed, account: Account, random: Random) -> None:
    with transaction(installed.engine) as connection:
        chosen = random.choice(rotations(connection, installed.ids[account.app_id])[1:])  # never the base menu
        set_enabled(connection, chosen.id, not chosen.enabled)


def stop_by_guard(installed: Installed, account: Account, _random: Random) -> None:
    """As if the menu that is due were shunned."""
    account_id = installed.ids[account.app_id]
    with transaction(installed.engine) as connection:
        rows, stopped = rotations(connection, account_id), guards.stopped(connection, account_id)
        due = due_menu(rows, installed.now, installed.calendar, stopped)
        if due is not None and not due.rotation.is_base:
            guards.stop(connection, due.rotation.id, due.window.starts_at, 1, 100, installed.now)


def publish_another(installed: Installed, account: Account, random: Random) -> None:
    """By hand, though a rotation is due."""
    account_id = installed.ids[account.app_id]
    menu_id = random.choice([id_ for id_, owner in installed.owners.items() if owner == account_id])
    wanted = Wanted(account_id, menu_id, installed.menus[menu_id], "publish")
    publish(installed.engine, installed.api(account), wanted, clock=lambda: installed.now)


def change_elsewhere(installed: Installed, account: Account, random: Random) -> None:
    """In another program; the look for such changes finds it."""
    menu = random.choice(list(installed.menus.values()))
    api = installed.api(account)
    api.with_token(api.client.create_menu, create_body(menu))
    look_for_drift(installed.engine, installed.client, installed.config)


DEEDS: Mapping[str, Deed] = MappingProxyType(
    {
        deed.__name__: deed
        for deed in (freeze, unfreeze, enable_or_disable, stop_by_guard, publish_another, change_elsewhere)
    }
)
