"""`caidan doctor`, with the simulated platform, real databases and brokers, and a running door."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from console import checks_door, checks_host, checks_roles, checks_stores
from ingest.journal_files import JournalStatus
from ingest.segment import SegmentReader, segments
from tests.console.runner import run
from tests.ingest.conftest import SHOP as OF_THE_DOOR
from tests.ingest.serving import serving
from tests.platforms import SHOP, Platform
from wechat.event import Event, decode_entry
from wechat.simulator.answer import understand

FILE = f"""
secret_key = "a secret key"

[[accounts]]
name = "shop"
app_id = "{SHOP.app_id}"
app_secret = "{SHOP.app_secret}"
token = "{SHOP.token}"
aes_key = "{SHOP.aes_key}"
original_id = "{SHOP.original_id}"
"""
MENU = {"button": [{"type": "click", "name": "a", "key": "A"}, {"type": "view", "name": "b", "url": "https://e.cn/"}]}


class Told:
    """What the doctor said."""

    def __init__(self, *arguments: str) -> None:
        ended = run("doctor", "--json", *arguments)
        self.exit_code, self.output = ended.exit_code, ended.output
        self.lines: list[dict[str, Any]] = json.loads(ended.stdout)

    def levels(self, check: str) -> list[str]:
        return [line["level"] for line in self.lines if line["check"] == check]

    def of(self, check: str, level: str) -> list[str]:
        """The messages, with the advice."""
        lines = [line for line in self.lines if (line["check"], line["level"]) == (check, level)]
        return [f"{line['message']} {line['advice']}".strip() for line in lines]

    def failures(self) -> set[str]:
        return {line["check"] for line in self.lines if line["level"] == "failure"}


@pytest.fixture
def installation(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    """The platform, and an installation with a database that asks it."""
    (tmp_path / "caidan.toml").write_text(FILE)
    (tmp_path / "caidan.toml").chmod(0o600)
    monkeypatch.setenv("CAIDAN_API_BASE_URL", platform.url)
    assert 0 == run("db", "upgrade").exit_code
    return platform


def test_each_line_says_how_it_is_and_what_to_do(installation: Platform) -> None:
    told = Told()

    assert all({"check", "account", "level", "message", "advice"} == set(line) for line in told.lines)
    assert all(line["advice"] for line in told.lines if line["level"] in ("failure", "warning"))
    assert ["fine"] == told.levels("token")
    assert ["fine"] == told.levels("clock")
    assert ["fine"] == told.levels("durability")
    assert "caidan.toml is closed to others." in told.of("files", "fine")
    assert {"fine"} == set(told.levels("quota"))
    assert 2 == len(told.levels("quota"))
    assert {"worker", "beat", "callback"} == told.failures()  # nothing runs, and no callback is entered
    assert 2 == told.exit_code


def test_no_secret_is_told(installation: Platform) -> None:
    told = [run("doctor", *more).output for more in ((), ("--json",), ("--lang", "zh"))]

    for secret in (SHOP.app_secret, SHOP.aes_key, "a secret key", installation.token()):
        assert secret
        assert not any(secret in output for output in told)


def test_people_see_lines_by_account_in_their_language(installation: Platform) -> None:
    english, chinese = run("doctor"), run("doctor", "--lang", "zh")

    assert "This installation" in english.stdout
    assert "Account shop" in english.stdout
    assert "✗ Worker" in " ".join(english.stdout.split())
    assert "Failures: 3;" in english.stdout
    assert "失败：3" in chinese.stdout
    assert "请" in chinese.stdout


def test_the_address_of_the_allow_list_is_named(installation: Platform) -> None:
    installation.holdings(allowed_ips=["10.0.0.1"])

    told = Told()

    (refused,) = told.of("token", "failure")
    assert "40164" in refused
    assert refused.endswith("Add 127.0.0.1 to the IP allow-list (IP 白名单) of the AppSecret in WeChat's console.")
    assert ["skipped"] == told.levels("menu")

    installation.holdings(allowed_ips=None)

    assert ["fine"] == Told().levels("token")  # at once, though a role would wait before it asks again


def test_it_ends_with_5_where_only_wechat_refuses(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setenv("CAIDAN_BROKER_URL", redis_url)  # so that worker and beat may be on other hosts
    refused = Told()
    installation.push_to("http://127.0.0.1:9/")
    reached = Told()

    assert ({"callback"}, 5) == (refused.failures(), refused.exit_code)
    assert (set(), 0) == (reached.failures(), reached.exit_code)
    assert 4 == len(reached.levels("callback"))


def test_carriers_are_drawn_as_a_table(installation: Platform) -> None:
    installation.push_to("http://127.0.0.1:9/")

    ended = run("doctor")

    rows = [line.split() for line in ended.stdout.splitlines()]
    assert ["From", "Address", "Network", "Lost", "Time", "Result"] in [row[-6:] for row in rows]
    assert {"CHINANET", "UNICOM", "CAP", "DEFAULT"} <= {word for row in rows for word in row}


def test_a_platform_that_is_down_is_one_failure_and_the_rest_is_skipped(
    installation: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIDAN_API_BASE_URL", "http://127.0.0.1:9")

    told = Told()

    assert ["failure"] == told.levels("token")
    assert ["skipped"] == told.levels("clock")
    assert ["skipped"] == told.levels("addresses")


def test_garbage_in_the_middle_is_a_line_of_its_own(installation: Platform) -> None:
    installation.fault("getcallbackip", garbage=True, status=502)

    told = Told()

    assert ["failure"] == told.levels("addresses")
    assert ["fine"] == told.levels("token")
    assert {"fine"} == set(told.levels("quota"))


def test_used_up_quotas_are_told(installation: Platform) -> None:
    installation.holdings(quota={"limits": {"cgi-bin/menu/create": 1}})
    installation.call("menu/create", MENU, token=installation.token())

    (used_up,) = Told().of("quota", "failure")

    assert used_up.startswith("/cgi-bin/menu/create: 1 of 1 calls used today.")


def test_a_token_that_somebody_else_replaced_is_told(installation: Platform) -> None:
    assert ["fine"] == Told().levels("token")
    installation.token(force_refresh=True)

    (told,) = Told().of("token", "warning")

    assert "Another program replaced the token under our hands, 1 times so far." in told


def test_an_account_without_app_secret_is_not_asked_about(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = FILE.replace(f'app_secret = "{SHOP.app_secret}"', "")
    (tmp_path / "caidan.toml").write_text(text)

    told = Told()

    assert ["skipped"] == told.levels("token")
    assert ["skipped"] == told.levels("menu")
    assert [] == installation.calls("stable_token") + installation.calls("menu/get")


def test_a_made_up_account_is_never_asked_about_at_wechat() -> None:
    told = Told()

    assert ["skipped"] == told.levels("token")
    assert ["skipped"] == told.levels("clock")
    assert "The account is made up" in told.of("configuration", "warning")[0]


def test_problems_of_the_configuration_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "caidan.toml").write_text('replay_windw = 1\nbind = "x"\n' + FILE)

    told = Told()

    assert ["failure", "failure"] == told.levels("configuration")
    assert 2 == len(told.lines)
    assert 2 == told.exit_code


def test_an_unknown_account_ends_with_3(installation: Platform) -> None:
    ended = run("doctor", "--account", "nobody")

    assert 3 == ended.exit_code
    assert "shop" in ended.stderr


def test_a_file_of_secrets_that_all_can_read_is_told(installation: Platform, tmp_path: Path) -> None:
    (tmp_path / "caidan.toml").chmod(0o644)

    (told,) = Told().of("files", "warning")

    assert told == "Anybody on this host can read the secrets in caidan.toml. chmod o-rwx caidan.toml"


def test_a_data_directory_that_cannot_be_written_to_is_told(
    monkeypatch: pytest.MonkeyPatch, installation: Platform, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CAIDAN_DATA_DIR", "file")

    assert "file cannot be written to (Not a directory)" in Told().of("files", "failure")[0]


@pytest.mark.parametrize(
    ("seconds", "window", "level"),
    [(2, 86400, "fine"), (-40, 86400, "warning"), (300, 300, "failure"), (90_000, 0, "warning")],
)
def test_a_clock_is_wrong_by_degrees(seconds: float, window: int, level: str) -> None:
    assert level == checks_host.skew(seconds, window).level


def test_a_clock_that_differs_is_told(installation: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(checks_host.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return checks_host.datetime.fromtimestamp(time.time() + 600, tz)

    monkeypatch.setattr(checks_host, "datetime", Ahead)

    assert ["warning"] == Told().levels("clock")


def test_a_database_without_tables_is_a_failure_and_what_needs_it_is_skipped(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAIDAN_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")

    told = Told()

    assert "caidan db upgrade" in told.of("database", "failure")[0]
    assert ["skipped"] == told.levels("durability")
    assert ["skipped"] == told.levels("token")


@pytest.mark.parametrize(
    ("fixture", "settings"),
    [
        ("postgresql_database_url", ["fsync is off", "full_page_writes is off"]),
        ("mariadb_database_url", ["innodb_flush_log_at_trx_commit is 0"]),
    ],
)
def test_a_database_that_may_lose_what_it_committed_is_told(
    installation: Platform,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    fixture: str,
    settings: list[str],
) -> None:
    monkeypatch.setenv("CAIDAN_DATABASE_URL", request.getfixturevalue(fixture))  # of a careless server

    told = Told()

    assert ["fine"] == told.levels("database")
    found = told.of("durability", "failure") + told.of("durability", "warning")
    assert settings == [text.partition(":")[0] for text in found]
    assert (["fine"] if "postgresql" in fixture else ["skipped"]) == told.levels("partitions")


def test_a_broker_that_is_down_is_told(installation: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_BROKER_URL", "redis://:hidden@127.0.0.1:9/0")

    told = Told()

    assert "The broker cannot be reached" in told.of("broker", "failure")[0]
    assert "hidden" not in told.output


def test_a_careless_redis_is_told(installation: Platform, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    from redis import Redis

    monkeypatch.setenv("CAIDAN_BROKER_URL", redis_url)
    careful = Told()
    with closing(Redis.from_url(redis_url)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            told = Told()
        finally:
            client.config_set("maxmemory-policy", "noeviction")

    assert ["fine"] == careful.levels("broker")
    assert "noeviction" in told.of("broker", "warning")[0]


def test_queues_of_rabbitmq_are_compared(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, rabbitmq_url: str
) -> None:
    from kombu import Connection

    from workers.queues import EVENTS, UPKEEP, work_queue

    monkeypatch.setenv("CAIDAN_BROKER_URL", rabbitmq_url)
    before = Told()
    with Connection(rabbitmq_url) as connection:
        channel = connection.default_channel
        work_queue(UPKEEP, rabbitmq_url)(channel).declare()
        channel.queue_declare(EVENTS, durable=True, auto_delete=False)
        told = Told()
        channel.queue_delete(EVENTS)

    assert ["fine", "skipped", "skipped"] == before.levels("broker")
    failures = told.of("broker", "failure")
    assert ["The queue events has other", "Nobody reads the queue events", "Nobody reads the queue upkeep"] == [
        " ".join(text.replace(";", "").split()[:5]) for text in failures
    ]


def test_partitions_that_are_not_ready_are_told() -> None:
    months = [date(2026, 11, 1), date(2026, 12, 1)]
    ready = {(table, month) for table in ("event", "scan") for month in months}

    (fine,), (missing,) = checks_stores.ahead(ready, months), checks_stores.ahead(ready - {("scan", months[1])}, months)

    assert ("fine", "warning") == (fine.level, missing.level)
    assert "Partitions are missing: scan 2026-12." in missing.message


@pytest.mark.parametrize(
    ("status", "body", "level", "words"),
    [
        (200, b"success", "fine", "stored as an event of the kind caidan_doctor"),
        (200, b"", "failure", "its bytes are in quarantine"),
        (200, b"<html>hello</html>", "failure", "HTTP 200."),
        (301, b"", "failure", "follows no redirects"),
        (403, b"outside_replay_window", "failure", "clock of the ingress"),
        (403, b"foreign_address", "skipped", "as foreign_pushes says"),
        (404, b"unknown_account", "failure", "does not know the account"),
        (503, b"journal_full", "failure", "HTTP 503 journal_full. Look whether the ingress runs"),
    ],
)
def test_the_answer_to_a_push_is_understood(status: int, body: bytes, level: str, words: str) -> None:
    finding = checks_door.accepted("security", status, body, understand(status, body, SHOP, "security"))

    assert level == finding.level
    assert words in f"{finding.message} {finding.advice}"


@pytest.mark.parametrize(("free", "level"), [(10 << 30, "fine"), (500 << 20, "warning"), (10 << 20, "failure")])
def test_a_disk_fills_up_by_degrees(free: int, level: str) -> None:
    assert level == checks_host.space(Path("var"), free, 64 << 20).level


@pytest.mark.parametrize(
    ("seconds", "limit", "running", "levels"),
    [
        (1, 1000, True, ["fine"]),
        (100, 1000, True, ["warning"]),
        (1000, 1000, True, ["failure"]),
        (1, 100, True, ["fine", "warning"]),
        (1, 1000, False, ["fine", "failure"]),
    ],
)
def test_a_journal_lags_by_degrees(seconds: float, limit: int, running: bool, levels: list[str]) -> None:
    found = JournalStatus([], 10, 5, 90, seconds, seconds, 0, running)

    assert levels == [finding.level for finding in checks_roles.kept(found, limit)]


@pytest.fixture
def published(installation: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A menu that Caidan has published."""
    from datetime import UTC, datetime

    from models import menu_versions, queries
    from models.config import Config, load
    from models.db import connect, transaction
    from wechat.client import Client
    from wechat.menu import digest, read, write
    from wechat.menu_shapes import definition_of
    from workers.api import Api
    from workers.publishing import Wanted, publish

    config = load(Config)
    engine = connect(config.database_url.get_secret_value())
    menu = read(definition_of(MENU))
    with transaction(engine) as connection:
        account = queries.account_id(connection, "shop")
        assert account
        menu_versions.save_version(connection, account, write(menu), digest(menu), now=datetime.now(UTC))
        version = menu_versions.version(connection, account)
    assert version
    with Client(config.api_base_url) as client:
        publish(
            engine,
            Api(engine, client, config.accounts[0], config.secret_key),
            Wanted(account, version.id, menu, "manual"),
        )
    yield installation
    engine.dispose()


def test_the_live_menu_is_compared_with_the_published_one(published: Platform) -> None:
    same = Told().of("menu", "fine")
    published.call("menu/create", {"button": MENU["button"][:1]}, token=published.token())
    changed = Told().of("menu", "failure")
    published.console_menu([{"type": "text", "name": "t", "value": "Hi"}])
    replaced = Told()
    published.call("menu/delete", token=published.token())

    assert "The live menu is version 1, as published." in same
    assert "somebody changed it elsewhere" in changed[0]
    assert "A menu made in WeChat's console has replaced version 1." in replaced.of("menu", "failure")[0]
    assert "t (text)" in replaced.of("menu", "warning")[0]
    assert "There is no menu; version 1 was published." in Told().of("menu", "failure")[0]


def test_buttons_that_push_nothing_are_named(installation: Platform) -> None:
    quiet = {"type": "media_id", "name": "quiet", "media_id": "m"}
    below = {"name": "more", "sub_button": [quiet, MENU["button"][0]]}
    installation.call("menu/create", {"button": [below]}, token=installation.token())

    told = Told()

    assert any("quiet (media_id)" in text for text in told.of("menu", "warning"))
    assert not any("a (click)" in text for text in told.of("menu", "warning"))


@pytest.mark.parametrize("mode", ["refuse", "count"])
def test_the_list_of_the_door_is_compared_with_wechats(
    installation: Platform, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("CAIDAN_FOREIGN_PUSHES", mode)
    none = Told()
    made_at = "2026-01-01T00:00:00Z"
    snapshot = {"revision": 1, "made_at": made_at, "callback_addresses": {SHOP.app_id: ["10.0.0.1"]}}
    Path("var/snapshot.json").write_text(json.dumps(snapshot))
    old = Told()

    assert ("foreign_pushes = 'refuse' does nothing" in " ".join(none.of("addresses", "warning"))) == (mode == "refuse")
    unknown = old.of("addresses", "failure" if mode == "refuse" else "warning")
    assert "The door of this host does not know:" in unknown[-1]
    assert any("hours old" in text for text in old.of("addresses", "warning"))


def test_a_journal_that_waits_and_no_publisher_is_told(installation: Platform) -> None:
    from ingest.journal import Journal
    from wechat.event import encode

    journal = Journal(Path("var/journal"), 1 << 30)
    event = decode_entry(
        b'{"type":"event","id":"0199a5c0-1e00-8a4b-9c3d-5e6f708192a3","app_id":"a","account":"shop","kind":"click",'
        b'"created_at":"2026-01-01T00:00:00Z","received_at":"2026-01-01T00:00:00Z"}'
    )
    journal.append(encode(event))
    Path("var/journal/damaged").mkdir()
    Path("var/journal/damaged/x.journal").touch()

    told = Told()

    assert "Pushes that are not in the tables yet: 1;" in told.of("journal", "fine")[0]
    assert "No publisher runs" in told.of("journal", "failure")[0]
    assert "x.journal" in told.of("journal", "warning")[0]


def test_signs_of_life_are_heard(installation: Platform) -> None:
    import subprocess
    import sys

    Path("var/beat").touch()
    Path("var/worker").mkdir()
    hold = (
        "import fcntl, sys; f = open('var/worker/00', 'wb'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        alive = Told()
        os.utime("var/worker/00", (0, time.time() - 3600))
        os.utime("var/beat", (0, time.time() - 3600))
        silent = Told()
        holder.communicate(b"\n")

    assert (["fine"], ["fine"]) == (alive.levels("worker"), alive.levels("beat"))
    assert "no sign of life" in silent.of("worker", "failure")[0]
    assert ["failure"] == silent.levels("beat")


def test_a_push_goes_round_through_the_public_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(tmp_path) as door:
        monkeypatch.setenv("CAIDAN_CONFIG", str(tmp_path / "caidan.toml"))
        told = Told("--url", f"http://127.0.0.1:{door.port}")
        beside = Told("--url", f"http://127.0.0.1:{door.port}/wechat/cafe")
        stored = _kinds(door.journal)
        wrong = (tmp_path / "caidan.toml").read_text().replace(OF_THE_DOOR["token"], "other")
        (tmp_path / "wrong.toml").write_text(wrong)
        monkeypatch.setenv("CAIDAN_CONFIG", str(tmp_path / "wrong.toml"))
        refused = Told("--url", f"http://127.0.0.1:{door.port}")
        elsewhere = Told("--url", f"http://127.0.0.1:{door.port}/prefix")

    assert ["fine", "fine", "fine"] == told.levels("round trip")[1:]  # the first says that the port is not WeChat's
    assert ["fine", "fine", "fine"] == beside.levels("round trip")[1:]
    assert ["caidan_doctor"] * 4 == stored
    assert ["failure", "failure", "failure"] == refused.levels("round trip")[1:]
    assert "HTTP 403 bad_signature" in refused.of("round trip", "failure")[0]
    assert "HTTP 404" in elsewhere.of("round trip", "failure")[0]


def test_a_url_that_is_not_there_is_told(installation: Platform) -> None:
    (told,) = Told("--url", "http://127.0.0.1:9").of("round trip", "failure")

    assert told.startswith("http://127.0.0.1:9/wechat/shop cannot be reached")
    assert 4 == run("doctor", "--url", "your.name").exit_code


def test_a_check_that_crashes_or_hangs_is_a_failure_of_its_own() -> None:
    from console.checks import Finding, asked

    def crash() -> list[Finding]:
        raise ValueError("a secret")

    (crashed,), (late,) = asked("x", crash), asked("x", lambda: time.sleep(1) or [], seconds=0.05)  # type: ignore[func-returns-value]

    assert "The check itself failed (ValueError)." == crashed.finding.message
    assert "No answer within" in late.finding.message


def _kinds(journal: Path) -> list[str]:
    found = []
    for file in segments(journal):
        with closing(SegmentReader(file)) as reader:
            entries = [decode_entry(entry.content) for entry in reader.after(0, 1000)]
        found += [entry.kind for entry in entries if isinstance(entry, Event)]
    return found
