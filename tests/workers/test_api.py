"""A call with the shared token: one retry where that is rejected, never more, and what is scarce is counted."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from models.db import connect, transaction
from tests.platforms import Platform
from tests.workers.shop import KEY, SHOP
from wechat.client import ADD_CONDITIONAL, CREATE_MENU, GET_MENU, Client
from wechat.errcodes import STABLE_TOKEN, Invalid, NotConfigured, TokenRejected, Unreachable
from workers.api import Api

MENU = {"button": [{"type": "click", "name": "Menu", "key": "menu"}]}


@pytest.fixture
def engine(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def api(engine: Engine, platform: Platform) -> Iterator[Api]:
    with Client(platform.url) as client:
        yield Api(engine, client, SHOP, KEY)


def used(api: Api) -> dict[str, int]:
    held = api.tokens.look()
    assert held is not None
    return {use.call: use.count for use in api.tokens.uses(held, datetime.now(UTC))}


def test_a_call_gets_its_token_its_arguments_and_its_result(platform: Platform, api: Api) -> None:
    api.with_token(api.client.create_menu, MENU)
    menuid = api.with_token(api.client.add_conditional, {**MENU, "matchrule": {"tag_id": "100"}})
    menu = api.with_token(api.client.get_menu)
    quota = api.with_token(api.client.quota, call=CREATE_MENU)

    assert menu is not None
    assert [menuid] == [one.menuid for one in menu.conditional]
    assert 1 == quota.used
    assert {CREATE_MENU: 1, ADD_CONDITIONAL: 1, GET_MENU: 1, STABLE_TOKEN: 1} == used(api)


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_rejected_token_is_replaced_and_the_call_repeated(platform: Platform, api: Api, errcode: int) -> None:
    platform.fault("menu/create", errcode=errcode, times=1)

    api.with_token(api.client.create_menu, MENU)

    assert [errcode, 0] == platform.calls("menu/create")
    assert 2 == used(api)[CREATE_MENU]


def test_a_platform_that_rejects_every_token_is_asked_twice(platform: Platform, api: Api) -> None:
    platform.fault("[!st]*", errcode=40001)

    with pytest.raises(TokenRejected) as rejected:
        api.with_token(api.client.get_menu)

    assert [40001, 40001] == platform.calls("menu/get")
    assert [0, 0, 0] == platform.calls("stable_token")  # fetched, asked gently, and by force
    assert "another program may be refreshing the token" in str(rejected.value)
    assert rejected.value.__cause__ is rejected.value.__context__ is None

    # And who comes at once with the same is not asked for more tokens than there may be.
    for _ in range(3):
        with pytest.raises(TokenRejected):
            api.with_token(api.client.get_menu)

    assert 4 == len(platform.calls("stable_token"))
    assert 5 == len(platform.calls("menu/get"))


def test_a_platform_that_answers_40001_to_everything_is_asked_for_a_token_once(platform: Platform, api: Api) -> None:
    api.tokens.current()
    platform.fault("*", errcode=40001)

    with pytest.raises(NotConfigured, match="app_secret"):
        api.with_token(api.client.get_menu)

    assert [40001] == platform.calls("menu/get")
    assert [0, 40001] == platform.calls("stable_token")


def test_other_refusals_are_not_repeated(platform: Platform, api: Api) -> None:
    with pytest.raises(Invalid):
        api.with_token(api.client.create_menu, {"button": []})

    assert [40016] == platform.calls("menu/create")


def test_what_never_reached_wechat_is_not_counted(platform: Platform, engine: Engine, api: Api) -> None:
    api.tokens.current()
    platform.fault("menu/create", drop=True, after=True)
    with Client("http://127.0.0.1:1") as nowhere, pytest.raises(Unreachable):
        Api(engine, nowhere, SHOP, KEY).with_token(nowhere.create_menu, MENU)

    assert CREATE_MENU not in used(api)

    with pytest.raises(Unreachable):
        api.with_token(api.client.create_menu, MENU)

    assert 1 == used(api)[CREATE_MENU]


def test_a_call_that_was_made_stands_even_if_it_cannot_be_counted(
    platform: Platform, engine: Engine, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.tokens.current()
    with transaction(engine) as connection:
        connection.execute(text("DROP TABLE api_use"))

    api.with_token(api.client.create_menu, MENU)

    assert [0] == platform.calls("menu/create")
    assert "calls not counted" in caplog.messages
