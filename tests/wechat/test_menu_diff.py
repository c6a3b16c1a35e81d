"""Differences of menus, as somebody who edits menus would tell them."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api import body
from tests.wechat.menus import odd_menus, relatives
from wechat.menu import Button, Menu, PersonalMenu, read
from wechat.menu_diff import Change, difference
from wechat.menu_file import parse
from wechat.menu_shapes import definition_of, menu_get

OLD = """
buttons:
- {name: 歌曲, key: SONG}
- name: 更多
  buttons:
  - {name: 搜索, url: https://a.cn/}
  - {name: 视频, url: https://v.cn/}
  - {name: 赞, key: GOOD}
- {name: 我的, key: ME}
"""


def menu_of(text: str) -> Menu:
    return read(parse(text.encode()))


def changes(new: str, old: str = OLD) -> list[tuple[Any, ...]]:
    found = difference(menu_of(old), menu_of(new))
    return [(one.kind, one.old, one.new, one.name, one.before, one.after) for one in found]


def edited(*replacements: tuple[str, str]) -> str:
    text = OLD
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    return text


def click(name: str, key: str) -> dict[str, str]:
    return {"name": name, "type": "click", "key": key}


B, S = "menu.button[{}]".format, "menu.button[1].sub_button[{}]".format


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, []),
        (edited(("歌曲", "新歌")), [("renamed", B(0), B(0), "新歌", "歌曲", "新歌")]),
        (edited(("更多", "其他")), [("renamed", B(1), B(1), "其他", "更多", "其他")]),
        (
            edited(("key: GOOD", "key: LIKE")),
            [("retargeted", S(2), S(2), "赞", {"type": "click", "key": "GOOD"}, {"type": "click", "key": "LIKE"})],
        ),
        (
            edited(("name: 赞, key: GOOD", "name: 赞, url: https://g.cn/")),
            [
                (
                    "retargeted",
                    S(2),
                    S(2),
                    "赞",
                    {"type": "click", "key": "GOOD"},
                    {"type": "view", "url": "https://g.cn/"},
                )
            ],
        ),
        (
            edited(("- {name: 我的, key: ME}", "- {name: 找我, key: FIND}")),
            [
                ("added", None, B(2), "找我", None, click("找我", "FIND")),
                ("removed", B(2), None, "我的", click("我的", "ME"), None),
            ],
        ),
        (
            edited(("  - {name: 搜索, url: https://a.cn/}\n", "")),
            [("removed", S(0), None, "搜索", {"name": "搜索", "type": "view", "url": "https://a.cn/"}, None)],
        ),
        (
            edited(("  - {name: 搜索", "  - {name: 新, key: NEW}\n  - {name: 搜索")),
            [("added", None, S(0), "新", None, click("新", "NEW"))],
        ),
        (
            edited(
                ("  - {name: 赞, key: GOOD}\n", ""), ("  - {name: 搜索", "  - {name: 赞, key: GOOD}\n  - {name: 搜索")
            ),
            [("moved", S(2), S(0), "赞", None, None)],
        ),
        (
            edited(("  - {name: 赞, key: GOOD}\n", ""), ("- {name: 我的, key: ME}", "- {name: 点赞, key: GOOD}")),
            [
                ("moved", S(2), B(2), "点赞", None, None),
                ("renamed", S(2), B(2), "点赞", "赞", "点赞"),
                ("removed", B(2), None, "我的", click("我的", "ME"), None),
            ],
        ),
        (
            edited(
                ("{name: 歌曲, key: SONG}", "{name: 歌曲, buttons: [{name: 新歌, key: SONG}, {name: 老歌, key: OLD}]}")
            ),
            [
                ("added", None, B(0), "歌曲", None, {"name": "歌曲"}),
                ("moved", B(0), "menu.button[0].sub_button[0]", "新歌", None, None),
                ("renamed", B(0), "menu.button[0].sub_button[0]", "新歌", "歌曲", "新歌"),
                ("added", None, "menu.button[0].sub_button[1]", "老歌", None, click("老歌", "OLD")),
            ],
        ),
        (
            edited(("{name: 歌曲, key: SONG}", "{name: 歌曲, buttons: [{name: 老歌, key: OLD}]}")),
            [
                ("retargeted", B(0), B(0), "歌曲", {"type": "click", "key": "SONG"}, {}),
                ("added", None, "menu.button[0].sub_button[0]", "老歌", None, click("老歌", "OLD")),
            ],
        ),
        (
            edited(("{name: 我的, key: ME}", "{name: 我的, key: ME, x: 1}")),
            [("changed", B(2), B(2), "我的", {}, {"x": 1})],
        ),
    ],
)
def test_a_change_is_told_as_what_it_is(new: str, expected: list[Any]) -> None:
    assert expected == changes(new)


def test_a_button_is_known_by_its_name_wherever_it_has_gone() -> None:
    new = edited(("  - {name: 赞, key: GOOD}\n", ""), ("- {name: 我的, key: ME}", "- {name: 赞, key: LIKE}"))

    assert [
        ("moved", S(2), B(2), "赞", None, None),
        ("retargeted", S(2), B(2), "赞", {"type": "click", "key": "GOOD"}, {"type": "click", "key": "LIKE"}),
        ("removed", B(2), None, "我的", click("我的", "ME"), None),
    ] == changes(new)


def test_a_parent_that_was_renamed_is_known_by_its_children() -> None:
    new = edited(("更多", "其他"), ("- {name: 歌曲, key: SONG}\n", ""))

    assert [
        ("renamed", B(1), B(0), "其他", "更多", "其他"),
        ("removed", B(0), None, "歌曲", click("歌曲", "SONG"), None),
    ] == changes(new)


def test_buttons_that_are_all_alike_stay_where_they_are() -> None:
    menu = read(definition_of(body("menu_trymatch.response")))
    fewer = Menu(menu.buttons[:2])

    assert [("removed", "menu.button[2]")] == [(change.kind, change.old) for change in difference(menu, fewer)]
    assert [("added", "menu.button[2]")] == [(change.kind, change.new) for change in difference(fewer, menu)]


PERSONAL = """
buttons: [{name: a, key: a}]
personal:
- {match: {tag: 1}, buttons: [{name: b, key: b}]}
- {match: {tag: 2}, buttons: [{name: c, key: c}]}
- {match: {platform: ios}, buttons: [{name: d, key: d}]}
"""
P = "conditionalmenu[{}]".format


@pytest.mark.parametrize(
    ("replacements", "expected"),
    [
        ([], []),
        ([("key: b", "key: B")], [("retargeted", P(0) + ".button[0]", P(0) + ".button[0]")]),
        ([("platform: ios", "platform: android")], [("rematched", P(2), P(2))]),
        (
            [("{match: {tag: 2}, buttons: [{name: c, key: c}]}", "{match: {tag: 3}, buttons: [{name: e, key: e}]}")],
            [("added", None, P(1)), ("removed", P(1), None)],
        ),
        (
            [("- {match: {tag: 1}, buttons: [{name: b, key: b}]}\n", ""), ("name: d", "name: D")],
            [("renamed", P(2) + ".button[0]", P(1) + ".button[0]"), ("removed", P(0), None)],
        ),
        (
            [
                ("- {match: {tag: 1}, buttons: [{name: b, key: b}]}\n", ""),
                ("key: d}]}\n", "key: d}]}\n- {match: {tag: 1}, buttons: [{name: b, key: b}]}\n"),
            ],
            [("moved", P(0), P(2))],
        ),
        (
            [("buttons: [{name: a, key: a}]\np", "buttons: [{name: A, key: a}]\np")],
            [("renamed", "menu.button[0]", "menu.button[0]")],
        ),
    ],
)
def test_personalised_menus_are_compared_each_with_its_own(replacements: list[Any], expected: list[Any]) -> None:
    new = PERSONAL
    for before, after in replacements:
        assert before in new
        new = new.replace(before, after)

    assert expected == [(one.kind, one.old, one.new) for one in difference(menu_of(PERSONAL), menu_of(new))]


def test_what_wechat_adds_is_no_difference() -> None:
    menu = menu_of(PERSONAL)
    answer = menu_get(menu)
    answer["menu"]["menuid"] = 208396938
    for number, one in enumerate(answer["conditionalmenu"]):
        one |= {"menuid": 208396993 + number, "matchrule": {**one["matchrule"], "country": ""}}
    answer["conditionalmenu"][0]["matchrule"] = {"group_id": 1}

    assert [] == difference(menu, read(definition_of(answer)))


@given(odd_menus)
def test_a_menu_does_not_differ_from_itself(menu: Menu) -> None:
    assert [] == difference(menu, menu)


@given(relatives())
def test_applying_the_changes_gives_the_other_menu(both: tuple[Menu, Menu]) -> None:
    old, new = both

    assert new == applied(old, difference(old, new))


@given(st.permutations("abcde"))
def test_as_few_buttons_as_possible_have_moved(order: list[str]) -> None:
    def menu(letters: Iterable[str]) -> Menu:
        subs = tuple(Button({"name": letter, "type": "click", "key": letter}) for letter in letters)
        return Menu((Button({"name": "更多"}, subs),))

    found = difference(menu("abcde"), menu(order))
    longest = max(size for size in range(1, 6) for some in combinations(order, size) if list(some) == sorted(some))

    assert ["moved"] * (5 - longest) == [change.kind for change in found]


class Node:
    """A button in a menu that is being edited by hand."""

    def __init__(self, button: Button) -> None:
        self.fields = dict(button.fields)
        self.nodes = None if button.buttons is None else [Node(one) for one in button.buttons]

    def button(self) -> Button:
        return Button(self.fields, None if self.nodes is None else tuple(node.button() for node in self.nodes))


def applied(old: Menu, found: list[Change]) -> Menu:
    of_menus = [change for change in found if not change.is_of_button]
    order: list[Any] = list(range(len(old.personal)))
    for change in of_menus:
        if change.old is not None and change.kind in ("moved", "removed"):
            order.remove(spot(change.old)[0])
    for change in sorted(of_menus, key=lambda change: spot(change.new or "")):
        if change.new is not None and change.kind in ("moved", "added"):
            order.insert(spot(change.new)[0], spot(change.old)[0] if change.old else change.after)
    matched: list[PersonalMenu] = []
    for index, one in enumerate(order):
        if isinstance(one, dict):
            matched += read({"conditionalmenu": [one]}).personal
            continue
        paths = f"conditionalmenu[{one}]", f"conditionalmenu[{index}]"
        rules = [change.after for change in of_menus if change.kind == "rematched" and change.old == paths[0]]
        menu = old.personal[one]
        matched.append(PersonalMenu(edited_by(found, menu.buttons, *paths), *(rules or [menu.rule])))
    return Menu(edited_by(found, old.buttons, "menu", "menu"), tuple(matched))


def edited_by(found: list[Change], buttons: tuple[Button, ...], old: str, new: str) -> tuple[Button, ...]:
    """Take out what goes or moves, change what stays, and put in what comes or moved, from the left to the right."""
    root = Node(Button({}, buttons))
    nodes = dict(walk(root, ()))
    mine = [
        change
        for change in found
        if (change.old or old).startswith(old) and (change.new or new).startswith(new) and change.is_of_button
    ]
    gone = {spot(change.old, old) for change in mine if change.old and change.kind in ("moved", "removed")}
    for path, node in nodes.items():
        if node.nodes is not None:
            node.nodes = [one for index, one in enumerate(node.nodes) if (*path, index) not in gone]
    for path, node in nodes.items():
        change_one(node, [change for change in mine if change.old and spot(change.old, old) == path])
    coming = [(spot(change.new, new), change) for change in mine if change.new and change.kind in ("moved", "added")]
    for place, change in sorted(coming, key=lambda one: (len(one[0]), one[0])):
        parent = root if len(place) == 1 else (root.nodes or [])[place[0]]
        fresh = Button(change.after or {}, None if "type" in (change.after or {}) else ())
        assert parent.nodes is not None
        parent.nodes.insert(place[-1], nodes[spot(change.old, old)] if change.old else Node(fresh))
    return root.button().buttons or ()


def change_one(node: Node, mine: list[Change]) -> None:
    """A field may go from one kind of change to another: first all is taken away, then all is added."""
    changes = [change for change in mine if change.kind in ("renamed", "retargeted", "changed")]
    for change in changes:
        before = {"name": change.before} if change.kind == "renamed" else change.before
        assert before == {name: node.fields.pop(name) for name in before}
    for change in changes:
        node.fields |= {"name": change.after} if change.kind == "renamed" else change.after
        if change.kind == "retargeted" and {} in (change.before, change.after):
            node.nodes = [] if change.after == {} else None


def walk(node: Node, place: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Node]]:
    yield place, node
    for index, one in enumerate(node.nodes or []):
        yield from walk(one, (*place, index))


def spot(path: str, menu: str = "") -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\[([0-9]+)\]", path.removeprefix(menu))))
