"""Everything the ingress measures of itself, each with a sentence.

With several processes the values lie in files of the directory that PROMETHEUS_MULTIPROC_DIR names; it must be set
before this module is imported (`ingest.serve` does).
"""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.0, 5.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

REGISTRY = CollectorRegistry()

PUSHES = Counter(
    "caidan_pushes", "Pushes by account, mode and outcome", ["account", "mode", "outcome"], registry=REGISTRY
)
OTHER_RECIPIENTS = Counter(
    "caidan_other_recipients",
    "Pushes whose ToUserName is not the account's original_id",
    ["account"],
    registry=REGISTRY,
)
ACKNOWLEDGED = Histogram(
    "caidan_acknowledgement_seconds", "Time from a push's first byte to its answer", buckets=SECONDS, registry=REGISTRY
)
GROUP_SIZE = Histogram(
    "caidan_journal_group_size", "Pushes made durable together, by one commit", buckets=SIZES, registry=REGISTRY
)
COMMIT_SECONDS = Histogram(
    "caidan_journal_commit_seconds", "Time to make one group durable", buckets=SECONDS, registry=REGISTRY
)


def observe_group(size: int, seconds: float) -> None:
    """Note one commit of the journal."""
    GROUP_SIZE.observe(size)
    COMMIT_SECONDS.observe(seconds)


def exposition() -> bytes:
    """All values, of every process of the ingress, in the text format of Prometheus."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
