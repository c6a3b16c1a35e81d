"""Sets of followers from the rollups: who tapped what in some publications, and who did anything in a time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, TypeAlias

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from models.db import BINARY
from models.live_time import LiveTime
from models.rollup import Answer, RollupHour
from models.rollups import LEVELS, spans, widened

Condition: TypeAlias = ColumnElement[bool]

_IN_A_STATEMENT = 200  # conditions; SQLite takes no more than a thousand in a row


@dataclass
class Tapped:
    taps: int = 0
    followers: BitMap = field(default_factory=BitMap)


def tapped(
    connection: Connection,
    account_id: int,
    since: date,
    until: date,
    publication_ids: Collection[int],
    button_ids: Collection[int],
) -> dict[int, Tapped]:
    """By button, of these publications together, from one day to another, both included; not what nobody tapped."""
    found: dict[int, Tapped] = {}
    for level, days in spans(*widened(connection, account_id, since, until), "total").items():
        model, _time, within = LEVELS[level]
        query = (
            select(model.button_id, model.taps, model.followers)
            .execution_options(**BINARY)
            .where(
                model.account_id == account_id,
                or_(*(within.between(*span) for span in days)),
                model.button_id.in_(sorted(button_ids)),
                model.publication_id.in_(sorted(publication_ids)),
            )
        )
        for button_id, taps, followers in connection.execute(query):
            one = found.setdefault(button_id, Tapped())
            one.taps += taps
            one.followers |= BitMap.deserialize(followers)
    return found


def active(connection: Connection, account_id: int, time: LiveTime, button_ids: Collection[int]) -> BitMap:
    """Who tapped any of these, or did what is known by them, whichever menu was live."""
    found = BitMap()
    for model, conditions in _conditions(time).items():
        while some := list(islice(conditions, _IN_A_STATEMENT)):
            query = (
                select(model.followers)
                .execution_options(**BINARY)
                .where(
                    model.account_id == account_id,
                    or_(*some),
                    model.button_id.in_(sorted(button_ids)),
                    model.is_whole,
                )
            )
            for followers in connection.scalars(query):
                found |= BitMap.deserialize(followers)
    return found


def _conditions(time: LiveTime) -> dict[type[Answer], Iterator[Condition]]:
    """Which rows of each rollup tell of a time; of its days as few as will do."""
    found: dict[type[Answer], list[Any]] = {}
    for days in time.days:
        for level, parts in spans(*days, "total").items():
            model, _time, within = LEVELS[level]
            found.setdefault(model, []).extend(within.between(*part) for part in parts)
    starts_at = RollupHour.starts_at
    for part in time.hours:
        hours = and_(RollupHour.day == part.day, starts_at >= part.begin, starts_at < part.end)
        found.setdefault(RollupHour, []).append(hours)
    return {model: iter(conditions) for model, conditions in found.items()}
