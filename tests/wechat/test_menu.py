"""Menus in all shapes in which they come and go."""

import json
from typing import Any

import pytest
from hypothesis import given

from tests.api import body
from tests.wechat.menus import menus, odd_menus
from wechat.menu import Button, Menu, PersonalMenu, UnsoundError, content, digest, placed, read, write
from wechat.menu_file import parse, to_yaml
from wechat.menu_shapes import conditional_body, create_body, definition_of, menu_get, selfmenu


def menu_of(tree: dict[str, Any]) -> Menu:
    return read(definition_of(tree))


def without_empty_lists(tree: Any) -> Any:
    """What menu/create takes either way, and the sample of all types does both ways."""
    if isinstance(tree, list):
        return [without_empty_lists(one) for one in tree]
    if isinstance(tree, dict):
        return {name: without_empty_lists(one) for name, one in tree.items() if (name, one) != ("sub_button", [])}
    return tree


@pytest.mark.parametrize("name", ["menu_create", "menu_create_alltypes", "menu_create_docsample_alltypes"])
def test_a_menu_for_menu_create_comes_out_as_it_went_in(name: str) -> None:
    sent = body(f"{name}.request")

    assert without_empty_lists(sent) == create_body(menu_of(sent))


@pytest.mark.parametrize("name", ["menu_addconditional", "menu_addconditional_withdrawn"])
def test_a_menu_for_addconditional_comes_out_as_it_went_in(name: str) -> None:
    sent = body(f"{name}.request")

    assert sent == conditional_body(menu_of(sent).personal[0])


@pytest.mark.parametrize("name", ["menu_get", "menu_get_conditional"])
def test_an_answer_of_menu_get_comes_out_as_it_went_in(name: str) -> None:
    answer = body(f"{name}.response")

    assert answer == menu_get(menu_of(answer))


@pytest.mark.parametrize("name", ["get_current_selfmenu_info_api", "get_current_selfmenu_info_console"])
def test_an_answer_of_selfmenu_info_comes_out_as_it_went_in(name: str) -> None:
    answer = body(f"{name}.response")

    assert answer == selfmenu(menu_of(answer))


def test_an_answer_of_trymatch_is_a_menu() -> None:
    answer = body("menu_trymatch.response")

    assert answer == menu_get(menu_of(answer))["menu"]
    assert answer == menu_get(menu_of({"menu": answer}))["menu"]


@given(odd_menus)
def test_any_menu_is_the_same_in_every_shape(menu: Menu) -> None:
    plain = Menu(menu.buttons, (), menu.fields)

    assert menu == read(write(menu))
    assert menu == read(json.loads(json.dumps(write(menu))))
    assert menu == menu_of(menu_get(menu))
    assert plain == menu_of(selfmenu(plain))


@given(menus)
def test_a_menu_is_the_same_as_the_bodies_that_are_sent(menu: Menu) -> None:
    assert menu.buttons == menu_of(create_body(menu)).buttons
    for one in menu.personal:
        assert (one,) == menu_of(conditional_body(one)).personal


@given(odd_menus)
def test_any_menu_is_the_same_in_yaml(menu: Menu) -> None:
    text = to_yaml(menu)

    assert content(menu) == content(read(parse(text.encode(), "menu.yaml")))


@pytest.mark.parametrize(
    "text", ["a\nb", "\r\n", "a\x85b", "a\u2028b", " a ", "#a", "- a", "~", "null", "1e5", "\ufeff", "<<", "a: b"]
)
def test_any_text_is_the_same_in_yaml(text: str) -> None:
    menu = Menu((Button({"name": text, "x": text}, ()),))

    assert menu == read(parse(to_yaml(menu).encode(), "menu.yaml"))


def test_an_answer_of_menu_get_is_a_definition_as_it_is() -> None:
    answer = body("menu_get_conditional.response")

    assert menu_of(answer) == read(answer)


@given(odd_menus)
def test_a_digest_is_that_of_the_content(menu: Menu) -> None:
    answer = menu_get(menu)
    answer["menu"] = {"menuid": 208396938, **answer["menu"]}
    backwards = json.loads(json.dumps(answer), object_pairs_hook=lambda pairs: dict(reversed(pairs)))

    assert digest(menu) == digest(menu_of(backwards))
    assert digest(menu) != digest(Menu((*menu.buttons, Button({"name": "x"})), menu.personal, menu.fields))


def test_a_digest_knows_no_older_names_and_no_numbers() -> None:
    buttons = (Button({"name": "a", "type": "click", "key": "k"}),)
    live = PersonalMenu(buttons, {"group_id": 2, "client_platform_type": 2, "sex": ""}, {"menuid": 208396993})
    sent = PersonalMenu(buttons, {"tag_id": "2", "client_platform_type": "2"})

    assert digest(Menu(buttons, (sent,))) == digest(Menu(buttons, (live,)))
    assert digest(Menu(buttons, (sent,))) != digest(Menu(buttons, (PersonalMenu(buttons, {"tag_id": "3"}),)))


def test_a_digest_never_changes() -> None:
    """Versions are found by it."""
    menu = menu_of(body("menu_get_conditional.response"))

    assert "9a36" == digest(menu)[:4]


def test_the_short_form_says_no_more_than_it_must() -> None:
    menu = menu_of(body("menu_create.request"))
    personal = PersonalMenu(menu.buttons[:1], {"tag_id": "2", "client_platform_type": "1"})

    assert """\
buttons:
- name: 今日歌曲
  key: V1001_TODAY_MUSIC
- name: 菜单
  buttons:
  - name: 搜索
    url: http://www.soso.com/
  - name: wxa
    url: http://mp.weixin.qq.com
    appid: wx286b93c14bbf93aa
    pagepath: pages/lunar/index
  - name: 赞一下我们
    key: V1001_GOOD
personal:
- match:
    tag: 2
    platform: ios
  buttons:
  - name: 今日歌曲
    key: V1001_TODAY_MUSIC
""" == to_yaml(Menu(menu.buttons, (personal,)))


@pytest.mark.parametrize(
    ("fields", "type_"),
    [
        ("key: k", "click"),
        ("url: u", "view"),
        ("url: u, appid: a", "miniprogram"),
        ("pagepath: p", "miniprogram"),
        ("media_id: m", "media_id"),
        ("article_id: m", "article_id"),
        ("type: view_limited, media_id: m", "view_limited"),
        ("type: scancode_push, key: k", "scancode_push"),
        ("other: x", None),
        ("type: null, key: k", None),
    ],
)
def test_a_type_is_told_by_the_other_fields(fields: str, type_: str | None) -> None:
    (button,) = read(parse(f"buttons: [{{name: a, {fields}}}]".encode(), "m.yaml")).buttons

    assert type_ == button.type


def test_in_wechats_own_lists_a_type_is_never_made_up() -> None:
    (button,) = menu_of({"button": [{"name": "a", "key": "k"}]}).buttons

    assert button.type is None


@pytest.mark.parametrize(
    "text",
    [
        "menu: {buttons: [{name: a, key: k}]}\npersonal: [{match: {tag: 2}, buttons: [{name: b, url: u}]}]",
        "buttons: [{name: a, key: k}]\npersonal: {match: {tag_id: '2'}, buttons: [{name: b, url: u}]}",
        "menu: {button: [{name: a, type: click, key: k}]}\n"
        "conditionalmenu: [{matchrule: {tag_id: 2}, button: [{name: b, type: view, url: u}]}]",
        "button: [{name: a, type: click, key: k, sub_button: []}]\n"
        "conditionalmenu: [{matchrule: {group_id: 2}, buttons: [{name: b, url: u}]}]",
        '{"menu": {"buttons": [{"name": "a", "key": "k"}]}, "personal": [{"match": {"tag": 2}, '
        '"buttons": [{"name": "b", "url": "u"}]}]}',
    ],
)
def test_spellings_may_be_mixed(text: str) -> None:
    expected = Menu(
        (Button({"name": "a", "type": "click", "key": "k"}),),
        (PersonalMenu((Button({"name": "b", "type": "view", "url": "u"}),), {"tag_id": "2"}),),
    )

    assert expected == content(read(parse(text.encode())))


def test_every_button_has_its_path() -> None:
    paths = [path for path, _button in placed(menu_of(body("menu_get_conditional.response")))]

    assert [
        "menu.button[0]",
        "conditionalmenu[0].button[0]",
        "conditionalmenu[0].button[1]",
        *(f"conditionalmenu[0].button[1].sub_button[{number}]" for number in range(3)),
    ] == paths


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({"menu": 1}, "menu"),
        ({"button": {}}, "menu.button"),
        ({"button": ["a"]}, "menu.button[0]"),
        ({"button": [{"name": "a", "sub_button": "b"}]}, "menu.button[0].sub_button"),
        ({"button": [{"name": "a", "sub_button": [None]}]}, "menu.button[0].sub_button[0]"),
        ({"button": [], "conditionalmenu": "a"}, "conditionalmenu"),
        ({"button": [], "matchrule": "a"}, "conditionalmenu[0].matchrule"),
        ({"button": [], "conditionalmenu": [[]]}, "conditionalmenu[0]"),
    ],
)
def test_what_has_no_menus_structure_is_told_with_its_place(tree: dict[str, Any], path: str) -> None:
    with pytest.raises(UnsoundError) as raised:
        menu_of(tree)

    assert path == raised.value.path
