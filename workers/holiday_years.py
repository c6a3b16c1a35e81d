"""Years whose holidays rotations go by, and nobody has entered: said every day, from some weeks before they begin."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine

from models.holidays import Calendar, calendar
from models.rotations import RotationRow, rotations
from workers.rotation_check import problems, unknown_years

log = logging.getLogger(__name__)

MONTHS = 2  # China's next year is announced in October or November


def warn_of_unknown_years(engine: Engine, now: datetime) -> None:
    with engine.connect() as connection:
        rows, days = rotations(connection), calendar(connection)
    for year, asking in sorted(unknown(rows, days, now).items()):
        log.warning("holidays of a year not known", extra={"year": year, "rotations": asking})


def unknown(rows: Iterable[RotationRow], days: Calendar, now: datetime) -> dict[int, list[int]]:
    """The ids of the rotations that go by the holidays of each of these years."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        for year in [] if problems(row) else unknown_years([row], days, now, MONTHS):
            found[year].append(row.id)
    return dict(found)
