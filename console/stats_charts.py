"""Small charts of characters; pure.

Only ASCII draws them, as with the calendar of a rotation: of block characters a Chinese terminal may make two columns.
"""

from collections.abc import Sequence
from math import ceil

WIDTH = 20  # of a bar
COURSE = 60  # of a line of signs
_NOTHING = "_"
_LEVELS = ".:-=+*#%@"


def bar(value: float, most: float, width: int = WIDTH) -> str:
    """Its share of the most, as a line; whatever there is, is seen."""
    return "#" * (ceil(value / most * width) if most > 0 else 0)


def spark(values: Sequence[float], width: int) -> str:
    """A sign for each value, or for the mean of several that follow each other where there is no room for all."""
    each = ceil(len(values) / width) or 1
    means = [sum(part) / len(part) for part in (values[at : at + each] for at in range(0, len(values), each))]
    most = max(means, default=0)
    return "".join(_sign(value / most) if value > 0 else _NOTHING for value in means)


def _sign(share: float) -> str:
    return _LEVELS[min(ceil(share * len(_LEVELS)), len(_LEVELS)) - 1]
