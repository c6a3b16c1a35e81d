"""What the doctor finds by pushing through a running door, as WeChat does."""

from contextlib import closing
from pathlib import Path

import pytest

from console import checks_door
from ingest.segment import SegmentReader, segments
from tests.console.examined import Told, install
from tests.console.runner import run
from tests.ingest.conftest import SHOP as OF_THE_DOOR
from tests.ingest.serving import serving
from tests.platforms import SHOP, Platform
from wechat.event import Event, decode_entry
from wechat.simulator.answer import understand


@pytest.fixture
def installation(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    return install(platform, monkeypatch, tmp_path)


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


def test_a_verification_has_to_be_answered_with_what_was_sent() -> None:
    assert "fine" == checks_door.verified(200, b"echo", "echo").level
    assert "failure" == checks_door.verified(200, b"<html>welcome</html>", "echo").level


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


def _kinds(journal: Path) -> list[str]:
    found = []
    for file in segments(journal):
        with closing(SegmentReader(file)) as reader:
            entries = [decode_entry(entry.content) for entry in reader.after(0, 1000)]
        found += [entry.kind for entry in entries if isinstance(entry, Event)]
    return found
