"""The client against the simulated platform."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tests.platforms import SHOP, Platform
from wechat.client import Client
from wechat.errcodes import Busy, Invalid, NotConfigured, NotPermitted, RateLimited, TokenRejected

BUTTON = {"type": "click", "name": "歌 🎵 <&>", "key": "一"}
MENU = {"button": [BUTTON]}


@pytest.fixture
def client(platform: Platform) -> Iterator[Client]:
    with Client(platform.url) as client:
        yield client


@pytest.fixture
def token(platform: Platform) -> SecretStr:
    return SecretStr(platform.token())


def secret() -> SecretStr:
    assert SHOP.app_secret
    return SecretStr(SHOP.app_secret)


def test_tokens_are_fetched_both_ways(platform: Platform, client: Client) -> None:
    stable, plain = client.stable_token(SHOP.app_id, secret()), client.token(SHOP.app_id, secret())

    assert stable.value == client.stable_token(SHOP.app_id, secret()).value
    assert stable.value != plain.value != client.token(SHOP.app_id, secret()).value
    assert stable.value != client.stable_token(SHOP.app_id, secret(), force_refresh=True).value
    assert 7000 < stable.lifetime.total_seconds() <= 7200


def test_a_menu_is_published_and_read_back(platform: Platform, client: Client, token: SecretStr) -> None:
    assert client.get_menu(token) is None

    client.create_menu(token, MENU)
    menuid = client.add_conditional(token, MENU | {"matchrule": {"tag_id": "100"}})
    menu, current = client.get_menu(token), client.current_menu(token)

    assert menu is not None
    assert [BUTTON | {"sub_button": []}] == menu.button
    assert [menuid] == [one.menuid for one in menu.conditional]
    assert (True, [BUTTON]) == (current.is_open, current.button)

    platform.followers({"open_id": "oVip", "tags": [100]})

    assert "歌 🎵 <&>" == client.try_match(token, "oVip")[0]["name"]

    client.delete_conditional(token, menuid)
    with pytest.raises(Invalid) as unknown:
        client.delete_conditional(token, menuid)
    client.delete_menu(token)

    assert 65301 == unknown.value.errcode
    assert client.get_menu(token) is None


def test_a_menu_of_the_console_is_seen(platform: Platform, client: Client, token: SecretStr) -> None:
    platform.console_menu([{"type": "text", "name": "t", "value": "Hi"}], is_menu_open=False)

    current = client.current_menu(token)

    assert not current.is_open
    assert "Hi" == current.button[0]["value"]


def test_quotas_are_told_and_reset(platform: Platform, client: Client, token: SecretStr) -> None:
    client.create_menu(token, MENU)
    before = client.quota(token, "/cgi-bin/menu/create")
    client.clear_quota(token, SHOP.app_id)
    after = client.quota(token, "/cgi-bin/menu/create")
    client.clear_quota_by_secret(SHOP.app_id, secret())

    assert (1, before.daily_limit - 1) == (before.used, before.remain)
    assert 0 == after.used


def test_a_refused_request_can_be_looked_up_by_its_rid(client: Client, token: SecretStr) -> None:
    with pytest.raises(Invalid) as refused:
        client.create_menu(token, {"button": []})
    assert refused.value.rid

    report = client.rid_report(token, refused.value.rid)

    assert "access_token=***" == report.url
    assert "40016" in report.response_body


def test_refusals_are_told_apart(platform: Platform, client: Client, token: SecretStr) -> None:
    with pytest.raises(NotConfigured) as wrong_secret:
        client.stable_token(SHOP.app_id, SecretStr("0" * 32))
    with pytest.raises(TokenRejected) as never_issued:
        client.get_menu(SecretStr("no such token"))
    platform.holdings(quota={"limits": {"cgi-bin/menu/create": 0}})
    with pytest.raises(RateLimited) as used_up:
        client.create_menu(token, MENU)
    platform.holdings(is_verified=False)
    with pytest.raises(NotPermitted) as unverified:
        client.add_conditional(token, MENU | {"matchrule": {"tag_id": "100"}})
    platform.fault("menu/get", errcode=-1)
    with pytest.raises(Busy):
        client.get_menu(token)
    platform.holdings(allowed_ips=["10.0.0.1"])
    with pytest.raises(NotConfigured) as foreign:
        client.current_menu(token)

    assert (40001, 40014) == (wrong_secret.value.errcode, never_issued.value.errcode)
    assert 45009 == used_up.value.errcode
    assert unverified.value.errcode in (48001, 65306)
    assert (40164, "127.0.0.1") == (foreign.value.errcode, foreign.value.ip)
