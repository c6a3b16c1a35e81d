import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import models.disk
from ingest import journal as module
from ingest.journal import Journal, NotDurableError
from ingest.segment import SegmentReader, segments
from models.disk import NetworkDiskError


@pytest.fixture
def groups() -> list[int]:
    """The sizes of the groups that were committed."""
    return []


@pytest.fixture
def journal(tmp_path: Path, groups: list[int]) -> Iterator[Journal]:
    journal = Journal(tmp_path, 1 << 30, lambda size, _seconds: groups.append(size))
    yield journal
    journal.close()


def contents(directory: Path) -> list[bytes]:
    found = []
    for file in segments(directory):
        with closing(SegmentReader(file)) as reader:
            found += [entry.content for entry in reader.after(0, 1 << 40)]
    return found


@contextmanager
def hanging(directory: Path) -> Iterator[None]:
    """The disk does not answer: somebody else holds the lock that a commit needs."""
    with closing(sqlite3.connect(segments(directory)[-1].path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def eventually(call: Callable[[], object]) -> None:
    for _ in range(100):
        try:
            call()
        except NotDurableError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("not durable in five seconds")


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(NotDurableError) as raised:
        call()
    return raised.value.reason


def test_one_alone_is_committed_at_once(tmp_path: Path, journal: Journal, groups: list[int]) -> None:
    journal.append(b"one")
    journal.append(b"two")

    assert [1, 1] == groups
    assert [b"one", b"two"] == contents(tmp_path)


def test_what_is_to_be_made_is_made_of_what_is_durable(tmp_path: Path, journal: Journal) -> None:
    journal.append(b"first")
    with ThreadPoolExecutor(1) as pool:
        with hanging(tmp_path):
            appended = pool.submit(journal.append_and_make, lambda: b"second", lambda: contents(tmp_path))
            time.sleep(0.3)
            is_made_too_early = appended.done()

        assert [b"first", b"second"] == appended.result()
    assert not is_made_too_early


def test_what_cannot_be_made_stops_nothing(tmp_path: Path, journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    assert "journal_failed" == reason(lambda: journal.append_and_make(lambda: b"one", lambda: 1 // 0))
    journal.append(b"two")

    assert [b"one", b"two"] == contents(tmp_path)
    assert [("push not taken", "ZeroDivisionError")] == [
        (record.message, record.__dict__["error"]) for record in caplog.records
    ]


def test_what_cannot_be_read_stops_nothing(tmp_path: Path, journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    journal.append(b"first")
    with ThreadPoolExecutor(3) as pool:
        with hanging(tmp_path):
            pool.submit(journal.append, b"second")
            time.sleep(0.3)  # the next two make one group
            unread = pool.submit(reason, lambda: journal.append_and_make(lambda: int("x").to_bytes(), lambda: "made"))
            other = pool.submit(journal.append_and_make, lambda: b"third", lambda: "made")
            time.sleep(0.3)

        assert ["journal_failed", "made"] == [unread.result(), other.result()]
    assert [b"first", b"second", b"third"] == contents(tmp_path)
    assert ["ValueError"] == [record.__dict__["error"] for record in caplog.records]


def test_where_there_is_nothing_to_keep_something_is_made_all_the_same(tmp_path: Path, journal: Journal) -> None:
    assert "made" == journal.append_and_make(lambda: None, lambda: "made")

    assert [] == contents(tmp_path)


def test_what_gathers_during_a_commit_is_committed_together(
    tmp_path: Path, journal: Journal, groups: list[int]
) -> None:
    journal.append(b"first")
    expected = [str(number).encode() for number in range(40)]  # no more than may wait for a slow disk

    with ThreadPoolExecutor(40) as pool:
        with hanging(tmp_path):
            appended = [pool.submit(journal.append, content) for content in expected]
            time.sleep(0.3)
        for done in appended:
            done.result()

    assert sum(groups) == 41
    assert len(groups) <= 4
    assert sorted([b"first", *expected]) == sorted(contents(tmp_path))


def test_a_durable_group_goes_on_before_the_next_is_read(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN", 5.0)  # on a busy machine, too
    journal.append(b"first")
    waiting: list[int] = []

    def append_next() -> None:
        pool.submit(journal.append_and_make, lambda: waiting.append(len(journal._waiting)), lambda: None)
        time.sleep(0.3)

    with ThreadPoolExecutor(4) as pool:
        with hanging(tmp_path):
            pool.submit(journal.append, b"second")
            time.sleep(0.3)  # the next two make one group
            pool.submit(journal.append, b"third")
            fourth = pool.submit(journal.append_and_make, lambda: b"fourth", append_next)
            time.sleep(0.3)
        fourth.result()

    assert waiting in ([1], [2])  # the next one itself, and of the two the one that is not waited for


def test_every_append_of_many_threads_is_there_once(tmp_path: Path, journal: Journal, groups: list[int]) -> None:
    def append(thread: int) -> None:
        for number in range(25):
            journal.append(b"%d.%d" % (thread, number))

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(append, range(32)))

    assert sorted(b"%d.%d" % (t, n) for t in range(32) for n in range(25)) == sorted(contents(tmp_path))
    assert sum(groups) == 800


def test_a_disk_that_hangs_ends_every_wait_in_time_and_turns_the_rest_away_at_once(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 8)
    journal.append(b"before")
    reasons: list[tuple[str, float]] = []

    def append() -> None:
        started = time.monotonic()
        reasons.append((reason(lambda: journal.append(b"during")), time.monotonic() - started))

    threads = [threading.Thread(target=append) for _ in range(30)]
    with hanging(tmp_path):
        for thread in threads[:1]:
            thread.start()
        time.sleep(0.2)  # the writer has taken it, and hangs
        for thread in threads[1:]:
            thread.start()
        for thread in threads:
            thread.join()
    busy = [seconds for word, seconds in reasons if word == "journal_busy"]
    slow = [seconds for word, seconds in reasons if word == "journal_slow"]

    assert len(busy) == 20
    assert len(slow) == 10
    assert max(busy) < 1
    assert max(slow) < 4

    eventually(lambda: journal.append(b"after"))

    assert contents(tmp_path)[-1] == b"after"


def test_a_check_makes_something_durable_and_leaves_no_entry(tmp_path: Path, journal: Journal) -> None:
    assert journal.check() > 0
    assert contents(tmp_path) == []
    with closing(sqlite3.connect(segments(tmp_path)[0].path)) as connection:
        assert connection.execute("SELECT checked_at FROM segment").fetchone()[0] > 0


def test_a_full_segment_is_followed_by_another(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1000)
    expected = [bytes([number]) * 600 for number in range(5)]

    for content in expected:
        journal.append(content)

    assert len(segments(tmp_path)) == 3
    assert expected == contents(tmp_path)


def test_an_old_segment_is_followed_by_another_unless_it_is_empty(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_AGE", -1.0)

    journal.check()
    journal.append(b"one")
    journal.append(b"two")

    assert len(segments(tmp_path)) == 2


def test_measures_that_fail_refuse_no_push(tmp_path: Path) -> None:
    def fail(_size: int, _seconds: float) -> None:
        raise ValueError("no room for measures")

    journal = Journal(tmp_path, 1 << 30, fail)

    journal.append(b"one")
    journal.append(b"two")
    journal.close()

    assert contents(tmp_path) == [b"one", b"two"]


def test_closing_finishes_what_is_under_way_and_frees_the_slot(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        journal = Journal(tmp_path, 1 << 30)
        journal.append(content)
        journal.close()

    assert {0} == {segment.slot for segment in segments(tmp_path)}
    assert [b"one", b"two"] == contents(tmp_path)


def test_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"36 35 0:31 / {tmp_path}/share rw shared:1 - nfs4 server:/export rw\n")
    monkeypatch.setattr(models.disk, "_MOUNTINFO", table)

    with pytest.raises(NetworkDiskError, match="nfs4"):
        Journal(tmp_path / "share" / "journal", 1 << 30)
