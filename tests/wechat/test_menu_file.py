"""Menus in files, and the places of mistakes in them."""

import pytest

from wechat.menu_file import MAX_BYTES, FileError, parse

ONE = {"menu": {"button": [{"name": "菜单", "type": "click", "key": "k"}]}}
JSON = '{"button": [{"name": "菜单", "type": "click", "key": "k"}]}'
YAML = "buttons:\n- name: 菜单\n  key: k\n"


def error_of(content: str | bytes, name: str = "") -> FileError:
    with pytest.raises(FileError) as raised:
        parse(content if isinstance(content, bytes) else content.encode(), name)
    return raised.value


def place(error: FileError) -> tuple[str, int | None, int | None]:
    return error.reason, error.line, error.column


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (JSON, "menu.json"),
        (JSON, ""),
        (JSON, "menu.yaml"),  # which JSON nearly always is
        ("\n\n" + JSON, "menu.txt"),
        ("\ufeff" + JSON, "menu.json"),
        (JSON.replace("菜单", "\\u83dc\\u5355"), "menu.json"),
        (YAML, "menu.yaml"),
        (YAML, "MENU.YML"),
        (YAML, ""),
        ("\ufeff" + YAML.replace("\n", "\r\n"), "menu.yaml"),
        ("# a word\n---\n" + YAML, ""),
        ("buttons: [{name: &a 菜单, type: &b click, key: k}]\nmenuid: null", ""),
    ],
)
def test_json_and_yaml_are_read(content: str, name: str) -> None:
    found = parse(content.encode(), name)

    assert ONE["menu"]["button"] == found["menu"]["button"]


@pytest.mark.parametrize("value", ["on", "no", "12:30", "007", "1e5", "2026-10-01", "0x1F", "1_000", ".5", "true"])
def test_names_are_text_however_they_look(value: str) -> None:
    found = parse(f"buttons: [{{name: {value}, key: {value}, x: '{value}'}}]".encode())

    assert [{"name": value, "key": value, "x": value, "type": "click"}] == found["menu"]["button"]


def test_what_is_not_known_to_be_text_has_the_values_that_json_has() -> None:
    found = parse(b"button: [{a: 1, b: -2.5, c: true, d: FALSE, e: yes, f: 12:30, g: 0o7, h: 2026-10-01, i: [~, x]}]")

    assert [
        {
            "a": 1,
            "b": -2.5,
            "c": True,
            "d": False,
            "e": "yes",
            "f": "12:30",
            "g": "0o7",
            "h": "2026-10-01",
            "i": [None, "x"],
        }
    ] == found["menu"]["button"]


def test_buttons_can_be_used_again_by_aliases() -> None:
    found = parse(b"buttons: &b\n- {name: a, key: k}\npersonal:\n- {match: {tag: 2}, buttons: *b}\n")

    assert found["menu"]["button"] == found["conditionalmenu"][0]["button"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"button": [\n  {"name" "a"}]}', ("bad_json", 2, 11)),
        ('{"button": [', ("bad_json", 1, 13)),
        ('{"button": []} x', ("bad_json", 1, 16)),
        ("{'button': []}", ("bad_json", 1, 2)),
        ('{"button": [\n\t{"name": "a",\n\t"name": "b"}]}', ("duplicate_key", 3, 2)),
        ('{"a/b": "\\/", "button": [], "button": []}', ("duplicate_key", 1, 29)),
        ("buttons:\n- name: a\n  key: k\n  name: b\n", ("duplicate_key", 4, 3)),
        ("buttons:\n- name: a\n\tkey: k\n", ("bad_yaml", 3, 1)),
        ("buttons:\n- name: a: b\n", ("bad_yaml", 2, 10)),
        ("buttons: [{name: a]", ("bad_yaml", 1, 19)),
        ("buttons: *b", ("bad_yaml", 1, 10)),
        ("buttons: []\n---\nbuttons: []", ("bad_yaml", 2, 1)),
        ("? [a]\n: b", ("bad_yaml", 1, 3)),
        ("buttons:\n- name: \x07\n", ("bad_sign", 2, 9)),
        ("- name: a", ("not_a_menu", None, None)),
        ("menu", ("not_a_menu", None, None)),
        ('["a"]', ("not_a_menu", None, None)),
        ("", ("empty", None, None)),
        (" \n\t", ("empty", None, None)),
        ("# nothing", ("not_a_menu", None, None)),
        ('{"button": NaN}', ("bad_number", None, None)),
        ('{"button": 1e999}', ("bad_number", None, None)),
        ('{"button": -99999999999999999999}', ("bad_number", None, None)),
        ('{"errcode": 46003, "errmsg": "menu no exist"}', ("error_answer", None, None)),
    ],
)
def test_a_mistake_of_writing_has_its_place(content: str, expected: tuple[str, int | None, int | None]) -> None:
    assert expected == place(error_of(content))


def test_a_mistake_is_shown_in_its_line() -> None:
    error = error_of("buttons:\r\n- name: a: b\r\n")

    assert "- name: a: b" == error.excerpt


def test_full_width_signs_nearby_are_named() -> None:
    assert "：" == error_of("buttons:\n- name：首页\n  key: A\n").facts["full_width"]
    assert "“”" == error_of("{“button”: []}").facts["full_width"]


@pytest.mark.parametrize(
    ("content", "line", "charset"),
    [
        ("菜\n单".encode("utf-16"), None, "UTF-16"),
        ("buttons:\n- name: 菜单".encode("gbk"), 2, "GBK"),
        (b"buttons:\n\n\xff\xff", 3, ""),
    ],
)
def test_another_charset_is_named(content: bytes, line: int | None, charset: str) -> None:
    error = error_of(content)

    assert ("not_utf8", line, charset) == (error.reason, error.line, error.facts["charset"])


def test_an_error_that_came_with_a_menu_is_none() -> None:
    assert {"menu": {"button": []}} == parse(b'{"errcode": 0, "errmsg": "ok", "menu": {"button": []}}')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a":' * 30 + "1" + "}" * 30, "too_deep"),
        ("[" * 100_000, "too_deep"),
        ("a: " + "[" * 30 + "]" * 30, "too_deep"),
        ("a: " + "[" * 500 + "]" * 500, "too_deep"),
        ("a: &a [*a]", "too_deep"),
        (" " * MAX_BYTES + "{}", "too_large"),
        (
            "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10 if n else ['1'] * 10)}]\n" for n in range(9)),
            "too_many_values",
        ),
    ],
)
def test_what_would_take_all_memory_is_refused(content: str, reason: str) -> None:
    assert reason == error_of(content).reason
