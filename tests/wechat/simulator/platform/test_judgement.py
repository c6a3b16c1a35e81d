"""Menus are refused for what is wrong with them, in a fixed order."""

import json
from typing import Any

import pytest

from wechat.simulator.platform.judgement import judge, judge_personalised, read
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Holdings, Menu

CLICK = {"type": "click", "name": "a", "key": "k"}
VIEW = {"type": "view", "name": "a", "url": "https://example.com"}
APP = {"type": "miniprogram", "name": "a", "url": "http://example.com", "appid": "wx1", "pagepath": "p"}
LONG = "https://example.com/" + "a" * 1005


def verdict(menu: Any) -> int:
    return _code(lambda: judge(read(_written(menu)), Holdings()))


def verdict_personalised(menu: Any, own: Holdings | None = None) -> int:
    own = own or Holdings(menu=Menu(1, [CLICK]))
    return _code(lambda: judge_personalised(read(_written(menu)), own))


def _written(menu: Any) -> bytes:
    return menu if isinstance(menu, bytes) else json.dumps(menu, ensure_ascii=False).encode()


def _code(judged: Any) -> int:
    try:
        judged()
    except RefusalError as error:
        return error.code
    return 0


def top(**changes: Any) -> Any:
    return {"button": [CLICK | changes]}


def sub(*buttons: Any) -> Any:
    return {"button": [{"name": "menu", "sub_button": list(buttons)}]}


@pytest.mark.parametrize(
    "menu",
    [
        top(),
        top(name="中" * 5 + "x"),
        top(key="k" * 128),
        top(sub_button=[]),
        top(sub_button=None),
        {"button": [CLICK] * 3},
        {"button": [VIEW | {"url": LONG[:1024]}]},
        {"button": [VIEW | {"url": "HTTP://example.com"}]},
        {"button": [APP]},
        {"button": [CLICK], "matchrule": {"sex": "1"}},
        sub(*[CLICK] * 5),
        sub(CLICK | {"name": "中" * 20, "sub_button": []}),
        sub(VIEW, APP, {"type": "media_id", "name": "a", "media_id": "m"}),
        sub({"type": "article_view_limited", "name": "a", "article_id": "m"}),
        top(type="hologram_select"),
        top(key=r"a\u4e00"),  # the escape is itself escaped
    ],
)
def test_a_right_menu_is_taken(menu: Any) -> None:
    assert 0 == verdict(menu)
    assert 0 == verdict_personalised(menu | {"matchrule": {"tag_id": "2"}})


@pytest.mark.parametrize(
    ("menu", "code"),
    [
        ('{"button":[{"type":"click","name":"菜单","key":"k"}]}'.encode("gb18030"), 65318),
        (b'{"button":[{"type":"click","name":"\\u83dc","key":"k"}]}', 40033),
        (b'\xef\xbb\xbf{"button":[]}', 40016),
        (b"button=1", 40016),
        (b'"{\\"button\\":[]}"', 40016),
        (b'[{"type":"click"}]', 40016),
        (b'{"button":' + b"[" * 100_000, 40016),
        ({}, 40016),
        ({"button": []}, 40016),
        ({"button": {"type": "click"}}, 40016),
        ({"menu": {"button": [CLICK]}}, 40016),
        ({"button": [CLICK] * 4}, 40016),
        ({"button": ["a"]}, 40016),
        (top(name=""), 40018),
        (top(name=None), 40018),
        (top(name=5), 40018),
        (top(name="a" * 17), 40018),
        (top(name="中" * 6), 40018),
        (top(type=""), 40017),
        (top(type=1), 40017),
        (top(type="text"), 40017),
        (top(type="CLICK"), 65318),
        (top(key=""), 40019),
        (top(key="k" * 129), 40019),
        (top(key="中" * 43), 40019),
        ({"button": [{"type": "view", "name": "a"}]}, 40020),
        ({"button": [VIEW | {"url": LONG}]}, 40020),
        ({"button": [VIEW | {"url": "www.example.com"}]}, 40055),
        ({"button": [VIEW | {"url": "https://"}]}, 40055),
        ({"button": [VIEW | {"url": "https://user@:80/"}]}, 40055),
        ({"button": [VIEW | {"url": "ftp://example.com"}]}, 40055),
        ({"button": [APP | {"url": ""}]}, 40020),
        ({"button": [APP | {"appid": ""}]}, 41002),
        ({"button": [APP | {"pagepath": ""}]}, 40035),
        ({"button": [{"type": "media_id", "name": "a"}]}, 41006),
        ({"button": [{"type": "article_id", "name": "a"}]}, 53600),
        ({"button": [{"name": "a"}]}, 40017),
        ({"button": [{"name": "a", "sub_button": []}]}, 40023),
        ({"button": [{"name": "a", "sub_button": {"list": [CLICK]}}]}, 40023),
        (top(sub_button=[CLICK]), 40017),
        (sub(*[CLICK] * 6), 40023),
        (sub("a"), 40023),
        (sub(CLICK | {"name": "a" * 61}), 40025),
        (sub(CLICK | {"sub_button": [CLICK]}), 40022),
        (sub(CLICK | {"sub_button": {"list": []}}), 40022),
        (sub({"name": "a"}), 40024),
        (sub({"name": "a", "sub_button": []}), 40024),
        (sub(CLICK | {"type": "news"}), 40024),
        (sub(CLICK | {"key": None}), 40026),
        (sub({"type": "view", "name": "a"}), 40027),
        (sub(VIEW | {"url": LONG}), 40027),
        (sub(VIEW | {"url": "example.com"}), 40054),
    ],
)
def test_what_is_wrong_has_its_code(menu: Any, code: int) -> None:
    assert code == verdict(menu)


def test_the_first_mistake_counts() -> None:
    menu = sub(CLICK, CLICK | {"key": ""}, CLICK | {"name": ""})
    menu["button"].append(VIEW | {"url": "x"})

    assert 40026 == verdict(menu)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (None, 65304),
        ([], 65304),
        ({}, 65304),
        ({"tag_id": ""}, 65304),
        ({"sex": "", "tag_id": None}, 65304),
        ({"colour": "red"}, 65304),
        ({"tag_id": "2", "sex": "1"}, 65320),
        ({"language": "zh_CN"}, 65320),
        ({"tag_id": "vip"}, 45159),
        ({"tag_id": True}, 45159),
        ({"tag_id": "٢"}, 45159),
        ({"client_platform_type": "4"}, 40035),
        ({"client_platform_type": 1.0}, 40035),
        ({"tag_id": 2}, 0),
        ({"tag_id": 0}, 0),
        ({"group_id": "2"}, 0),
        ({"client_platform_type": 3}, 0),
    ],
)
def test_a_rule_is_judged(rule: Any, code: int) -> None:
    assert code == verdict_personalised({"button": [CLICK], "matchrule": rule})


def test_a_rule_is_judged_before_the_buttons() -> None:
    assert 65320 == verdict_personalised({"button": [{}], "matchrule": {"sex": "1"}})
    assert 65307 == verdict_personalised({"button": []})
    assert 65303 == verdict_personalised({"button": []}, Holdings())
    assert 65306 == verdict_personalised({}, Holdings(is_verified=False))


def test_a_personalised_button_without_type_has_a_code_of_its_own() -> None:
    rule = {"matchrule": {"tag_id": "2"}}

    assert 65308 == verdict_personalised({"button": [{"name": "a"}], **rule})
    assert 65308 == verdict_personalised(sub({"name": "a"}) | rule)
    assert 40023 == verdict_personalised({"button": [{"name": "a", "sub_button": []}], **rule})


def links(*hosts: str) -> list[Any]:
    return [VIEW | {"url": f"https://user@{host}:443/?x"} for host in hosts]


def test_personalised_menus_lead_to_three_domains_at_most() -> None:
    own = Holdings(menu=Menu(1, links("d.cn")), conditional=[Menu(2, links("a.cn", "b.cn"))])
    rule = {"matchrule": {"tag_id": "2"}}

    assert 0 == verdict_personalised({"button": links("A.cn", "c.cn"), **rule}, own)
    assert 65316 == verdict_personalised({"button": links("c.cn", "e.cn"), **rule}, own)
    assert 65316 == verdict_personalised(sub(*links("c.cn"), APP) | rule, own)


def test_what_the_account_does_not_have_is_refused() -> None:
    own = Holdings(menu=Menu(1, [CLICK]), media_ids=["m"], mini_programs=["wx2"], most_personalised=1)
    media = {"type": "view_limited", "name": "a", "media_id": "other"}

    assert 40007 == _code(lambda: judge({"button": [media]}, own))
    assert 40013 == _code(lambda: judge({"button": [APP]}, own))

    own.conditional = [Menu(2, [CLICK])]

    assert 65305 == verdict_personalised({"button": [CLICK], "matchrule": {"tag_id": "2"}}, own)
