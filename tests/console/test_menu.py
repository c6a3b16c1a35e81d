"""`caidan menu …`, with files and a real database."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from console.cli import caidan
from tests.api import body
from tests.console.runner import run

YAML = """\
buttons:
- name: 今日歌曲
  key: SONG
- name: 菜单
  buttons:
  - name: 搜索
    url: https://example.com/
  - name: 拍照或者相册发图吧
    type: pic_weixin
    key: PHOTO
personal:
- match:
    tag: 2
    platform: android
  buttons:
  - name: 会员
    key: VIP
- match:
    platform: ios
  buttons:
  - name: 苹果
    key: APPLE
"""
WRONG = '{"button": [{"name": "一二三四五六", "type": "view", "url": "http://example.com"}, {"name": "a"}]}'


@pytest.fixture
def menu(tmp_path: Path) -> str:
    (tmp_path / "menu.yaml").write_text(YAML, encoding="utf-8")
    return "menu.yaml"


@pytest.fixture
def database() -> None:
    assert run("db", "upgrade").exit_code == 0


def write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_a_menu_is_validated(menu: str) -> None:
    ended = run("menu", "validate", menu)

    assert 0 == ended.exit_code
    assert "Valid, with 1 warning." in ended.stdout
    assert "拍照或者相册发图..." in ended.stdout


def test_a_menu_that_wechat_would_refuse_ends_with_4() -> None:
    ended = run("menu", "validate", write("wrong.json", WRONG))

    assert 4 == ended.exit_code
    assert "name has 18 bytes; at most 16 are allowed" in ended.stdout
    assert "2 errors; WeChat would answer 40018, the first of them." in ended.stdout


def test_problems_as_json_have_these_fields_and_no_others() -> None:
    ended = run("menu", "validate", write("wrong.json", WRONG), "--json")

    assert 4 == ended.exit_code
    assert {
        "valid": False,
        "problems": [
            {
                "path": "menu.button[0].name",
                "errcode": 40018,
                "level": "error",
                "message": "name has 18 bytes; at most 16 are allowed. A Chinese character has 3, an emoji mostly 4.",
            },
            {
                "path": "menu.button[1].type",
                "errcode": 40017,
                "level": "error",
                "message": "The button has neither a type nor sub-buttons.",
            },
            {
                "path": "menu.button[0].name",
                "errcode": None,
                "level": "warning",
                "message": "Too long for a phone, which shows 一二三四...",
            },
            {
                "path": "menu.button[0].url",
                "errcode": None,
                "level": "warning",
                "message": "The link is not encrypted; use https://.",
            },
        ],
    } == json.loads(ended.stdout)


def test_a_valid_menu_as_json() -> None:
    text = '{"button": [{"name": "a", "type": "click", "key": "k"}]}'

    ended = run("menu", "validate", write("fine.json", text), "--json")

    assert (0, {"valid": True, "problems": []}) == (ended.exit_code, json.loads(ended.stdout))


def test_problems_are_told_in_chinese() -> None:
    ended = run("menu", "validate", write("wrong.json", WRONG), "--lang", "zh")

    assert "name 有 18 字节；最多 16 字节" in ended.stdout
    assert "2 个错误；微信会返回 40018" in ended.stdout


def test_a_menu_comes_from_standard_input() -> None:
    ended = CliRunner().invoke(caidan, ["menu", "validate", "-"], input=YAML.encode(), prog_name="caidan")

    assert 0 == ended.exit_code


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b'{"button": [\n  {"name" "a"}]}',
            'm, line 2, column 11: This is no JSON from here on.\n      {"name" "a"}]}\n              ^',
        ),
        ("buttons:\n- {菜：单： a, b\n".encode(), "Mind the full-width ： hereabouts."),
        (
            "buttons: [{name: 菜单}]".encode("gbk"),
            "m, line 1: This is not UTF-8; save the file as UTF-8. It looks like GBK.",
        ),
        (b"", "m: The file is empty."),
        (b'{"errcode": 46003, "errmsg": "\x1b[2J no menu"}'.replace(b"\x1b", b"\\u001b"), "46003 \\x1b[2J no menu"),
        (b'{"button": [], "button": []}', "m, line 1, column 16: The key button stands twice"),
        (b"- a", "m: This is no menu"),
    ],
)
@pytest.mark.parametrize("verb", ["validate", "save", "diff"])
def test_a_file_that_cannot_be_read_ends_with_its_place(content: bytes, words: str, verb: str, menu: str) -> None:
    Path("m").write_bytes(content)

    ended = run("menu", verb, *([menu] if verb == "diff" else []), "m")

    assert 4 == ended.exit_code
    assert words in ended.stderr
    assert "" == ended.stdout


def test_a_file_that_cannot_be_read_is_json_where_json_is_wanted() -> None:
    ended = run("menu", "validate", write("bad.json", "{"), "--json")

    assert 4 == ended.exit_code
    assert {
        "valid": False,
        "problems": [
            {
                "path": "",
                "errcode": 40016,
                "level": "error",
                "message": "bad.json, line 1, column 2: This is no JSON from here on.",
            }
        ],
    } == json.loads(ended.stdout)


@pytest.mark.usefixtures("database")
def test_a_menu_is_saved_once(menu: str) -> None:
    first = json.loads(run("menu", "save", menu, "--note", "国庆", "--author", "小王", "--json").stdout)
    again = json.loads(run("menu", "save", menu, "--json").stdout)
    other = run("menu", "save", write("other.yaml", YAML.replace("SONG", "NEW")))
    listed = json.loads(run("menu", "list", "--json").stdout)

    assert (1, True) == (first["version"], first["is_new"])
    assert first | {"is_new": False} == again
    assert "Saved as version 2." in other.stdout
    assert [(2, None, None), (1, "国庆", "小王")] == [(row["version"], row["note"], row["author"]) for row in listed]
    assert first["digest"] == listed[1]["digest"]


@pytest.mark.usefixtures("database")
def test_a_dry_run_saves_nothing(menu: str) -> None:
    before = run("menu", "save", menu, "--dry-run")
    listed = json.loads(run("menu", "list", "--json").stdout)
    run("menu", "save", menu)
    after = run("menu", "save", menu, "--dry-run")

    assert ("It would become a new version.", []) == (before.stdout.strip(), listed)
    assert "Nothing to do: this is version 1." in after.stdout


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WRONG, "at most 16 are allowed"),
        (json.dumps(body("menu_addconditional.request")), "There is no default menu"),
    ],
)
def test_what_wechat_would_refuse_is_not_saved(text: str, words: str) -> None:
    ended = run("menu", "save", write("wrong.json", text))

    assert 4 == ended.exit_code
    assert words in ended.stderr
    assert "wrong.json is not saved" in ended.stderr
    assert [] == json.loads(run("menu", "list", "--json").stdout)


@pytest.mark.usefixtures("database")
def test_a_version_is_drawn_as_a_phone_shows_it(menu: str) -> None:
    run("menu", "save", menu)

    lines = [line.rstrip() for line in run("menu", "show", "1").stdout.splitlines()]

    start = lines.index("Default menu")
    assert [
        "Default menu",
        "",
        "                         ┌─────────────────────┐",
        "                         │        搜索         │",
        "                         ├─────────────────────┤",
        "                         │ 拍照或者相册发图... │",
        "                         └─────────────────────┘",
        "┌───────────────────────┬───────────────────────┐",
        "│       今日歌曲        │        ≡ 菜单         │",
        "└───────────────────────┴───────────────────────┘",
    ] == lines[start : start + 10]
    assert "Personalised menu for tag 2 + Android" in lines
    assert "Personalised menu for iOS" in lines
    assert ["2.2", "拍照或者相册发图吧", "pic_weixin", "PHOTO"] in [line.split() for line in lines]


@pytest.mark.usefixtures("database")
def test_a_version_is_shown_as_json_and_as_yaml(menu: str) -> None:
    run("menu", "save", menu, "--note", "n")

    shown = json.loads(run("menu", "show", "--json").stdout)
    text = run("menu", "show", "1", "--yaml").stdout

    assert ("demo", 1, "n") == (shown["account"], shown["version"], shown["note"])
    assert {"tag_id": "2", "client_platform_type": "2"} == shown["definition"]["conditionalmenu"][0]["matchrule"]
    assert text == YAML


def differing(*arguments: str) -> tuple[int, Any]:
    ended = run("menu", "diff", *arguments, "--json")
    return ended.exit_code, [(one["kind"], one["old"], one["new"]) for one in json.loads(ended.stdout)["changes"]]


@pytest.mark.usefixtures("database")
def test_versions_and_files_are_compared(menu: str) -> None:
    other = write("other.yaml", YAML.replace("name: 搜索", "name: 搜一搜"))
    change = ("renamed", "menu.button[1].sub_button[0]", "menu.button[1].sub_button[0]")
    run("menu", "save", menu)

    assert (6, [change]) == differing(menu, other) == differing("1", other) == differing(other)
    assert (0, []) == differing("1", menu) == differing(menu) == differing("1", "1")
    run("menu", "save", other)
    assert (6, [change]) == differing("1", "2")
    assert (0, []) == differing(other)
    assert "No difference." in run("menu", "diff", other).stdout


def test_files_are_compared_without_a_database(menu: str) -> None:
    assert (0, []) == differing(menu, menu)
    assert not Path("var").exists()


def test_a_difference_is_drawn_as_a_tree(menu: str) -> None:
    new = (
        YAML.replace("name: 搜索", "name: 搜一搜")
        .replace("key: VIP", "url: https://vip.cn/")
        .replace("platform: ios", "platform: other")
        .replace("- name: 今日歌曲\n  key: SONG\n- name: 菜单", "- name: 菜单")
        .replace("personal:\n", "- name: 客服\n  key: HELP\n  x: 1\npersonal:\n")
        .replace("    key: PHOTO\n", "    key: PHOTO\n  - name: 赞\n    key: GOOD\n")
    )

    ended = run("menu", "diff", menu, write("new.yaml", new))

    assert 6 == ended.exit_code
    assert (
        """\
Default menu
├── 菜单
│   ├── ~ 搜索 is now called 搜一搜
│   └── + 赞  click GOOD
├── + 客服  click HELP
└── - 今日歌曲  click SONG
Personalised menu for tag 2 + Android
└── ~ 会员  click VIP → view https://vip.cn/
Personalised menu for other platforms
└── ~ now for other platforms instead of iOS
"""
        == ended.stdout
    )


def test_more_kinds_of_differences_are_drawn(menu: str) -> None:
    swapped = YAML.replace("tag: 2", "tag: 3").replace("key: VIP", "key: NEW").replace("key: SONG", "key: SONG\n  x: 1")
    ended = run("menu", "diff", menu, write("new.yaml", swapped))
    back = run(
        "menu",
        "diff",
        menu,
        write(
            "back.yaml",
            YAML.replace("- name: 今日歌曲\n  key: SONG\n", "").replace(
                "personal:", "- name: 今日歌曲\n  key: SONG\npersonal:"
            ),
        ),
    )

    assert "~ 今日歌曲  x - → 1" in ended.stdout
    assert "Personalised menu for tag 3 + Android\n└── + the whole menu\n" in ended.stdout
    assert "Personalised menu for tag 2 + Android\n└── - the whole menu\n" in ended.stdout
    assert "↕ 菜单 moved from 2 to 1" in back.stdout or "↕ 今日歌曲 moved from 1 to 2" in back.stdout


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("validate", "nowhere.json"), 3, "There is no file nowhere.json."),
        (("validate", "."), 4, ". cannot be read: Is a directory"),
        (("show",), 3, "No menu of demo is saved"),
        (("show", "7"), 3, "demo has no menu version 7."),
        (("show", "0"), 4, "VERSION"),
        (("diff", "7", "menu.yaml"), 3, "demo has no menu version 7."),
        (("diff", "menu.yaml"), 3, "No menu of demo is saved"),
        (("diff", "menu.yaml", "menu.yaml", "menu.yaml"), 4, "Give two menus"),
        (("diff", "menu.yaml", "broken.json"), 4, "broken.json is no menu: menu.button is wrong."),
        (("save", "menu.yaml", "--author", "a" * 256), 4, "it has more than 255 characters."),
        (("save", "menu.yaml", "--account", "shop"), 3, "There is no account 'shop'; there is: demo"),
        (("show", "--account", "shop"), 3, "There is no account 'shop'; there is: demo"),
        (("list", "--account", "shop"), 3, "There is no account 'shop'; there is: demo"),
    ],
)
def test_what_is_not_there_and_what_is_wrong_have_exit_codes_of_their_own(
    menu: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    write("broken.json", '{"button": {}}')

    ended = run("menu", *arguments)

    assert code == ended.exit_code
    assert words in ended.stderr
    assert "" == ended.stdout


def test_without_tables_the_words_say_what_to_do(menu: str) -> None:
    ended = run("menu", "save", menu)

    assert 2 == ended.exit_code
    assert "caidan db upgrade" in ended.stderr


def test_an_account_must_be_named_where_there_are_two(menu: str) -> None:
    accounts = [f'[[accounts]]\nname = "{name}"\napp_id = "wx_{name}"\ntoken = "t"\n' for name in ("shop", "news")]
    write("caidan.toml", "".join(accounts))
    assert run("db", "upgrade").exit_code == 0

    for arguments in (("save", menu), ("show",), ("diff", menu)):
        ended = run("menu", *arguments)
        assert (4, "Error: Say with --account which one: shop, news\n") == (ended.exit_code, ended.stderr)
    saved = [run("menu", "save", menu, "--account", name) for name in ("shop", "news")]

    assert ["Saved as version 1.\n"] * 2 == [ended.stdout for ended in saved]
    assert ["news", "shop"] == [row["account"] for row in json.loads(run("menu", "list", "--json").stdout)]
    assert ["shop"] == [row["account"] for row in json.loads(run("menu", "list", "--json", "--account", "shop").stdout)]
    assert 0 == run("menu", "diff", menu, "--account", "news").exit_code


@pytest.mark.usefixtures("database")
def test_an_account_that_is_new_in_the_configuration_gets_its_row(menu: str) -> None:
    write("caidan.toml", '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "t"\n')

    dry, saved = run("menu", "save", menu, "--dry-run"), run("menu", "save", menu)

    assert ["It would become a new version.\n", "Saved as version 1.\n"] == [dry.stdout, saved.stdout]
