"""`caidan demo --once`, small: the whole pipeline in processes of its own."""

import json
import subprocess
import sys
from pathlib import Path

from console.outcome import Outcome, Tables, compare
from models.summary import PhotoTotals
from wechat.simulator.ledger import Line, encode
from wechat.simulator.report import Report

SENT = (
    Line("a", "success", 0.001, "click"),
    Line("a", "success", 0.002, "click", repeat=True),
    Line("b", "success", 0.003, "view"),
)


def _demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "console.cli", "demo", "--once", "--pushes", "200", "--seconds", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def test_ledger_and_tables_agree_in_an_empty_folder_and_in_a_used_one(tmp_path: Path) -> None:
    first, second = _demo("--json"), _demo("--lang", "zh")

    assert (0, 0) == (first.returncode, second.returncode), first.stderr + second.stderr
    figures = json.loads(first.stdout)
    assert (240, 240) == (figures["sent"], figures["stored"])
    assert figures["history"]["repeats"] + figures["live"]["repeats"] == figures["duplicates_dropped"]
    assert "240 = 240" in second.stdout
    assert "各类事件" in second.stdout
    assert (tmp_path / "var" / "demo" / "caidan.db").exists()


def test_a_folder_with_a_configuration_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "demo"
    folder.mkdir(parents=True)
    (folder / "caidan.toml").touch()

    refused = _demo()

    assert 2 == refused.returncode
    assert "needs a folder of its own" in refused.stderr


def _outcome(tmp_path: Path, stored: list[str]) -> Outcome:
    ledger = tmp_path / "ledger.ndjson"
    ledger.write_bytes(b"".join(encode(line) + b"\n" for line in SENT))
    history = Report()
    for line in SENT:
        history.add(line)
    comparison = compare(ledger, stored, before={"earlier"})
    return Outcome(history, Report(), comparison, Tables([], [], [], PhotoTotals(0, 0, 0), []))


def test_a_repeat_is_a_duplicate_and_what_was_there_before_does_not_count(tmp_path: Path) -> None:
    outcome = _outcome(tmp_path, ["earlier", "a", "b"])

    assert [] == list(outcome.differences())
    assert (True, 2, 1) == (outcome.is_fine, outcome.stored, outcome.duplicates)


def test_what_differs_is_named(tmp_path: Path) -> None:
    outcome = _outcome(tmp_path, ["a", "c"])

    assert not outcome.is_fine
    assert [
        "1 events were acknowledged and are not in the tables: b",
        "1 events are in the tables and were never sent: c",
    ] == list(outcome.differences())
