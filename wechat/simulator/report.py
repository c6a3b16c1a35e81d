"""What came of a run of the pusher."""

from array import array
from collections import Counter
from typing import Any

from wechat.simulator.ledger import Line


class Report:
    """Counts of deliveries, and how long the acknowledged ones took."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.details: Counter[str] = Counter()
        self.attempts = 0
        self.repeats = 0
        self.damaged = 0
        self.unacknowledged = 0  # that should have been
        self.wrongly_acknowledged = 0  # that should have been refused
        self.elapsed = 0.0
        self._seconds = array("d")

    def add(self, line: Line) -> None:
        self.answers[line.answer] += 1
        self.attempts += line.attempts
        self.repeats += line.repeat
        self.damaged += line.damage is not None
        if line.detail:
            self.details[line.detail] += 1
        if line.is_acknowledged:
            self._seconds.append(line.seconds)
            self.wrongly_acknowledged += line.id is None
        else:
            self.unacknowledged += line.id is not None

    @property
    def sent(self) -> int:
        return self.answers.total()

    @property
    def is_fine(self) -> bool:
        """Whether everything was acknowledged that should be, and nothing else."""
        return not (self.unacknowledged or self.wrongly_acknowledged)

    def latencies(self) -> dict[str, float]:
        """p50, p99 and max of the acknowledged deliveries in milliseconds; nothing where there are none."""
        ordered = sorted(self._seconds)
        if not ordered:
            return {}
        last = len(ordered) - 1
        return {
            name: round(ordered[int(last * share)] * 1000, 2)
            for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "answers": dict(self.answers),
            "details": dict(self.details),
            "attempts": self.attempts,
            "repeats": self.repeats,
            "damaged": self.damaged,
            "unacknowledged": self.unacknowledged,
            "wrongly_acknowledged": self.wrongly_acknowledged,
            "seconds": round(self.elapsed, 3),
            "per_second": round(self.sent / self.elapsed, 1) if self.elapsed else 0.0,
            "latency_ms": self.latencies(),
        }
