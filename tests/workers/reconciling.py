"""An installation behind the simulated WeChat: pushes come to a real door, and go from its journal into the tables."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import time_machine
from sqlalchemy import Engine
from werkzeug.serving import make_server

from ingest.app import create_app
from ingest.segment import SegmentReader, segments
from models import reconciliation
from models.account import upsert_accounts
from models.config import Account, Config, DoorAccount, DoorConfig
from models.db import transaction
from models.queries import account_id
from models.reconciliation import Day, Delay
from tests.platforms import Platform
from tests.pushes import batch_of
from tests.servers import free_port
from tests.workers.shop import KEY, SHOP
from wechat.client import Client
from wechat.event import Entry, decode_entry
from wechat.quota import BEIJING
from workers.reconcile import reconcile
from workers.record import record

HOUR = timedelta(hours=1)
FOLLOWER = "oFollower"


def beijing(day: int, hour: int, minute: int = 0) -> datetime:
    """In October 2026."""
    return datetime(2026, 10, day, hour, minute, tzinfo=BEIJING)


class Reconciling:
    """Time stands at what the test says; for the simulated WeChat, which runs in this process, as well."""

    def __init__(self, engine: Engine, platform: Platform, folder: Path, clock: time_machine.Traveller) -> None:
        self.engine, self.platform, self.clock = engine, platform, clock
        self.config = Config(accounts=(SHOP,), secret_key=KEY, api_base_url=platform.url)
        known = DoorAccount.model_validate(SHOP.model_dump(include=set(DoorAccount.model_fields)))
        self._door = DoorConfig(data_dir=folder, accounts=(known,))
        self._app, self._port, self._taken = create_app(self._door), free_port(), 0
        with transaction(engine) as connection:
            upsert_accounts(connection, self.config.accounts)
            found = account_id(connection, SHOP.name)
        assert found is not None
        self.account_id = found
        platform.followers({"open_id": FOLLOWER})
        platform.push_to(f"http://127.0.0.1:{self._port}")

    @contextmanager
    def door(self) -> Iterator[None]:
        """It is open; before and after, connections are refused."""
        with make_server("127.0.0.1", self._port, self._app, threaded=True) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
            yield
            server.shutdown()

    def push(self, at: datetime, *texts: str) -> None:
        """A follower writes these at a time."""
        self.clock.move_to(at)
        for text in texts:
            self.platform.push(FOLLOWER, MsgType="text", Content=text)

    def taken(self) -> list[Entry]:
        """What the journal has beyond what was seen of it."""
        found: list[Entry] = []
        for file in segments(self._door.journal_dir):
            with closing(SegmentReader(file)) as reader:
                found += [decode_entry(entry.content) for entry in reader.after(0, 10_000)]
        new, self._taken = found[self._taken :], len(found)
        return new

    def record(self, entries: list[Entry] | None = None) -> None:
        """From the journal into the tables."""
        record(self.engine, batch_of(*(self.taken() if entries is None else entries)))

    def tick(self, at: datetime, *accounts: Account, **settings: object) -> None:
        self.clock.move_to(at)
        config = self.config.model_copy(update={"accounts": accounts or self.config.accounts, **settings})
        with Client(config.api_base_url) as client:
            reconcile(self.engine, client, config, at)

    def asked(self) -> int:
        """How often WeChat was asked for figures."""
        return len(self.platform.calls("datacube/getinterfacesummaryhour"))

    def days(self) -> dict[int, Day]:
        """By day of the month."""
        with self.engine.connect() as connection:
            found = reconciliation.days(connection, self.account_id, beijing(1, 0).date())
        return {day.day: of_day for day, of_day in found.items()}

    def delay(self) -> Delay | None:
        with self.engine.connect() as connection:
            return reconciliation.delay_of(connection, self.account_id)

    def close(self) -> None:
        self._app.extensions["door"].journal.close()
