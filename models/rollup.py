"""The rollups: how often what was tapped, and by whom, in every slot, minute, hour, day, week and month.

They are counted by `workers/rollup.py` alone, from `event`, and read by `models/rollups.py`. Slots and minutes are
there for the latest hours only: they make it cheap to count an hour again and again while it fills.
"""

import datetime

from sqlalchemy import BigInteger, Date, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

# The button of rows that count the menu as a whole: users of two buttons are one person. `button` has no row of it, so
# that whoever joins the two tables counts nothing twice.
WHOLE_MENU = 0
NO_PUBLICATION = 0
NO_MENU_ID = ""
# The publication of rows that put all publications and WeChat's menus together.
ANY_PUBLICATION = -1
# Half of what answers may lag: shorter ones are many, and longer ones would be waited for too long.
SLOT = datetime.timedelta(seconds=5)
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by INTEGER only
_Set = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")


def slot_of(moment: datetime.datetime) -> datetime.datetime:
    """The beginning of the five seconds that a moment is in."""
    return moment.replace(second=moment.second // 5 * 5, microsecond=0)


class RollupMark(Base):
    """In this slot something has changed. Nobody waits to append one; the roll-up takes those that it has seen."""

    __tablename__ = "rollup_mark"

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    account_id: Mapped[int]
    slot: Mapped[datetime.datetime]


class RollupLock(Base):
    """One row: who counts, alone, and until when it is believed."""

    __tablename__ = "rollup_lock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(String(64))
    leased_until: Mapped[datetime.datetime]


class RollupAccount(Base):
    """How the hours of an account were cut, and how many numbers its followers have got."""

    __tablename__ = "rollup_account"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    timezone: Mapped[str] = mapped_column(String(64))
    followers: Mapped[int]


class Follower(Base):
    """Numbers from 0 on, close together, so that sets of followers are small. Who is forgotten keeps the number."""

    __tablename__ = "follower"
    __table_args__ = (UniqueConstraint("account_id", "number"),)

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    open_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int]


class Button(Base):
    """What can be tapped: a kind of event, and in a menu a key or URL of it."""

    __tablename__ = "button"
    __table_args__ = (UniqueConstraint("account_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(128))
    event_key: Mapped[str | None]
    digest: Mapped[str] = mapped_column(String(64))  # of kind and key, which may be too long for an index


class Count(Base):
    """What rows of all rollups have in common; the column of their time comes after the account."""

    __abstract__ = True

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=-9)
    button_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    publication_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 0: of none, -1: of any
    wechat_menu_id: Mapped[str] = mapped_column(String(128), primary_key=True)  # empty: of none
    taps: Mapped[int] = mapped_column(BigInteger)
    users: Mapped[int]
    followers: Mapped[bytes] = mapped_column(_Set)  # their numbers, as a Roaring bitmap in its portable format


class Answer(Count):
    """A count that is asked for: by publication and menu, or of a button altogether.

    Of each button in a bucket exactly one row is whole, so that nobody has to unite sets to know by how many it was
    tapped. Where publications or menus are several that is one more row, of ANY_PUBLICATION: whoever asks for these
    leaves it out.
    """

    __abstract__ = True

    is_whole: Mapped[bool]  # of all publications and menus together


class RollupSlot(Count):
    __tablename__ = "rollup_slot"

    starts_at: Mapped[datetime.datetime] = mapped_column(primary_key=True, sort_order=-1)


class RollupMinute(Count):
    __tablename__ = "rollup_minute"

    starts_at: Mapped[datetime.datetime] = mapped_column(primary_key=True, sort_order=-1)


class RollupHour(Answer):
    """An hour of the account's clock; where that is set back, the same hour of the day may be there twice."""

    __tablename__ = "rollup_hour"
    # The menu by hour, without its buttons: a fortieth of all rows, where an index may be of some only.
    __table_args__ = (
        Index(
            "rollup_hour_menu",
            *("account_id", "button_id", "day"),
            postgresql_include=["starts_at", "taps", "users", "is_whole"],
            postgresql_where=text(f"button_id = {WHOLE_MENU}"),
            sqlite_where=text(f"button_id = {WHOLE_MENU}"),
        ),
    )

    day: Mapped[datetime.date] = mapped_column(Date, primary_key=True, sort_order=-2)  # by the account's clock
    starts_at: Mapped[datetime.datetime] = mapped_column(primary_key=True, sort_order=-1)


class RollupDay(Answer):
    __tablename__ = "rollup_day"

    day: Mapped[datetime.date] = mapped_column(Date, primary_key=True, sort_order=-1)  # by the account's clock


class RollupWeek(Answer):
    __tablename__ = "rollup_week"

    monday: Mapped[datetime.date] = mapped_column(Date, primary_key=True, sort_order=-1)


class RollupMonth(Answer):
    __tablename__ = "rollup_month"

    month: Mapped[datetime.date] = mapped_column(Date, primary_key=True, sort_order=-1)  # its first day
