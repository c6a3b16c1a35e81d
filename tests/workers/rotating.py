"""An installation with two accounts and their rotations, against the simulated platform, with a clock of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select

from models import menu_versions, publications, queries
from models.account import upsert_accounts
from models.config import Account, Config
from models.db import connect, transaction
from models.menu import Publication
from models.publications import PublicationRow
from models.rotation_delays import Delay, delay_of
from models.rotations import Draft, add_rotation
from tests import platforms
from tests.platforms import Platform, platform_of
from tests.workers.shop import KEY, SHOP, configured
from wechat.client import Client
from wechat.menu import Menu, digest, read, write
from wechat.menu_plan import is_same
from workers.api import Api
from workers.publishing import live_menu
from workers.rotate import rotate, rotate_all

CAFE = configured(platforms.CAFE)
NINE = datetime(2026, 10, 21, 1, tzinfo=UTC)  # by the clocks of Shanghai
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class DeadError(BaseException):
    """The process has been killed."""


class Mortal:
    """A clock for a process that is killed when it reads it for the nth time; it can do nothing after that."""

    def __init__(self, now: datetime, readings: int) -> None:
        self.now, self.left = now, readings

    def __call__(self) -> datetime:
        self.left -= 1
        if self.left < 0:
            raise DeadError
        return self.now


class Rotating:
    def __init__(self, engine: Engine, platform: Platform) -> None:
        self.engine, self.platform = engine, platform
        self.now = NINE
        self.config = Config(accounts=(SHOP, CAFE), secret_key=KEY, api_base_url=platform.url)
        self.menus: dict[tuple[str, int], Menu] = {}
        with transaction(engine) as connection:
            upsert_accounts(connection, self.config.accounts)

    def account_id(self, account: Account = SHOP) -> int:
        with self.engine.connect() as connection:
            found = queries.account_id(connection, account.name)
        assert found is not None
        return found

    def save(self, menu: Menu, account: Account = SHOP) -> int:
        """A version, by the id of its row."""
        account_id = self.account_id(account)
        with transaction(self.engine) as connection:
            number, _ = menu_versions.save_version(connection, account_id, write(menu), digest(menu), now=NINE)
            version = menu_versions.version(connection, account_id, number)
        assert version is not None
        self.menus[account.name, number] = menu
        return version.id

    def add(self, menu: Menu, account: Account = SHOP, **rule: object) -> int:
        """A rotation; without rules, the base menu."""
        draft = Draft(account_id=self.account_id(account), menu_id=self.save(menu, account), **rule)  # type: ignore[arg-type]
        with transaction(self.engine) as connection:
            return add_rotation(connection, draft)

    def tick(self, after: timedelta = MINUTE) -> None:
        """As the task does, that much later."""
        self.now += after
        rotate_all(self.engine, self.config, lambda: self.now)

    def die(self, readings: int) -> None:
        """A tick for the shop whose process is killed on the way."""
        with Client(self.platform.url) as client:
            rotate(self.engine, Api(self.engine, client, SHOP, KEY), SHOP, Mortal(self.now, readings))

    def live(self, account: Account = SHOP) -> int | None:
        """The version that WeChat shows, and nothing if that is not the one that is written down."""
        with Client(self.platform.url) as client, self.engine.connect() as connection:
            shown = live_menu(Api(self.engine, client, account, KEY))
            noted = publications.live(connection, self.account_id(account))
        if noted is None or shown is None:
            return None
        return noted.version if is_same(shown, self.menus[account.name, noted.version]) else None

    def written(self, account: Account = SHOP) -> list[PublicationRow]:
        """The oldest first."""
        with self.engine.connect() as connection:
            return list(reversed(publications.publications(connection, self.account_id(account))))

    def caused(self) -> list[tuple[str, int | None]]:
        """By what and by which rotation the publications were caused."""
        query = select(Publication.cause, Publication.rotation_id).order_by(Publication.id)
        with self.engine.connect() as connection:
            return [(row.cause, row.rotation_id) for row in connection.execute(query)]

    def delay(self, account: Account = SHOP) -> Delay | None:
        with self.engine.connect() as connection:
            return delay_of(connection, self.account_id(account))

    def calls(self, name: str = "menu/create") -> int:
        return len(self.platform.calls(name))


def a_menu(name: str, *tags: str) -> Menu:
    """A menu whose buttons are all called alike; with a personalised menu for each tag."""
    buttons = [{"type": "click", "name": name, "key": name}]
    conditional = [{"button": buttons, "matchrule": {"tag_id": tag}} for tag in tags]
    return read({"menu": {"button": buttons}} | ({"conditionalmenu": conditional} if tags else {}))


@contextmanager
def rotating_on(database_url: str) -> Iterator[Rotating]:
    engine = connect(database_url)
    with platform_of(platforms.SHOP, platforms.CAFE, followers=1) as platform:
        yield Rotating(engine, platform)
    engine.dispose()
