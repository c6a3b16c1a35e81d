"""Cells of the earth by geohash; pure. A level is the length of a name: 1 is a continent's size, 9 five metres.

The bits of a name are those of longitude and latitude in turn, longitude's first, five to a character.
"""

from typing import NamedTuple

LEVELS = range(1, 10)
_ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"


class Grid(NamedTuple):
    """How many rows from pole to pole, and columns around the earth."""

    rows: int
    columns: int


class Box(NamedTuple):
    """Degrees."""

    south: float
    west: float
    north: float
    east: float


def grid(level: int) -> Grid:
    """Raises ValueError."""
    if level not in LEVELS:
        raise ValueError(f"a level is from {LEVELS[0]} to {LEVELS[-1]}, not {level}")
    return Grid(1 << 5 * level // 2, 1 << (5 * level + 1) // 2)


def geohash(row: int, column: int, level: int) -> str:
    """The name of a cell; rows are counted from the south pole, columns from 180° west, both from 0."""
    # From the last bit on: of an even number of bits it is the latitude's.
    low, high = (column, row) if level % 2 else (row, column)
    bits = sum(((high if place % 2 else low) >> place // 2 & 1) << place for place in range(5 * level))
    return "".join(_ALPHABET[bits >> 5 * place & 31] for place in reversed(range(level)))


def box(row: int, column: int, level: int) -> Box:
    rows, columns = grid(level)
    return Box(
        south=row * 180 / rows - 90,
        west=column * 360 / columns - 180,
        north=(row + 1) * 180 / rows - 90,
        east=(column + 1) * 360 / columns - 180,
    )
