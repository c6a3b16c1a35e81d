"""Every rule by which WeChat refuses a menu, at its limit from both sides."""

import json
from typing import Any

import pytest
from hypothesis import given

from tests.api import body
from tests.wechat.menus import menus, odd_menus
from wechat.menu import CONSOLE_TYPES, FIELDS, Menu, write
from wechat.menu_check import check
from wechat.menu_rules import Problem, errors, verdict
from wechat.menu_shapes import definition_of

CLICK = {"type": "click", "name": "菜单", "key": "k"}
RULE = {"tag_id": "2"}
VALUES = {
    "key": "k",
    "url": "https://example.com/",
    "media_id": "m",
    "article_id": "a",
    "appid": "wx286b93c14bbf93aa",
    "pagepath": "p",
}


def leaf(type_: str, **fields: Any) -> dict[str, Any]:
    return {"name": "a", "type": type_} | {name: VALUES[name] for name in FIELDS.get(type_, ())} | fields


def default(*buttons: Any) -> dict[str, Any]:
    return definition_of({"button": list(buttons)})


def sub(*buttons: Any) -> dict[str, Any]:
    """As sub-buttons of the second button."""
    return default(CLICK, {"name": "更多", "sub_button": list(buttons)})


def personal(*menus: dict[str, Any]) -> dict[str, Any]:
    return definition_of({"button": [CLICK], "conditionalmenu": list(menus)})


def found(definition: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    return [(problem.path, problem.reason, problem.errcode) for problem in errors(definition)]


TOP, SUB = "menu.button[0]", "menu.button[1].sub_button[0]"
URL = "https://example.com/"


@pytest.mark.parametrize(
    ("place", "field", "limit", "code"),
    [
        (default, "name", 16, 40018),
        (sub, "name", 60, 40025),
        (default, "key", 128, 40019),
        (sub, "key", 128, 40026),
    ],
)
@pytest.mark.parametrize("sign", ["a", "é", "菜", "🍜"])
def test_a_name_and_a_key_have_so_many_bytes_and_no_more(
    place: Any, field: str, limit: int, code: int, sign: str
) -> None:
    """A Chinese character has three of them, most emoji four."""
    size = len(sign.encode())
    full = sign * (limit // size) + "a" * (limit % size)
    path = f"{TOP if place is default else SUB}.{field}"

    assert [] == found(place(leaf("click", **{field: full})))
    assert [(path, "too_long", code)] == found(place(leaf("click", **{field: full + "a"})))
    (problem,) = errors(place(leaf("click", **{field: full + "a"})))
    assert {"field": field, "bytes": limit + 1, "limit": limit} == problem.facts


@pytest.mark.parametrize(("place", "path", "code"), [(default, TOP, 40020), (sub, SUB, 40027)])
@pytest.mark.parametrize("type_", ["view", "miniprogram"])
def test_a_url_has_1024_bytes_and_no_more(place: Any, path: str, code: int, type_: str) -> None:
    full = URL + "菜" * ((1024 - len(URL)) // 3) + "a" * ((1024 - len(URL)) % 3)

    assert [] == found(place(leaf(type_, url=full)))
    assert [(f"{path}.url", "too_long", code)] == found(place(leaf(type_, url=full + "a")))


@pytest.mark.parametrize(("place", "path", "code"), [(default, TOP, 40055), (sub, SUB, 40054)])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://a", None),
        ("https://a", None),
        ("HTTPS://A.CN", None),
        ("http://用户@例子.cn:80/路径?a#b", None),
        ("http://[::1]:80/", None),
        ("www.example.com", "no_scheme"),
        ("//example.com", "no_scheme"),
        ("ftp://example.com", "no_scheme"),
        ("weixin://dl/chat", "no_scheme"),
        (" http://example.com", "no_scheme"),
        ("http:/example.com", "no_scheme"),
        ("http://", "no_host"),
        ("http:///path", "no_host"),
        ("http://?a", "no_host"),
        ("https://:80/", "no_host"),
        ("https://user@/", "no_host"),
    ],
)
def test_a_url_has_a_scheme_and_a_host(place: Any, path: str, code: int, url: str, reason: str | None) -> None:
    expected = [(f"{path}.url", reason, code)] if reason else []

    assert expected == found(place(leaf("view", url=url)))


@pytest.mark.parametrize("type_", FIELDS)
def test_every_type_is_taken_on_both_levels(type_: str) -> None:
    assert [] == found(default(leaf(type_))) == found(sub(leaf(type_)))


CODES = {
    "key": (40019, 40026),
    "url": (40020, 40027),
    "media_id": (41006, 41006),
    "article_id": (53600, 53600),
    "appid": (41002, 41002),
    "pagepath": (40035, 40035),
}


@pytest.mark.parametrize(("type_", "field"), [(type_, field) for type_, fields in FIELDS.items() for field in fields])
@pytest.mark.parametrize("value", [None, "", 5])
def test_what_a_type_needs_must_be_there(type_: str, field: str, value: Any) -> None:
    button = leaf(type_) | {field: value}
    reason = "not_text" if value == 5 else f"no_{field}"
    top, lower = CODES[field]

    assert [(f"{TOP}.{field}", reason, top)] == found(default(button))
    assert [(f"{SUB}.{field}", reason, lower)] == found(sub(button))
    del button[field]
    assert [(f"{TOP}.{field}", f"no_{field}", top)] == found(default(button))


@pytest.mark.parametrize(
    ("value", "reason"), [(None, "no_name"), ("", "no_name"), (5, "not_text"), (["a"], "not_text")]
)
def test_every_button_needs_a_name(value: Any, reason: str) -> None:
    button = leaf("click", name=value)

    assert [(f"{TOP}.name", reason, 40018)] == found(default(button))
    assert [(f"{SUB}.name", reason, 40025)] == found(sub(button))
    assert [("menu.button[0].name", reason, 40018)] == found(default({"name": value, "sub_button": [CLICK]}))


@pytest.mark.parametrize(("count", "expected"), [(1, []), (3, []), (4, [("menu.button", "too_many_buttons", 40016)])])
def test_a_bar_has_one_to_three_buttons(count: int, expected: list[Any]) -> None:
    assert expected == found(default(*[CLICK] * count))


@pytest.mark.parametrize(
    ("count", "expected"), [(1, []), (5, []), (6, [("menu.button[1].sub_button", "too_many_buttons", 40023)])]
)
def test_a_button_has_one_to_five_sub_buttons(count: int, expected: list[Any]) -> None:
    assert expected == found(sub(*[CLICK] * count))


@pytest.mark.parametrize(
    "definition",
    [{"menu": {}}, {"menu": {"button": []}}, {"menu": {"button": None}}, {"menu": {"button": {"name": "a"}}}, {}],
)
def test_a_menu_without_buttons_is_none(definition: dict[str, Any]) -> None:
    assert [("menu.button", "no_buttons", 40016)] == found(definition)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"menu": "a"}, [("menu", "not_an_object", 40016)]),
        (default("a"), [(TOP, "not_an_object", 40016)]),
        (sub(None), [(SUB, "not_an_object", 40023)]),
        (default({"name": "a", "sub_button": {"a": 1}}), [(f"{TOP}.sub_button", "not_a_list", 40023)]),
        (sub({"name": "a", "sub_button": "b"}), [(f"{SUB}.sub_button", "not_a_list", 40022)]),
        (default({"name": "a", "sub_button": []}), [(f"{TOP}.sub_button", "no_buttons", 40023)]),
        (sub({"name": "a", "sub_button": [CLICK]}), [(f"{SUB}.sub_button", "too_deep", 40022)]),
        (default(CLICK | {"sub_button": [CLICK]}), [(f"{TOP}.type", "type_of_parent", 40017)]),
        (default({"name": "a"}), [(f"{TOP}.type", "no_type", 40017)]),
        (default({"name": "a", "type": ""}), [(f"{TOP}.type", "no_type", 40017)]),
        (sub({"name": "a", "sub_button": []}), [(f"{SUB}.type", "no_type", 40024)]),
        (default({"name": "a", "type": 1}), [(f"{TOP}.type", "not_text", 40017)]),
        (sub({"name": "a", "type": ["click"]}), [(f"{SUB}.type", "not_text", 40024)]),
        (default(leaf("click", type="CLICK")), [(f"{TOP}.type", "upper_case_type", 65318)]),
        (sub(leaf("location_select", type="location_Select")), [(f"{SUB}.type", "upper_case_type", 65318)]),
        (default(leaf("click", sub_button=[])), []),
        (sub(leaf("click", sub_button=[])), []),
        (default(leaf("teleport")), []),
    ],
)
def test_structure_and_types(definition: dict[str, Any], expected: list[Any]) -> None:
    assert expected == found(definition)


@pytest.mark.parametrize("type_", sorted(CONSOLE_TYPES))
def test_what_only_the_console_makes_is_not_taken(type_: str) -> None:
    button = {"name": "a", "type": type_, "value": "v"}

    assert [(f"{TOP}.type", "console_type", 40017)] == found(default(button))
    assert [(f"{SUB}.type", "console_type", 40024)] == found(sub(button))


@pytest.mark.parametrize(
    ("text", "reason", "code"),
    [
        ("\b\t\n\f\r\x7f\u2028\\u", None, None),
        ("\x00", "control_character", 40033),
        ("\x0b", "control_character", 40033),
        ("\x1f", "control_character", 40033),
        ("\ud83d", "no_character", 65318),
    ],
)
def test_characters_that_json_must_escape_are_refused(text: str, reason: str | None, code: int | None) -> None:
    expected = [(f"{TOP}.key", reason, code)] if reason else []

    assert expected == found(default(leaf("click", key=text)))
    assert (code == 40033) == any(f"\\u{ord(sign):04x}" in json.dumps(sign, ensure_ascii=False) for sign in text)
    assert [(TOP, *one[1:]) for one in expected] == found(default(leaf("click", **{text: "x"})))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RULE, []),
        ({"tag_id": 2}, []),
        ({"group_id": 0}, []),
        ({"client_platform_type": "3", "sex": "", "country": None}, []),
        ({"client_platform_type": 1, "teleport": "x"}, []),
        (None, [("", "no_rule", 65304)]),
        ("2", [("", "no_rule", 65304)]),
        ({}, [("", "no_rule", 65304)]),
        ({"tag_id": "", "sex": None}, [("", "no_rule", 65304)]),
        ({"teleport": "x"}, [("", "no_rule", 65304)]),
        ({"sex": "1"}, [(".sex", "withdrawn_rule", 65320)]),
        ({**RULE, "language": "zh_CN"}, [(".language", "withdrawn_rule", 65320)]),
        ({"tag_id": "vip"}, [(".tag_id", "bad_tag", 45159)]),
        ({"tag_id": -1}, [(".tag_id", "bad_tag", 45159)]),
        ({"tag_id": True}, [(".tag_id", "bad_tag", 45159)]),
        ({"group_id": "２"}, [(".group_id", "bad_tag", 45159)]),
        ({"client_platform_type": "4"}, [(".client_platform_type", "bad_platform", 40035)]),
        ({"client_platform_type": 0}, [(".client_platform_type", "bad_platform", 40035)]),
        ({"client_platform_type": "ios"}, [(".client_platform_type", "bad_platform", 40035)]),
    ],
)
def test_a_personalised_menu_matches_somebody(rule: Any, expected: list[Any]) -> None:
    path = "conditionalmenu[0].matchrule"

    assert [(path + name, *rest) for name, *rest in expected] == found(personal({"button": [CLICK], "matchrule": rule}))


@pytest.mark.parametrize(
    ("menu", "expected"),
    [
        ("a", [("", "not_an_object", 40016)]),
        ({"matchrule": RULE}, [(".button", "no_buttons", 65307)]),
        ({"matchrule": RULE, "button": []}, [(".button", "no_buttons", 65307)]),
        ({"matchrule": RULE, "button": [CLICK] * 4}, [(".button", "too_many_buttons", 40016)]),
        ({"matchrule": RULE, "button": [{"name": "a"}]}, [(".button[0].type", "no_type", 65308)]),
        (
            {"matchrule": RULE, "button": [{"name": "a", "sub_button": [{"name": "b"}]}]},
            [(".button[0].sub_button[0].type", "no_type", 65308)],
        ),
        ({"matchrule": RULE, "button": [CLICK, leaf("click", name="")]}, [(".button[1].name", "no_name", 40018)]),
    ],
)
def test_a_personalised_menu_is_a_menu(menu: Any, expected: list[Any]) -> None:
    assert [("conditionalmenu[1]" + path, *rest) for path, *rest in expected] == found(
        personal({"button": [CLICK], "matchrule": RULE}, menu)
    )


def test_personalised_menus_stand_in_a_list() -> None:
    assert [("conditionalmenu", "not_a_list", 40016)] == found({"menu": {"button": [CLICK]}, "conditionalmenu": "a"})


def _leading_to(*hosts: str) -> dict[str, Any]:
    return {"button": [leaf("view", url=f"https://{host}/") for host in hosts], "matchrule": RULE}


def test_personalised_menus_lead_to_three_domains_and_no_more() -> None:
    mini = {"button": [{"name": "a", "sub_button": [leaf("miniprogram", url="http://D.cn:8080")]}], "matchrule": RULE}
    idle = {"button": [leaf("click", url="https://d.cn")], "matchrule": RULE}

    assert [] == found(personal(_leading_to("a.cn", "b.cn"), _leading_to("A.cn", "c.cn", "b.cn:80"), idle))
    assert [("conditionalmenu[1].button", "too_many_domains", 65316)] == found(
        personal(_leading_to("a.cn", "b.cn", "c.cn"), mini, _leading_to("e.cn"))
    )
    (problem,) = errors(personal(_leading_to("a.cn", "b.cn", "c.cn"), mini))
    assert ["a.cn", "b.cn", "c.cn", "d.cn"] == problem.facts["domains"]


def test_the_default_menu_may_lead_anywhere() -> None:
    buttons = [leaf("view", url=f"https://{host}.cn") for host in "abcd"]

    assert [] == found(default(*buttons[:2], {"name": "a", "sub_button": buttons}))


MISTAKES = default(
    leaf("click", name="今日歌曲推荐", key=""),
    {
        "name": "更多",
        "sub_button": [
            leaf("view", url="www.example.com"),
            leaf("miniprogram", appid="", pagepath=""),
            leaf("text"),
            {"name": "x" * 61},
        ],
    },
    leaf("media_id", media_id=None),
) | {"conditionalmenu": [{"button": [], "matchrule": {"sex": "1"}}]}


def test_a_menu_with_ten_mistakes_shows_ten() -> None:
    assert [
        ("menu.button[0].name", "too_long", 40018),
        ("menu.button[0].key", "no_key", 40019),
        ("menu.button[1].sub_button[0].url", "no_scheme", 40054),
        ("menu.button[1].sub_button[1].appid", "no_appid", 41002),
        ("menu.button[1].sub_button[1].pagepath", "no_pagepath", 40035),
        ("menu.button[1].sub_button[2].type", "console_type", 40024),
        ("menu.button[1].sub_button[3].name", "too_long", 40025),
        ("menu.button[1].sub_button[3].type", "no_type", 40024),
        ("menu.button[2].media_id", "no_media_id", 41006),
        ("conditionalmenu[0].button", "no_buttons", 65307),
        ("conditionalmenu[0].matchrule.sex", "withdrawn_rule", 65320),
    ] == found(MISTAKES)


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        (default(*[leaf("click", name="")] * 4), 40016),
        (default({"name": "", "sub_button": []}), 40018),
        (default({"name": "a", "sub_button": [leaf("click", name="")]}, leaf("click", name="")), 40025),
        (default(leaf("click", name=""), {"name": "a", "sub_button": [leaf("click", name="")]}), 40018),
        (default({"name": "a", "sub_button": [leaf("click", key="")] * 6}), 40023),
        (default(leaf("view", url="w" * 1025)), 40020),
        (default(leaf("click", key=""), leaf("click", key="\x01")), 40033),
        (personal({"button": [leaf("click", key="")], "matchrule": {}}), 65304),
        (personal({"button": [CLICK] * 4, "matchrule": {"sex": "1", "tag_id": "a"}}), 65320),
        (personal({**_leading_to("a.cn", "b.cn", "c.cn")}, {**_leading_to("d.cn", "")}), 40055),
        (default(CLICK), 0),
    ],
)
def test_the_verdict_is_the_first_of_what_is_wrong(definition: dict[str, Any], code: int) -> None:
    assert code == verdict(definition)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("menu_create.request", 0),
        ("menu_create_alltypes.request", 0),
        ("menu_create_docsample_alltypes.request", 40016),
        ("menu_addconditional.request", 0),
        ("menu_addconditional_withdrawn.request", 65320),
        ("menu_get.response", 0),
        ("menu_get_conditional.response", 65320),
        ("menu_trymatch.response", 0),
        ("get_current_selfmenu_info_api.response", 0),
        ("get_current_selfmenu_info_console.response", 40024),
    ],
)
def test_the_samples_are_judged(name: str, code: int) -> None:
    assert code == verdict(definition_of(body(name)))


@given(menus)
def test_only_too_many_domains_and_long_names_are_wrong_with_made_up_menus(menu: Menu) -> None:
    assert {problem.reason for problem in errors(write(menu))} <= {"too_many_domains", "too_long"}


@given(odd_menus)
def test_a_problem_is_somewhere_and_has_a_code(menu: Menu) -> None:
    problems = check(write(menu))
    levels = [problem.level for problem in problems]

    assert levels == sorted(levels)
    assert all(problem.errcode and problem.path for problem in problems if problem.level == "error")
    assert all(isinstance(problem, Problem) for problem in problems)
