"""What followers do before they tap a button, and after it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, Select, literal, select

from models.asked import Accounts, is_act, within
from models.elapsed import elapsed
from models.event import MENU_KINDS, Event
from models.sessions import Act, Step, Ways, sessions

GAP = timedelta(minutes=30)
_AT_A_TIME = 10_000
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Path:
    """Steps in the order of time. Fewer than were asked for: the session began or ended there; none: with the tap."""

    steps: tuple[Step, ...]
    taps: int
    users: int


@dataclass(frozen=True, slots=True)
class Paths:
    """The commonest first; of a button that was tapped so often, by so many."""

    taps: int
    users: int
    before: list[Path]
    after: list[Path]


def paths(
    connection: Connection,
    accounts: Accounts,
    since: datetime,
    until: datetime,
    button: Step,
    *,
    steps: int = 3,
    gap: timedelta = GAP,
    top: int = 10,
) -> Paths:
    """Around each tap of a button in this time, what its follower did in the same session, up to so many steps away.

    The steps themselves may lie outside of the time, so that where it begins and ends makes no difference. What is of
    the same second is in no known order, and taken in the order of ids. Reads all that those followers did.
    """
    ways = Ways(button, steps, (until - since) // _MILLISECOND)
    query = _acts(accounts, since, until, button, steps * gap)
    rows = connection.execute(query, execution_options={"yield_per": _AT_A_TIME})
    for _, acts in groupby(rows, key=itemgetter(0, 1)):
        of_one = (Act(at, Step(kind, key if kind in MENU_KINDS else None)) for *_, at, kind, key in acts)
        ways.add(sessions(of_one, gap // _MILLISECOND))
    return Paths(
        taps=ways.before.total(),
        users=ways.users,
        before=_commonest(ways.before, ways.users_before, top),
        after=_commonest(ways.after, ways.users_after, top),
    )


def _acts(
    accounts: Accounts, since: datetime, until: datetime, button: Step, reach: timedelta
) -> Select[*tuple[int, str | None, int, str, str | None]]:
    """What those did who tapped the button, so long before and after as well; by follower, in order."""
    tapped = select(Event.open_id).where(
        *within(accounts, since, until), Event.kind == button.kind, Event.event_key == button.key
    )
    at = elapsed(literal(since, Event.created_at.type), Event.created_at)
    query = select(Event.account_id, Event.open_id, at, Event.kind, Event.event_key)
    query = query.where(*within(accounts, since - reach, until + reach), is_act(), Event.open_id.in_(tapped))
    return query.order_by(Event.account_id, Event.open_id, Event.created_at, Event.id)


def _commonest(taps: Counter[tuple[Step, ...]], users: Counter[tuple[Step, ...]], top: int) -> list[Path]:
    found = [Path(steps, count, users[steps]) for steps, count in taps.items()]
    return sorted(found, key=lambda path: (-path.taps, -path.users, str(path.steps)))[:top]
