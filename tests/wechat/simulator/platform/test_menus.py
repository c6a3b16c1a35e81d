"""What is set can be got, in the shapes of each call."""

from typing import Any

import pytest

from tests.platforms import Platform

CLICK = {"type": "click", "name": "a", "key": "k"}
OTHER = {"type": "click", "name": "b", "key": "other"}
OK = {"errcode": 0, "errmsg": "ok"}


@pytest.fixture
def token(platform: Platform) -> str:
    return platform.token()


def create(platform: Platform, token: str, *buttons: Any, **more: Any) -> Any:
    return platform.call("menu/create", {"button": list(buttons), **more}, token=token)


def personalise(platform: Platform, token: str, button: Any, **rule: Any) -> str:
    answer = platform.call("menu/addconditional", {"button": [button], "matchrule": rule}, token=token)
    assert {"menuid"} == answer.keys()
    return str(answer["menuid"])


def live_ids(platform: Platform, token: str) -> list[int]:
    menus = platform.call("menu/get", token=token)
    return [menus["menu"].get("menuid"), *(menu["menuid"] for menu in menus.get("conditionalmenu", ()))]


def test_a_menu_comes_back_normalised(platform: Platform, token: str) -> None:
    link = {"type": "view", "name": "b", "url": "https://example.com/?a=1&b=中", "key": "not of a link", "x": 1}
    assert OK == create(platform, token, CLICK | {"sub_button": []}, {"name": "c", "key": "k", "sub_button": [link]})

    menu = platform.call("menu/get", token=token)
    leaf = {"type": "view", "name": "b", "url": "https://example.com/?a=1&b=中", "sub_button": []}

    assert {"menu": {"button": [CLICK | {"sub_button": []}, {"name": "c", "sub_button": [leaf]}]}} == menu


def test_a_rule_for_the_default_menu_is_ignored(platform: Platform, token: str) -> None:
    assert OK == create(platform, token, CLICK, matchrule={"tag_id": "2"})
    assert {"menu"} == platform.call("menu/get", token=token).keys()


def test_ids_are_text_here_and_numbers_there(platform: Platform, token: str) -> None:
    create(platform, token, CLICK)
    first = personalise(platform, token, CLICK, tag_id="2")
    second = personalise(platform, token, CLICK, client_platform_type="1", tag_id=100)
    menus = platform.call("menu/get", token=token)

    assert [int(first), int(second)] == live_ids(platform, token)[1:]  # in order of creation
    assert isinstance(menus["menu"]["menuid"], int)
    assert {"group_id": 100, "client_platform_type": 1} == menus["conditionalmenu"][1]["matchrule"]


def test_a_tag_that_is_no_number_of_wechats_comes_back_as_it_is(platform: Platform, token: str) -> None:
    create(platform, token, CLICK)
    personalise(platform, token, CLICK, tag_id="9" * 5000)

    assert {"group_id": "9" * 5000} == platform.call("menu/get", token=token)["conditionalmenu"][0]["matchrule"]


def test_a_new_default_menu_keeps_the_personalised_ones(platform: Platform, token: str) -> None:
    create(platform, token, CLICK)
    personalise(platform, token, CLICK, tag_id="2")
    before = live_ids(platform, token)
    create(platform, token, OTHER)
    after = live_ids(platform, token)

    assert before[0] != after[0]
    assert before[1:] == after[1:]


def test_deleting_takes_all(platform: Platform, token: str) -> None:
    create(platform, token, CLICK)
    personalise(platform, token, CLICK, tag_id="2")

    assert OK == platform.call("menu/delete", token=token)
    assert 46003 == platform.call("menu/get", token=token)["errcode"]
    assert {"is_menu_open": 0, "selfmenu_info": {"button": []}} == platform.call(
        "get_current_selfmenu_info", token=token
    )

    create(platform, token, CLICK)

    assert {"menu"} == platform.call("menu/get", token=token).keys()


def test_one_personalised_menu_is_deleted_by_its_id(platform: Platform, token: str) -> None:
    create(platform, token, CLICK)
    kept, gone = (personalise(platform, token, CLICK, tag_id=tag) for tag in ("2", "100"))

    assert OK == platform.call("menu/delconditional", {"menuid": int(gone)}, token=token)
    assert [int(kept)] == live_ids(platform, token)[1:]
    assert 65301 == platform.call("menu/delconditional", {"menuid": gone}, token=token)["errcode"]
    assert 65301 == platform.call("menu/delconditional", {"menuId": kept}, token=token)["errcode"]
    assert 65301 == platform.call("menu/delconditional", f"menuid={kept}".encode(), token=token)["errcode"]


def test_a_refused_menu_changes_nothing(platform: Platform, token: str) -> None:
    create(platform, token, CLICK)
    before = platform.call("menu/get", token=token)

    assert 40018 == create(platform, token, CLICK, OTHER | {"name": "a" * 17})["errcode"]
    assert before == platform.call("menu/get", token=token)


def test_methods_are_told(platform: Platform, token: str) -> None:
    codes = {
        name: platform.call(f"menu/{name}", body, token=token)["errcode"]
        for name, body in {"create": None, "trymatch": None, "get": {}, "delete": {}, "addconditional": b""}.items()
    }

    assert {"create": 43002, "trymatch": 44002, "get": 43001, "delete": 43001, "addconditional": 44002} == codes
    assert 40066 == platform.call("menu/publish", token=token)["errcode"]


def test_a_menu_of_the_console_takes_the_place_of_the_apis(platform: Platform, token: str) -> None:
    create(platform, token, CLICK)
    personalise(platform, token, CLICK, tag_id="2")
    platform.console_menu([{"type": "text", "name": "t", "value": "Hi"}, {"type": "img", "name": "i", "value": "m"}])
    first = platform.call("get_current_selfmenu_info", token=token)
    second = platform.call("get_current_selfmenu_info", token=token)

    assert 46003 == platform.call("menu/get", token=token)["errcode"]
    assert {"type": "text", "name": "t", "value": "Hi"} == first["selfmenu_info"]["button"][0]
    assert first["selfmenu_info"]["button"][1] != second["selfmenu_info"]["button"][1]  # a link for three days

    create(platform, token, OTHER)

    assert [OTHER] == platform.call("get_current_selfmenu_info", token=token)["selfmenu_info"]["button"]


def test_a_menu_that_was_switched_off_is_not_open(platform: Platform, token: str) -> None:
    platform.console_menu([{"type": "text", "name": "t", "value": "Hi"}], is_menu_open=False)

    assert 0 == platform.call("get_current_selfmenu_info", token=token)["is_menu_open"]
