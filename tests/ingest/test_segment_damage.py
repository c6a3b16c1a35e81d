"""Segments that were cut short or changed by a failing disk: never a crash, and all that is intact is read."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.segment import SegmentFile, SegmentReader, SegmentWriter, intact_entries, is_damage, segments

CONTENTS = [b"%03d" % number * 150 for number in range(300)]  # many leaves, and a page above them
PAGE = 4096


@pytest.fixture
def live(tmp_path: Path) -> Iterator[SegmentFile]:
    """A segment whose entries are all in the log still."""
    writer = SegmentWriter(tmp_path, 0)
    for start in range(0, 60, 20):
        writer.append(CONTENTS[start : start + 20])
    yield segments(tmp_path)[0]
    writer.close()


@pytest.fixture
def closed(tmp_path: Path) -> SegmentFile:
    """A segment that is one file."""
    writer = SegmentWriter(tmp_path, 0)
    writer.append(CONTENTS)
    writer.close()
    return segments(tmp_path)[0]


@pytest.fixture
def copy(tmp_path: Path) -> SegmentFile:
    """Where a damaged copy goes."""
    folder = tmp_path / "copy"
    folder.mkdir()
    file = SegmentFile.named(folder / "slot-00-1700000000000-0123456789abcdef.journal")
    assert file is not None
    return file


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def read(file: SegmentFile) -> list[bytes] | None:
    """The entries, or None when the segment is damaged; any other error is one of ours."""
    try:
        with closing(SegmentReader(file)) as reader:
            return [entry.content for entry in reader.after(0, 1 << 40)]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return None


def intact(file: SegmentFile) -> list[bytes]:
    return intact_entries(file.path)[0]


def test_a_log_cut_anywhere_in_the_last_append_keeps_the_appends_before(live: SegmentFile, copy: SegmentFile) -> None:
    """As a failing power supply leaves it."""
    log = log_of(live.path).read_bytes()
    start = log.rindex(CONTENTS[40])  # the last append: several pages, of which the last one commits it
    last = log.rindex(CONTENTS[59])
    seen = set()
    for end in {*range(start, len(log), 211), *range(last - 9, last + 460), *range(len(log) - 30, len(log))}:
        copy.remove()
        shutil.copy(live.path, copy.path)
        log_of(copy.path).write_bytes(log[:end])
        entries = read(copy)

        assert entries == CONTENTS[: len(entries or ())]

        seen.add(len(entries or ()))

    assert seen == {40}


def test_a_file_cut_anywhere_in_its_last_pages_loses_only_what_was_there(
    closed: SegmentFile, copy: SegmentFile
) -> None:
    whole = closed.path.read_bytes()
    last = whole.index(CONTENTS[-1])
    for end in {*range(last - 2 * PAGE, len(whole), 211), *range(last - 30, last + len(CONTENTS[-1]) + 5, 3)}:
        copy.path.write_bytes(whole[:end])
        there = [content for content in CONTENTS if 0 <= whole.find(content) <= end - PAGE]

        assert set(there) <= set(intact(copy)) <= set(CONTENTS)
        assert read(copy) in (None, CONTENTS)

        copy.remove()


@pytest.mark.parametrize("size", [0, 1, 50, 100, 1000, PAGE, PAGE + 1, 3 * PAGE])
def test_a_file_of_which_little_is_left_is_damaged_and_no_crash(
    closed: SegmentFile, copy: SegmentFile, size: int
) -> None:
    copy.path.write_bytes(closed.path.read_bytes()[:size])

    assert read(copy) is None
    assert set(intact(copy)) < set(CONTENTS)


def test_a_byte_that_changed_in_an_entry_is_noticed_and_costs_that_entry(
    closed: SegmentFile, copy: SegmentFile
) -> None:
    whole = bytearray(closed.path.read_bytes())
    whole[whole.index(CONTENTS[137]) + 200] ^= 1
    copy.path.write_bytes(whole)

    assert read(copy) is None
    assert [content for content in CONTENTS if content != CONTENTS[137]] == intact(copy)


def test_a_page_that_is_lost_costs_its_entries_at_most(closed: SegmentFile, copy: SegmentFile) -> None:
    whole = closed.path.read_bytes()
    last_leaf = whole.index(CONTENTS[-1]) // PAGE
    for page in (last_leaf, last_leaf - 3, 8):
        copy.path.write_bytes(whole[: page * PAGE] + bytes(PAGE) + whole[(page + 1) * PAGE :])
        there = [content for content in CONTENTS if whole.index(content) // PAGE != page]

        assert read(copy) is None
        assert there == intact(copy)


def test_whatever_byte_changes_nothing_wrong_is_read(closed: SegmentFile, copy: SegmentFile) -> None:
    whole = closed.path.read_bytes()
    chance = random.Random(4)
    for offset in [*range(0, 120, 3), *chance.sample(range(len(whole)), 150)]:
        changed = bytearray(whole)
        changed[offset] ^= 1 << chance.randrange(8)
        copy.path.write_bytes(changed)
        entries, found = read(copy), intact(copy)

        assert entries is None or set(entries) <= set(CONTENTS)
        assert set(found) <= set(CONTENTS)
        assert len(found) >= 295 or offset < 3 * PAGE  # the outline, without which nothing is found

        copy.remove()
