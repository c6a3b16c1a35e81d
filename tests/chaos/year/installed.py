"""An installation with four accounts and rotations of every kind, against a simulated platform in this process."""

from datetime import datetime
from random import Random

from sqlalchemy import Connection, Engine

from models import menu_versions
from models.account import account_ids, upsert_accounts
from models.config import Account, Config
from models.db import transaction
from models.holidays import calendar, load_year
from models.rotations import add_rotation
from tests.chaos.year.mortal import Life, MortalClient
from tests.chaos.year.scheduled import ACCOUNTS, BEGIN, drafts, menus
from tests.chaos.year.seen import Seen, look, wishes
from tests.workers.shop import KEY
from wechat.menu import Menu, digest, write
from wechat.simulator.platform.platform import Platform
from workers.api import Api
from workers.rotation_check import problems


class Installed:
    """`now` is its clock; WeChat's is the machine's, which travels along."""

    def __init__(self, engine: Engine, platform: Platform, url: str, random: Random) -> None:
        self.engine, self.platform, self.now = engine, platform, BEGIN
        self.life = Life(engine)
        self.client = MortalClient(url, self.life)
        self.config = Config(accounts=ACCOUNTS, secret_key=KEY, api_base_url=url)
        self.menus: dict[int, Menu] = {}
        self.owners: dict[int, int] = {}  # of menus
        with transaction(engine) as connection:
            upsert_accounts(connection, ACCOUNTS)
            self.ids = account_ids(connection, {account.app_id: account.name for account in ACCOUNTS})
            load_year(connection, BEGIN.year)
            self.calendar = calendar(connection)
        for number, account in enumerate(ACCOUNTS):
            self._schedule(random, number, self.ids[account.app_id], account.name)
        self.read_wishes()

    def api(self, account: Account) -> Api:
        return Api(self.engine, self.client, account, KEY)

    def pass_to(self, now: datetime) -> None:
        self.now = now
        self._dues = {app_id: said.due(now, self.calendar) for app_id, said in self.wishes.items()}

    def read_wishes(self) -> None:
        """When somebody may have changed them."""
        with self.engine.connect() as connection:
            self.wishes = {app_id: wishes(connection, account_id) for app_id, account_id in self.ids.items()}
        self.pass_to(self.now)

    def look(self) -> dict[str, Seen]:
        """At all accounts, by their AppIDs; nobody else is doing anything."""
        with self.engine.connect() as connection:
            return {app_id: self._look_at(connection, app_id) for app_id in self.ids}

    def _look_at(self, connection: Connection, app_id: str) -> Seen:
        own, due = self.platform.state.accounts[app_id], self._dues[app_id]
        wanted = None if due is None else self.menus[due.rotation.menu_id]
        is_frozen = self.wishes[app_id].is_frozen(self.now)
        return look(connection, own, self.ids[app_id], due, wanted, is_frozen)

    def _schedule(self, random: Random, number: int, account_id: int, name: str) -> None:
        with transaction(self.engine) as connection:
            menu_ids = []
            for menu in menus(name):
                saved, _ = menu_versions.save_version(connection, account_id, write(menu), digest(menu), now=BEGIN)
                version = menu_versions.version(connection, account_id, saved)
                assert version is not None
                menu_ids.append(version.id)
                self.menus[version.id], self.owners[version.id] = menu, account_id
            for draft in drafts(random, number, account_id, menu_ids):
                assert not problems(draft)
                add_rotation(connection, draft)
