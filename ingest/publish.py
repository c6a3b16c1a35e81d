"""The publisher: moves the journal to the broker, batch by batch; `python -m ingest.publish [PID]`, one per host.

A process of its own because of the GIL: as a thread it would cost the door half of its rate. No answer waits for it,
so it may linger until batches are worth sending.
"""

import fcntl
import logging
import math
import os
import secrets
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

from ingest import metrics, replays, snapshot
from ingest.broker import Broker, BrokerError
from ingest.lifeline import follow_parent
from ingest.reader import JournalReader
from ingest.segment import is_damage
from ingest.sends import WINDOW, Batch, Sends
from models import logs
from models.config import DoorConfig, load_or_exit
from wechat.event import encode_batch, encode_suspect
from workers.queues import receipts_queue

log = logging.getLogger(__name__)

LINGER = 0.02  # seconds between looks for what has gathered,
LEAST_LINGER = 0.04  # and after a batch: one costs as much as a hundred events
LAGGING = 32  # batches without receipt, above which batches grow rather than multiply
LAG_LINGER = 1.0
EVENTS_PER_BATCH = 500
EVENTS_WHEN_LAGGING = 2000
BYTES_PER_BATCH = 1 << 20
LOOK_EVERY = 0.1  # seconds between looks for new segments
CLEAN_EVERY = 10.0
SILENCE = (60.0, 3600.0)  # seconds in which nothing was sent, after which workers are greeted: at first, then always
BACK_OFF = (0.2, 5.0)  # seconds before a broker that failed is tried again: at first, at most


class Publisher:
    """All the state of the one publisher of a host."""

    def __init__(self, config: DoorConfig) -> None:
        """Raises sqlite3.Error and OSError."""
        self._directory, self._snapshot = config.journal_dir, config.snapshot_file
        self._url = config.broker_url.get_secret_value()
        self._retention, self._limit = config.journal_retention, config.journal_limit
        self._state = _open_state(config.journal_dir / "reader.db")
        self._reader = JournalReader(config.journal_dir, self._state)
        self._sends = Sends(self._state)
        self._receipts_queue = receipts_queue(_host(config.journal_dir / "host"))
        self._looked = self._cleaned = self._took = -math.inf
        self._greet_at = time.monotonic() + SILENCE[0]
        self._told: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        """Publish until told to stop; a broker that fails is tried anew, at growing intervals."""
        wait = BACK_OFF[0]
        while not stop.is_set():
            try:
                with Broker(self._url, self._receipts_queue) as broker:
                    log.info("broker connected")
                    self._tell(broker.warnings())
                    while not stop.wait(self._pause()):
                        self._round(broker)
                        self._keep(broker.snapshots())
                        self._greet(broker)
                        wait = BACK_OFF[0]  # not before: some brokers take connections and refuse all else
            except BrokerError as error:
                self._state.commit()  # what is bound stays bound
                metrics.BROKER_FAILURES.labels(error.kind).inc()
                log.warning("broker failed", extra={"reason": str(error), "retry_seconds": wait})
                stop.wait(wait)
                wait = min(2 * wait, BACK_OFF[1])
        self._reader.close()
        self._state.close()

    def _pause(self) -> float:
        """The seconds in which the next batch gathers."""
        return 0.0 if self._reader.was_full else max(LINGER, self._took + LEAST_LINGER - time.monotonic())

    def _round(self, broker: Broker) -> None:
        arrived = broker.receipts(0.0)
        now = time.monotonic()  # a clock that is set back must not stop us; only the entries bear times of day
        metrics.RECEIPTS.inc(self._sends.receipts(arrived, now))
        metrics.count_taps(broker.taps())
        self._look(now)
        for batch in [*self._sends.due_again(now), *self._gathered(now)]:
            self._send(broker, batch, now)
        probe = self._sends.probe(now)
        if probe:
            broker.publish(probe, encode_batch(probe, self._receipts_queue, []))
        self._state.commit()

    def _gathered(self, now: float) -> list[Batch]:
        """What is to be sent for the first time: bound, and the binding on record, before any of it is sent."""
        is_lagging = len(self._sends) > LAGGING
        if len(self._sends) >= WINDOW:
            self._reader.was_full = False
        elif self._reader.was_full or not is_lagging or now - self._took >= LAG_LINGER:
            events = EVENTS_WHEN_LAGGING if is_lagging else EVENTS_PER_BATCH
            for taken in self._reader.take(events, BYTES_PER_BATCH, time.time()):
                self._sends.bind(taken)
                self._took = now
        self._state.commit()
        return self._sends.unsent()

    def _send(self, broker: Broker, batch: Batch, now: float) -> None:
        contents = self._reader.contents(batch.entries)
        if not contents:
            return  # its segment was found damaged; what is intact in it gets a batch anew
        if batch.is_suspect():
            payload = encode_suspect(batch.id, self._receipts_queue, contents[0])
        else:
            payload = encode_batch(batch.id, self._receipts_queue, contents)
        broker.publish(batch.id, payload)
        self._sends.mark_sent(batch, now)
        self._greet_at = now + SILENCE[1]
        metrics.BATCH_SIZE.observe(len(contents))
        if batch.sends:
            metrics.REPEATS.inc()
            log.warning("batch sent again", extra={"sends": batch.sends + 1, "events": len(contents)})

    def _keep(self, contents: list[bytes]) -> None:
        for content in contents:
            try:
                if snapshot.keep(self._snapshot, content):
                    log.info("snapshot kept", extra={"bytes": len(content)})
            except snapshot.UnfitError as error:
                log.warning("snapshot not kept", extra={"reason": error.reason})
            except OSError as error:  # the disk is full; another snapshot comes tomorrow
                log.warning("snapshot not kept", extra={"reason": type(error).__name__})

    def _greet(self, broker: Broker) -> None:
        """An empty batch now and then: workers hand snapshots to whoever sends, and no push may have come for weeks."""
        now = time.monotonic()
        if now >= self._greet_at:
            self._greet_at = now + SILENCE[1]
            greeting = secrets.token_hex(16)
            broker.publish(greeting, encode_batch(greeting, self._receipts_queue, []))

    def _look(self, now: float) -> None:
        """Notice what came and went in the directory, and remove what has served its time."""
        if now - self._looked > LOOK_EVERY:
            self._looked = now
            self._sends.forget_all_but(self._reader.look())
            self._replay()
        if now - self._cleaned > CLEAN_EVERY:
            self._cleaned = now
            self._reader.remove_old(self._sends.segments(), self._retention, self._limit, time.time())

    def _replay(self) -> None:
        """Send once more what was asked for."""
        for path, since in replays.requests(self._directory):
            count = self._reader.replay(since)
            self._state.commit()
            path.unlink()
            log.info("journal replayed", extra={"entries": count})

    def _tell(self, warnings: list[str]) -> None:
        """Once each, however often the connection is rebuilt."""
        for advice in set(warnings) - self._told:
            log.warning("broker endangers events", extra={"advice": advice})
        self._told.update(warnings)


def main() -> None:
    """Publish until told to stop."""
    config = load_or_exit(DoorConfig)
    logs.set_up(config.log_level)
    follow_parent(*map(int, sys.argv[1:2]))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    config.journal_dir.mkdir(parents=True, exist_ok=True)
    if _alone(config.journal_dir / "publisher.lock", stop):
        Publisher(config).run(stop)


def _alone(path: Path, stop: threading.Event) -> bool:
    """Wait until this is the only publisher of the host; False when told to stop first."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while not stop.is_set():
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stop.wait(0.2)
        else:
            return True
    return False


def _host(path: Path) -> str:
    """The name under which this host gets its receipts: random, made once."""
    if not path.exists() or not path.read_text().strip():  # empty: made as the power failed
        path.write_text(secrets.token_hex(8))
    return path.read_text().strip()


def _open_state(path: Path) -> sqlite3.Connection:
    """The publisher's file. A damaged one is set aside: without it everything is sent again, and nothing worse."""
    state = sqlite3.connect(path, check_same_thread=False)
    try:
        state.execute("PRAGMA journal_mode = WAL")
        state.execute("PRAGMA synchronous = NORMAL")
        is_sound = state.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        is_sound = False
    if is_sound:
        return state
    state.close()
    path.rename(path.with_suffix(f".damaged-{int(time.time())}"))
    log.error("publisher's state damaged", extra={"file": path.name})
    return _open_state(path)


if __name__ == "__main__":
    main()
