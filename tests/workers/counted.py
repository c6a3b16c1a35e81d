"""What the rollups should say: counted from the events one by one, by other means than the program's."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from pyroaring import BitMap
from sqlalchemy import Engine, delete, select

from models.account import Account
from models.base import Base, table_of
from models.db import transaction
from models.event import MENU_KINDS, Event
from models.rollup import ANY_PUBLICATION, Button, Follower, RollupDay, RollupHour, RollupMonth, RollupWeek

What: TypeAlias = tuple[Any, ...]
"""Account, time, kind, key, publication and menu id."""
Counts: TypeAlias = dict[What, tuple[int, frozenset[str]]]
"""How many taps, and of whom."""
WHOLE = ("the whole menu", None)
ANY = ("any publication", "any menu")
LEVELS = ("hour", "day", "week", "month")


def counted(engine: Engine) -> dict[str, Counts]:
    """From the events, by hour, day, week and month; of each publication and menu, and of any."""
    found: dict[str, dict[What, list[str | None]]] = {name: defaultdict(list) for name in LEVELS}
    with engine.connect() as connection:
        zones = {row.id: ZoneInfo(row.timezone) for row in connection.execute(select(Account.id, Account.timezone))}
        for event in connection.execute(select(*table_of(Event).columns)):
            if event.kind == "caidan_doctor":
                continue
            local = event.created_at.astimezone(zones[event.account_id])
            key = event.event_key if event.kind in MENU_KINDS else None
            times = (_face(local), (local.date(),), (local.date().isocalendar()[:2],), (local.year, local.month))
            for button in [(event.kind, key), *([WHOLE] if event.kind in MENU_KINDS else [])]:
                for menu in ((event.publication_id or 0, event.wechat_menu_id or ""), ANY):
                    for name, time in zip(LEVELS, times, strict=True):
                        found[name][event.account_id, *time, *button, *menu].append(event.open_id)
    return {
        name: {what: (len(users), frozenset(user for user in users if user)) for what, users in counts.items()}
        for name, counts in found.items()
    }


def rolled_up(engine: Engine) -> dict[str, Counts]:
    """The same, as the rollups say."""
    with engine.connect() as connection:
        zones = {row.id: ZoneInfo(row.timezone) for row in connection.execute(select(Account.id, Account.timezone))}
        names = {
            (row.account_id, row.number): row.open_id for row in connection.execute(select(*table_of(Follower).columns))
        }
        buttons = {row.id: (row.kind, row.event_key) for row in connection.execute(select(*table_of(Button).columns))}

        def read(model: type[Base], time: Any) -> Counts:
            counts: Counts = {}
            rows = connection.execute(select(*table_of(model).columns)).all()
            for row in rows:
                button = buttons[row.button_id] if row.button_id else WHOLE
                if row.publication_id != ANY_PUBLICATION:
                    users = BitMap.deserialize(row.followers)
                    assert len(users) == row.users
                    what = (row.account_id, *time(row), *button, row.publication_id, row.wechat_menu_id)
                    assert what not in counts
                    counts[what] = row.taps, frozenset(names[row.account_id, number] for number in users)
            for whole in (row for row in rows if row.is_whole):
                button = buttons[whole.button_id] if whole.button_id else WHOLE
                place = (whole.account_id, *time(whole), *button)
                users = frozenset().union(*(found[1] for what, found in counts.items() if what[:-2] == place))
                assert (*place, *ANY) not in counts
                numbers = BitMap.deserialize(whole.followers)
                assert users == {names[whole.account_id, number] for number in numbers}
                assert len(users) == whole.users
                counts[*place, *ANY] = whole.taps, users
            return counts

        return {
            "hour": read(RollupHour, lambda row: _face(row.starts_at.astimezone(zones[row.account_id]))),
            "day": read(RollupDay, lambda row: (row.day,)),
            "week": read(RollupWeek, lambda row: (_week(row.monday),)),
            "month": read(RollupMonth, lambda row: (row.month.year, row.month.month)),
        }


def empty(engine: Engine) -> None:
    with transaction(engine) as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))


def _face(local: datetime) -> tuple[date, int, timedelta | None]:
    return local.date(), local.hour, local.utcoffset()


def _week(monday: date) -> tuple[int, int]:
    assert monday.weekday() == 0
    return monday.isocalendar()[:2]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
