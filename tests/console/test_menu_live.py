"""The menu verbs that ask WeChat, with the simulated platform."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, insert

from console.cli import caidan
from models import publications
from models.account import account_ids
from models.db import connect, transaction
from models.drift import note_drift
from models.event import Event
from tests.console.runner import run
from tests.platforms import SHOP, Platform, platform_of
from workers import publishing

FILE = f"""
secret_key = "a secret key"

[[accounts]]
name = "shop"
app_id = "{SHOP.app_id}"
app_secret = "{SHOP.app_secret}"
token = "{SHOP.token}"
"""
MENU = """\
buttons:
- {{name: {name}, key: SONG}}
personal:
- match: {{tag: 2}}
  buttons:
  - {{name: 会员, key: VIP}}
"""
WRITES = ("menu/create", "menu/addconditional", "menu/delconditional", "menu/delete")


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path) -> Iterator[Platform]:
    """The platform, and an installation with a database that asks it and has two versions of a menu."""
    monkeypatch.setattr(publishing, "PAUSES", (0.0, 0.0, 0.0, 0.0))
    (tmp_path / "caidan.toml").write_text(FILE)
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "caidan.db")
    with platform_of(SHOP) as running:
        monkeypatch.setenv("CAIDAN_API_BASE_URL", running.url)
        for name in ("一", "二"):
            save(MENU.format(name=name))
        yield running


def save(text: str) -> None:
    Path("menu.yaml").write_text(text, encoding="utf-8")
    assert 0 == run("menu", "save", "menu.yaml").exit_code


def names(platform: Platform) -> list[str]:
    """The buttons of the default menu, as the platform has them."""
    menu = platform.holdings()["menu"]
    return [button["name"] for button in menu["button"]] if menu else []


def writes(platform: Platform) -> int:
    return sum(len(platform.calls(call)) for call in WRITES)


def in_database(act: Callable[[Connection, int], object]) -> None:
    engine = connect("sqlite:///var/caidan.db")
    with transaction(engine) as connection:
        act(connection, account_ids(connection, {SHOP.app_id: "shop"})[SHOP.app_id])
    engine.dispose()


def told(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_a_version_is_published_after_its_plan_is_told(platform: Platform) -> None:
    done = run("menu", "publish", "1")

    assert 0 == done.exit_code, done.output
    assert ["一"] == names(platform)
    lines = done.stdout.splitlines()
    assert "No menu is live." == lines[0]
    assert "2 calls:" in lines
    assert "  1. menu/create puts the default menu in its place." in lines
    assert "  2. menu/addconditional adds: Personalised menu for tag 2" in lines
    assert lines[-1].startswith("Version 1 of shop is live.")
    assert "2/2" in done.stderr


def test_the_plan_says_what_changes_for_followers(platform: Platform) -> None:
    run("menu", "publish", "1")
    before = writes(platform)
    done = run("menu", "publish", "2", "--dry-run")

    assert 0 == done.exit_code
    assert "一 is now called 二" in done.stdout
    assert "1 call:" in done.stdout
    assert (before, ["一"]) == (writes(platform), names(platform))
    assert [False, True] == [row["is_live"] for row in told("menu", "list")]


def test_what_is_live_is_not_published_again(platform: Platform) -> None:
    run("menu", "publish", "1")
    before = writes(platform)
    done = run("menu", "publish", "1")

    assert 0 == done.exit_code
    assert "Nothing to do: version 1 is live.\n" == done.stdout
    assert before == writes(platform)


def test_a_version_that_is_live_and_not_published_by_caidan_is_written_down(platform: Platform) -> None:
    token = platform.token()
    platform.call("menu/create", {"button": [{"name": "x", "type": "click", "key": "x"}]}, token=token)
    before = writes(platform)
    imported = told("menu", "import")
    done = run("menu", "publish", str(imported["version"]))

    assert 3 == imported["version"]
    assert "written down as published" in done.stdout
    assert before == writes(platform)
    assert [True, False, False] == [row["is_live"] for row in told("menu", "list")]


def test_as_json_it_tells_all(platform: Platform) -> None:
    found = told("menu", "publish", "1")

    assert ("shop", 1, True) == (found["account"], found["version"], found["differs"])
    assert ["create", "add"] == [call["call"] for call in found["calls"]] == [call["call"] for call in found["plan"]]
    assert found["publication"]


def test_a_refusal_ends_with_5_and_leaves_the_former_menu(platform: Platform) -> None:
    run("menu", "publish", "1")
    platform.fault("menu/create", errcode=48001)
    refused = run("menu", "publish", "2")

    assert 5 == refused.exit_code
    assert "48001" in refused.stderr
    assert "menu not published" not in refused.stderr
    assert ["一"] == names(platform)


def test_a_platform_that_is_not_reached_ends_with_2(platform: Platform) -> None:
    run("menu", "publish", "1")
    platform.fault("menu/get", drop=True)

    assert 2 == run("menu", "publish", "2").exit_code


def test_who_publishes_at_the_same_time_is_told(platform: Platform) -> None:
    in_database(lambda connection, account: publications.claim(connection, account, 1, "publish", datetime.now(UTC)))
    done = run("menu", "publish", "2")

    assert 6 == done.exit_code
    assert "Somebody else has been publishing for shop since" in done.stderr
    assert 0 == writes(platform)


def test_a_menu_that_wechat_would_refuse_is_not_published(platform: Platform) -> None:
    platform.console_menu([{"type": "text", "name": "t", "value": "Hi"}])
    imported = run("menu", "import")
    run("menu", "publish", "1")
    before = writes(platform)
    refused = run("menu", "publish", "3")

    assert "Saved as version 3." in imported.stdout
    assert "made in WeChat's console" in imported.stderr
    assert "not published as it is" in imported.stderr
    assert 4 == refused.exit_code
    assert "Version 3 is not published" in refused.stderr
    assert before == writes(platform)


def test_a_menu_of_the_console_is_replaced_and_that_is_said(platform: Platform) -> None:
    platform.console_menu([{"name": "p", "sub_button": {"list": [{"type": "text", "name": "t", "value": "Hi"}]}}])
    done = run("menu", "publish", "1")

    assert "made in WeChat's console; it is replaced" in done.stdout
    assert "- t" in done.stdout
    assert ["一"] == names(platform)


def test_rollback_publishes_the_version_before(platform: Platform) -> None:
    nothing = run("menu", "rollback")
    for version in ("1", "2"):
        run("menu", "publish", version)
    done = run("menu", "rollback")
    chosen = run("menu", "rollback", "2")

    assert 3 == nothing.exit_code
    assert "Version 1 of shop is live." in done.stdout
    assert "Version 2 of shop is live." in chosen.stdout
    assert ["二"] == names(platform)

    def causes(connection: Connection, account: int) -> None:
        found = [row.cause for row in publications.publications(connection, account)]
        assert ["rollback", "rollback", "publish", "publish"] == found

    in_database(causes)


def test_what_is_live_is_imported_once(platform: Platform) -> None:
    nothing = run("menu", "import")
    run("menu", "publish", "2")
    dry, again = told("menu", "import", "--dry-run"), told("menu", "import")

    assert 3 == nothing.exit_code
    assert "shop has no menu at WeChat." in nothing.stderr
    assert (2, False, "api") == (dry["version"], dry["is_new"], dry["source"])
    assert (2, False) == (again["version"], again["is_new"])


def test_the_live_menu_can_be_compared(platform: Platform) -> None:
    nothing = run("menu", "diff", "live", "1")
    run("menu", "publish", "1")
    same, other, latest = (
        run("menu", "diff", "1", "live"),
        run("menu", "diff", "live", "2"),
        run("menu", "diff", "live"),
    )

    assert 3 == nothing.exit_code
    assert (0, 6, 6) == (same.exit_code, other.exit_code, latest.exit_code)
    assert "一 is now called 二" in other.stdout
    assert "二 is now called 一" in latest.stdout


def test_what_wechat_does_not_keep_is_no_difference_to_the_live_menu(platform: Platform) -> None:
    save("buttons:\n- {name: x, key: x, note: ours}\n")
    run("menu", "publish", "3")

    assert 0 == run("menu", "diff", "3", "live").exit_code
    assert "Nothing to do" in run("menu", "publish", "3").stdout


def test_list_tells_of_a_menu_that_was_changed_elsewhere(platform: Platform) -> None:
    run("menu", "publish", "1")
    in_database(lambda connection, account: note_drift(connection, account, 1, "abc", datetime.now(UTC)))

    assert "caidan menu diff 1 live --account shop" in run("menu", "list").stderr

    run("menu", "publish", "2")

    assert "changed elsewhere" not in run("menu", "list").stderr


def test_match_tells_who_sees_which_menu(platform: Platform) -> None:
    run("menu", "publish", "1")
    followers = [{"open_id": "oVip-0001", "tags": [2]}, {"open_id": "oNone-0002", "tags": []}]
    platform.followers(*followers)
    given = ("menu", "match", "--open-id", "oVip-0001", "--open-id", "oNone-0002", "--open-id", "oNobody")
    shown, found = run(*given), told(*given)

    assert 0 == shown.exit_code
    assert "oVip-0001" in shown.stdout
    assert [["oNone-0002"], ["oVip-0001"]] == [one["open_ids"] for one in found["menus"]]
    assert [["menu"], ["conditionalmenu[0]"]] == [one["places"] for one in found["menus"]]
    assert ["oNobody"] == found["no_follower"]


def test_match_reads_openids_from_a_pipe(platform: Platform) -> None:
    run("menu", "publish", "1")
    platform.followers({"open_id": "oVip-0001", "tags": [2]})
    done = CliRunner().invoke(caidan, ["menu", "match", "--open-id", "-", "--json"], input="oVip-0001\n\noVip-0001\n")

    assert ["oVip-0001"] == json.loads(done.stdout)["menus"][1]["open_ids"]


def test_match_takes_a_sample_of_those_who_did_something_lately(platform: Platform) -> None:
    nobody = run("menu", "match")
    run("menu", "publish", "1")
    platform.followers(*({"open_id": f"oFollower-{n}", "tags": []} for n in range(4)))
    kinds = ["click", "view", "unsubscribe", "click", "click"]
    openids = ["oFollower-0", "oFollower-0", "oFollower-1", "oFollower-2", "oFollower-3"]

    def acted(connection: Connection, account: int) -> None:
        now = datetime.now(UTC)
        rows = [
            {"id": uuid4(), "account_id": account, "kind": kind, "open_id": openid, "created_at": now - timedelta(n)}
            for n, (kind, openid) in enumerate(zip(kinds, openids, strict=True))
        ]
        connection.execute(insert(Event), [row | {"received_at": now, "recorded_at": now} for row in rows])

    in_database(acted)
    shown = run("menu", "match")

    assert 3 == nobody.exit_code
    assert ["oFollower-0", "oFollower-2"] == told("menu", "match", "--sample", "2")["menus"][0]["open_ids"]
    assert "oFo…r-0 oFo…r-2 oFo…r-3" in shown.stdout
    assert "oFollower" not in shown.output


def test_menus_that_look_alike_are_told_together(platform: Platform) -> None:
    save(MENU.format(name="三") + "- match: {platform: ios}\n  buttons:\n  - {name: 会员, key: VIP}\n")
    run("menu", "publish", "3")
    platform.followers({"open_id": "oVip-0001", "tags": [2]})
    found = told("menu", "match", "--open-id", "oVip-0001")

    assert ["conditionalmenu[0]", "conditionalmenu[1]"] == found["menus"][1]["places"]
