"""Everything the ingress measures of itself, each with a sentence.

With several processes the values lie in files of the directory that PROMETHEUS_MULTIPROC_DIR names (measures.py); it
must be set before this module is imported. Labels have few values: nothing that comes from outside becomes one.
"""

import functools
import math
import os
import sqlite3
import threading
from bisect import bisect_left
from collections import Counter as Tally
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ingest.journal_files import status
from ingest.measures import VARIABLE
from workers.queues import TAP_CASES

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.0, 5.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class BulkHistogram(Histogram):
    """A histogram that takes many values for little more than the price of one."""

    def observe_all(self, values: Sequence[float]) -> None:
        """As `observe` for each."""
        for bucket, count in Tally(bisect_left(self._upper_bounds, value) for value in values).items():
            self._buckets[bucket].inc(count)
        self._sum.inc(sum(values))


REGISTRY = CollectorRegistry()
histogram = functools.partial(BulkHistogram, registry=REGISTRY)
counter = functools.partial(Counter, registry=REGISTRY)
# Of the whole host, and set when they are asked for: the last value is the right one.
gauge = functools.partial(Gauge, registry=REGISTRY, multiprocess_mode="mostrecent")

# The door
PUSHES = counter("caidan_pushes", "Pushes by account, mode and outcome", ["account", "mode", "outcome"])
OTHER_RECIPIENTS = counter(
    "caidan_other_recipients", "Pushes whose ToUserName is not the account's original_id", ["account"]
)
ORIGINS = counter(
    "caidan_push_origins",
    "Pushes by account, origin (known and foreign addresses, or unknown) and outcome",
    ["account", "origin", "outcome"],
)
REPLIES = counter(
    "caidan_replies",
    "Pushes of accounts with rules for replies, by what came of it: replied, nothing (as a rule says), no_rule (none "
    "matches), no_names (it does not say whom to reply to, or as whom) and failed; those that must not be replied to "
    "are not counted",
    ["account", "outcome"],
)
ACKNOWLEDGED = histogram(
    "caidan_acknowledgement_seconds", "Time from a push's first byte to its answer", buckets=SECONDS
)
GROUP_SIZE = histogram("caidan_journal_group_size", "Pushes made durable together, by one commit", buckets=SIZES)
COMMIT_SECONDS = histogram("caidan_journal_commit_seconds", "Time to make one group durable", buckets=SECONDS)

# The journal, whether or not a publisher runs
PENDING = gauge("caidan_journal_pending", "Pushes in the journal that are not known to be in the tables")
OLDEST_PENDING = gauge("caidan_journal_oldest_pending_seconds", "Age of the oldest of these; 0 when there is none")
JOURNAL_BYTES = gauge("caidan_journal_bytes", "Bytes on disk, with those that are kept after their receipt")

# The publisher
PUBLISHER_RUNNING = gauge("caidan_publisher_running", "Whether a publisher runs on this host: 1 or 0")
LAG = gauge("caidan_publisher_lag_seconds", "Age of the oldest push not sent to the broker yet; 0 when there is none")
UNRECEIPTED = gauge("caidan_batches_unreceipted", "Batches on their way, or lost: without a receipt so far")
BATCH_SIZE = histogram("caidan_batch_size", "Pushes in a batch, whenever one is sent", buckets=SIZES)
REPEATS = counter("caidan_batches_repeated", "Batches sent again, because they seemed lost")
RECEIPTS = counter("caidan_receipts", "Batches of which a receipt came: they are in the tables")
TAPS = counter(
    "caidan_taps_attributed",
    "Taps of menus, as receipts told of them, by the case of the rule that tied them to a publication, or to none",
    ["case"],
)
for _case in TAP_CASES:
    TAPS.labels(_case)  # told from the start, with 0, so that shares can be made of them
BROKER_FAILURES = counter("caidan_broker_failures", "Connections to the broker given up, by kind of error", ["reason"])

_journals: list[Path] = []
Noted = TypeVar("Noted")


def watch_journal(directory: Path) -> None:
    """Tell of this journal from now on."""
    _journals[:] = [directory]


# What the door notes in passing. Values that processes share cost a lock, a system call and a write each, together a
# tenth of what a push costs; so they are added up elsewhere, once a second.
_pushes: deque[tuple[tuple[str, str, str, str], float]] = deque()
_replies: deque[tuple[str, str]] = deque()
_groups: deque[tuple[int, float]] = deque()
_adding = threading.Lock()


def note_push(account: str, mode: str, outcome: str, origin: str, seconds: float) -> None:
    """Note one answer; `origin` is empty where there is no such account."""
    _pushes.append(((account, mode, outcome, origin), seconds))


def note_reply(account: str, outcome: str) -> None:
    """Note what came of looking for a reply."""
    _replies.append((account, outcome))


def note_group(size: int, seconds: float) -> None:
    """Note one commit of the journal."""
    _groups.append((size, seconds))


def add_up() -> None:
    """Add what was noted to the measures."""
    with _adding:
        pushes, groups = _taken(_pushes), _taken(_groups)
        for (account, mode, outcome, origin), count in Tally(labels for labels, _ in pushes).items():
            PUSHES.labels(account, mode, outcome).inc(count)
            if origin:
                ORIGINS.labels(account, origin, outcome).inc(count)
        for labels, count in Tally(_taken(_replies)).items():
            REPLIES.labels(*labels).inc(count)
        ACKNOWLEDGED.observe_all([seconds for _, seconds in pushes])
        GROUP_SIZE.observe_all([size for size, _ in groups])
        COMMIT_SECONDS.observe_all([seconds for _, seconds in groups])


def _taken(noted: "deque[Noted]") -> "list[Noted]":
    return [noted.popleft() for _ in range(len(noted))]  # each step whole, whoever appends meanwhile


def count_taps(taps: Mapping[str, int]) -> None:
    """Add what receipts told; a worker of another version may know other cases."""
    for case in TAP_CASES:
        if (count := taps.get(case, 0)) > 0:
            TAPS.labels(case).inc(count)


def exposition() -> bytes:
    """All values, of every process of the ingress, in the text format of Prometheus."""
    add_up()
    for directory in _journals:
        _look_into(directory)
    if VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    _Collector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _Collector(MultiProcessCollector):
    """A process that has just started, or was killed then, has an empty file, which the library cannot read."""

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in Path(os.environ[VARIABLE]).glob("*.db") if file.stat().st_size]
        return list(self.merge(files, accumulate=True))  # type: ignore[no-untyped-call]


def _look_into(directory: Path) -> None:
    """By looking, not by what the publisher says: these values matter most while it is gone."""
    try:
        found = status(directory)
    except (OSError, sqlite3.Error):  # the disk is gone, or the publisher's file is being made
        for one in (PENDING, OLDEST_PENDING, JOURNAL_BYTES, PUBLISHER_RUNNING, LAG, UNRECEIPTED):
            one.set(math.nan)
        return
    PENDING.set(found.pending)
    OLDEST_PENDING.set(found.oldest_pending_seconds or 0)
    JOURNAL_BYTES.set(found.bytes)
    PUBLISHER_RUNNING.set(found.publisher_running)
    LAG.set(found.oldest_unsent_seconds or 0)
    UNRECEIPTED.set(found.unreceipted_batches)
