"""Every problem a menu can have has its sentence."""

import re
from inspect import getsource

import pytest

from console.menu_bar import bar
from console.menu_words import _errors, _file, _warnings, file_sentence, pointed_out, rule_words
from wechat import menu_check, menu_file, menu_rules
from wechat.menu import FIELDS, Button
from wechat.menu_file import FileError


def words(pattern: str, module: object) -> set[str]:
    return {word for found in re.findall(pattern, getsource(module)) for word in re.findall('"([a-z_0-9]+)"', found)}


def test_every_error_has_a_sentence_and_none_is_idle() -> None:
    told = words(r'(?:problem\(|Problem\([^,]+, )("[a-z_]+"(?: if [^,]* else "[a-z_]+")?)', menu_rules)
    told |= {f"no_{name}" for name in ("name", *(field for fields in FIELDS.values() for field in fields))}

    assert told == set(_errors())


def test_every_warning_has_a_sentence_and_none_is_idle() -> None:
    told = words(r'_warning\([^,]+, ("[a-z_]+")', menu_check) | {"same_key", "same_url"}

    assert told == set(_warnings())


def test_every_mistake_of_writing_has_a_sentence_and_none_is_idle() -> None:
    assert words(r'(?:FileError|fail)\(\s*("[a-z_0-9]+")', menu_file) == set(_file())


def test_a_place_is_pointed_at_below_wide_characters_and_in_long_lines() -> None:
    wide = FileError("bad_yaml", 1, 7, "- 菜单: a: b")
    long = FileError("bad_json", 1, 501, "菜" * 500 + "X" + "单" * 500)

    assert "\n    - 菜单: a: b\n            ^" == pointed_out(wide)
    _empty, shown, mark = pointed_out(long).split("\n")
    assert "X" in shown
    assert 150 > len(shown)
    assert 4 + 2 * 50 == mark.index("^")
    assert "" == pointed_out(FileError("empty"))


def test_an_excerpt_cannot_move_the_cursor() -> None:
    assert "\x1b" not in pointed_out(FileError("bad_json", 1, 1, "\x1b[2J"))
    assert "\x1b" not in file_sentence(FileError("duplicate_key", 1, 1, key="\x1b[2J"), "m")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"tag_id": 2}, "tag 2"),
        ({"group_id": "2", "client_platform_type": "3"}, "tag 2 + other platforms"),
        ({"client_platform_type": 1, "sex": "1"}, "iOS + sex=1"),
        ({"client_platform_type": "9"}, "client_platform_type=9"),
    ],
)
def test_a_rule_says_whom_it_matches(rule: dict[str, object], expected: str) -> None:
    assert expected == rule_words(rule)


def test_a_bar_has_columns_of_one_width_with_what_opens_above() -> None:
    buttons = [
        Button({"name": "菜单"}, tuple(Button({"name": name}) for name in ("搜索", "赞"))),
        Button({"name": "\x1b[2J"}),
        Button({"name": "三"}, (Button({"name": "🍜"}),)),
    ]

    assert """\
 ┌──────────┐
 │   搜索   │
 ├──────────┤              ┌──────────┐
 │    赞    │              │    🍜    │
 └──────────┘              └──────────┘
┌────────────┬────────────┬────────────┐
│   ≡ 菜单   │  \\x1b[2J   │    ≡ 三    │
└────────────┴────────────┴────────────┘""" == bar(buttons)
    assert "" == bar(())
