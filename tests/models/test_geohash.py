"""Cells of the earth, by published names, and as found by halving."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.geohash import LEVELS, box, geohash, grid

ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"


def halved(latitude: float, longitude: float, level: int) -> str:
    """The name, as everybody explains it: five halvings a character, of longitude and latitude in turn."""
    sides = [[-180.0, 180.0], [-90.0, 90.0]]
    name = bits = 0
    for place in range(5 * level):
        side, value = sides[place % 2], (longitude, latitude)[place % 2]
        middle = sum(side) / 2
        side[value < middle] = middle
        bits = bits * 2 + (value >= middle)
    name = ""
    for _ in range(level):
        name, bits = ALPHABET[bits % 32] + name, bits // 32
    return name


def cell(latitude: float, longitude: float, level: int) -> tuple[int, int, int]:
    rows, columns = grid(level)
    return (
        min(int((latitude + 90) * rows / 180), rows - 1),
        min(int((longitude + 180) * columns / 360), columns - 1),
        level,
    )


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [(57.64911, 10.40744, "u4pruydqq"), (42.6, -5.6, "ezs42e44y"), (0, 0, "s00000000"), (90, 180, "zzzzzzzzz")],
)
def test_places_have_the_names_that_are_published(latitude: float, longitude: float, name: str) -> None:
    assert [name[:level] for level in LEVELS] == [geohash(*cell(latitude, longitude, level)) for level in LEVELS]


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(LEVELS))
def test_cells_are_those_found_by_halving_and_hold_their_places(latitude: float, longitude: float, level: int) -> None:
    found = cell(latitude, longitude, level)
    edges = box(*found)

    assert edges.south - 1e-9 <= latitude <= edges.north + 1e-9
    assert edges.west - 1e-9 <= longitude <= edges.east + 1e-9
    middle = ((edges.south + edges.north) / 2, (edges.west + edges.east) / 2, level)
    assert halved(*middle) == geohash(*found)


@pytest.mark.parametrize("level", [0, 10, -1])
def test_there_are_nine_levels(level: int) -> None:
    with pytest.raises(ValueError, match=f"a level is from 1 to 9, not {level}"):
        grid(level)
