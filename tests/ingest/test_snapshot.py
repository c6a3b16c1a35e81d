"""The one file from the workers to the door: replaced whole, by what is newer alone, and read when it has changed."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest import snapshot
from ingest.snapshot import Snapshot, UnfitError, Watched, decode, keep, read

GOOD: dict[str, Any] = {
    "revision": 7,
    "made_at": "2026-10-01T04:00:00.5Z",
    "callback_addresses": {"wx1": ["1.2.3.4", "101.226.0.0/16"]},
}


def content(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


BAD = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\xff\x00", id="no text"),
    pytest.param(content()[:-20], id="cut short"),
    pytest.param(content() + b"{}", id="too much"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b"{}", id="nothing"),
    pytest.param(content(revision=0), id="revision 0"),
    pytest.param(content(revision="7"), id="revision as text"),
    pytest.param(content(revision=True), id="revision true"),
    pytest.param(content(revision=1e300), id="revision out of reach"),
    pytest.param(content(made_at="yesterday"), id="made at no time"),
    pytest.param(content(made_at="2026-10-01T04:00:00"), id="made at a time without zone"),
    pytest.param(content(callback_addresses=["1.2.3.4"]), id="addresses of nobody"),
    pytest.param(content(callback_addresses={"wx1": [1]}), id="addresses as numbers"),
    pytest.param(content(callback_addresses={"wx1": "1.2.3.4"}), id="addresses as text"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.json"


def test_what_is_kept_can_be_read(path: Path) -> None:
    assert keep(path, content())
    assert Snapshot(
        7, datetime(2026, 10, 1, 4, 0, 0, 500_000, tzinfo=UTC), {"wx1": ("1.2.3.4", "101.226.0.0/16")}
    ) == read(path)


def test_keys_of_a_later_version_are_kept_and_passed_over(path: Path) -> None:
    given = content(reply_rules=[{"any": "thing"}])
    keep(path, given)

    assert given == path.read_bytes()
    assert 7 == read(path).revision


def test_no_addresses_are_fine(path: Path) -> None:
    del (less := dict(GOOD))["callback_addresses"]
    keep(path, json.dumps(less).encode())

    assert {} == read(path).callback_addresses


def test_only_what_is_newer_is_kept(path: Path) -> None:
    arrived = [content(revision=revision, note=number) for number, revision in enumerate([7, 9, 8, 9, 7, 10])]

    assert [True, True, False, False, False, True] == [keep(path, one) for one in arrived]
    assert arrived[-1] == path.read_bytes()
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_snapshot_is_not_kept(path: Path, bad: bytes) -> None:
    keep(path, content())
    with pytest.raises(UnfitError, match="not_a_snapshot"):
        keep(path, bad)

    assert content() == path.read_bytes()


@pytest.mark.parametrize("bad", BAD)
def test_a_file_that_is_damaged_gives_way_to_any_snapshot(path: Path, bad: bytes) -> None:
    path.write_bytes(bad)

    assert keep(path, content(revision=1))
    assert content(revision=1) == path.read_bytes()


def test_what_is_too_large_is_neither_kept_nor_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "SNAPSHOT_BYTES", len(content()))

    assert 7 == decode(content()).revision

    path.write_bytes(content() + b" ")
    with pytest.raises(UnfitError, match="too_large"):
        read(path)
    with pytest.raises(UnfitError, match="too_large"):
        keep(path, content() + b" ")


def test_a_draft_that_was_left_behind_is_in_nobodys_way(path: Path) -> None:
    path.with_name(".snapshot.json").write_bytes(b"x" * 10_000)
    keep(path, content())

    assert content() == path.read_bytes()


def test_the_file_is_read_again_when_it_has_changed(path: Path) -> None:
    watched = Watched(path)

    assert watched.look() is None

    keep(path, content())
    first = watched.look()

    assert first is not None
    assert first is watched.look()

    keep(path, content(revision=8))

    assert 8 == (watched.look() or first).revision


@pytest.mark.parametrize("bad", BAD)
def test_the_last_good_one_stays_and_a_bad_one_is_told_once(
    path: Path, bad: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(path)
    keep(path, content())
    good = watched.look()
    path.write_bytes(bad)

    assert good is not None
    assert [good] * 3 == [watched.look() for _ in range(3)]
    assert [("snapshot ignored", "not_a_snapshot")] == [
        (record.message, record.__dict__["reason"]) for record in caplog.records
    ]

    keep(path, content(revision=8))

    assert 8 == (watched.look() or good).revision


def test_a_file_that_is_gone_or_none_leaves_the_last_good_one(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(path)
    keep(path, content())
    good = watched.look()
    path.unlink()

    assert good is watched.look() is not None
    assert [] == caplog.records

    path.mkdir()

    assert [good, good] == [watched.look(), watched.look()]
    assert ["IsADirectoryError"] == [record.__dict__["reason"] for record in caplog.records]
