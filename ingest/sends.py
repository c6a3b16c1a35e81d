"""Batches on their way: which entries each carries, when it was sent, and whether its receipt has come.

The deciding part of the publisher; no broker, and time is an argument, in seconds. A batch is sent again when a later
send has had its receipt for a while and this one has not: the queue has moved past it. While workers are down nothing
is receipted, so nothing is repeated, however long it takes.
"""

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ingest.reader import Range

FIRST_WAIT = 30.0  # seconds that a later send has had its receipt before a batch is sent again; doubles each time
LONGEST_WAIT = 900.0
WINDOW = 2000  # batches without receipt: bounds the broker's memory and the cost of repeats
HALVES_FROM = 3  # from this send on a batch goes out in halves: one of its entries may be killing workers
SUSPECT_FROM = 5  # the send at which an entry that went out alone is suspect; queues lost twice must not make it so
PROBE_AFTER = 60.0  # seconds without a send, after which a probe asks whether what is unreceipted was lost

SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    id TEXT PRIMARY KEY, segment TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, sends INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class Batch:
    """An id of 128 random bits, bound to its entries before it is sent. `sends` counts over restarts.

    `sent` is the number of its last send among all sends of this process (0: none yet), `first_sent` of its first.
    """

    id: str
    entries: Range
    sends: int = 0
    sent: int = 0
    first_sent: int = 0
    overtaken_at: float | None = None

    def is_due(self, now: float) -> bool:
        return self.overtaken_at is not None and now - self.overtaken_at >= _wait(FIRST_WAIT, self.sends - 1)

    def size(self) -> int:
        return self.entries.last - self.entries.first + 1

    def is_single(self) -> bool:
        return self.size() == 1

    def is_suspect(self) -> bool:
        return self.is_single() and self.sends + 1 >= SUSPECT_FROM


class Sends:
    """All batches without receipt. The caller commits `state`, before it sends what was bound."""

    def __init__(self, state: sqlite3.Connection) -> None:
        state.executescript(SCHEMA)
        self._state = state
        self._batches: dict[str, Batch] = {}
        self._probes: dict[str, int] = {}
        self._count = 1
        self._sent_at = 0.0
        for batch_id, segment, first, last, sends in state.execute("SELECT * FROM batch ORDER BY rowid"):
            # What a predecessor sent stays sent, nobody knows in which order, and before all that this process sends.
            number = self._count if sends else 0
            self._batches[batch_id] = Batch(batch_id, Range(segment, first, last), sends, number, number)

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def repeats(self) -> int:
        """How many of the batches without receipt were sent more than once."""
        return sum(batch.sends > 1 for batch in self._batches.values())

    def segments(self) -> set[str]:
        return {batch.entries.segment for batch in self._batches.values()}

    def bind(self, entries: Range, sends: int = 0) -> Batch:
        batch = Batch(secrets.token_hex(16), entries, sends)
        self._batches[batch.id] = batch
        self._state.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?)", (batch.id, *entries, sends))
        return batch

    def unsent(self) -> list[Batch]:
        """Batches that were bound and not sent, or so it seems: a predecessor may have been killed in between."""
        return [batch for batch in self._batches.values() if not batch.sent]

    def due_again(self, now: float) -> list[Batch]:
        """Batches that were overtaken for long enough. From the third send on they are bound anew in halves, which
        are then among the unsent."""
        due = [batch for batch in self._batches.values() if batch.is_due(now)]
        return [batch for batch in due if not self._is_halved(batch)]

    def mark_sent(self, batch: Batch, now: float) -> None:
        self._count += 1
        self._sent_at = now
        self._batches[batch.id] = replace(
            batch,
            sends=batch.sends + 1,
            sent=self._count,
            first_sent=batch.first_sent or self._count,
            overtaken_at=None,
        )
        self._state.execute("UPDATE batch SET sends = ? WHERE id = ?", (batch.sends + 1, batch.id))

    def probe(self, now: float) -> str | None:
        """The id of a probe when one is due, which counts as sent: something is unreceipted, and all is silent.

        Each probe without receipt doubles the wait, so that they do not pile up while workers are down.
        """
        if not self._batches or now - self._sent_at < _wait(PROBE_AFTER, len(self._probes)):
            return None
        self._count += 1
        self._sent_at = now
        probe = secrets.token_hex(16)
        self._probes[probe] = self._count
        return probe

    def receipts(self, ids: Iterable[str], now: float) -> int:
        """Let go of what is in the tables, and note what was overtaken; how many batches that were.

        An id that is bound to nothing here matches nothing.
        """
        count = latest = 0
        for batch_id in ids:
            batch = self._batches.pop(batch_id, None)
            if batch:
                count += 1
                # Which of its sends the receipt is for cannot be known; the first proves least.
                latest = max(latest, batch.first_sent)
                self._state.execute("DELETE FROM batch WHERE id = ?", (batch_id,))
            else:
                latest = max(latest, self._probes.get(batch_id, 0))
        self._probes = {probe: number for probe, number in self._probes.items() if number > latest}
        for batch in self._batches.values() if latest else ():
            if batch.overtaken_at is None and 0 < batch.sent < latest:
                self._batches[batch.id] = replace(batch, overtaken_at=now)
        return count

    def forget_all_but(self, segments: set[str]) -> None:
        """Let go of batches whose segments are gone."""
        for batch in [batch for batch in self._batches.values() if batch.entries.segment not in segments]:
            self._drop(batch)

    def _is_halved(self, batch: Batch) -> bool:
        """Bind a batch anew in halves, if it is time.

        Without room only the smallest of all is: one after the other, even a window full of what kills workers empties.
        """
        if batch.sends + 1 < HALVES_FROM or batch.is_single():
            return False
        if len(self) >= WINDOW and batch is not min(self._batches.values(), key=Batch.size):
            return False
        segment, first, last = batch.entries
        middle = (first + last) // 2
        self._drop(batch)
        for half in (Range(segment, first, middle), Range(segment, middle + 1, last)):
            # The sends of an entry that is alone now count anew: so far its neighbour may have been the one.
            self.bind(half, 0 if half.first == half.last else batch.sends)
        return True

    def _drop(self, batch: Batch) -> None:
        del self._batches[batch.id]
        self._state.execute("DELETE FROM batch WHERE id = ?", (batch.id,))


def _wait(first: float, times: int) -> float:
    """A wait that doubled so many times; years of them must not overflow."""
    return min(first * float(1 << min(times, 16)), LONGEST_WAIT)
