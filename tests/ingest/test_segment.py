import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.segment import SegmentFile, SegmentReader, SegmentWriter, segments


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SegmentWriter]:
    writer = SegmentWriter(tmp_path, 3)
    yield writer
    writer.close()


@pytest.fixture
def reader(tmp_path: Path, writer: SegmentWriter) -> Iterator[SegmentReader]:
    with closing(SegmentReader(segments(tmp_path)[0])) as reader:
        yield reader


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr("ingest.segment.time.time", lambda: seconds)


def test_entries_have_positions_in_order_and_the_time_of_their_append(
    writer: SegmentWriter, reader: SegmentReader
) -> None:
    before = int(time.time() * 1000)
    writer.append([b"one", b"two"])
    writer.append([b""])
    entries = reader.after(0, 10)

    assert [(1, b"one"), (2, b"two"), (3, b"")] == [(entry.position, entry.content) for entry in entries]
    assert all(before <= entry.appended_at <= time.time() * 1000 for entry in entries)
    assert reader.end() == 3


def test_parts_of_a_segment_can_be_read(writer: SegmentWriter, reader: SegmentReader) -> None:
    writer.append([b"%d" % number for number in range(1, 10)])

    assert [4, 5] == [entry.position for entry in reader.after(3, 2)]
    assert [2, 3, 4] == [entry.position for entry in reader.between(2, 4)]
    assert [] == reader.after(9, 5)


def test_the_first_entry_since_a_time_is_found(
    writer: SegmentWriter, reader: SegmentReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second in (10, 20, 20, 30):
        set_clock(monkeypatch, second)
        writer.append([b"entry"])

    assert [1, 1, 2, 2, 4, 4, 5] == [reader.first_since(s * 1000) for s in (0, 10, 11, 20, 21, 30, 31)]
    assert [3, 5] == [reader.first_since(0, 3), reader.first_since(31_000, 3)]
    assert reader.first_since(0, 9) == 9


def test_an_empty_segment_ends_at_nothing(writer: SegmentWriter, reader: SegmentReader) -> None:
    assert reader.end() == 0
    assert reader.first_since(0) == 1


def test_a_name_says_slot_and_time_of_creation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, 1_700_000_000.5)
    SegmentWriter(tmp_path, 12).close()
    (file,) = segments(tmp_path)

    assert (12, 1_700_000_000_500, 16) == (file.slot, file.created_ms, len(file.id))
    assert SegmentFile.named(tmp_path / "slot-1-2.journal") is None


def test_a_later_segment_of_a_slot_has_the_later_name_even_if_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = []
    for second in (2_000_000_000, 1_000_000_000, 1_000_000_000):
        set_clock(monkeypatch, second)
        writer = SegmentWriter(tmp_path, 0)
        paths.append(writer.path)
        writer.close()

    assert paths == [file.path for file in segments(tmp_path)]


def test_reading_never_makes_a_file(tmp_path: Path, writer: SegmentWriter) -> None:
    (file,) = segments(tmp_path)
    writer.close()
    file.remove()

    with pytest.raises(sqlite3.OperationalError):
        SegmentReader(file)

    assert segments(tmp_path) == []


def test_removing_leaves_nothing(tmp_path: Path, writer: SegmentWriter, reader: SegmentReader) -> None:
    writer.append([b"one"])
    (file,) = segments(tmp_path)
    file.mark_damaged()

    assert len(file.parts()) == 4
    assert not writer.is_usable()

    file.remove()

    assert list(tmp_path.iterdir()) == []
