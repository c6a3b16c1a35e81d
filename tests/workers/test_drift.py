"""Menus that are changed elsewhere, against the simulated platform."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from models import menu_versions, publications, queries
from models.account import upsert_accounts
from models.config import Account, Config
from models.db import connect, transaction
from models.drift import DriftRow, drift_of
from tests import platforms
from tests.platforms import CAFE, Platform, platform_of
from tests.workers.shop import KEY, SHOP, configured
from wechat.client import Client
from wechat.menu import Menu, digest, read, write
from workers.api import Api
from workers.drift import NONE, changes, look_for_drift
from workers.publishing import Wanted, publish


class Watched:
    """An installation that has published a menu for the account SHOP, and whose task runs when told to."""

    def __init__(self, engine: Engine, platform: Platform) -> None:
        self.engine, self.platform = engine, platform
        accounts = (SHOP, configured(CAFE), Account(name="bar", app_id="wx3", token="t"))
        self.config = Config(accounts=accounts, secret_key=KEY, api_base_url=platform.url)
        with transaction(engine) as connection:
            upsert_accounts(connection, accounts)
            account_id = queries.account_id(connection, SHOP.name)
        assert account_id is not None
        self.account_id = account_id

    def publish(self, name: str) -> None:
        menu = a_menu(name)
        with transaction(self.engine) as connection:
            now = datetime.now(UTC)
            number, _new = menu_versions.save_version(connection, self.account_id, write(menu), digest(menu), now=now)
            version = menu_versions.version(connection, self.account_id, number)
        assert version is not None
        with Client(self.platform.url) as client:
            wanted = Wanted(self.account_id, version.id, menu, "publish")
            publish(self.engine, Api(self.engine, client, SHOP, KEY), wanted)

    def look(self) -> None:
        with Client(self.platform.url) as client:
            look_for_drift(self.engine, client, self.config)

    def drift(self) -> DriftRow | None:
        with self.engine.connect() as connection:
            return drift_of(connection, self.account_id)

    def change(self, name: str) -> None:
        """By another program, which shares the token."""
        answer = self.platform.call("menu/create", write(a_menu(name))["menu"], token=self.platform.token())
        assert 0 == answer["errcode"]


def a_menu(name: str) -> Menu:
    return read({"menu": {"button": [{"type": "click", "name": name, "key": "K"}]}})


@pytest.fixture
def watched(sqlite_database_url: str) -> Iterator[Watched]:
    with watching(sqlite_database_url) as watched:
        yield watched


@pytest.fixture
def watched_anywhere(database_url: str) -> Iterator[Watched]:
    with watching(database_url) as watched:
        yield watched


@contextmanager
def watching(database_url: str) -> Iterator[Watched]:
    engine = connect(database_url)
    with platform_of(platforms.SHOP, CAFE, followers=1) as platform:
        watched = Watched(engine, platform)
        watched.publish("a")
        yield watched
    engine.dispose()


def warnings(caplog: pytest.LogCaptureFixture) -> list[object]:
    return [vars(record).get("changes") for record in caplog.records if record.levelno == logging.WARNING]


def test_a_change_made_elsewhere_is_reported_once(watched_anywhere: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched = watched_anywhere
    watched.look()

    assert (None, []) == (watched.drift(), warnings(caplog))

    watched.change("b")
    for _twice in range(2):
        watched.look()
    first = watched.drift()

    assert first is not None
    assert [["renamed menu.button[0]"]] == warnings(caplog)

    watched.change("c")
    watched.look()
    second = watched.drift()

    assert second is not None
    assert first.digest != second.digest
    assert 2 == len(warnings(caplog))


def test_when_it_is_as_published_again_the_report_goes(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for name in ("b", "a"):
        watched.change(name)
        watched.look()

    assert watched.drift() is None
    assert ["menu as published again"] == [one.message for one in caplog.records if one.name == "workers.drift"][1:]

    watched.change("b")
    watched.look()

    assert 2 == len(warnings(caplog))


def test_a_menu_that_is_gone_is_reported(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.platform.console_menu([{"type": "text", "name": "t", "value": "Hi"}])
    for _twice in range(2):
        watched.look()
    found = watched.drift()

    assert found is not None
    assert NONE == found.digest
    assert [["removed menu"]] == warnings(caplog)


def test_another_publication_ends_it(watched_anywhere: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched = watched_anywhere
    watched.change("b")
    watched.look()
    watched.publish("c")

    assert watched.drift() is None

    watched.change("b")
    watched.look()

    assert watched.drift() is not None
    assert 2 == len(warnings(caplog))


def test_who_has_published_nothing_is_not_asked_about(watched: Watched) -> None:
    before = len(watched.platform.calls())
    watched.look()

    assert ["menu/get"] == [made["call"] for made in watched.platform.control("calls")["calls"][before:]]


def test_while_somebody_publishes_nothing_is_asked(watched: Watched) -> None:
    watched.change("b")
    before = len(watched.platform.calls())
    with transaction(watched.engine) as connection:
        publications.claim(connection, watched.account_id, 1, "publish", datetime.now(UTC))
    watched.look()

    assert watched.drift() is None
    assert before == len(watched.platform.calls())


def test_a_platform_that_is_down_is_no_change(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.platform.fault("menu/get", drop=True)
    watched.look()

    assert watched.drift() is None
    assert ["menu not compared"] == [one.message for one in caplog.records if one.levelno == logging.WARNING]


def test_the_short_form_tells_no_contents() -> None:
    assert ["removed menu"] == changes(a_menu("a"), None)
    assert ["renamed menu.button[0]"] == changes(a_menu("a"), a_menu("b"))
