"""How an account's rotations stand: what is due, what is live, and what keeps the one from being the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from console.rotation_plan import Plan, read_plan
from models import drift, freezes, guards, publications, queries, rotation_delays
from models.freezes import FreezeRow
from models.guards import Trip
from models.rotation_delays import Delay
from workers.due import Switch
from workers.rotation_check import Problem, problems

_AHEAD = timedelta(days=400)
_TRIPS_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Rotating:
    account: str
    account_id: int
    plan: Plan  # of the rotations that can be followed
    unsound: Sequence[tuple[int, Problem]]  # the others, by their ids
    live: int | None  # the version, unless something else was seen in its place
    delay: Delay | None
    freezes: Sequence[FreezeRow]  # that last, or are to come
    trips: Sequence[Trip]  # of guards in the last days, the newest first

    def frozen(self, now: datetime) -> list[FreezeRow]:
        """The freezes that last."""
        return [row for row in self.freezes if row.starts_at <= now]

    def next_switch(self, now: datetime) -> Switch | None:
        return next(iter(self.plan.next_switches(now, 1, _AHEAD)), None)


def read_rotating(connection: Connection, account: str, now: datetime) -> Rotating | None:
    """None where the account has no rotations."""
    account_id = queries.account_id(connection, account)
    if account_id is None:
        return None
    plan = read_plan(connection, account_id)
    if not plan.rotations:
        return None
    found = {row.id: problems(row) for row in plan.rotations}
    live = None if drift.drift_of(connection, account_id) else publications.live(connection, account_id)
    return Rotating(
        account,
        account_id,
        replace(plan, rotations=[row for row in plan.rotations if not found[row.id]]),
        [(number, problem) for number, of_row in found.items() for problem in of_row],
        live.version if live else None,
        rotation_delays.delay_of(connection, account_id),
        freezes.freezes(connection, account_id, since=now),
        [trip for trip in guards.trips(connection, account_id) if now - trip.tripped_at < _TRIPS_FOR],
    )
