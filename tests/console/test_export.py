"""`caidan event export`: files, their manifests, and what is refused."""

import csv
import hashlib
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import migrations
from models.config import Config, load
from models.db import connect
from tests.console.runner import run
from tests.pushes import batch_of, event_of, push
from wechat.event import Addressee
from workers.record import record

NOW = int(datetime.now(UTC).timestamp())
SCAN = "<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN_13,1</ScanResult></ScanCodeInfo>"


@pytest.fixture(autouse=True)
def ids() -> list[str]:
    """Three events, the oldest first."""
    config = load(Config)
    account = Addressee(config.accounts[0].name, config.accounts[0].app_id)
    pushes = (
        push(key="=1+1", user="o1", at=NOW - 9 * 86400),
        push("scancode_push", key="今日", user="o2", at=NOW - 7200, more=SCAN),
        push("VIEW", user="o3", at=NOW - 60),
    )
    events = [event_of(message, account) for message in pushes]
    engine = connect(config.database_url.get_secret_value())
    migrations.upgrade(engine)
    record(engine, batch_of(*events))
    engine.dispose()
    return [str(event.id) for event in events]


def manifest(path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(path).read_text())
    return content


def test_a_file_and_its_manifest_tell_the_same(ids: list[str]) -> None:
    done = run("event", "export", "--output", "all.csv")

    content = Path("all.csv").read_bytes()
    told = manifest("all.csv.manifest.json")
    assert (0, "", "3 rows exported.\n") == (done.exit_code, done.stdout, done.stderr)
    assert ids == [row["id"] for row in csv.DictReader(io.StringIO(content.decode()))]
    assert (hashlib.sha256(content).hexdigest(), len(content), 3) == (told["sha256"], told["bytes"], told["rows"])
    assert ("all.csv", "event", "csv") == (told["file"], told["table"], told["format"])
    assert ["id", "created_at", "account_id"] == [column["name"] for column in told["columns"]][:3]
    assert {"account": None, "kind": None, "since": None, "until": None} == told["filter"]
    assert {"1": "demo"} == told["accounts"]
    assert told["program"].startswith("caidan ")
    assert datetime.now(UTC) - datetime.fromisoformat(told["made_at"]) < timedelta(minutes=5)
    assert {"all.csv", "all.csv.manifest.json", "var"} == {path.name for path in Path().iterdir()}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--since", "7d"), [1, 2]),
        (("--until", "1h"), [0, 1]),
        (("--kind", "view", "--account", "demo"), [2]),
        (("--table", "scan"), [1]),
        (("--table", "scan", "--since", "1h"), []),
    ],
)
def test_what_is_exported_can_be_chosen(ids: list[str], arguments: tuple[str, ...], expected: list[int]) -> None:
    done = run("event", "export", "--output", "some.ndjson", *arguments)

    lines = [json.loads(line) for line in Path("some.ndjson").read_text().splitlines()]
    told = manifest("some.ndjson.manifest.json")
    assert 0 == done.exit_code
    assert [ids[index] for index in expected] == [line.get("id") or line["event_id"] for line in lines]
    assert len(expected) == told["rows"]
    assert arguments[0] == "--table" or told["filter"][arguments[0].strip("-")]


def test_the_body_is_an_object_in_ndjson(ids: list[str]) -> None:
    done = run("event", "export", "--output", "-", "--format", "ndjson", "--kind", "scancode_push")

    line = json.loads(done.stdout)
    assert "EAN_13,1" == line["body"]["ScanCodeInfo"]["ScanResult"]
    assert line["created_at"].endswith("+00:00")


def test_to_standard_output_the_manifest_goes_elsewhere() -> None:
    done = run("event", "export", "--output", "-", "--format", "csv")
    quiet = run("event", "export", "--output", "-", "--format", "csv", "--manifest", "told.json")

    told = json.loads(done.stderr.rpartition("}")[0] + "}")
    assert 4 == len(done.stdout.splitlines())
    assert hashlib.sha256(done.stdout.encode()).hexdigest() == told["sha256"]
    assert (done.stdout, "3 rows exported.\n") == (quiet.stdout, quiet.stderr)
    assert told["sha256"] == manifest("told.json")["sha256"]


def test_parquet_is_written_whole() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")

    done = run("event", "export", "--output", "all.parquet")

    assert 0 == done.exit_code
    assert 3 == parquet.read_table("all.parquet").num_rows
    assert (
        hashlib.sha256(Path("all.parquet").read_bytes()).hexdigest() == manifest("all.parquet.manifest.json")["sha256"]
    )


def test_without_pyarrow_parquet_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    done = run("event", "export", "--output", "all.parquet")

    assert 2 == done.exit_code
    assert "pip install 'caidan[parquet]'" in done.stderr
    assert ["var"] == [path.name for path in Path().iterdir()]


def test_excel_gets_a_mark_and_no_formulas() -> None:
    run("event", "export", "--output", "bom.csv", "--bom")
    run("event", "export", "--output", "excel.csv", "--excel")

    assert Path("bom.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert ",=1+1," in Path("bom.csv").read_text()
    assert ",'=1+1," in Path("excel.csv").read_text()


def test_a_file_that_is_there_is_replaced_by_force_only() -> None:
    for name in ("all.csv", "all.csv.manifest.json"):
        Path(name).write_text("kept")
        refused = run("event", "export", "--output", "all.csv")
        assert 4 == refused.exit_code
        assert f"{name} is there already" in refused.stderr
        assert "kept" == Path(name).read_text()
        Path(name).unlink()
    Path("all.csv").write_text("old")

    assert 0 == run("event", "export", "--output", "all.csv", "--force").exit_code
    assert manifest("all.csv.manifest.json")["bytes"] == Path("all.csv").stat().st_size


def test_only_its_owner_may_read_it() -> None:
    run("event", "export", "--output", "all.csv")

    assert 0o600 == Path("all.csv").stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--output", "all"), 4, "Give --format"),
        (("--output", "-"), 4, "Give --format"),
        (("--output", "-", "--format", "parquet"), 4, "Parquet needs a file"),
        (("--output", "a.ndjson", "--bom"), 4, "for CSV only"),
        (("--output", "a.csv", "--table", "event", "--account", "shop"), 3, "There is no account 'shop'"),
        (("--output", "a.csv", "--since", "soon"), 4, "'soon' is no time"),
        (("--output", "nowhere/a.csv"), 2, "nowhere/a.csv cannot be written: No such file"),
        (("--output", "a.csv", "--manifest", "nowhere/m"), 2, "nowhere/m cannot be written"),
        ((), 4, "--output"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(arguments: tuple[str, ...], code: int, words: str) -> None:
    done = run("event", "export", *arguments)

    assert code == done.exit_code
    assert words in done.stderr
    assert "" == done.stdout
    assert {"var"} == {path.name for path in Path().iterdir()} - {"a.csv"}
