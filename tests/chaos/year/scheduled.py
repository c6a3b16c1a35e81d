"""Rotations of every kind for four accounts, and menus for them: made up, and the same for the same seed."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from models.rotations import Draft
from tests import platforms
from tests.workers.shop import configured
from wechat.menu import Menu, read
from wechat.simulator.account import Account as Simulated

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SIMULATED = (
    platforms.SHOP,
    platforms.CAFE,
    Simulated("museum", "wx00000000000000a1", "t", original_id="gh_00000000a1", app_secret="a" * 32),
    Simulated("ferry", "wx00000000000000b2", "t", original_id="gh_00000000b2", app_secret="b" * 32),
)
ACCOUNTS = tuple(map(configured, SIMULATED))
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")

# By what is special about them; each account has all of some.
_CRONS: tuple[dict[str, Any], ...] = (
    {"cron": "30 2 * * 0", "duration": 5400},  # in the hour that daylight saving skips and repeats
    {"cron": "0 10 31 * *", "duration": 36000, "priority": 2},
    {"cron": "0 9 1 * *", "duration": 2 * 86400},
    {"cron": "0 0 29 2 *", "duration": 86400},  # not in this year
    {"cron": "15 */8 * * *", "duration": 1800, "priority": 1, "lead": 300},
    {"cron": "0 20 L * *", "duration": 7200, "days": "workdays"},
)
_WEEKLY: tuple[dict[str, Any], ...] = (
    {"weekdays": "1,2,3,4,5", "hours": "09:00-12:00,14:00-18:00", "lead": 300},
    {"weekdays": "5,6", "hours": "22:00-02:00", "priority": 1},  # across midnight
    {"days": "holidays", "priority": 2},
    {"days": "workdays", "hours": "12:00-13:00", "lead": 900},
    {"hours": "06:30-07:00", "enabled": False, "priority": 3},
    {"weekdays": "7", "guard_share": 0.5, "priority": 1},
)


def drafts(random: Random, number: int, account_id: int, menu_ids: list[int]) -> list[Draft]:
    """What the account with this number has; `menu_ids`: of saved versions, of which any may be scheduled."""
    rules = [{}, *_CRONS[number % 2 :: 2], *_WEEKLY[number // 2 :: 2], *_WEEKLY[number % 3 :: 5], *_once(random)]
    bare = Draft(account_id=account_id, menu_id=0, timezone=ZONES[number])
    chosen = itertools.cycle(menu_ids)
    return [replace(bare, menu_id=next(chosen), **rule) for rule in rules]


def _once(random: Random) -> Iterator[dict[str, Any]]:
    """Windows of an hour or of weeks, one without an end and one without a start."""
    for _ in range(30):
        begin = BEGIN + random.randrange(365 * 24 * 60) * MINUTE + random.choice((0, 0, 20)) * timedelta(seconds=1)
        end = begin + random.choice((HOUR, 5 * HOUR, DAY, 3 * DAY)) + random.randrange(60) * MINUTE
        chosen = {"priority": random.randint(-1, 4), "lead": random.choice((0, 0, 300, 3600))}
        yield {"starts_at": begin, "ends_at": end} | chosen
    yield {"starts_at": BEGIN + 270 * DAY, "priority": -1}
    yield {"ends_at": BEGIN + 40 * DAY, "priority": -1}
    # For a season only.
    yield {"weekdays": "1,3", "hours": "16:00-17:30", "starts_at": BEGIN + 150 * DAY, "ends_at": BEGIN + 220 * DAY}


def menus(account: str) -> list[Menu]:
    """Some with personalised menus, and some that differ in nothing else."""
    return [
        _menu(f"{account[:3]}{number // 3}", tags)
        for number, tags in enumerate([(), (2,), (), (100, 2), (), (), (2,), (2, 100), ()])
    ]


def _menu(name: str, tags: tuple[int, ...]) -> Menu:
    buttons = [
        {"type": "click", "name": name, "key": name},
        {"type": "view", "name": "web", "url": f"https://shop.example/{name}"},
        {"name": "more", "sub_button": [{"type": "click", "name": "help", "key": "help"}]},
    ]
    conditional = [{"button": buttons[: 1 + tag % 2], "matchrule": {"tag_id": str(tag)}} for tag in tags]
    return read({"menu": {"button": buttons}} | ({"conditionalmenu": conditional} if tags else {}))
