"""An account with a base menu and a guarded rotation above it, and as many taps at each hour as a test likes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import Engine, insert

from models import menu_versions, publications, queries
from models.account import upsert_accounts
from models.base import table_of
from models.db import transaction
from models.event import Event
from models.rotations import Draft, add_rotation
from tests.workers.shop import SHOP
from wechat.menu import Menu, digest, read, write

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_menu(name: str, *tags: str) -> Menu:
    """A menu whose buttons are all called alike; with a personalised menu for each tag."""
    buttons = [{"type": "click", "name": name, "key": name}]
    conditional = [{"button": buttons, "matchrule": {"tag_id": tag}} for tag in tags]
    return read({"menu": {"button": buttons}} | ({"conditionalmenu": conditional} if tags else {}))


class Guarded:
    def __init__(self, engine: Engine, began: datetime) -> None:
        """`began`: when the base menu was published."""
        self.engine = engine
        self._numbers = count(1)
        with transaction(engine) as connection:
            upsert_accounts(connection, [SHOP])
            account_id = queries.account_id(connection, SHOP.name)
        assert account_id is not None
        self.account_id = account_id
        self.base, self.sale = self.save("base", began), self.save("sale", began)
        self.add(menu_id=self.base)
        self.publish(self.base, began)

    def save(self, name: str, now: datetime) -> int:
        """A version, by the id of its row."""
        menu = a_menu(name)
        with transaction(self.engine) as connection:
            saved = menu_versions.save_version(connection, self.account_id, write(menu), digest(menu), now=now)
            version = menu_versions.version(connection, self.account_id, saved[0])
        assert version is not None
        return version.id

    def add(self, **rule: object) -> int:
        with transaction(self.engine) as connection:
            return add_rotation(connection, Draft(account_id=self.account_id, **rule))  # type: ignore[arg-type]

    def publish(self, menu_id: int, now: datetime) -> None:
        with transaction(self.engine) as connection:
            publication_id = publications.claim(connection, self.account_id, menu_id, "rotation", now)
            publications.finish(connection, publication_id, {}, now)

    def hear(self, begin: datetime, number: int, kind: str = "click", *, delay: timedelta = timedelta()) -> None:
        """So many events, spread over an hour; they reach the door at once, and the tables after the delay."""
        self.put((begin + (one + 0.5) * HOUR / number for one in range(number)), kind, delay)

    def put(self, moments: Iterable[datetime], kind: str = "click", delay: timedelta = timedelta()) -> None:
        rows = [
            {
                "id": UUID(int=next(self._numbers)),
                "created_at": moment,
                "account_id": self.account_id,
                "kind": kind,
                "received_at": moment,
                "recorded_at": moment + delay,
            }
            for moment in moments
        ]
        with transaction(self.engine) as connection:
            connection.execute(insert(table_of(Event)), rows)
