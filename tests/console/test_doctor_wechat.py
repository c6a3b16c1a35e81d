"""What the doctor finds out at WeChat, which is the simulated platform."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models import menu_versions, queries
from models.config import Config, load
from models.db import connect, transaction
from tests.console.examined import FILE, MENU, Told, install
from tests.platforms import SHOP, Platform
from wechat.client import Client
from wechat.menu import digest, read, write
from wechat.menu_shapes import definition_of
from workers.api import Api
from workers.publishing import Wanted, publish


@pytest.fixture
def installation(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    return install(platform, monkeypatch, tmp_path)


def test_the_address_of_the_allow_list_is_named(installation: Platform) -> None:
    installation.holdings(allowed_ips=["10.0.0.1"])

    told = Told()

    (refused,) = told.of("token", "failure")
    assert "40164" in refused
    assert refused.endswith("Add 127.0.0.1 to the IP allow-list (IP 白名单) of the AppSecret in WeChat's console.")
    assert ["skipped"] == told.levels("menu")

    installation.holdings(allowed_ips=None)

    assert ["fine"] == Told().levels("token")  # at once, though a role would wait before it asks again


def test_a_platform_that_is_down_is_one_failure_and_the_rest_is_skipped(
    installation: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIDAN_API_BASE_URL", "http://127.0.0.1:9")

    told = Told()

    assert ["failure"] == told.levels("token")
    assert ["skipped"] == told.levels("clock")
    assert ["skipped"] == told.levels("addresses")


def test_garbage_in_the_middle_is_a_line_of_its_own(installation: Platform) -> None:
    installation.fault("getcallbackip", garbage=True, status=502)

    told = Told()

    assert ["failure"] == told.levels("addresses")
    assert ["fine"] == told.levels("token")
    assert {"fine"} == set(told.levels("quota"))


def test_used_up_quotas_are_told(installation: Platform) -> None:
    installation.holdings(quota={"limits": {"cgi-bin/menu/create": 1}})
    installation.call("menu/create", MENU, token=installation.token())

    (used_up,) = Told().of("quota", "failure")

    assert used_up.startswith("/cgi-bin/menu/create: 1 of 1 calls used today.")


def test_a_token_that_somebody_else_replaced_is_told(installation: Platform) -> None:
    assert ["fine"] == Told().levels("token")
    installation.token(force_refresh=True)

    (told,) = Told().of("token", "warning")

    assert "Another program replaced the token under our hands, 1 times so far." in told


def test_an_account_without_app_secret_is_not_asked_about(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = FILE.replace(f'app_secret = "{SHOP.app_secret}"', "")
    (tmp_path / "caidan.toml").write_text(text)

    told = Told()

    assert ["skipped"] == told.levels("token")
    assert ["skipped"] == told.levels("menu")
    assert [] == installation.calls("stable_token") + installation.calls("menu/get")


@pytest.fixture
def published(installation: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A menu that Caidan has published."""

    config = load(Config)
    engine = connect(config.database_url.get_secret_value())
    menu = read(definition_of(MENU))
    with transaction(engine) as connection:
        account = queries.account_id(connection, "shop")
        assert account
        menu_versions.save_version(connection, account, write(menu), digest(menu), now=datetime.now(UTC))
        version = menu_versions.version(connection, account)
    assert version
    with Client(config.api_base_url) as client:
        publish(
            engine,
            Api(engine, client, config.accounts[0], config.secret_key),
            Wanted(account, version.id, menu, "manual"),
        )
    yield installation
    engine.dispose()


def test_the_live_menu_is_compared_with_the_published_one(published: Platform) -> None:
    same = Told().of("menu", "fine")
    published.call("menu/create", {"button": MENU["button"][:1]}, token=published.token())
    changed = Told().of("menu", "failure")
    published.console_menu([{"type": "text", "name": "t", "value": "Hi"}])
    replaced = Told()
    published.call("menu/delete", token=published.token())

    assert "The live menu is version 1, as published." in same
    assert "somebody changed it elsewhere" in changed[0]
    assert "A menu made in WeChat's console has replaced version 1." in replaced.of("menu", "failure")[0]
    assert "t (text)" in replaced.of("menu", "warning")[0]
    assert "There is no menu; version 1 was published." in Told().of("menu", "failure")[0]


def test_buttons_that_push_nothing_are_named(installation: Platform) -> None:
    quiet = {"type": "media_id", "name": "quiet", "media_id": "m"}
    below = {"name": "more", "sub_button": [quiet, MENU["button"][0]]}
    installation.call("menu/create", {"button": [below]}, token=installation.token())

    told = Told()

    assert any("quiet (media_id)" in text for text in told.of("menu", "warning"))
    assert not any("a (click)" in text for text in told.of("menu", "warning"))


@pytest.mark.parametrize("mode", ["refuse", "count"])
def test_the_list_of_the_door_is_compared_with_wechats(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("CAIDAN_FOREIGN_PUSHES", mode)
    none = Told()
    made_at = "2026-01-01T00:00:00Z"
    snapshot = {"revision": 1, "made_at": made_at, "callback_addresses": {SHOP.app_id: ["10.0.0.1"]}}
    Path("var/snapshot.json").write_text(json.dumps(snapshot))
    old = Told()

    assert ("foreign_pushes = 'refuse' does nothing" in " ".join(none.of("addresses", "warning"))) == (mode == "refuse")
    unknown = old.of("addresses", "failure" if mode == "refuse" else "warning")
    assert "The door of this host does not know:" in unknown[-1]
    assert any("hours old" in text for text in old.of("addresses", "warning"))
