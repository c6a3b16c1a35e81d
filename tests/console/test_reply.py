"""`caidan reply …`, with a real database."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import time_machine
from click.testing import CliRunner, Result

from console.cli import caidan
from models import publications
from tests.console.rotating import FILE, NOW, in_database
from tests.console.runner import run
from tests.platforms import SHOP
from wechat import crypto
from wechat.simulator.wire import write_xml
from workers import queues

TAP = {
    "ToUserName": "gh_0a1b2c3d4e5f",
    "FromUserName": "oFollower",
    "CreateTime": 1795395600,  # 9:00 on that Monday
    "MsgType": "event",
    "Event": "CLICK",
    "EventKey": "STOCK",
}
RULES = """\
rules:
- name: stock
  kind: [click, scancode_waitmsg]
  key: STOCK
  hours: 9-18
  weekdays: mon-fri
  priority: 5
  reply: "{event_key}: 在售"
- name: codes
  scan_code: "EAN_13,*"
  from: 2026-10-01
  until: 2027-01-01T12:00
  reply:
    news:
    - title: "{code}"
      url: "https://shop.cn/find?code={code}"
      pic_url: https://shop.cn/a.png
    - {title: 更多, url: "https://shop.cn/"}
- name: menu
  menu_version: 2
  tag: 100
  key: {exact: "A*"}
  timezone: Europe/Paris
  enabled: false
  author: li
  note: 只是试试
  reply: {video: {media_id: M-1, title: 好看}}
- name: words
  keyword: "*退款*"
  reply: {transfer: anna@shop}
- name: quiet
  kind: message_image
  reply: {nothing: true}
- name: 007
  default: true
  reply: 您好
"""


def reply(*arguments: str) -> Result:
    return run("reply", *arguments)


def added(*arguments: str) -> Result:
    done = reply("add", *arguments)
    assert 0 == done.exit_code, done.output
    return done


def told(*arguments: str) -> Any:
    done = reply(*arguments, "--json")
    assert 0 == done.exit_code, done.output
    return json.loads(done.stdout)


@pytest.fixture
def rules(shop: time_machine.Traveller, tmp_path: Path) -> time_machine.Traveller:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return shop


@pytest.fixture
def push(tmp_path: Path) -> str:
    (tmp_path / "push.xml").write_bytes(write_xml(TAP))
    return "push.xml"


def test_a_rule_is_added_and_told_back_in_words(shop: time_machine.Traveller) -> None:
    done = added(
        "stock", "--kind", "click", "--key", "STOCK", "--text", "在售", "--hours", "9-18", "--weekdays", "mon-fri"
    )

    assert "Added: stock: click, key STOCK, Mon–Fri, 09:00–18:00 (Asia/Shanghai) → 在售\n" == done.stdout
    assert "" == done.stderr
    [rule] = told("list")
    assert {
        "id": 1,
        "account": "shop",
        "name": "stock",
        "kind": ["click"],
        "key": "STOCK",
        "weekdays": "1,2,3,4,5",
        "hours": "09:00-18:00",
        "timezone": "Asia/Shanghai",
        "priority": 0,
        "default": False,
        "reply": {"text": "在售"},
        "enabled": True,
        "author": None,
        "note": None,
        "state": "counts",
        "created_at": "2026-11-23T01:00:00+00:00",
        "updated_at": "2026-11-23T01:00:00+00:00",
    } == rule


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--text", "a"], {"text": "a"}),
        (["--image", "M"], {"image": "M"}),
        (["--voice", "M"], {"voice": "M"}),
        (["--video", "M", "--title", "T"], {"video": {"media_id": "M", "title": "T"}}),
        (["--music", "M", "--music-url", "https://a.cn"], {"music": {"thumb_media_id": "M", "music_url": "https://a.cn"}}),
        (
            ["--news", "https://a.cn", "--title", "T", "--picture", "https://a.cn/p"],
            {"news": [{"title": "T", "url": "https://a.cn", "pic_url": "https://a.cn/p"}]},
        ),
        (["--transfer"], {"transfer": True}),
        (["--kf-account", "anna@shop"], {"transfer": "anna@shop"}),
        (["--nothing"], {"nothing": True}),
    ],
)  # fmt: skip
def test_each_reply_has_its_options(
    shop: time_machine.Traveller, arguments: list[str], expected: dict[str, Any]
) -> None:
    added("a", "--key", "A", *arguments)

    assert expected == told("list")[0]["reply"]


def test_a_file_of_rules_is_added_and_comes_back_as_it_was(rules: time_machine.Traveller, tmp_path: Path) -> None:
    done = added("--file", "rules.yaml")
    listed = told("list")
    (tmp_path / "again.json").write_text(json.dumps(listed), encoding="utf-8")
    again = added("--file", "again.json")

    assert 6 == done.stdout.count("Added: ")
    assert 6 == again.stdout.count("Nothing to do: ")
    assert listed == told("list")
    by_name = {one["name"]: one for one in listed}
    assert ["stock", "menu", "codes", "words", "quiet", "007"] == list(by_name)
    assert {"exact": "A*"} == by_name["menu"]["key"]
    assert ("disabled", "li", "100", 2) == tuple(
        by_name["menu"][name] for name in ("state", "author", "tag", "menu_version")
    )
    assert "2026-09-30T16:00:00+00:00" == by_name["codes"]["from"]


def test_a_rule_is_replaced_only_if_that_is_wished(rules: time_machine.Traveller) -> None:
    added("a", "--key", "A", "--text", "1")
    refused = reply("add", "a", "--key", "A", "--text", "2")
    replaced = added("a", "--key", "A", "--text", "2", "--replace")

    assert (4, "Error: shop has such rules already: a. With --replace the new ones take their place.\n") == (
        refused.exit_code,
        refused.stderr,
    )
    assert replaced.stdout.startswith("Replaced: a: ")
    assert ["2"] == [one["reply"]["text"] for one in told("list")]


def test_a_dry_run_changes_nothing(rules: time_machine.Traveller) -> None:
    added("kept", "--key", "A", "--text", "1")
    for arguments in (
        ["add", "b", "--key", "A", "--text", "2"],
        ["add", "--file", "rules.yaml"],
        ["remove", "kept"],
        ["disable", "kept"],
    ):
        done = reply(*arguments, "--dry-run")
        assert (0, "This was a dry run: everything is as it was.") == (done.exit_code, done.stderr.splitlines()[0])

    assert [("kept", True)] == [(one["name"], one["enabled"]) for one in told("list")]


def test_rules_are_disabled_enabled_and_removed(shop: time_machine.Traveller) -> None:
    added("a", "--key", "A", "--text", "1")

    assert "Disabled: a of shop\n" == reply("disable", "a").stdout
    assert "disabled" == told("list")[0]["state"]
    assert "Nothing to do: a of shop\n" == reply("disable", "a").stdout
    assert "Enabled: a of shop\n" == reply("enable", "a").stdout
    assert "Removed: a of shop\n" == reply("remove", "a").stdout
    assert [] == told("list")
    for verb in ("remove", "enable", "disable"):
        assert (3, "Error: There is no rule 'a'; look with: caidan reply list\n") == (
            reply(verb, "a").exit_code,
            reply(verb, "a").stderr,
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--text", "a"], "Give the rule a name"),
        (["a"], "Give one reply: --text"),
        (["a", "--text", "a", "--nothing"], "Give one reply: --text"),
        (["a", "--text", "a", "--title", "b"], "--title do not belong to --text"),
        (["a", "--kind", "view", "--text", "a"], "--kind: A push of the kind view must not be answered"),
        (["a", "--kind", "clik", "--text", "a"], "Did you mean click?"),
        (["a", "--text", "{event_kei}"], "--text: No push has a field {event_kei}; a brace itself is"),
        (["a", "--text", "{event_kei}"], "Did you mean event_key?"),
        (["a", "--text", "100%}"], "--text: There is a single }"),
        (["a", "--text", "汉" * 700], "--text: This has 2100; at most 2048 are allowed"),
        (["a", "--image", "图.png"], "is no media id"),
        (["a", "--news", "shop.cn", "--title", "T"], "--news: 'shop.cn' is no link"),
        (["a", "--news", "https://a.cn"], "--title: This must not be empty."),
        (["a", "--kf-account", "anna", "--transfer"], "--kf-account: 'anna' is no customer-service account"),
        (["a", "--key", "A", "--keyword", "B", "--text", "a"], "would never match: no push has all of key, keyword."),
        (["a", "--key", "", "--text", "a"], "--key: This must not be empty."),
        (["a", "--hours", "noon", "--text", "a"], "--hours: 'noon' are no hours"),
        (["a", "--weekdays", "someday", "--text", "a"], "--weekdays: 'someday'"),
        (["a", "--from", "2026-12-02", "--until", "2026-12-01", "--text", "a"], "--until: It would end before"),
        (["a", "--timezone", "Mars", "--text", "a"], "--timezone: 'Mars' is no time zone"),
        (["a", "--menu-version", "9", "--text", "a"], "shop has no menu version 9."),
        (["a", "--priority", "5000", "--text", "a"], "--priority: A priority is between -1000 and 1000."),
        (["--file", "rules.yaml", "--text", "a"], "leave the other options out"),
        (["--file", "rules.yaml", "--account", "nobody"], "There is no account 'nobody'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(rules: time_machine.Traveller, arguments: list[str], words: str) -> None:
    done = reply("add", *arguments)

    assert words in done.stderr
    assert (3 if "nobody" in words else 4) == done.exit_code
    assert [] == told("list")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "rules: There is no rule here"),
        ("rules: 5", "rules: There is no rule here"),
        ("- 5", "rules[0]: This is no rule"),
        ("- {name: a}", "rules[0].reply: A rule needs a reply; to say nothing, reply: {nothing: true}."),
        ("- {name: a, reply: {txt: b}}", "rules[0].reply: A reply is one of text"),
        ("- {name: a, reply: {text: [b]}}", "rules[0].reply.text: This has to be text."),
        ("- {name: a, reply: {news: {titel: b}}}", "rules[0].reply.news[0].titel: A rule has no field titel. Did you"),
        ("- {name: a, reply: {nothing: false}}", "rules[0].reply.nothing: This has to be true or false."),
        ("- {name: a, reply: {music: x}}", "rules[0].reply.music: This has to have fields of its own."),
        ("- {name: a, keys: b, reply: c}", "rules[0].keys: A rule has no field keys. Did you mean key?"),
        ("- {name: a, key: {regex: .*}, reply: c}", "rules[0].key: Give a text"),
        ("- {name: a, key: {pattern: b}, reply: c}", "rules[0].key: b has no *"),
        ("- {name: a, kind: {b: c}, reply: c}", "rules[0].kind: This has to be a kind"),
        ("- {name: a, priority: high, reply: c}", "rules[0].priority: This has to be a whole number."),
        ("- {name: a, default: maybe, reply: c}", "rules[0].default: This has to be true or false."),
        ("- {name: a, from: someday, reply: c}", "rules[0].from: 'someday' is no time"),
        ("- {name: a, reply: c}\n- {name: a, reply: d}", "Several rules are called a."),
        ("- {name: ' ', reply: '{x}'}", "rules[0].name: This must not be empty."),
        ("- {name: a, reply: b, account: other}", "There is no account 'other'"),
        ("- {name: a\n", "bad.yaml, line 2"),
        ("", "The file is empty."),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    shop: time_machine.Traveller, tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "bad.yaml").write_text(content, encoding="utf-8")

    done = reply("add", "--file", "bad.yaml")

    assert words in done.stderr
    assert (3 if "account" in words else 4) == done.exit_code
    assert [] == told("list")


def test_all_that_is_wrong_in_a_file_is_told_at_once(shop: time_machine.Traveller) -> None:
    bad = "- {name: a, kind: view, reply: '{x}'}\n- {name: b, hours: noon, reply: c}\n"
    done = CliRunner().invoke(caidan, ["reply", "add", "--file", "-"], input=bad)

    assert ["rules[0].kind", "rules[0].reply.content", "rules[1].hours"] == [
        line.removeprefix("Error: ").split(": ")[1] for line in done.stderr.splitlines()
    ]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (["--key", "A*", "--priority", "1"], ["--key", "AB"], "second never answers: first counts before it"),
        (["--key", "AB"], ["--key", "A*", "--priority", "1"], "first never answers: second counts before it"),
        (["--key", "A"], ["--key", "A"], "second never answers"),
        (["--key", "A", "--hours", "9-12"], ["--key", "A", "--hours", "11-13"], "second has the rank of first, and"),
        (["--key", "A"], [], "second: kinds: It matches every push"),
        (["--key", "A"], ["--key", "A", "--tag", "2"], "second: tag_id: WeChat does not tell a follower's tag."),
        (["--key", "A"], ["--key", "B", "--until", "2026-11-01"], "second: ends_at: It is over since"),
        (["--key", "A"], ["--keyword", "B", "--kind", "message_txt"], "second: kinds: The kind message_txt is unknown"),
    ],
)  # fmt: skip
def test_what_is_to_be_thought_of_is_said_and_the_rule_added(
    shop: time_machine.Traveller, first: list[str], second: list[str], words: str
) -> None:
    assert "" == added("first", *first, "--text", "1").stderr
    done = added("second", *second, "--text", "2")

    assert words in done.stderr
    assert 1 == len(done.stderr.splitlines())


def test_rules_that_overlap_by_the_hours_of_the_day_only_are_none_that_overlap(shop: time_machine.Traveller) -> None:
    added("open", "--key", "A", "--hours", "9-18", "--text", "1")

    assert "" == added("closed", "--key", "A", "--hours", "18-9", "--text", "2").stderr


def test_a_rule_that_another_hides_is_told_of_in_the_list(shop: time_machine.Traveller) -> None:
    added("first", "--key", "A", "--text", "1")
    added("second", "--key", "A", "--text", "1")

    assert "second never answers: first counts before it, and matches whenever it does.\n" == reply("list").stderr


def test_rules_that_doors_could_not_be_handed_are_refused(
    shop: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    added("small", "--key", "A", "--text", "1")
    monkeypatch.setattr(queues, "REPLIES_BYTES", 500)
    done = reply("add", "large", "--key", "B", "--text", "b" * 500)

    assert 4 == done.exit_code
    assert "doors are handed 500 at most" in done.stderr
    assert ["small"] == [one["name"] for one in told("list")]


def test_a_thousand_rules_go_in_at_once_and_to_the_doors(shop: time_machine.Traveller, tmp_path: Path) -> None:
    rules = [
        {"name": f"rule {number}", "kind": ["click"], "key": f"KEY_{number}", "reply": {"text": "您好，" * 100}}
        for number in range(1000)
    ]
    (tmp_path / "many.json").write_bytes(msgspec.json.encode(rules))
    done = added("--file", "many.json")

    assert 1000 == done.stdout.count("Added: ")
    assert "" == done.stderr


def test_a_push_is_tested(rules: time_machine.Traveller, push: str) -> None:
    added("--file", "rules.yaml")
    done = reply("test", push)

    assert done.stdout.startswith("2026-11-23 09:00:00  click STOCK\nRule stock answers:\n  STOCK: 在售\n")
    assert ["stock", "codes", "words", "quiet", "007"] == [
        line.split()[0] for line in done.stdout.splitlines()[6:] if line.strip()
    ]
    found = told("test", push)
    assert ("stock", {"text": "STOCK: 在售"}) == (found["rule"], found["reply"])
    assert "<Content><![CDATA[STOCK: 在售]]></Content>" in found["xml"]
    assert "<FromUserName><![CDATA[gh_0a1b2c3d4e5f]]></FromUserName>" in found["xml"]
    assert {
        "stock": "answers",
        "codes": "other_scan_code",
        "words": "other_keyword",
        "quiet": "other_kind",
        "007": "outranked",
    } == {one["name"]: one["reason"] for one in found["rules"]}


def test_a_push_is_tested_at_another_time(rules: time_machine.Traveller, push: str) -> None:
    added("--file", "rules.yaml")
    rules.shift(timedelta(hours=12))

    assert "stock" == told("test", push)["rule"]
    found = told("test", push, "--at", "now")
    assert "007" == found["rule"]
    assert "other_hours" == found["rules"][0]["reason"]


def test_rules_in_a_file_are_tested_without_a_database(tmp_path: Path, push: str) -> None:
    (tmp_path / "caidan.toml").write_text(FILE)
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")

    assert "stock" == told("test", push, "--rules", "rules.yaml")["rule"]
    assert not (tmp_path / "var" / "caidan.db").exists()


@pytest.mark.parametrize("kind", ["view", "LOCATION", "unsubscribe"])
def test_what_must_get_success_is_said_to(rules: time_machine.Traveller, kind: str) -> None:
    added("--file", "rules.yaml")
    xml = write_xml({**TAP, "Event": kind})
    done = CliRunner().invoke(caidan, ["reply", "test", "-"], input=xml)

    assert "No rule answers: WeChat is told success" in done.stdout
    assert 5 == done.stdout.count("pushes of this kind must not be answered")


def test_a_version_of_the_menu_is_asked_of_the_tables(shop: time_machine.Traveller, push: str) -> None:
    added("two", "--menu-version", "2", "--text", "2")
    before = told("test", push)

    def publish(connection: Any, account_id: int) -> None:
        claimed = publications.claim(connection, account_id, 2, "by_hand", now=NOW)
        assert publications.finish(connection, claimed, {}, NOW)

    in_database(publish)

    assert (None, "other_menu_version") == (before["rule"], before["rules"][0]["reason"])
    assert "two" == told("test", push)["rule"]


def test_an_encrypted_push_is_tested(rules: time_machine.Traveller, tmp_path: Path) -> None:
    key = "a" * 43
    with (tmp_path / "caidan.toml").open("a") as file:
        file.write(f'aes_key = "{key}"\n')
    added("--file", "rules.yaml")
    encrypt = crypto.encrypt(write_xml(TAP), crypto.decode_key(key), SHOP.app_id)
    (tmp_path / "push.xml").write_bytes(write_xml({"ToUserName": "gh_0a1b2c3d4e5f", "Encrypt": encrypt}))

    assert "stock" == told("test", "push.xml")["rule"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<xml>", "is no push that can be read: bad_xml"),
        (b"", "is no push that can be read: empty_body"),
        (b"<xml><a>b</a></xml>", "is no push: it has no MsgType"),
        (b"<xml><Encrypt>abc</Encrypt></xml>", "is no push that can be read: no_aes_key"),
    ],
)
def test_what_is_no_push_is_told(shop: time_machine.Traveller, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "push.xml").write_bytes(content)
    done = reply("test", "push.xml")

    assert 4 == done.exit_code
    assert words in done.stderr
    assert 3 == reply("test", "missing.xml").exit_code


def test_the_list_is_readable_in_chinese(rules: time_machine.Traveller) -> None:
    added("--file", "rules.yaml")
    done = run("--lang", "zh", "reply", "list")

    assert "周一" in done.stdout
    assert "默认：任意推送" in done.stdout
    assert "转给客服 anna@shop" in done.stdout
