"""`caidan event …` and `caidan quarantine …` on a real database."""

import json
from datetime import UTC, datetime, timedelta

import pytest

import migrations
from models.config import Config, load
from models.db import connect
from tests.console.runner import run
from wechat.event import BATCH_VERSION, Addressee, Batch, Unreadable, read, unreadable_id
from workers.record import record

NOW = datetime.now(UTC).replace(microsecond=0)
RAW = b"<xml>\xff\x1b[2J" + bytes(5000)


def _push(age: timedelta, **fields: object) -> dict[str, object]:
    head = {"ToUserName": "gh_1", "FromUserName": "oAlice", "CreateTime": str(int((NOW - age).timestamp()))}
    return head | {"MsgType": "event"} | fields


PUSHES = (
    _push(timedelta(days=9), Event="CLICK", EventKey="OLD"),
    _push(timedelta(hours=2), Event="CLICK", EventKey="今日菜单"),
    _push(
        timedelta(hours=1),
        Event="scancode_push",
        EventKey="SCAN",
        ScanCodeInfo={"ScanType": "barcode", "ScanResult": "EAN_13,6911316223400"},
    ),
)


@pytest.fixture
def ids() -> list[str]:
    """The ids of three events, the oldest first; one push is in quarantine besides."""
    config = load(Config)
    account = config.accounts[0]
    addressee = Addressee(account.name, account.app_id)
    events = [read(push, addressee, NOW) for push in PUSHES]
    broken = Unreadable(unreadable_id(account.app_id, RAW), account.app_id, account.name, "not_utf8", RAW, NOW)
    engine = connect(config.database_url.get_secret_value())
    migrations.upgrade(engine)
    record(engine, Batch(BATCH_VERSION, "1", "receipts", [*events, broken]))
    engine.dispose()
    return [str(event.id) for event in events]


def test_events_are_listed_the_newest_first(ids: list[str]) -> None:
    listed = json.loads(run("event", "list", "--json").stdout)
    shown = json.loads(run("event", "show", ids[2], "--json").stdout)

    assert ids[::-1] == [event["id"] for event in listed]
    assert shown["event"] == listed[0]
    assert "publication_id" in listed[0]
    assert (NOW - timedelta(hours=1)).isoformat() == listed[0]["created_at"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--since", "7d"), [2, 1]),
        (("--until", "90m"), [1, 0]),
        (("--kind", "click"), [1, 0]),
        (("--limit", "1"), [2]),
        (("--account", "demo"), [2, 1, 0]),
    ],
)
def test_a_list_can_be_narrowed(ids: list[str], arguments: tuple[str, ...], expected: list[int]) -> None:
    listed = json.loads(run("event", "list", "--json", *arguments).stdout)

    assert [ids[index] for index in expected] == [event["id"] for event in listed]


def test_the_table_shows_times_of_the_accounts_zone(ids: list[str]) -> None:
    shown = run("event", "list")

    assert (NOW + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S") in shown.stdout
    assert "今日菜单" in shown.stdout


def test_an_event_is_shown_with_its_details(ids: list[str]) -> None:
    words, data = run("event", "show", ids[2]).stdout, json.loads(run("event", "show", ids[2], "--json").stdout)

    assert "6911316223400" in words
    assert [("EAN_13", "6911316223400")] == [(scan["symbology"], scan["code"]) for scan in data["details"]["scan"]]


def test_tail_shows_the_latest_and_ends_without_follow(ids: list[str]) -> None:
    lines = run("event", "tail", "--no-follow").stdout.splitlines()

    assert ["OLD", "今日菜单", "SCAN"] == [line.split()[-1] for line in lines]


def test_tail_ends_after_its_count(ids: list[str]) -> None:
    lines = run("event", "tail", "--count", "2", "--json").stdout.splitlines()

    assert ids[:2] == [json.loads(line)["id"] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("event", "show", "x"), 4, "'x' is no id"),
        (("event", "show", "0199a5c0-1e00-8a4b-9c3d-5e6f708192a3"), 3, "There is no event"),
        (("event", "list", "--since", "soon"), 4, "'soon' is no time"),
        (("event", "list", "--limit", "0"), 4, "--limit"),
        (("event", "list", "--account", "shop"), 3, "There is no account 'shop'; there is: demo"),
        (("quarantine", "show", "x"), 4, "'x' is no id"),
        (("quarantine", "show", "0199a5c0-1e00-8a4b-9c3d-5e6f708192a3"), 3, "nothing in quarantine"),
    ],
)
def test_what_is_not_there_and_what_is_wrong_have_exit_codes_of_their_own(
    ids: list[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    ended = run(*arguments)

    assert code == ended.exit_code
    assert words in ended.stderr
    assert "" == ended.stdout


def test_quarantine_is_listed_and_shown(ids: list[str]) -> None:
    listed = json.loads(run("quarantine", "list", "--json").stdout)
    shown = run("quarantine", "show", listed[0]["id"]).stdout

    assert ["not_utf8"] == [item["reason"] for item in listed]
    assert "3c 78 6d 6c 3e ff 1b" in shown
    assert "and 914 more bytes" in shown
    assert "\x1b" not in shown


def test_quarantine_as_json_has_all_bytes(ids: list[str]) -> None:
    listed = json.loads(run("quarantine", "list", "--json").stdout)
    shown = json.loads(run("quarantine", "show", listed[0]["id"], "--json").stdout)

    assert len(RAW) == len(shown["raw"]) // 4 * 3
