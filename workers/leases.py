"""The table of messages of the embedded broker: who takes a message has it on lease until it is acknowledged.

The holder renews its leases while it lives; when it is killed they run out, and its messages are delivered again.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.utils.json import dumps, loads

from workers.queues import DELIVERIES

LEASE = 15.0  # seconds until a killed holder's message is delivered again
RENEWAL = 5.0
PATIENCE = 5.0  # seconds to wait while another process writes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, so an old lease never fits a new message
  queue TEXT NOT NULL,
  deliveries INTEGER NOT NULL DEFAULT 0,  -- with the id, it names the lease: who has an older one has lost it
  leased_until REAL NOT NULL DEFAULT 0,  -- 0: nobody has it
  envelope TEXT NOT NULL,
  body NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS message_next ON message (queue, leased_until, id)"
# The oldest free message, or an older one whose lease ran out: three look-ups in the index, whatever the backlog. A
# lease that ends later than any can was made before the clock was set back.
_NEXT = """
SELECT id, deliveries, leased_until, envelope, body FROM message WHERE id = (SELECT min(id) FROM (
  SELECT * FROM (SELECT id FROM message WHERE queue = :queue AND leased_until = 0 ORDER BY id LIMIT 1)
  UNION ALL SELECT * FROM (SELECT id FROM message WHERE queue = :queue AND leased_until > 0 AND leased_until <= :now
    ORDER BY leased_until, id LIMIT 1)
  UNION ALL SELECT * FROM (SELECT id FROM message WHERE queue = :queue AND leased_until > :last LIMIT 1)))
"""
# No RETURNING: SQLite has it since 3.35, which not every system with Python 3.11 brings.
_CLAIM = """
UPDATE message SET leased_until = ?, deliveries = deliveries + 1 WHERE id = ? AND deliveries = ? AND leased_until = ?
"""
_RENEW = "UPDATE message SET leased_until = ? WHERE id = ? AND deliveries = ?"
_READY = "queue = :queue AND (leased_until <= :now OR leased_until > :last)"

# One for the process: SQLite has one writer at a time anyway, and a fork must find no connection at work.
_turn = threading.RLock()
_stores: set["Store"] = set()


class Store:
    """The table of messages, as one transport in one process sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[str, tuple[int, int]] = {}  # delivery tag → id and deliveries: the leases to renew
        with _turn:
            self._fresh()
            self._connected()
            _stores.add(self)

    def _fresh(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._keeper: threading.Thread | None = None
        self._closed = threading.Event()
        self.wake = threading.Event()  # set when there may be something to do before the next look

    def _connected(self) -> sqlite3.Connection:
        if self._closed.is_set():
            raise sqlite3.OperationalError("the connection to the embedded broker is closed")
        if self._connection is None:
            self._connection = _open(self._path)
        return self._connection

    def rows(self, sql: str, values: dict[str, Any]) -> list[Any]:
        with _turn:
            return self._connected().execute(sql, values).fetchall()  # all: a half-read SELECT would hold its snapshot

    def change(self, sql: str, values: Sequence[Any] | dict[str, Any]) -> int:
        """How many rows changed."""
        with _turn:
            return self._connected().execute(sql, values).rowcount

    def put(self, queue: str, message: dict[str, Any]) -> None:
        envelope = {name: part for name, part in message.items() if name != "body"}
        row = (queue, dumps(envelope), message["body"])
        self.change("INSERT INTO message (queue, envelope, body) VALUES (?, ?, ?)", row)

    def take(self, queue: str) -> dict[str, Any]:
        """The next message, now leased. Compare-and-set, as looking must not lock: most looks find nothing."""
        with _turn:
            while found := self.rows(_NEXT, _now(queue)):
                ((row, deliveries, leased_until, envelope, body),) = found
                if self.change(_CLAIM, (time.time() + LEASE, row, deliveries, leased_until)):
                    tag = f"{row}.{deliveries + 1}"
                    self._held[tag] = (row, deliveries + 1)
                    self._keep_leases()
                    return _delivered(loads(envelope), body, tag, deliveries)
        raise Empty

    def acknowledge(self, tag: str) -> None:
        """The lease is given up first: if that fails, it runs out, and the message is delivered again."""
        with _turn:
            if lease := self._held.pop(tag, None):
                self.change("DELETE FROM message WHERE id = ? AND deliveries = ?", lease)

    def release(self, tag: str) -> None:
        """Give a message back, to be delivered again at once."""
        with _turn:
            if lease := self._held.pop(tag, None):
                self.change("UPDATE message SET leased_until = 0 WHERE id = ? AND deliveries = ?", lease)

    def ready(self, queue: str) -> int:
        """How many messages wait; those on lease are not counted."""
        return int(self.rows(f"SELECT count(*) FROM message WHERE {_READY}", _now(queue))[0][0])  # noqa: S608

    def purge(self, queue: str) -> int:
        return self.change(f"DELETE FROM message WHERE {_READY}", _now(queue))  # noqa: S608

    def delete(self, queue: str) -> int:
        return self.change("DELETE FROM message WHERE queue = ?", (queue,))

    def close(self) -> None:
        with _turn:
            self._closed.set()
            self._held.clear()
            self.disconnect()
            _stores.discard(self)

    def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def forget(self) -> None:
        """In a forked child: what the parent holds is the parent's, and its threads are not here."""
        self._held.clear()
        self._fresh()

    def _keep_leases(self) -> None:
        """A thread, not the polling loop: a consumer may work for minutes between two looks."""
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._renew, args=(self._closed,), name="leases", daemon=True)
            self._keeper.start()

    def _renew(self, closed: threading.Event) -> None:
        while not closed.wait(RENEWAL):
            for tag in list(self._held):
                with suppress(sqlite3.OperationalError):  # tried again in time, or the message is delivered again
                    self._renew_one(tag)

    def _renew_one(self, tag: str) -> None:
        with _turn:
            if lease := self._held.get(tag):
                self.change(_RENEW, (time.time() + LEASE, *lease))


def _now(queue: str) -> dict[str, Any]:
    now = time.time()
    return {"queue": queue, "now": now, "last": now + LEASE + RENEWAL}


def _delivered(envelope: dict[str, Any], body: Any, tag: str, deliveries: int) -> dict[str, Any]:
    envelope["body"] = body
    envelope["headers"][DELIVERIES] = deliveries
    envelope["properties"]["delivery_tag"] = tag
    envelope["properties"]["delivery_info"]["redelivered"] = deliveries > 0
    return envelope


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _set_up(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    _use_wal(connection)
    # Not FULL: a killed process loses nothing, and what a failing power supply takes, the journals send again.
    connection.execute("PRAGMA synchronous = NORMAL")
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'message_next'").fetchall():
        connection.execute(_SCHEMA)
        connection.execute(_INDEX)


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait by itself when two processes turn a new file to WAL at once."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _before_fork() -> None:
    """Close every connection, to be opened again when needed.

    SQLite counts its locks per process in memory, which a fork copies, while the kernel's locks stay with the parent:
    even a connection that the child opens by itself would believe in locks that it does not have.
    """
    _turn.acquire()
    for store in _stores:
        store.disconnect()


def _after_fork_in_child() -> None:
    for store in _stores:
        store.forget()
    _turn.release()


os.register_at_fork(before=_before_fork, after_in_parent=_turn.release, after_in_child=_after_fork_in_child)
