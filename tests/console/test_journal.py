"""The verbs on the journal (what `status` counts is tested with the journal)."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import replays
from ingest.segment import SegmentWriter
from tests.console.runner import run


def test_a_journal_that_is_not_there_is_empty() -> None:
    shown = json.loads(run("journal", "status", "--json").stdout)

    assert (0, 0, []) == (shown["entries"], shown["pending"], shown["segments"])
    assert shown["publisher_running"] is False


def test_the_status_is_told_in_words() -> None:
    assert "Publisher              not running" in run("journal", "status").stdout
    assert "尚未入库" in run("journal", "status", "--lang", "zh").stdout


@pytest.fixture
def journal() -> Path:
    """A segment of three pushes, in the folder that is configured."""
    directory = Path("var/journal")
    directory.mkdir(parents=True)
    with closing(SegmentWriter(directory, 0)) as writer:
        writer.append([b"one", b"two", b"three"])
    return writer.path


def spoil(segment: Path) -> None:
    with closing(sqlite3.connect(segment)) as connection, connection:
        connection.execute("UPDATE entry SET content = 'other' WHERE position = 2")


def test_an_intact_journal_is_verified(journal: Path) -> None:
    found = run("journal", "verify")

    assert (0, "3 pushes, all intact.\n") == (found.exit_code, found.stdout)


def test_no_journal_is_an_intact_journal() -> None:
    assert 0 == run("journal", "verify").exit_code


def test_a_push_that_is_damaged_is_found(journal: Path) -> None:
    spoil(journal)

    found, shown = run("journal", "verify"), run("journal", "verify", "--json")

    expected = {"name": journal.name, "intact": 2, "damaged": 1, "is_damaged": True}
    assert (6, 6) == (found.exit_code, shown.exit_code)
    assert {"damaged": True, "segments": [expected]} == json.loads(shown.stdout)
    assert journal.name in found.stdout


def test_a_file_that_is_no_segment_any_more_is_found(journal: Path) -> None:
    journal.write_bytes(b"\0" * 8192)

    assert 6 == run("journal", "verify").exit_code


def test_what_would_be_sent_again_is_counted(journal: Path) -> None:
    found = run("journal", "replay", "--since", "1h", "--dry-run")

    assert (0, "3 pushes would be sent again.\n") == (found.exit_code, found.stdout)
    assert [] == replays.requests(journal.parent)


def test_a_replay_is_left_to_the_next_publisher(journal: Path) -> None:
    found = run("journal", "replay", "--since", "2020-01-01")

    ((_, since),) = replays.requests(journal.parent)
    assert (0, "3 pushes will be sent again.\n") == (found.exit_code, found.stdout)
    assert "No publisher is running" in found.stderr
    assert datetime(2019, 12, 31, 16, tzinfo=UTC).timestamp() == since


def test_nothing_is_asked_for_when_there_is_nothing_to_send(journal: Path) -> None:
    found = run("journal", "replay", "--since", "2100-01-01")

    assert "0 pushes" in found.stdout
    assert [] == replays.requests(journal.parent)


def test_a_replay_needs_a_time_that_is_one(journal: Path) -> None:
    assert 4 == run("journal", "replay").exit_code
    assert 4 == run("journal", "replay", "--since", "lately").exit_code
