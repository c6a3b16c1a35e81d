"""Disks that are full, gone, closed or damaged under a running journal."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest import journal as module
from ingest.journal import Journal, NotDurableError
from ingest.segment import SegmentReader, segments

# Root may write where it may not, so a disk that takes nothing more is a limit on the size of files.
APPENDS_UP_TO_A_LIMIT = """
import resource, sys, time
from pathlib import Path
from ingest.journal import Journal, NotDurableError
journal = Journal(Path(sys.argv[1]), 1 << 30)
journal.append(b"before")
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
refused = taken = 0
while refused < 3 and taken < 200:
    try:
        journal.append(b"%d" % taken * 2000)
    except NotDurableError as error:
        assert error.reason == "journal_failed"
        refused += 1
        time.sleep(0.25)
    else:
        taken += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
time.sleep(0.25)
journal.append(b"after")
journal.close()
print(refused, taken)
"""


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal looks at its disk at each commit, and tries a failed one again at once."""
    monkeypatch.setattr(module, "LOOK_EVERY", -1.0)
    monkeypatch.setattr(module, "RETRY_AFTER", 0.0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=80m", "none", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def contents(directory: Path) -> list[bytes]:
    found = []
    for file in segments(directory):
        with closing(SegmentReader(file)) as reader:
            found += [entry.content for entry in reader.after(0, 1 << 40)]
    return found


def refused(journal: Journal) -> str:
    with pytest.raises(NotDurableError) as raised:
        journal.append(b"refused")
    return raised.value.reason


def test_above_its_limit_the_journal_refuses_until_segments_are_removed(tmp_path: Path, looking: None) -> None:
    journal = Journal(tmp_path, 100_000)
    journal.append(b"x" * 120_000)

    assert refused(journal) == "journal_full"

    segments(tmp_path)[0].remove()
    journal.append(b"after")

    assert contents(tmp_path) == [b"after"]

    journal.close()


def test_a_disk_without_space_refuses_until_there_is_some(small_disk: Path, looking: None) -> None:
    journal = Journal(small_disk / "journal", 1 << 30)
    journal.append(b"before")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(20 << 20))

    assert refused(journal) == "journal_full"

    filler.unlink()
    journal.append(b"after")

    assert contents(small_disk / "journal") == [b"before", b"after"]

    journal.close()


def test_a_read_only_disk_is_told_at_start(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(OSError, match="Read-only"):
        Journal(small_disk / "journal", 1 << 30)


@pytest.mark.parametrize("limit", [1, 100_000], ids=["nothing", "a little"])
def test_a_disk_that_takes_no_more_loses_nothing_and_is_tried_again(tmp_path: Path, limit: int) -> None:
    command = [sys.executable, "-c", APPENDS_UP_TO_A_LIMIT, str(tmp_path), str(limit)]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    count, taken = map(int, said.split())
    stored = contents(tmp_path)

    assert count == 3
    assert {b"before", b"after", *(b"%d" % number * 2000 for number in range(taken))} <= set(stored)
    assert list(tmp_path.glob(".*")) == []
    assert all(file.path.read_bytes() != b"" for file in segments(tmp_path))


def test_a_directory_that_vanishes_is_used_again_when_it_is_back(tmp_path: Path, looking: None) -> None:
    directory = tmp_path / "journal"
    journal = Journal(directory, 1 << 30)
    journal.append(b"before")
    directory.rename(tmp_path / "away")

    assert {refused(journal) for _ in range(3)} == {"journal_failed"}

    (tmp_path / "away").rename(directory)
    journal.append(b"after")

    assert contents(directory) == [b"before", b"after"]
    assert {segment.slot for segment in segments(directory)} == {0}

    journal.close()


def test_a_segment_that_a_reader_found_damaged_is_left(tmp_path: Path, looking: None) -> None:
    journal = Journal(tmp_path, 1 << 30)
    journal.append(b"before")
    segments(tmp_path)[0].mark_damaged()
    journal.append(b"after")
    journal.append(b"later")

    assert len(segments(tmp_path)) == 2
    assert contents(tmp_path) == [b"before", b"after", b"later"]

    journal.close()


def test_what_a_killed_process_left_half_made_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".slot-00-1700000000000-0123456789abcdef.journal").touch()
    other = tmp_path / ".slot-01-1700000000000-0123456789abcdef.journal"
    other.touch()

    journal = Journal(tmp_path, 1 << 30)
    journal.append(b"one")
    journal.close()

    assert list(tmp_path.glob(".*")) == [other]
