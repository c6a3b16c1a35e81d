"""Taps tied to publications, against the simulated WeChat, which knows which menu each of its followers saw.

Three switches a day; half of the keys of each menu are in all of them, and followers tap all buttons alike. They look
at the menu a while before they tap, so that it may be gone by then. None of the pushes names its menu.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import time_machine
from sqlalchemy import Engine, select

from ingest.account import Account as Receiver
from ingest.push import check
from ingest.push import read as received
from models import menu_versions, publications
from models.account import account_ids, upsert_accounts
from models.db import connect, transaction
from models.event import Event as EventRow
from models.rotations import Draft, add_rotation
from tests import platforms
from tests.platforms import served
from tests.pushes import batch_of
from tests.workers.shop import KEY, SHOP
from wechat.client import Client
from wechat.event import Entry
from wechat.menu import Menu, digest, read, write
from wechat.simulator.platform.acting import Audience, as_button, leaves, pushed
from wechat.simulator.platform.platform import Platform
from wechat.simulator.request import make_request
from wechat.simulator.taps import press
from workers.api import Api
from workers.record import record
from workers.rotate import rotate

BEGIN = datetime(2026, 10, 19, 16, tzinfo=UTC)  # midnight in Shanghai
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOURS = {"morning": "06:00-11:00", "noon": "11:00-18:00", "evening": "18:00-06:00"}
DAYS = 4
WARM_UP = BEGIN + DAY  # until then phones have no old menus
FOLLOWERS, TAPS = 200, 6000
LOOKED = 300.0  # seconds before they tap, at most
AHEAD = 2.0  # seconds by which WeChat's clock is
BATCH = 10 * MINUTE


@dataclass
class Shares:
    """Of all taps, those that are tied to what the follower saw."""

    publication: float  # to that very publication
    version: float  # to one with that version of the menu, of another day perhaps


class Audited:
    """An account whose menus are switched, and its followers, who tap; each tap with what its follower saw."""

    def __init__(self, engine: Engine, platform: Platform, url: str) -> None:
        self.engine, self.platform, self.random = engine, platform, Random(5)
        self.account = platforms.SHOP
        self.receiver = Receiver(
            SHOP.name, SHOP.app_id, SHOP.original_id, tokens=(self.account.token,), aes_keys=(self.account.key,)
        )
        self.shown: dict[int, tuple[int, int]] = {}  # publication and version, by WeChat's id of the menu
        self.seen: dict[str, int] = {}  # WeChat's id of the menu that was tapped, by the id of the event
        self.client = Client(url)
        with transaction(engine) as connection:
            upsert_accounts(connection, [SHOP])
            self.id = account_ids(connection, {SHOP.app_id: SHOP.name})[SHOP.app_id]
            for name, hours in HOURS.items():
                menu = a_menu(name)
                number, _ = menu_versions.save_version(connection, self.id, write(menu), digest(menu), now=BEGIN)
                version = menu_versions.version(connection, self.id, number)
                assert version is not None
                add_rotation(connection, Draft(account_id=self.id, menu_id=version.id, hours=hours))

    @property
    def people(self) -> list[str]:
        return list(self.platform.state.accounts[SHOP.app_id].followers)

    def keep_menus_for_a_day(self, share: float) -> None:
        followers = list(self.platform.state.accounts[SHOP.app_id].followers.values())
        for number, follower in enumerate(followers):
            follower.cache_seconds = 86400.0 if number < share * len(followers) else 300.0

    def tick(self, now: datetime) -> None:
        rotate(self.engine, Api(self.engine, self.client, SHOP, KEY), SHOP, lambda: now)
        with self.engine.connect() as connection:
            live = publications.live(connection, self.id)
        menu = self.platform.state.accounts[SHOP.app_id].menu
        assert live is not None
        assert menu is not None
        self.shown.setdefault(menu.menu_id, (live.id, live.version))

    def look(self, person: str) -> None:
        with self.platform.lock:
            self._audience().menu_of(person)

    def tap(self, person: str, now: datetime) -> Entry:
        with self.platform.lock:
            scene = self._audience()
            menu_id, menu = scene.menu_of(person)
            button = as_button(self.random.choice(list(leaves(menu))), menu_id)
            assert button is not None
            at = self.platform.now()
            (push,) = pushed(self.platform, self.account, self.random, press(scene, person, button), at)
        request = make_request(
            self.account, push.message, person, mode="security", timestamp=int(at), random=self.random
        )
        entry = received(self.receiver, check(self.receiver, request.query, request.body, 900, now.timestamp())).entry
        assert entry is not None
        assert push.id == str(entry.id)
        self.seen[push.id] = menu_id
        return entry

    def shares(self) -> Shares:
        right: Counter[str] = Counter()
        versions = dict(self.shown.values())
        query = select(EventRow.id, EventRow.publication_id).where(EventRow.created_at >= WARM_UP)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            publication, version = self.shown[self.seen[str(row.id)]]
            right["publication"] += row.publication_id == publication
            right["version"] += versions.get(row.publication_id) == version
        assert len(rows) > TAPS * (DAYS - 1) / DAYS * 0.9
        return Shares(right["publication"] / len(rows), right["version"] / len(rows))

    def _audience(self) -> Audience:
        return Audience(self.platform, self.account, self.random)


def a_menu(name: str) -> Menu:
    """Half of its keys are its own."""
    keys = ["help", "shop", "hours", *(f"{name}{number}" for number in range(3))]
    bar = [{"name": "bar", "sub_button": [{"type": "click", "name": key, "key": key} for key in keys[:3]]}]
    own = [{"name": "own", "sub_button": [{"type": "click", "name": key, "key": key} for key in keys[3:]]}]
    return read({"menu": {"button": bar + own}})


@pytest.fixture
def audited(sqlite_database_url: str) -> Iterator[Audited]:
    engine = connect(sqlite_database_url)
    with served(platforms.SHOP, followers=FOLLOWERS) as server:
        server.platform.state.offset = AHEAD
        yield Audited(engine, server.platform, server.url)
    engine.dispose()


@pytest.mark.parametrize(("old", "publication", "version"), [(0.0, 0.99, 0.99), (0.1, 0.95, 0.95)])
def test_taps_are_tied_to_what_was_seen(audited: Audited, old: float, publication: float, version: float) -> None:
    """`old` is the share of the clients that keep a menu for a day; the others fetch it again after five minutes."""
    audited.keep_menus_for_a_day(old)
    moments: list[tuple[float, str]] = []
    for _tap in range(TAPS):
        at, person = audited.random.uniform(LOOKED, DAYS * 86400), audited.random.choice(audited.people)
        moments += [(at - audited.random.uniform(0, LOOKED), f"look {person}"), (at, f"tap {person}")]
    moments += [(BATCH.total_seconds() * number, "record") for number in range(DAYS * DAY // BATCH)]
    moments += [(3600.0 * hour, "tick") for hour in range(DAYS * 24)]
    entries: list[Entry] = []
    with time_machine.travel(BEGIN, tick=False) as clock:
        for seconds, what in sorted(moments):
            now = BEGIN + timedelta(seconds=seconds)
            clock.move_to(now)
            what, _, person = what.partition(" ")
            if what == "tick":
                audited.tick(now)
            elif what == "look":
                audited.look(person)
            elif what == "tap":
                entries.append(audited.tap(person, now))
            elif entries:
                record(audited.engine, batch_of(*entries))
                entries = []
        record(audited.engine, batch_of(*entries))
    found = audited.shares()
    assert found.publication >= publication
    assert found.version >= version
