"""Several processes at one journal: slots, forks, and deaths."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from ingest.journal import Journal, NotDurableError, Slot
from ingest.segment import SegmentReader, segments

HEAD = """
import os, sys, threading
from pathlib import Path
from ingest.journal import Journal, NotDurableError
directory = Path(sys.argv[1])
journal = Journal(directory, 1 << 30)
"""

APPENDS_UNTIL_KILLED = """
def work(name):
    number = 0
    while True:
        journal.append(f"{name}.{number}".encode())
        os.write(1, f"{name}.{number}\\n".encode())
        number += 1

for name in range(8):
    threading.Thread(target=work, args=(name,)).start()
"""

APPENDS_ONE = """
journal.append(sys.argv[2].encode())
print("ready", flush=True)
sys.stdin.read()
"""

FORKS = """
journal.append(b"parent")
if os.fork() == 0:
    journal.append(b"child")
    if os.fork() == 0:
        journal.append(b"grandchild")
        sys.exit()
    os.wait()
    journal.append(b"child again")
    sys.exit()
os.wait()
journal.append(b"parent again")
journal.close()
"""

# Only the child finds the disk gone; its parent has a segment open.
FORKS_WITHOUT_A_DISK = """
journal.append(b"parent")
if os.fork() == 0:
    os.rename(directory, f"{directory}.away")
    for _ in range(2):
        try:
            journal.append(b"child")
        except NotDurableError as error:
            print(error.reason, flush=True)
    os.rename(f"{directory}.away", directory)
    journal.append(b"child")
    sys.exit()
os.wait()
journal.append(b"parent again")
journal.close()
"""


@contextmanager
def process(script: str, directory: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", HEAD + script, str(directory), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


def by_segment(directory: Path) -> list[tuple[int, list[bytes]]]:
    found = []
    for file in segments(directory):
        with closing(SegmentReader(file)) as reader:
            found.append((file.slot, [entry.content for entry in reader.after(0, 1 << 40)]))
    return found


def append_together(directory: Path, count: int) -> None:
    """As many processes at once, each killed after one append."""
    with ExitStack() as stack:
        running = [stack.enter_context(process(APPENDS_ONE, directory, str(number))) for number in range(count)]
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == b"ready\n"


def test_what_was_acknowledged_survives_the_process(tmp_path: Path) -> None:
    with process(APPENDS_UNTIL_KILLED, tmp_path) as running:
        assert running.stdout is not None
        acknowledged = [running.stdout.readline().strip() for _ in range(500)]
        running.kill()
        acknowledged += running.stdout.read().splitlines()
    ((_, stored),) = by_segment(tmp_path)

    assert set(acknowledged) <= set(stored)
    assert len(set(stored)) == len(stored)


def test_each_process_has_its_slot_and_leaves_it_when_killed(tmp_path: Path) -> None:
    for count in (2, 1, 3):
        append_together(tmp_path, count)

    assert [0, 0, 0, 1, 1, 2] == sorted(slot for slot, _ in by_segment(tmp_path))
    assert all(len(contents) == 1 for _, contents in by_segment(tmp_path))


def test_a_slot_is_held_by_one(tmp_path: Path) -> None:
    slot = Slot(tmp_path, 7)

    with pytest.raises(BlockingIOError):
        Slot(tmp_path, 7)

    slot.close()
    Slot(tmp_path, 7).close()


def test_a_forked_process_has_a_slot_and_a_segment_of_its_own(tmp_path: Path) -> None:
    with process(FORKS, tmp_path) as running:
        assert running.wait(20) == 0

    expected = [
        (0, [b"parent", b"parent again"]),
        (1, [b"child", b"child again"]),
        (2, [b"grandchild"]),
    ]
    assert expected == sorted(by_segment(tmp_path))


def test_a_forked_process_without_a_disk_says_so_and_recovers(tmp_path: Path) -> None:
    with process(FORKS_WITHOUT_A_DISK, tmp_path / "journal") as running:
        assert running.stdout is not None
        assert running.stdout.read() == b"journal_failed\njournal_failed\n"
        assert running.wait(20) == 0

    assert [(0, [b"parent", b"parent again"]), (1, [b"child"])] == sorted(by_segment(tmp_path / "journal"))


def test_a_directory_that_was_replaced_gets_slots_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.journal.LOOK_EVERY", -1.0)
    monkeypatch.setattr("ingest.journal.RETRY_AFTER", 0.0)
    directory = tmp_path / "journal"
    first = Journal(directory, 1 << 30)
    first.append(b"old")

    directory.rename(tmp_path / "away")
    with pytest.raises(NotDurableError, match="journal_failed"):
        first.append(b"nowhere")
    directory.mkdir()
    other = Journal(directory, 1 << 30)
    first.append(b"new")
    other.append(b"other")
    first.close()
    other.close()

    assert [(0, [b"other"]), (1, [b"new"])] == sorted(by_segment(directory))
    assert [(0, [b"old"])] == by_segment(tmp_path / "away")
