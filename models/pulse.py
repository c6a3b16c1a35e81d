"""How fast what followers do reaches the tables.

CreateTime has whole seconds, so a delay from it is up to a second more than it was, and is as right as WeChat's clock
and ours are together; one below 0 tells that they are apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from models.asked import Accounts, is_act, within
from models.elapsed import elapsed
from models.event import Event
from models.percentiles import Percentiles, percentiles

# WeChat waits so long for an answer, and then sends the push again. It may be a second more by CreateTime.
PATIENCE = 5_000


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds; None without events.

    That WeChat had to try again cannot be known from the tables: all attempts are one event, of which the first to
    arrive is stored. But what arrived `late`, more than five seconds after CreateTime, may be a repeat of one that
    failed, or have been held up; at least those that are not among them came at the first attempt. What failed as
    well is in WeChat's own statistics.
    """

    events: int
    to_door: Percentiles | None  # from CreateTime to the door
    to_table: Percentiles | None  # from CreateTime to just before the commit
    in_house: Percentiles | None  # from the door to the commit
    late: int
    early: int  # arrived more than a second before they happened: the clocks are apart


def delays(connection: Connection, accounts: Accounts, since: datetime, until: datetime) -> Delays:
    """Of what followers did in this time."""
    spans = (
        elapsed(Event.created_at, Event.received_at),
        elapsed(Event.created_at, Event.recorded_at),
        elapsed(Event.received_at, Event.recorded_at),
    )
    to_door, to_table, in_house = (_counts(connection, span, accounts, since, until) for span in spans)
    return Delays(
        events=sum(to_door.values()),
        to_door=percentiles(to_door),
        to_table=percentiles(to_table),
        in_house=percentiles(in_house),
        late=sum(count for delay, count in to_door.items() if delay > PATIENCE),
        early=sum(count for delay, count in to_door.items() if delay < -1000),
    )


def _counts(
    connection: Connection, span: elapsed, accounts: Accounts, since: datetime, until: datetime
) -> Mapping[int, int]:
    """How often each delay occurred, to the millisecond: a row for each that did."""
    one = select(span.label("delay")).where(*within(accounts, since, until), is_act()).subquery()
    query = select(one.c.delay, func.count().label("count")).group_by(one.c.delay)
    return {delay: count for delay, count in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy
