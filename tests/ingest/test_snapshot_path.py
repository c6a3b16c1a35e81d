"""The whole way of an address, or of a rule: a worker, the queue of receipts, the publisher, a file, the door."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.account import account_ids
from models.db import connect, transaction
from models.reply import remove_rule, save_rule
from tests.ingest.conftest import APP_ID, SHOP, OpenGate
from tests.ingest.serving import ROOT, eventually
from tests.ingest.test_origins import STRANGER, WECHAT, send
from tests.ingest.test_publish import eventually_pending, running
from tests.platforms import Platform, platform_of
from tests.pushes import push
from tests.workers.settling import make_app
from wechat.parse import parse
from wechat.simulator.account import Account
from workers.queues import HAND_OUT_REPLIES, ROLLUPS, UPKEEP

SIMULATED = Account("shop", APP_ID, "unused", app_secret="0123456789abcdef0123456789abcdef")
OTHER = "9.9.9.9"


@pytest.fixture
def wechat() -> Iterator[Platform]:
    with platform_of(SIMULATED, followers=1) as platform:
        platform.load(platform.state() | {"callback_ips": [f"{WECHAT}/24", OTHER]})
        yield platform


@contextmanager
def working(folder: Path, platform: Platform, database_url: str, broker_url: str) -> Iterator[None]:
    own = {
        "DATA_DIR": str(folder),
        "API_BASE_URL": platform.url,
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "SECRET_KEY": "a key",
        "ACCOUNTS": json.dumps([SHOP | {"app_secret": SIMULATED.app_secret}]),
        "WORKER_PROCESSES": "1",
    }
    environment = os.environ | {f"CAIDAN_{name}": value for name, value in own.items()} | {"PYTHONPATH": str(ROOT)}
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.cli", "worker"], cwd=folder, env=environment, stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_addresses_reach_the_door_and_so_do_their_changes(
    tmp_path: Path, open_gate: OpenGate, wechat: Platform, sqlite_database_url: str, embedded_url: str
) -> None:
    gate, app = open_gate(settings={"foreign_pushes": "refuse"}), make_app(embedded_url)

    assert (200, b"success") == send(gate, STRANGER)

    with working(tmp_path, wechat, sqlite_database_url, embedded_url), running(tmp_path, embedded_url):
        assert eventually_pending(tmp_path, 0)
        eventually(lambda: (tmp_path / "snapshot.json").exists())
        assert (200, b"success") == send(gate, STRANGER)  # nobody has asked WeChat yet

        app.send_task("caidan.keep_addresses", queue=UPKEEP)  # as beat does
        eventually(lambda: 403 == send(gate, STRANGER)[0])

        assert [(200, b"success")] * 2 == [send(gate, WECHAT), send(gate, OTHER)]
        assert eventually_pending(tmp_path, 0)
    app.close()


def test_rules_reach_the_door_and_so_do_their_changes(
    tmp_path: Path, open_gate: OpenGate, wechat: Platform, sqlite_database_url: str, embedded_url: str
) -> None:
    gate, app, engine = open_gate(), make_app(embedded_url), connect(sqlite_database_url)
    rule = {"name": "stock", "timezone": "Asia/Shanghai", "key": {"text": "STOCK"}}
    with transaction(engine) as connection:
        account_id = account_ids(connection, {APP_ID: "shop"})[APP_ID]

    def reply() -> str:
        answer = gate.push(push(key="STOCK")).data
        return answer.decode() if answer == b"success" else str(parse(answer)[0]["Content"])

    def tell(content: str) -> None:
        with transaction(engine) as connection:
            given = rule | {"reply": {"type": "text", "content": content}}
            save_rule(connection, account_id, given, now=datetime.now(UTC))
        app.send_task(HAND_OUT_REPLIES, queue=ROLLUPS)  # as beat does, and whoever adds a rule

    with working(tmp_path, wechat, sqlite_database_url, embedded_url), running(tmp_path, embedded_url):
        assert "success" == reply()
        tell("有货")
        eventually(lambda: reply() == "有货")
        tell("卖完了")
        eventually(lambda: reply() == "卖完了")
        with transaction(engine) as connection:
            remove_rule(connection, account_id, "stock")
        app.send_task(HAND_OUT_REPLIES, queue=ROLLUPS)
        eventually(lambda: reply() == "success")
    app.close()
    engine.dispose()
