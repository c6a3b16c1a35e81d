"""Percentiles of values that were counted; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import ceil


@dataclass(frozen=True, slots=True)
class Percentiles:
    """By nearest rank: each is a value that occurred."""

    p50: int
    p90: int
    p99: int
    most: int


def percentiles(counts: Mapping[int, int]) -> Percentiles | None:
    """Of values with the number of times each occurred; None without any."""
    values = sorted(value for value, count in counts.items() if count > 0)
    if not values:
        return None
    ranks = list(accumulate(counts[value] for value in values))
    p50, p90, p99 = (_at(values, ranks, share) for share in (50, 90, 99))
    return Percentiles(p50, p90, p99, values[-1])


def _at(values: list[int], ranks: list[int], hundredths: int) -> int:
    wanted = ceil(ranks[-1] * hundredths / 100)
    return next(value for value, rank in zip(values, ranks, strict=True) if rank >= wanted)
