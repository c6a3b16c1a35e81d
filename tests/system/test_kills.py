"""Whoever is killed, whatever was acknowledged is in the tables, once."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.system.conftest import Installation, wait_until

COUNT = 20_000
RATE = 800  # a second, so that all kills happen under flow
WORKER, INGRESS, SERVER = "console.cli worker --only=events", "console.cli ingest", "ingest.serve"


@pytest.mark.timeout(400)
def test_every_acknowledged_push_is_in_the_tables_once_however_often_processes_are_killed(
    installation: Installation,
) -> None:
    ledger = installation.directory / "ledger.ndjson"
    options = f"--account demo --count {COUNT} --rate {RATE} --threads 32 --repeat 0.1 --until-acknowledged --seed 7"
    command = [
        sys.executable,
        "-m",
        "console.cli",
        "simulate",
        installation.url,
        *options.split(),
        "--ledger",
        str(ledger),
    ]
    simulator = subprocess.Popen(command, cwd=installation.directory, env=installation.environment)
    killed = threading.Thread(target=_kill, args=(installation, simulator))
    killed.start()

    assert simulator.wait(180) == 0

    killed.join()
    assert 7 == installation.log().count("ended (SIGKILL)")
    wait_until(installation.is_settled, 120)
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    acknowledged = sorted({line["id"].replace("-", "") for line in lines if line["answer"] == "success"})
    stored = [row[0].lower() for row in installation.rows("SELECT hex(id) FROM event ORDER BY hex(id)")]
    assert len(lines) > COUNT
    assert acknowledged == stored
    assert [] == installation.rows("SELECT * FROM quarantine")


def _kill(installation: Installation, simulator: "subprocess.Popen[bytes]") -> None:
    """The worker five times; the ingress as a whole, and its server alone."""
    for victim in itertools.chain([WORKER, INGRESS, WORKER, SERVER], [WORKER] * 3):
        time.sleep(3)
        assert simulator.poll() is None
        wait_until(lambda victim=victim: installation.processes(victim) != [], 10)  # type: ignore[misc]
        os.kill(installation.processes(victim)[0], signal.SIGKILL)
