"""What the doctor finds on the host: files, clock, journal and roles."""

import os
import subprocess
import sys
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from console import checks_host, checks_roles
from ingest.journal import Journal
from ingest.journal_files import JournalStatus
from tests.console.examined import Told, install
from tests.platforms import Platform
from wechat.event import decode_entry, encode


@pytest.fixture
def installation(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    return install(platform, monkeypatch, tmp_path)


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


@pytest.mark.parametrize(("free", "level"), [(10 << 30, "fine"), (500 << 20, "warning"), (10 << 20, "failure")])
def test_a_disk_fills_up_by_degrees(free: int, level: str) -> None:
    assert level == checks_host.space(Path("var"), free, 64 << 20).level


@pytest.mark.parametrize(
    ("seconds", "window", "level"),
    [(2, 86400, "fine"), (-40, 86400, "warning"), (300, 300, "failure"), (90_000, 0, "warning")],
)
def test_a_clock_is_wrong_by_degrees(seconds: float, window: int, level: str) -> None:
    assert level == checks_host.skew(seconds, window).level


def test_a_clock_that_differs_is_told(installation: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    class Behind(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(404)
            self.send_header("Date", formatdate(time.time() - 600, usegmt=True))
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Behind) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        monkeypatch.setenv("CAIDAN_API_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        (told,) = Told().of("clock", "warning")
        server.shutdown()

    assert told.startswith("The clock differs from WeChat's by 60")


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


def test_a_journal_that_waits_and_no_publisher_is_told(installation: Platform) -> None:
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
