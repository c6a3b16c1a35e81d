"""The supervisor, with real processes: each child writes its pid down, a line per start."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.console.processes import PROC, is_alive, until

SUPERVISOR = """
import sys
from console.supervise import Child, supervise
supervise([Child(name, [sys.executable, "-c", sys.argv[1], name], patience=1.0) for name in sys.argv[2:]])
"""
CHILD = """
import os, signal, sys, time
from ingest.lifeline import follow_parent
follow_parent()
def stop(*_):
    print(sys.argv[1], "stops", file=sys.stderr, flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, stop)
with open(sys.argv[1], "a") as file:
    print(os.getpid(), file=file)
time.sleep(60)
"""
DEAF = CHILD.replace("sys.exit()", "")
SHORT_LIVED = CHILD.replace("time.sleep(60)", "sys.exit(3)")


@contextmanager
def _supervising(folder: Path, program: str, *names: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SUPERVISOR, program, *names]
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "LANGUAGE": "en"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        for name in names:
            for pid in _starts(folder, name):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.communicate()


def _starts(folder: Path, name: str) -> list[int]:
    return [int(pid) for pid in (folder / name).read_text().split()] if (folder / name).exists() else []


pytestmark = pytest.mark.skipif(not PROC.exists(), reason="reads /proc")


def test_a_child_that_dies_is_started_again_and_reported(tmp_path: Path) -> None:
    with _supervising(tmp_path, CHILD, "one") as supervisor:
        until(lambda: _starts(tmp_path, "one"))
        os.kill(_starts(tmp_path, "one")[0], signal.SIGKILL)
        until(lambda: len(_starts(tmp_path, "one")) == 2)
        supervisor.terminate()
        _out, words = supervisor.communicate(timeout=20)

    assert 0 == supervisor.returncode
    assert "one ended (SIGKILL); started again in 0.2 s." in words


def test_a_child_that_dies_early_again_and_again_is_waited_for_longer_each_time(tmp_path: Path) -> None:
    with _supervising(tmp_path, SHORT_LIVED, "one") as supervisor:
        until(lambda: len(_starts(tmp_path, "one")) == 3)
        supervisor.terminate()
        _out, words = supervisor.communicate(timeout=20)

    assert "one ended (exit code 3); started again in 0.2 s." in words
    assert "one ended (exit code 3); started again in 0.4 s." in words


def test_children_are_stopped_in_their_order(tmp_path: Path) -> None:
    with _supervising(tmp_path, CHILD, "one", "two") as supervisor:
        until(lambda: _starts(tmp_path, "one") and _starts(tmp_path, "two"))
        supervisor.send_signal(signal.SIGINT)
        _out, words = supervisor.communicate(timeout=20)

    assert 0 == supervisor.returncode
    assert -1 < words.index("one stops") < words.index("two stops")


def test_a_child_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    with _supervising(tmp_path, DEAF, "one") as supervisor:
        until(lambda: _starts(tmp_path, "one"))
        supervisor.terminate()
        _out, words = supervisor.communicate(timeout=20)

    assert "one does not stop; killed." in words
    assert not is_alive(_starts(tmp_path, "one")[0])


def test_a_second_signal_kills_at_once(tmp_path: Path) -> None:
    with _supervising(tmp_path, DEAF, "one", "two") as supervisor:
        until(lambda: _starts(tmp_path, "one") and _starts(tmp_path, "two"))
        supervisor.terminate()
        assert supervisor.stderr
        while "one stops" not in supervisor.stderr.readline():
            pass
        supervisor.terminate()
        _out, words = supervisor.communicate(timeout=20)

    assert "" == words
    assert not any(is_alive(pid) for name in ("one", "two") for pid in _starts(tmp_path, name))


def test_no_child_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    with _supervising(tmp_path, CHILD, "one") as supervisor:
        until(lambda: _starts(tmp_path, "one"))
        supervisor.kill()

        until(lambda: not is_alive(_starts(tmp_path, "one")[0]))


RELOADING = CHILD.replace(
    "with open",
    """def reload(*_):
    print(sys.argv[1], "reloads", file=sys.stderr, flush=True)
signal.signal(signal.SIGHUP, reload)
with open""",
)


def test_a_hangup_goes_on_to_those_that_reload_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.SUPERVISOR", SUPERVISOR.replace("1.0)", "1.0, reloads=name == 'two')"))
    with _supervising(tmp_path, RELOADING, "one", "two") as supervisor:
        until(lambda: _starts(tmp_path, "one") and _starts(tmp_path, "two"))
        supervisor.send_signal(signal.SIGHUP)
        assert supervisor.stderr
        first = supervisor.stderr.readline()
        supervisor.terminate()
        _out, words = supervisor.communicate(timeout=20)

    assert "two reloads\n" == first
    assert "reloads" not in words
    assert [1, 1] == [len(_starts(tmp_path, name)) for name in ("one", "two")]


def test_a_hangup_stops_where_nobody_reloads(tmp_path: Path) -> None:
    with _supervising(tmp_path, RELOADING, "one") as supervisor:
        until(lambda: _starts(tmp_path, "one"))
        supervisor.send_signal(signal.SIGHUP)
        _out, words = supervisor.communicate(timeout=20)

    assert 0 == supervisor.returncode
    assert "one stops" in words
