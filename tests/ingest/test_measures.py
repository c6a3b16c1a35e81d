"""What `/metrics` tells of a server and a publisher that run, each as processes of their own."""

import ast
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Queue
from prometheus_client.parser import text_string_to_metric_families

from ingest import metrics
from ingest.measures import VARIABLE, share_measures
from tests.ingest.serving import ROOT, Serving, eventually, serving
from tests.servers import free_port
from wechat.event import decode_batch
from workers.queues import EVENTS, TAP_CASES, Role, connect

OWN = {family.name for family in metrics.REGISTRY.collect() if not family.name.endswith("_created")}


def told(server: Serving) -> dict[str, dict[tuple[str, ...], float]]:
    """The values by name and labels."""
    families = text_string_to_metric_families(server.get("/metrics"))
    samples = [sample for family in families for sample in family.samples]
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for sample in samples:
        found.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def value(server: Serving, name: str) -> float:
    return told(server)[name][()]


def undeclared(text: str) -> set[str]:
    return {family.name for family in text_string_to_metric_families(text)} - OWN


@contextmanager
def publishing(folder: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    given = {"CAIDAN_CONFIG": "caidan.toml", "CAIDAN_DATA_DIR": "var", VARIABLE: str(folder / "measures")} | settings
    command = [sys.executable, "-m", "ingest.publish"]
    with (folder / "publisher.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)} | given, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    (tmp_path / "measures").mkdir()
    with serving(tmp_path, **{VARIABLE: str(tmp_path / "measures")}) as running:
        yield running


def receipt_first_batch(url: str) -> None:
    """As a worker would, once the tables have it."""
    with connect(url, Role.WORKER) as connection:
        message = next(filter(None, iter(Queue(EVENTS)(connection.default_channel).get, ...)))
        message.ack()
        batch = decode_batch(message.payload[0][0])
        with connection.Producer() as producer:
            receipt = {"batch": batch.id, "taps": {"live": 17, "unknown": 3, "of_tomorrow": 5}}
            producer.publish(receipt, exchange="", routing_key=batch.receipts, serializer="json")


async def send(server: Serving) -> None:
    await asyncio.gather(*(server.push(f"key-{number}") for number in range(20)), server.push("x", "nobody"))


def test_everything_declared_is_told_after_traffic_and_nothing_else(server: Serving, tmp_path: Path) -> None:
    url = f"caidan+sqlite:///{tmp_path / 'broker.db'}"
    asyncio.run(send(server))
    with publishing(tmp_path, CAIDAN_BROKER_URL=f"redis://127.0.0.1:{free_port()}/0"):
        eventually(lambda: "caidan_broker_failures_total" in told(server))
    waiting = told(server)
    with publishing(tmp_path, CAIDAN_BROKER_URL=url):
        eventually(lambda: value(server, "caidan_batches_unreceipted") == 1)
        on_its_way = told(server)
        receipt_first_batch(url)
        eventually(lambda: value(server, "caidan_receipts_total") == 1)
        eventually(lambda: value(server, "caidan_journal_pending") == 0)
        done = told(server)

    assert set() == undeclared(server.get("/metrics"))
    # No push here names another recipient, or has a rule for a reply; a counter with labels begins with the first.
    untold = {"caidan_other_recipients", "caidan_replies"}
    assert OWN - untold <= {name for name in OWN for key in done if key.startswith(name)}
    assert (20, 0) == (waiting["caidan_journal_pending"][()], on_its_way["caidan_publisher_lag_seconds"][()])
    assert waiting["caidan_publisher_lag_seconds"][()] > 0 < on_its_way["caidan_journal_oldest_pending_seconds"][()]
    assert (0, 0) == (done["caidan_batches_unreceipted"][()], done["caidan_journal_oldest_pending_seconds"][()])
    assert (1, 20) == (done["caidan_batch_size_count"][()], done["caidan_batch_size_sum"][()])
    assert {("shop", "plain", "accepted"): 20, ("unknown", "unknown", "unknown_account"): 1} == done[
        "caidan_pushes_total"
    ]
    assert 0 < sum(done["caidan_broker_failures_total"].values())
    assert done["caidan_journal_bytes"][()] > 0 == done["caidan_batches_repeated_total"][()]
    taps = done["caidan_taps_attributed_total"]
    assert {("live",): 17, ("unknown",): 3} == {case: count for case, count in taps.items() if count}
    assert {(case,) for case in TAP_CASES} == set(taps)


def test_whether_a_publisher_runs_is_told_even_when_it_was_killed(server: Serving, tmp_path: Path) -> None:
    with publishing(tmp_path, CAIDAN_BROKER_URL=f"caidan+sqlite:///{tmp_path / 'broker.db'}") as publisher:
        eventually(lambda: value(server, "caidan_publisher_running") == 1)
        publisher.kill()
        publisher.wait()

        assert 0 == value(server, "caidan_publisher_running")


def test_a_process_that_has_just_begun_spoils_nothing(server: Serving, tmp_path: Path) -> None:
    (tmp_path / "measures" / "counter_1.db").touch()

    assert 0 == value(server, "caidan_receipts_total")


def test_a_measure_that_is_not_declared_would_be_noticed() -> None:
    text = "# HELP caidan_secret Not declared\n# TYPE caidan_secret gauge\ncaidan_secret 1.0\n"

    assert {"caidan_secret"} == undeclared(text)


def test_measures_are_declared_in_one_file() -> None:
    sources = {
        path: ast.parse(path.read_text()) for room in ("ingest", "workers") for path in (ROOT / room).glob("*.py")
    }

    assert {ROOT / "ingest/metrics.py"} == {
        path
        for path, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prometheus_client")
    }


def test_every_start_counts_anew_unless_another_process_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/counter_1.db").touch()

    shared = share_measures(tmp_path)
    monkeypatch.setenv(VARIABLE, shared[VARIABLE])

    assert {VARIABLE: str(tmp_path / "metrics")} == shared
    assert [] == list((tmp_path / "metrics").iterdir())
    assert {} == share_measures(tmp_path)
