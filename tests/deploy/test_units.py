"""The systemd units run verbs that exist, each with an environment of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from console.cli import caidan
from models.db import GRACE_SECONDS, STATEMENT_SECONDS
from workers.health import LOOK_EVERY

UNITS = Path(__file__).parents[2] / "deploy/systemd"
SERVICES = sorted(UNITS.glob("*.service"))


def values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_unit_runs_a_verb_that_exists(unit: Path) -> None:
    (command,) = values(unit, "ExecStart")

    assert command.split()[1] in caidan.list_commands(click.Context(caidan))


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_unit_is_started_again_whatever_happens(unit: Path) -> None:
    assert ["always"] == values(unit, "Restart")
    assert ["0"] == values(unit, "StartLimitIntervalSec")


def test_every_unit_has_an_environment_file_of_its_own() -> None:
    files = [file for unit in SERVICES for file in values(unit, "EnvironmentFile")]

    assert len(SERVICES) == len(set(files))


def test_the_ingress_is_another_user_with_another_configuration() -> None:
    ingress, worker = UNITS / "caidan-ingest.service", UNITS / "caidan-worker.service"

    assert values(ingress, "User") != values(worker, "User")
    assert "/etc/caidan/caidan.toml" not in ingress.read_text()


def test_a_busy_worker_has_time_to_finish() -> None:
    assert ["90"] == values(UNITS / "caidan-worker.service", "TimeoutStopSec")


def test_a_worker_that_is_starting_or_waits_for_a_statement_is_not_taken_for_dead() -> None:
    (seconds,) = values(UNITS / "caidan-worker.service", "WatchdogSec")

    assert STATEMENT_SECONDS + GRACE_SECONDS + 10 * LOOK_EVERY < int(seconds)


def test_the_target_wants_every_service_but_the_one_that_is_added_where_it_is_wanted() -> None:
    (wanted,) = values(UNITS / "caidan.target", "Wants")

    assert {unit.name for unit in SERVICES} - {"caidan-console.service"} == set(wanted.split())
    assert all(["caidan.target"] == values(unit, "WantedBy") for unit in SERVICES)


def test_every_unit_is_locked_in_alike() -> None:
    locked = {unit.name: unit.read_text().split("NoNewPrivileges")[1].split("[Install]")[0] for unit in SERVICES}

    assert 1 == len(set(locked.values()))
    assert 4 == len(locked)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    installed = Path(sys.executable).with_name("caidan")
    for unit in UNITS.iterdir():  # systemd looks whether the program is there
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/caidan/bin/caidan", str(installed)))

    answer = subprocess.run(
        ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())], capture_output=True, text=True, timeout=60
    )

    # It also looks at what ours depend on, and tells about that of the host.
    assert [] == [line for line in answer.stderr.splitlines() if "caidan" in line]
