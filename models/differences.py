"""Whether two groups of people differ, or only seem to; pure.

What is compared is how many people did something, so that a few who do it all day do not pass for many. The groups are
taken for different people. Where many are in both, as the followers of one account are at two times, the true error is
smaller than it is taken to be, and what is called a difference is one all the more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

_NORMAL = NormalDist()
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """The second less the first, which is between the bounds with 95 % confidence.

    `p` is how likely at least as much is by chance, if in truth there is no difference.
    """

    estimate: float
    low: float
    high: float
    p: float


def of_shares(first: Sequence[int], second: Sequence[int]) -> Difference:
    """Of two groups, each as those who did something and all: by Newcombe's interval and the pooled z-test."""
    (some1, all1), (some2, all2) = first, second
    share1, share2 = some1 / all1, some2 / all2
    low1, high1 = wilson(some1, all1)
    low2, high2 = wilson(some2, all2)
    estimate = share2 - share1
    pooled = (some1 + some2) / (all1 + all2)
    return Difference(
        estimate,
        estimate - sqrt((share2 - low2) ** 2 + (high1 - share1) ** 2),
        estimate + sqrt((high2 - share2) ** 2 + (share1 - low1) ** 2),
        _chance(estimate, sqrt(pooled * (1 - pooled) * (1 / all1 + 1 / all2))),
    )


def wilson(some: int, everyone: int) -> tuple[float, float]:
    """The interval in which a share lies with 95 % confidence."""
    z = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2)
    share, weight = some / everyone, z * z / everyone
    middle = share + weight / 2
    margin = z * sqrt(share * (1 - share) / everyone + weight / everyone / 4)
    return (middle - margin) / (1 + weight), (middle + margin) / (1 + weight)


def holm(chances: Sequence[float]) -> list[float]:
    """The same for many questions asked at once: of twenty, one would pass for a difference by chance alone."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    adjusted = [0.0] * len(chances)
    most = 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, chances[place] * (len(chances) - rank)))
        adjusted[place] = most
    return adjusted


def _chance(estimate: float, error: float) -> float:
    if error == 0:
        return 1.0 if estimate == 0 else 0.0
    return 2 * (1 - _NORMAL.cdf(abs(estimate) / error))
