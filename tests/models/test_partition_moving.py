"""Many rows move out of the default partition beside those who write and read, and none is ever missing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

import migrations
from models import locks, moving, partition
from models.db import connect, transaction
from tests.models.filling import count, fill, rows_in
from tests.pushes import batch_of, event_of, push
from workers.record import record

MANY = partition.FEW + 2000
START = datetime(2025, 1, 1, tzinfo=UTC)
MONTHS = [date(2025, 1, 1), date(2025, 2, 1)]
HISTORY = "created_at < '2025-03-01'"
PHOTO = "<SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>aa</PicMd5Sum></item></PicList></SendPicsInfo>"


@pytest.fixture
def engine(postgresql_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Two months of history in the default partition, and one event of a month that gets no partition."""
    monkeypatch.setattr(locks, "PAUSE", 0.05)
    monkeypatch.setattr(moving, "PORTION", 1000)
    engine = connect(postgresql_database_url)
    fill(engine, START, MANY, timedelta(days=58) / MANY)
    record(engine, batch_of(event_of(push(at=TAP))))
    yield engine
    engine.dispose()


TAP = int(datetime(2024, 5, 1, tzinfo=UTC).timestamp())


def selfie(user: str, at: datetime) -> bytes:
    return push("pic_weixin", user=user, at=int(at.timestamp()), more=PHOTO)


class Aside:
    """Something done again and again in a thread, until it is told to end."""

    def __init__(self, act: Callable[[int], object]) -> None:
        self.failure: BaseException | None = None
        self.times = 0
        self._act, self._ends = act, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Aside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        assert self.failure is None, self.failure

    def _run(self) -> None:
        try:
            while not self._ends.is_set():
                self._act(self.times)
                self.times += 1
        except BaseException as error:
            self.failure = error


def test_the_rows_of_a_month_are_in_its_partition(engine: Engine) -> None:
    copied: list[int] = []

    made = partition.create(engine, MONTHS, copied.append)

    february = MANY - rows_in(engine, "event_y2025m01")[0]
    assert 2 * len(partition.PARTITIONED) == len(made)
    assert (february, 2 * february) == rows_in(engine, "event_y2025m02", "photo_y2025m02")
    assert (1, 0) == rows_in(engine, "event_default", "photo_default")
    assert 3 * MANY + 1 == sum(copied)
    assert [] == migrations.problems(engine)
    with engine.connect() as connection:
        left = "SELECT count(*) FROM pg_class WHERE relname LIKE '%moving%'"
        assert 0 == connection.scalar(text(left))
        assert 0 == connection.scalar(text("SELECT count(*) FROM pg_constraint WHERE conname = 'moving'"))
        assert 0 == connection.scalar(text("SELECT count(*) FROM pg_proc WHERE proname LIKE '%moving%'"))
        indexes = "SELECT count(*) FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid WHERE indrelid IN"
        assert 8 == connection.scalar(
            text(f"{indexes} (CAST('event_y2025m01' AS regclass), 'event_default'::regclass)")
        )


def test_what_is_written_meanwhile_is_moved_as_it_became(engine: Engine) -> None:
    turns = []

    def meanwhile(_copied: int) -> None:
        """Write behind and before what is copied so far: first while events move, then while photos do."""
        turn = len(turns)
        users = f"('o{turn}', 'o{MANY - 1 - turn}')"
        with transaction(engine) as connection:
            connection.execute(text(f"UPDATE event SET event_key = 'changed' WHERE open_id IN {users}"))
            connection.execute(text(f"UPDATE event SET msg_id = '{turn}' WHERE open_id = 'o0'"))
            connection.execute(text(f"DELETE FROM photo WHERE position = 1 AND md5 IN {users}"))
        for hours in (turn, 24 * 50 + turn):
            record(engine, batch_of(event_of(selfie(f"o-late-{turn}", START + timedelta(hours=hours)))))
        turns.append(turn)

    partition.create(engine, MONTHS, meanwhile)

    written = 2 * len(turns)
    with engine.connect() as connection:
        assert (1, 0) == rows_in(engine, "event_default", "photo_default")
        assert MANY + 1 + written == count(connection, "event")
        assert written == count(connection, "event", "event_key = 'changed'")
        assert 1 == count(connection, "event", f"open_id = 'o0' AND msg_id = '{turns[-1]}'")
        assert 2 * MANY - written + written == count(connection, "photo")
        assert MANY - written == count(connection, "photo", "position = 1")


def test_writers_and_readers_notice_nothing(engine: Engine) -> None:
    def tap(number: int) -> None:
        record(engine, batch_of(event_of(push(user=f"o{number}", at=int(datetime.now(UTC).timestamp())))))

    def import_history(number: int) -> None:
        record(engine, batch_of(event_of(selfie(f"o-old-{number}", START + timedelta(minutes=number)))))

    def count_history(_number: int) -> None:
        with engine.connect() as connection:
            assert MANY + 1 <= count(connection, "event", HISTORY)
            assert 2 * MANY <= count(connection, "photo", HISTORY)

    with Aside(tap) as taps, Aside(import_history) as imports, Aside(count_history) as counts:
        partition.create(engine, MONTHS)

    assert counts.times
    with engine.connect() as connection:
        assert MANY + 1 + imports.times == count(connection, "event", HISTORY)
        assert 2 * MANY + imports.times == count(connection, "photo", HISTORY)
        assert 1 == count(connection, "event_default")
        assert taps.times == count(connection, "event", "created_at > '2026-01-01'")


def test_nobody_waits_for_a_move_that_waits_for_a_reader(engine: Engine) -> None:
    with engine.connect() as reader:
        reader.execute(text("SELECT 1 FROM event LIMIT 1"))  # and its transaction stays open
        mover = threading.Thread(target=partition.create, args=(engine, MONTHS))
        mover.start()
        for number in range(10):  # each would wait behind the lock that waits for the reader
            record(engine, batch_of(event_of(push(user=f"o{number}", at=int(datetime.now(UTC).timestamp())))))
            record(engine, batch_of(event_of(selfie(f"o-old-{number}", START))))
            threading.Event().wait(0.1)
        while mover.is_alive() and rows_in(engine, "event_moving_noted") != (0,):  # meanwhile it keeps up
            threading.Event().wait(0.1)
        is_waiting = mover.is_alive()
    mover.join()

    assert is_waiting
    assert (1, MANY + 21) == rows_in(engine, "event_default", "event")


def test_whoever_reads_one_state_of_the_tables_goes_on_seeing_all_of_it(engine: Engine) -> None:
    mover = threading.Thread(target=partition.create, args=(engine, MONTHS))
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        reader.execute(text("SELECT 1 FROM account"))  # what it sees is settled, though it has not touched the events
        mover.start()
        mover.join(1.5)
        seen = count(reader, "event")
    mover.join()

    assert MANY + 1 == seen
    assert (1,) == rows_in(engine, "event_default")


def test_a_move_that_is_interrupted_leaves_nothing(engine: Engine) -> None:
    def interrupt(_copied: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        partition.create(engine, MONTHS, interrupt)

    with engine.connect() as connection:
        assert not [one for one in partition.partitions(connection) if one.month in MONTHS]
        assert 0 == connection.scalar(text("SELECT count(*) FROM pg_class WHERE relname LIKE '%moving%'"))
    assert (MANY + 1, 2 * MANY) == rows_in(engine, "event_default", "photo_default")


KILLED = """
import os, signal, sys
from datetime import date
from models import moving, partition
from models.db import connect
moving.PORTION = 1000
months = [date(2025, 1, 1), date(2025, 2, 1)]
partition.create(connect(sys.argv[1]), months, lambda copied: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_move_that_is_killed_is_cleared_away_by_the_next(engine: Engine, postgresql_database_url: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, postgresql_database_url], env=os.environ | {"PYTHONPATH": "."})
    record(engine, batch_of(event_of(selfie("o1", START))))
    with engine.connect() as connection:
        states = {one.name: one.state for one in partition.partitions(connection) if one.month in MONTHS}
    problems = migrations.problems(engine)

    made = partition.ensure_partitions(engine, datetime.now(UTC).date())
    with engine.connect() as connection:
        left = connection.scalar(text("SELECT count(*) FROM pg_class WHERE relname LIKE '%moving%'"))
    partition.create(engine, MONTHS)

    assert -signal.SIGKILL == done.returncode
    assert dict.fromkeys(("event_y2025m01", "event_y2025m02"), partition.UNFINISHED) == states
    assert ([], [], 0) == (problems, made, left)
    assert (1, MANY + 2) == rows_in(engine, "event_default", "event")


def test_tables_that_are_never_free_are_given_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "TRIES", 2)
    monkeypatch.setattr(locks, "TRIES", 2)
    with engine.connect() as reader:
        reader.execute(text("SELECT 1 FROM event LIMIT 1"))

        with pytest.raises(locks.BusyError, match="event"):
            partition.create(engine, MONTHS)

    assert (MANY + 1,) == rows_in(engine, "event_default")
