"""Segments found damaged: marked, left by their writer, searched, and set aside; the rest of the journal goes on."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest import journal as journal_module
from ingest.journal import Journal
from ingest.reader import JournalReader, Range
from ingest.segment import DAMAGED, SegmentFile, SegmentWriter, segments

HOUR = 3600.0
CONTENTS = [b"%03d" % number * 100 for number in range(100)]


@pytest.fixture
def state() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as state:
        yield state


@pytest.fixture
def reader(tmp_path: Path, state: sqlite3.Connection) -> Iterator[JournalReader]:
    with closing(JournalReader(tmp_path, state)) as reader:
        yield reader


def write(directory: Path, contents: list[bytes]) -> SegmentFile:
    writer = SegmentWriter(directory, 0)
    writer.append(contents)
    writer.close()
    return segments(directory)[-1]


def change(file: SegmentFile, content: bytes) -> None:
    whole = bytearray(file.path.read_bytes())
    whole[whole.index(content) + 50] ^= 1
    file.path.write_bytes(whole)


def take_all(reader: JournalReader, now: float) -> list[bytes]:
    """Everything there is, as often as it is taken."""
    found = []
    for _ in range(20):
        reader.look()
        for taken in reader.take(30, 1 << 20, now):
            found += reader.contents(taken)
    return found


@pytest.mark.parametrize("age", [0.0, HOUR], ids=["young", "old"])
def test_a_damaged_segment_is_set_aside_and_what_is_intact_is_sent(
    tmp_path: Path, reader: JournalReader, age: float, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(tmp_path, CONTENTS)
    change(file, CONTENTS[45])
    with caplog.at_level(logging.ERROR):
        found = take_all(reader, time.time() + age)
    aside = next(record for record in caplog.records if record.message == "journal segment set aside")

    assert {*CONTENTS} - {CONTENTS[45]} == {*found}
    assert (tmp_path / "damaged" / file.path.name).exists()
    assert file not in segments(tmp_path)
    assert (99, 1) == (aside.recovered, aside.lost)  # type: ignore[attr-defined]


def test_damage_is_noticed_when_a_batch_is_sent_again(
    tmp_path: Path, state: sqlite3.Connection, reader: JournalReader
) -> None:
    file = write(tmp_path, CONTENTS[:20])
    reader.look()
    (taken,) = reader.take(100, 1 << 20, time.time())
    reader.close()
    change(file, CONTENTS[3])

    with closing(JournalReader(tmp_path, state)) as successor:
        successor.look()

        assert [] == successor.contents(taken)
        assert CONTENTS[:3] + CONTENTS[4:20] == take_all(successor, time.time())


def test_other_segments_go_on(tmp_path: Path, reader: JournalReader) -> None:
    change(write(tmp_path, CONTENTS[:50]), CONTENTS[10])
    write(tmp_path, CONTENTS[50:])

    assert sorted(CONTENTS[:10] + CONTENTS[11:]) == sorted(take_all(reader, time.time()))


def test_a_large_damaged_segment_is_recovered_whole(tmp_path: Path, reader: JournalReader) -> None:
    writer = SegmentWriter(tmp_path, 0)
    for start in range(0, 100_000, 5000):
        writer.append([b"%d" % number for number in range(start, start + 5000)])
    writer.close()
    with closing(sqlite3.connect(writer.path)) as connection, connection:
        connection.execute("UPDATE entry SET checksum = 0 WHERE position = 1")
    reader.look()
    reader.take(30, 1 << 20, time.time())
    reader.look()
    (recovered,) = reader.look()

    assert len(reader.contents(Range(recovered, 1, 200_000))) == 99_999


@pytest.mark.parametrize("left", [b"", b"\0" * 5000, b"no database" * 1000], ids=["empty", "zeros", "other"])
def test_a_file_of_which_nothing_is_left_stops_nothing(tmp_path: Path, reader: JournalReader, left: bytes) -> None:
    file = write(tmp_path, CONTENTS[:50])
    file.path.write_bytes(left)
    write(tmp_path, CONTENTS[50:])

    assert CONTENTS[50:] == take_all(reader, time.time())
    assert (tmp_path / "damaged" / file.path.name).exists()


def test_a_damaged_segment_is_left_by_its_living_writer(
    tmp_path: Path, reader: JournalReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "LOOK_EVERY", -1.0)
    journal = Journal(tmp_path, 1 << 30)
    for content in CONTENTS[:20]:
        journal.append(content)
    file = segments(tmp_path)[0]
    with closing(sqlite3.connect(file.path)) as connection, connection:
        connection.execute("UPDATE entry SET checksum = checksum + 1 WHERE position = 7")
    before = take_all(reader, time.time())
    journal.append(CONTENTS[20])
    after = take_all(reader, time.time())
    journal.close()

    assert [] == before
    assert sorted(CONTENTS[:6] + CONTENTS[7:21]) == sorted(after)
    assert (tmp_path / "damaged" / file.path.name).exists()


def test_a_busy_segment_is_not_damaged(tmp_path: Path, reader: JournalReader) -> None:
    file = write(tmp_path, CONTENTS[:3])
    with closing(sqlite3.connect(file.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        reader.look()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            reader.take(10, 1 << 20, time.time())

    assert take_all(reader, time.time()) == CONTENTS[:3]


def test_a_damaged_state_is_not_taken_for_a_damaged_segment(
    tmp_path: Path, reader: JournalReader, state: sqlite3.Connection
) -> None:
    file = write(tmp_path, CONTENTS[:3])
    reader.look()
    state.execute("DROP TABLE segment")

    with pytest.raises(sqlite3.OperationalError):
        reader.take(10, 1 << 20, time.time())

    assert not file.path.with_name(file.path.name + DAMAGED).exists()
