import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.journal import Slot
from ingest.reader import JournalReader, Range
from ingest.segment import SegmentFile, SegmentReader, SegmentWriter, segments

HOUR = 3600.0
MANY = 1 << 40


@pytest.fixture
def state() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as state:
        yield state


@pytest.fixture
def reader(tmp_path: Path, state: sqlite3.Connection) -> Iterator[JournalReader]:
    with closing(JournalReader(tmp_path, state)) as reader:
        yield reader


@pytest.fixture
def append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SegmentWriter]]:
    """Append so many entries of so many bytes, some seconds ago, to a segment of their own or a given one."""
    writers = []

    def append(
        count: int, ago: float = 0.0, size: int = 10, writer: SegmentWriter | None = None, slot: int = 0
    ) -> SegmentWriter:
        moment = time.time() - ago
        with monkeypatch.context() as patch:
            patch.setattr("ingest.segment.time.time", lambda: moment)
            writer = writer or SegmentWriter(tmp_path, slot)
            writers.append(writer)
            writer.append([b"x" * size] * count)
        return writer

    yield append
    for writer in writers:
        writer.close()


def take(reader: JournalReader, events: int = 100, size: int = MANY, now: float | None = None) -> list[Range]:
    reader.look()
    return reader.take(events, size, now or time.time())


def numbers(ranges: list[Range]) -> list[tuple[int, int]]:
    return [(taken.first, taken.last) for taken in ranges]


def take_all(reader: JournalReader, events: int = 100) -> int:
    count = 0
    while taken := take(reader, events):
        count += sum(last - first + 1 for first, last in numbers(taken))
    return count


def only(directory: Path) -> SegmentFile:
    (file,) = segments(directory)
    return file


def test_entries_are_taken_in_order_and_once(reader: JournalReader, append: Callable[..., SegmentWriter]) -> None:
    writer = append(250)

    assert [[(1, 100)], [(101, 200)], [(201, 250)], []] == [numbers(take(reader)) for _ in range(4)]

    append(3, writer=writer)

    assert [(251, 253)] == numbers(take(reader))


def test_contents_of_what_was_taken_are_those_appended(
    reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(3, size=5)
    (taken,) = take(reader)

    assert [b"xxxxx"] * 3 == reader.contents(taken)
    assert [b"xxxxx"] * 3 == reader.contents(taken)
    assert [] == reader.contents(Range("gone", 1, 3))


def test_what_is_sent_at_once_is_read_once(
    reader: JournalReader, append: Callable[..., SegmentWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    append(5, size=40)
    taken = take(reader, size=120)
    taken += take(reader, size=120)  # what was left is taken, and what was taken before has to be read again
    read = []
    between = SegmentReader.between
    monkeypatch.setattr(SegmentReader, "between", lambda *asked: read.append(asked[1:]) or between(*asked))

    assert [[b"x" * 40] * 3, [b"x" * 40] * 2] == [reader.contents(one) for one in taken]
    assert [(1, 3)] == read


def test_what_is_taken_at_once_is_bounded_in_bytes_but_never_nothing(
    reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(5, size=40)

    assert [[(1, 2)], [(3, 4)], [(5, 5)]] == [numbers(take(reader, size=100)) for _ in range(3)]

    append(2, size=400)

    assert [[(1, 1)], [(2, 2)]] == [numbers(take(reader, size=100)) for _ in range(2)]


@pytest.mark.parametrize(("events", "size", "was_full"), [(5, MANY, True), (100, 100, True), (100, MANY, False)])
def test_a_round_that_was_cut_short_is_known(
    reader: JournalReader, append: Callable[..., SegmentWriter], events: int, size: int, was_full: bool
) -> None:
    append(12, size=20)
    take(reader, events, size)

    assert was_full == reader.was_full


def test_young_entries_go_first_and_old_ones_do_not_starve(
    reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    writer = append(1000, ago=HOUR)
    append(300, writer=writer)

    assert [
        [(1001, 1100), (1, 100)],
        [(1101, 1200), (101, 200)],
        [(1201, 1300), (201, 300)],
        [(301, 400)],
    ] == [numbers(take(reader)) for _ in range(4)]
    assert take_all(reader) == 600


def test_at_least_half_of_each_round_is_young(reader: JournalReader, append: Callable[..., SegmentWriter]) -> None:
    writers = [append(500, ago=HOUR, slot=slot) for slot in range(3)]
    for _ in range(3):
        for writer in writers:
            append(100, writer=writer)
        taken = take(reader)
        young = [one for one in taken if one.first > 500]

        assert len(young) == 3
        assert len(taken) == 6


def test_old_entries_of_every_segment_are_taken_in_the_end(
    reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    for slot in (0, 0, 1):
        append(150, ago=HOUR, slot=slot)

    assert take_all(reader) == 450


def test_a_clock_that_was_set_back_stops_nothing(reader: JournalReader, append: Callable[..., SegmentWriter]) -> None:
    """Entries of a wrong future come before those of the present."""
    writer = append(10, ago=-HOUR)

    assert [(1, 10)] == numbers(take(reader))

    append(20, ago=120, writer=writer)

    assert [(11, 30)] == numbers(take(reader))
    assert [] == take(reader)


def test_state_outlives_the_reader(
    tmp_path: Path, state: sqlite3.Connection, append: Callable[..., SegmentWriter]
) -> None:
    writer = append(300, ago=HOUR)
    append(100, writer=writer)
    rounds = []
    for _ in range(4):
        with closing(JournalReader(tmp_path, state)) as reader:
            rounds.append(numbers(take(reader)))

    assert [[(301, 400), (1, 100)], [(101, 200)], [(201, 300)], []] == rounds


def test_without_its_state_everything_is_taken_again(
    tmp_path: Path, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(30)
    take(reader)

    with closing(sqlite3.connect(":memory:")) as empty, closing(JournalReader(tmp_path, empty)) as successor:
        assert [(1, 30)] == numbers(take(successor))


def test_segments_come_and_go(
    tmp_path: Path, state: sqlite3.Connection, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(3)
    (taken,) = take(reader)
    only(tmp_path).remove()

    assert set() == reader.look()
    assert [] == reader.contents(taken)
    assert [] == state.execute("SELECT * FROM segment").fetchall()

    append(4)

    assert [(1, 4)] == numbers(take(reader))


def test_a_segment_is_read_once_its_writer_is_gone_and_all_is_taken(
    tmp_path: Path, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(3)
    file = only(tmp_path)
    slot = Slot(tmp_path, 0)
    before = (take(reader), reader.is_read(file))
    slot.close()

    assert before[1] is False
    assert reader.is_read(file)


def test_a_segment_with_entries_left_is_not_read(
    tmp_path: Path, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    writer = append(5, ago=HOUR)
    append(5, writer=writer)
    take(reader, events=3)

    assert not reader.is_read(only(tmp_path))

    take_all(reader)

    assert reader.is_read(only(tmp_path))


def test_the_segment_that_a_living_process_left_is_read(
    tmp_path: Path, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    slot = Slot(tmp_path, 0)
    append(3)
    append(4, ago=HOUR)  # the next one, though the clock was set back
    take_all(reader)
    former, latter = segments(tmp_path)

    assert reader.is_read(former)
    assert not reader.is_read(latter)

    slot.close()


def remove_old(reader: JournalReader, in_flight: set[str], retention: float = HOUR, limit: int = MANY) -> None:
    reader.look()
    reader.remove_old(in_flight, retention, limit, time.time())


def test_a_segment_goes_when_it_is_receipted_and_older_than_the_retention(
    tmp_path: Path, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(3).close()
    file = only(tmp_path)
    take(reader)
    remove_old(reader, set())

    assert [file] == segments(tmp_path)

    os.utime(file.path, (time.time() - 2 * HOUR,) * 2)
    remove_old(reader, {file.id})

    assert [file] == segments(tmp_path)

    remove_old(reader, set())

    assert [] == segments(tmp_path)


def test_what_nobody_took_is_never_removed(
    tmp_path: Path, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(3).close()
    file = only(tmp_path)
    os.utime(file.path, (0, 0))
    remove_old(reader, set(), limit=1)

    assert [file] == segments(tmp_path)


def test_when_space_is_short_receipted_segments_go_early_oldest_first(
    tmp_path: Path, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    for _ in range(4):
        append(1, size=100_000).close()
    take_all(reader)
    files = segments(tmp_path)
    remove_old(reader, {files[1].id}, limit=400_000)

    assert [files[1], files[3]] == segments(tmp_path)


def test_replay_leaves_what_came_since_for_taking_once_more(
    reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    append(10, ago=3 * HOUR)
    writer = append(10, ago=2 * HOUR)
    append(10, writer=writer, ago=120)
    take_all(reader)

    assert reader.replay(time.time() - HOUR) == 10
    assert [(11, 20)] == numbers(take(reader))
    assert reader.replay(time.time() - 4 * HOUR) == 30
    assert take_all(reader) == 30
    assert reader.replay(time.time()) == 0


def test_replay_outlives_the_reader_and_keeps_what_was_left_before(
    tmp_path: Path, state: sqlite3.Connection, reader: JournalReader, append: Callable[..., SegmentWriter]
) -> None:
    writer = append(10, ago=2 * HOUR)
    append(10, writer=writer, ago=HOUR)
    append(10, writer=writer)
    take(reader, events=4)  # 21 to 24, and 1 to 4

    assert reader.replay(time.time() - 1.5 * HOUR) == 14

    with closing(JournalReader(tmp_path, state)) as successor:
        assert take_all(successor, events=4) == 6 + 14 + 6


def test_a_segment_of_another_version_of_the_program_is_left_alone_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = tmp_path / "slot-00-1795000000000-0123456789abcdef.journal2"
    stranger.write_bytes(b"what the next version writes")
    reader = JournalReader(tmp_path, sqlite3.connect(tmp_path / "reader.db"))

    for _ in range(3):
        reader.look()
        reader.remove_old(set(), 0, 0, 4e9)

    assert [] == reader.take(500, 1 << 20, 4e9)
    assert b"what the next version writes" == stranger.read_bytes()
    assert ["journal segment left alone"] == [record.message for record in caplog.records]
