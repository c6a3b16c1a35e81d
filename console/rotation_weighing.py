"""What a change of an account's plan brings with it: conflicts, calls, years without holidays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from console.rotation_plan import Plan, read_menus, read_plan
from models.rotations import RotationRow
from wechat.menu import Menu
from wechat.quota import DAILY, day_of
from workers.due import Conflict, conflicts
from workers.rotation_check import unknown_years
from workers.rotation_cost import Overrun, calls, overruns

if TYPE_CHECKING:
    from sqlalchemy import Connection

CONFLICTS_WITHIN = timedelta(days=400)
CALLS_WITHIN = timedelta(days=31)


@dataclass(frozen=True)
class Busiest:
    """The day, as WeChat counts days, that comes nearest to the limit of a call."""

    day: date
    path: str
    calls: int
    limit: int


@dataclass(frozen=True)
class Weighed:
    conflicts: list[Conflict]
    overruns: list[Overrun]
    busiest: Busiest | None
    unknown_years: list[int]


def weighed(
    connection: "Connection", rotation: RotationRow, now: datetime, without: int | None = None
) -> tuple[Plan, Weighed]:
    """An account's plan with a rotation in it, whether it has its row yet or not, and what that brings with it;
    `without` is the id of one whose place it takes.

    It ends the transaction: a menu that changes every minute takes seconds, for which nobody should have to wait.
    """
    plan = read_plan(connection, rotation.account_id)
    others = [row for row in plan.rotations if row.id not in (rotation.id, without)]
    plan = replace(plan, rotations=[*others, rotation])
    menus = read_menus(connection, plan, rotation.account_id)
    used = calls_of_today(connection, rotation.account_id, now)
    connection.rollback()
    return plan, weigh(plan, rotation, menus, used, now)


def weigh(
    plan: Plan, rotation: RotationRow, menus: Mapping[int, Menu], used: Mapping[str, int], now: datetime
) -> Weighed:
    """`used` are the calls of today by path."""
    planned = calls(plan.switches(now, now + CALLS_WITHIN), menus)
    return Weighed(
        _conflicts(plan, rotation, now),
        overruns(planned, {day_of(now): used}),
        max(
            (Busiest(day, path, count, DAILY[path]) for day, by in planned.items() for path, count in by.items()),
            key=lambda busy: busy.calls / busy.limit,
            default=None,
        ),
        unknown_years([row for row in plan.sound if row.id == rotation.id], plan.calendar, now),
    )


def _conflicts(plan: Plan, rotation: RotationRow, now: datetime) -> list[Conflict]:
    """Those of one rotation; looked for only where there may be some, as windows may begin every minute of a year."""
    rivals = [row for row in plan.sound if row.priority == rotation.priority and not row.is_base]
    if {rotation.menu_id} >= {row.menu_id for row in rivals}:
        return []
    found = conflicts(rivals, plan.calendar, now, now + CONFLICTS_WITHIN)
    return [one for one in found if rotation.id in (one.first.id, one.second.id)]


def calls_of_today(connection: "Connection", account_id: int, now: datetime) -> dict[str, int]:
    from models.api_use import uses

    return {use.call: use.count for use in uses(connection, account_id, day_of(now))}
