"""Guarded rotations: what came in while their menus were up and before, and which windows their guards have ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ForeignKey, case, func, select
from sqlalchemy.orm import Mapped, mapped_column

from models.account import Account
from models.base import Base
from models.bulk import insert_new
from models.event import MENU_KINDS, Event
from models.menu import Menu, Publication
from models.publications import PUBLISHED
from models.rotation import Rotation


class GuardTrip(Base):
    """A window of a rotation that its guard has ended: its menu is not due any more until the next one begins."""

    __tablename__ = "guard_trip"

    rotation_id: Mapped[int] = mapped_column(ForeignKey("rotation.id", ondelete="CASCADE"), primary_key=True)
    window_starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    tripped_at: Mapped[datetime]
    taps: Mapped[int]  # in the hours that were looked at
    expected: Mapped[int]  # in the same hours of days before


@dataclass(frozen=True, slots=True)
class Span:
    begin: datetime
    end: datetime

    def touches(self, other: "Span") -> bool:
        return self.begin < other.end and other.begin < self.end


@dataclass(frozen=True, slots=True)
class Heard:
    """What an account's followers sent in a span of time."""

    taps: int  # of buttons of a menu, whichever they saw
    others: int  # messages, subscriptions and all else


@dataclass(frozen=True, slots=True)
class Trip:
    rotation_id: int
    version: int
    window_starts_at: datetime
    tripped_at: datetime
    taps: int
    expected: int


def guarded_accounts(connection: Connection) -> dict[int, str]:
    """The names of the accounts that have a guarded rotation, by id."""
    guarded = select(Rotation.account_id).where(Rotation.guard_share.is_not(None), Rotation.enabled.is_(True))
    rows = connection.execute(select(Account.id, Account.name).where(Account.id.in_(guarded)).order_by(Account.id))
    return {row.id: row.name for row in rows}


def stop(
    connection: Connection, rotation_id: int, window_starts_at: datetime, taps: int, expected: int, now: datetime
) -> bool:
    """End a window. Whether it was this call that did: of two at the same time, one did. Within a transaction."""
    key = {"rotation_id": rotation_id, "window_starts_at": window_starts_at}
    # Whoever else stops it, or removes it, waits here for the end of this transaction; on SQLite since its beginning.
    is_there = connection.scalar(select(Rotation.id).filter_by(id=rotation_id).with_for_update()) is not None
    if not is_there or connection.scalar(select(GuardTrip.rotation_id).filter_by(**key)) is not None:
        return False
    insert_new(connection, GuardTrip, [key | {"tripped_at": now, "taps": taps, "expected": expected}])
    return True


def stopped(connection: Connection, account_id: int) -> frozenset[tuple[int, datetime]]:
    """The windows that guards have ended: the rotation's id, and when the window began."""
    return frozenset((trip.rotation_id, trip.window_starts_at) for trip in trips(connection, account_id))


def trips(connection: Connection, account_id: int) -> list[Trip]:
    """The newest first."""
    query = (
        select(
            GuardTrip.rotation_id,
            Menu.version,
            GuardTrip.window_starts_at,
            GuardTrip.tripped_at,
            GuardTrip.taps,
            GuardTrip.expected,
        )
        .join(Rotation, Rotation.id == GuardTrip.rotation_id)
        .join(Menu, Menu.id == Rotation.menu_id)
        .where(Rotation.account_id == account_id)
    )
    return [Trip(*row) for row in connection.execute(query.order_by(GuardTrip.tripped_at.desc()))]


def shown(connection: Connection, account_id: int, menu_id: int, since: datetime, now: datetime) -> list[Span]:
    """When a menu was live since then, until now."""
    query = select(Publication.started_at, Publication.ended_at).where(
        Publication.account_id == account_id, Publication.menu_id == menu_id, Publication.outcome == PUBLISHED
    )
    spans = [Span(row.started_at, row.ended_at or now) for row in connection.execute(query)]
    return [span for span in spans if span.end > since]


def heard(connection: Connection, account_id: int, spans: Iterable[Span]) -> list[Heard]:
    """What came in each span, by CreateTime; each is one range of an index."""
    return [_heard(connection, account_id, span) for span in spans]


def first_heard(connection: Connection, account_id: int, since: datetime) -> datetime | None:
    """The first event of an account since then."""
    query = select(func.min(Event.created_at)).where(Event.account_id == account_id, Event.created_at >= since)
    return connection.scalar(query)


def has_arrived(connection: Connection, moment: datetime) -> bool:
    """Whether anything that reached a door since then is in the tables."""
    query = select(Event.id).where(Event.recorded_at >= moment, Event.received_at >= moment)
    return connection.execute(query.limit(1)).first() is not None


def is_catching_up(connection: Connection, recorded_since: datetime, received_before: datetime) -> bool:
    """Whether something that came long before was recorded only lately: more of that time may be on its way."""
    query = select(Event.id).where(Event.recorded_at >= recorded_since, Event.received_at < received_before)
    return connection.execute(query.limit(1)).first() is not None


def _heard(connection: Connection, account_id: int, span: Span) -> Heard:
    is_tap = case((Event.kind.in_(MENU_KINDS), 1), else_=0)
    query = select(func.coalesce(func.sum(is_tap), 0), func.count()).where(
        Event.account_id == account_id, Event.created_at >= span.begin, Event.created_at < span.end
    )
    taps, total = connection.execute(query).one()
    return Heard(int(taps), total - int(taps))  # MySQL's sums are decimal
