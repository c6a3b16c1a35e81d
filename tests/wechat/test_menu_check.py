"""What WeChat takes and the author of a menu may not have meant."""

from typing import Any

import pytest

from tests.api import body
from wechat.menu_check import check, on_screen
from wechat.menu_shapes import definition_of

CLICK = {"type": "click", "name": "菜单", "key": "k"}
VIEW = {"type": "view", "name": "网页", "url": "https://example.com/"}
RULE = {"tag_id": "2"}


def warnings(tree: dict[str, Any]) -> list[tuple[str, str]]:
    problems = check(definition_of(tree))

    assert {"warning"} >= {problem.level for problem in problems}
    return [(problem.path, problem.reason) for problem in problems]


def personal(*menus: dict[str, Any]) -> dict[str, Any]:
    return {"button": [CLICK], "conditionalmenu": list(menus)}


@pytest.mark.parametrize(
    ("name", "top", "sub"),
    [
        ("菜单", "菜单", "菜单"),
        ("今日歌曲", "今日歌曲", "今日歌曲"),
        ("今日歌曲！", "今日歌曲...", "今日歌曲！"),
        ("Schedule", "Schedule", "Schedule"),
        ("Timetable", "Timetabl...", "Timetable"),
        ("拍照或者相册发图", "拍照或者...", "拍照或者相册发图"),
        ("发布后的图文消息们", "发布后的...", "发布后的图文消息..."),
        ("🍜🍜🍜🍜", "🍜🍜🍜🍜", "🍜🍜🍜🍜"),
        ("❤\ufe0f今日歌", "❤\ufe0f今日歌", "❤\ufe0f今日歌"),
    ],
)
def test_a_phone_shows_four_chinese_characters_of_a_button_and_eight_of_a_sub_button(
    name: str, top: str, sub: str
) -> None:
    assert (top, sub) == (on_screen(name, False), on_screen(name, True))


def test_a_name_that_is_cut_is_told() -> None:
    long = CLICK | {"name": "今日歌曲a"}
    tree = {"button": [CLICK, long | {"key": "l"}, {"name": "更多", "sub_button": [long, VIEW | {"name": "a" * 17}]}]}

    assert [
        ("menu.button[1].name", "name_cut"),
        ("menu.button[2].sub_button[0].key", "same_key"),
        ("menu.button[2].sub_button[1].name", "name_cut"),
    ] == warnings(tree)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.cn/", []),
        ("http://a.cn/", ["plain_http"]),
        ("HTTP://a.cn/", ["plain_http"]),
        ("https://a.cn/a b", ["blank_in_url"]),
        ("https://a.cn/\n", ["blank_in_url"]),
    ],
)
def test_links_are_looked_at(url: str, expected: list[str]) -> None:
    mini = {"type": "miniprogram", "name": "小程序", "url": url, "appid": "wx", "pagepath": "p"}

    assert [("menu.button[0].url", reason) for reason in expected] == warnings({"button": [VIEW | {"url": url}]})
    assert [("menu.button[0].url", reason) for reason in expected] == warnings({"button": [mini]})
    assert [("menu.button[0].url", "idle_field")] == warnings({"button": [CLICK | {"url": url}]})


def test_two_buttons_of_a_menu_that_cannot_be_told_apart_are_told() -> None:
    scan = CLICK | {"type": "scancode_push"}
    mini = VIEW | {"type": "miniprogram", "appid": "wx", "pagepath": "p"}
    menu = {"button": [CLICK, VIEW, {"name": "更多", "sub_button": [scan, VIEW, mini, mini]}]}

    assert [
        ("menu.button[2].sub_button[0].key", "same_key"),
        ("menu.button[2].sub_button[1].url", "same_url"),
    ] == warnings(menu)
    same = next(problem for problem in check(definition_of(menu)) if problem.reason == "same_key")
    assert {"other": "menu.button[0].key"} == same.facts
    assert [] == warnings(personal({"button": [CLICK], "matchrule": RULE}))


def test_unknown_fields_are_told_wherever_they_are() -> None:
    tree = {
        "x": 1,
        "menu": {"button": [CLICK | {"x": 1}], "menuid": 1, "matchrule": RULE},
        "conditionalmenu": [
            {
                "button": [{"name": "更多", "key": "k", "sub_button": [VIEW | {"news_info": {}}]}],
                "matchrule": RULE | {"x": 1},
                "x": 1,
                "menuid": 2,
            }
        ],
    }

    assert [
        ("x", "unknown_field"),
        ("menu.matchrule", "unknown_field"),
        ("menu.button[0].x", "unknown_field"),
        ("conditionalmenu[0].x", "unknown_field"),
        ("conditionalmenu[0].matchrule.x", "unknown_field"),
        ("conditionalmenu[0].button[0].key", "idle_field"),
        ("conditionalmenu[0].button[0].sub_button[0].news_info", "idle_field"),
    ] == warnings(tree)


@pytest.mark.parametrize(
    ("type_", "alike"),
    [("clik", "click"), ("scancode_pusch", "scancode_push"), ("mini_program", "miniprogram"), ("teleport", "")],
)
def test_an_unknown_type_passes_with_a_warning(type_: str, alike: str) -> None:
    (top,) = check(definition_of({"button": [CLICK | {"type": type_, "to": "x"}]}))
    (sub,) = check(definition_of({"button": [{"name": "更多", "sub_button": [CLICK | {"type": type_}]}]}))

    assert ("menu.button[0].type", "unknown_type", 40017, "warning") == (top.path, top.reason, top.errcode, top.level)
    assert {"type": type_, "alike": alike} == top.facts
    assert 40024 == sub.errcode


@pytest.mark.parametrize(("hosts", "expected"), [("ab", []), ("abc", [("conditionalmenu", "domains_used_up")])])
def test_the_last_domain_is_told(hosts: str, expected: list[Any]) -> None:
    menus = [
        {"button": [VIEW | {"url": f"https://{host}.cn/"}], "matchrule": {"tag_id": number}}
        for number, host in enumerate(hosts)
    ]

    assert expected == warnings(personal(*menus))


def test_a_menu_that_is_never_shown_is_told() -> None:
    rules = [{"tag_id": 2}, {"tag_id": 3}, {"group_id": "2", "sex": ""}, {"tag_id": 2, "client_platform_type": 1}]
    tree = personal(*({"button": [CLICK], "matchrule": rule} for rule in rules))

    assert [("conditionalmenu[0].matchrule", "never_shown")] == warnings(tree)


def test_personalised_menus_alone_want_a_default_menu() -> None:
    (problem,) = check(definition_of({"button": [CLICK], "matchrule": RULE}))

    assert ("menu", "no_default_menu", 65303) == (problem.path, problem.reason, problem.errcode)


@pytest.mark.parametrize(("is_open", "expected"), [(1, []), (0, [("is_menu_open", "closed")])])
def test_a_menu_that_is_switched_off_is_told(is_open: int, expected: list[Any]) -> None:
    assert expected == warnings({"is_menu_open": is_open, "selfmenu_info": {"button": [CLICK]}})


def test_the_samples_have_nothing_unknown() -> None:
    names = ("menu_create.request", "menu_create_alltypes.request", "menu_get.response", "menu_addconditional.request")
    reasons = {reason for name in names for _path, reason in warnings(body(name))}

    assert {"plain_http", "no_default_menu"} == reasons
