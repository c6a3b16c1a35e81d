"""What Caidan says about a menu before WeChat is asked, and what WeChat, simulated, then answers over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.platforms import SHOP, Platform, platform_of
from tests.wechat.menus import menus, odd_menus
from wechat.client import Client
from wechat.errcodes import WeChatError
from wechat.menu import FIELDS, Menu, read, write
from wechat.menu_rules import verdict
from wechat.menu_shapes import conditional_body, create_body

LIMITS = dict.fromkeys(("menu/create", "menu/addconditional", "menu/delete"), 1_000_000)
ANY = {"button": [{"type": "click", "name": "any", "key": "any"}]}


class Judge:
    """The platform, asked by Caidan's client."""

    def __init__(self, platform: Platform, client: Client) -> None:
        self.client = client
        self.token = SecretStr(platform.token())
        platform.holdings(quota={"limits": {f"cgi-bin/{call}": limit for call, limit in LIMITS.items()}})

    def answer(self, menu: Menu) -> int:
        """The first code that is not 0 when the menus are set one after the other, on top of another default menu."""
        self.client.delete_menu(self.token)
        self.client.create_menu(self.token, ANY)
        try:
            if "menu" in write(menu):
                self.client.create_menu(self.token, create_body(menu))
            for one in menu.personal:
                self.client.add_conditional(self.token, conditional_body(one))
        except WeChatError as error:
            return error.errcode or -1
        return 0


FIELDS_OF_ALL = ("name", "type", *sorted(set().union(*FIELDS.values())))
_LENGTHS = {"name": (16, 60), "key": (128,), "url": (1024,)}  # WeChat's limits, in bytes
_ODDITIES = {
    "type": ["", "CLICK", "text", "view", "click", "teleport", 7],
    "url": ["", "http://", "e.cn", "ftp://e.cn", "https://e.cn:80?x", 7],
}


def _oddities(field: str) -> st.SearchStrategy[Any]:
    """Values that are wrong, or just right."""
    start = "https://e.cn/" if field == "url" else ""
    sized = [start.ljust(size + more, "x") for size in _LENGTHS.get(field, ()) for more in (0, 1)]
    return st.sampled_from([*sized, *_ODDITIES.get(field, ["", 7])])


@st.composite
def spoilt(draw: st.DrawFn) -> Menu:
    """A menu in which a thing or two are wrong."""
    definition = write(draw(menus))
    whole = [definition["menu"], *definition.get("conditionalmenu", [])]
    top = [button for one in whole for button in one["button"]]
    subs = [sub for button in top for sub in button.get("sub_button", [])]
    for _time in range(draw(st.integers(1, 2))):
        what = draw(st.sampled_from(["button", "sub_button", "sub_button", "rule", "count"]))
        if what.endswith("button"):
            button = draw(st.sampled_from(subs if subs and what == "sub_button" else top))
            field = draw(st.sampled_from([name for name in FIELDS_OF_ALL if name in button]))
            button[field] = draw(_oddities(field))
        elif what == "rule" and (rules := [one["matchrule"] for one in whole[1:]]):
            field = draw(st.sampled_from(["tag_id", "client_platform_type", "sex", "language"]))
            draw(st.sampled_from(rules))[field] = draw(st.sampled_from(["", "4", "x", "1"]))
        else:
            rows = [one["button"] for one in whole] + [one["sub_button"] for one in top if one.get("sub_button")]
            row = draw(st.sampled_from(rows))
            row *= draw(st.sampled_from([0, 2, 6]))
    return read(definition)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with platform_of(SHOP, followers=1) as platform, Client(platform.url) as client:
        yield Judge(platform, client)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(menus)
def test_what_looks_like_a_menu_is_judged_alike(judge: Judge, menu: Menu) -> None:
    code = judge.answer(menu)
    event(f"WeChat answers {code}")

    assert code == verdict(write(menu))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt())
def test_a_menu_with_a_mistake_is_judged_alike(judge: Judge, menu: Menu) -> None:
    code = judge.answer(menu)
    event(f"WeChat answers {code}")

    assert code == verdict(write(menu))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(odd_menus)
def test_what_hardly_looks_like_a_menu_is_judged_alike(judge: Judge, menu: Menu) -> None:
    code = judge.answer(menu)
    event(f"WeChat answers {code}")

    assert code == verdict(write(menu))
