"""WeChat's callback addresses: asked for daily, kept, and handed to the doors."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import Engine

from models.config import Account, Config
from models.db import connect, transaction
from models.ingress import callback_addresses, fetched_at, note_ingress
from tests import platforms
from tests.platforms import CAFE, SHOP, Platform, platform_of
from tests.workers.settling import make_app, waiting
from tests.workers.shop import KEY, configured
from wechat.client import Client
from workers.addresses import due, keep_addresses
from workers.ingresses import Ingresses
from workers.outgoing import Outgoing

NOW = datetime(2026, 10, 1, 4, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LISTED = ["101.226.103.0/25", "1.2.3.4", "2402:4e00::1"]
QUEUE = "receipts.test-addresses"


class Daily:
    """An installation with two accounts and one ingress, whose hourly task runs when told to."""

    def __init__(self, platform: Platform, engine: Engine, broker_url: str, *accounts: Account) -> None:
        self.engine, self._broker_url, self._app = engine, broker_url, make_app(broker_url)
        self.config = Config(accounts=accounts, secret_key=KEY, api_base_url=platform.url)
        with transaction(engine) as connection:
            note_ingress(connection, QUEUE, datetime.now(UTC))

    def tick(self) -> None:
        with Client(self.config.api_base_url) as client:
            keep_addresses(self.engine, client, self.config, Outgoing(self._app))

    def greet(self, queue: str) -> None:
        """Another ingress lets itself be heard."""
        outgoing = Outgoing(self._app)
        outgoing.receipt(queue, "ab" * 16)
        Ingresses(outgoing).note(self.engine)

    def handed_out(self) -> list[Any]:
        """The snapshots that the ingress found since it last looked."""
        return [message.payload["snapshot"] for message in waiting(self._broker_url, QUEUE)]

    def kept(self) -> dict[str, list[str]]:
        with self.engine.connect() as connection:
            return callback_addresses(connection, NOW - DAY)

    def close(self) -> None:
        self._app.close()


@pytest.fixture
def platform() -> Iterator[Platform]:
    with platform_of(SHOP, CAFE, followers=1) as running:
        running.load(running.state() | {"callback_ips": LISTED})
        yield running


@pytest.fixture
def daily(platform: Platform, sqlite_database_url: str, embedded_url: str) -> Iterator[Daily]:
    engine = connect(sqlite_database_url)
    with time_machine.travel(NOW):
        daily = Daily(platform, engine, embedded_url, configured(platforms.SHOP), configured(platforms.CAFE))
        yield daily
    daily.close()
    engine.dispose()


def test_lists_are_asked_for_once_a_day_and_handed_out(daily: Daily, platform: Platform) -> None:
    asked, handed_out = [], []
    with time_machine.travel(NOW) as clock:
        for _hour in range(49):
            daily.tick()
            asked.append(len(platform.calls("getcallbackip")))
            handed_out += daily.handed_out()
            clock.shift(HOUR)

    assert [2] * 23 + [4] * 23 + [6] * 3 == asked
    assert 3 == len(handed_out)
    assert [{SHOP.app_id: LISTED, CAFE.app_id: LISTED}] * 3 == [one["callback_addresses"] for one in handed_out]
    assert {SHOP.app_id: LISTED, CAFE.app_id: LISTED} == daily.kept()


@pytest.mark.parametrize(
    "fault",
    [{"errcode": -1}, {"errcode": 48001}, {"drop": True}, {"garbage": True}, {"errcode": 40001}],
    ids=lambda fault: str(*fault.values()),
)
def test_what_fails_leaves_the_former_list_and_is_tried_again_an_hour_later(
    daily: Daily, platform: Platform, caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    with time_machine.travel(NOW) as clock:
        daily.tick()
        daily.handed_out()
        clock.shift(DAY)
        platform.load(platform.state() | {"callback_ips": ["9.9.9.9"]})
        platform.fault("getcallbackip", **fault)
        daily.tick()

        assert {SHOP.app_id: LISTED, CAFE.app_id: LISTED} == daily.kept()
        assert [{SHOP.app_id: LISTED, CAFE.app_id: LISTED}] == [one["callback_addresses"] for one in daily.handed_out()]

        platform.heal()
        clock.shift(HOUR)
        daily.tick()

    assert {SHOP.app_id: ["9.9.9.9"], CAFE.app_id: ["9.9.9.9"]} == daily.kept()
    assert 1 == len(daily.handed_out())
    told = [record.__dict__ for record in caplog.records if record.message == "callback addresses not fetched"]
    assert ["shop", "cafe"] == [one["account"] for one in told]
    assert all(one["reason"] for one in told)


def test_one_account_that_fails_is_in_nobodys_way(daily: Daily, platform: Platform) -> None:
    platform.fault("stable_token", errcode=40125, times=1)
    daily.tick()

    assert {CAFE.app_id: LISTED} == daily.kept()
    assert [{CAFE.app_id: LISTED}] == [one["callback_addresses"] for one in daily.handed_out()]


def test_an_empty_list_is_none(daily: Daily, platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    with time_machine.travel(NOW) as clock:
        daily.tick()
        platform.load(platform.state() | {"callback_ips": []})
        clock.shift(DAY)
        daily.tick()

    assert {SHOP.app_id: LISTED, CAFE.app_id: LISTED} == daily.kept()
    assert ["empty_list"] * 2 == [
        record.__dict__["reason"] for record in caplog.records if record.message == "callback addresses not fetched"
    ]


def test_lists_are_kept_in_every_kind_of_database(platform: Platform, database: Engine, embedded_url: str) -> None:
    daily = Daily(platform, database, embedded_url, configured(platforms.SHOP))
    for _ in range(2):
        daily.tick()
    (handed_out,) = daily.handed_out()
    daily.close()

    assert {SHOP.app_id: LISTED} == handed_out["callback_addresses"] == daily.kept()
    with database.connect() as connection:
        assert {SHOP.app_id} == fetched_at(connection).keys()


def test_new_ingresses_do_not_put_off_the_daily_snapshot_of_the_others(platform: Platform, daily: Daily) -> None:
    platform.fault("getcallbackip", errcode=-1)
    with time_machine.travel(NOW) as clock:
        for hour in range(47):
            daily.greet(f"receipts.test-addresses-{hour}")
            daily.tick()
            clock.shift(HOUR)

    assert 3 == len(daily.handed_out())


def test_without_an_app_secret_wechat_is_not_asked(platform: Platform, daily: Daily) -> None:
    daily.config = daily.config.model_copy(
        update={"accounts": (configured(platforms.SHOP, app_secret=None), configured(platforms.CAFE, app_secret=""))}
    )
    with time_machine.travel(NOW) as clock:
        for _hour in range(25):
            daily.tick()
            clock.shift(HOUR)

    assert [] == platform.calls()
    assert [{}, {}] == [one["callback_addresses"] for one in daily.handed_out()]


def test_the_oldest_list_comes_first() -> None:
    accounts = [Account(name=f"a{n}", app_id=f"wx{n}", token="t", app_secret=SecretStr("s")) for n in range(5)]  # type: ignore[arg-type]
    fetched = {"wx0": NOW - 24 * HOUR, "wx1": NOW - 22 * HOUR, "wx2": NOW - 23 * HOUR, "wx3": NOW - 48 * HOUR}

    assert ["a4", "a3", "a0", "a2"] == [account.name for account in due(accounts, fetched, NOW)]
