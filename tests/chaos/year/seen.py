"""What is to be seen of an account at a moment: what ought to be, what WeChat shows, and what is in the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from models import freezes, guards, publications
from models.drift import drift_of
from models.freezes import FreezeRow
from models.holidays import Calendar
from models.publications import PublicationRow
from models.rotation_delays import Delay, delay_of
from models.rotations import RotationRow, rotations
from wechat.menu import Menu, read
from wechat.menu_plan import is_same
from wechat.menu_shapes import definition_of
from wechat.simulator.platform.state import Holdings
from workers.due import Due, Stopped, due_menu


@dataclass(frozen=True)
class Wishes:
    """What people, and guards, have said of an account."""

    rotations: Sequence[RotationRow]
    stopped: Stopped
    freezes: Sequence[FreezeRow]

    def due(self, now: datetime, calendar: Calendar) -> Due | None:
        return due_menu(self.rotations, now, calendar, self.stopped)

    def is_frozen(self, now: datetime) -> bool:
        return any(one.starts_at <= now < one.ends_at for one in self.freezes)


@dataclass(frozen=True)
class Seen:
    due: Due | None
    wanted: Menu | None  # what is in the due one
    is_frozen: bool
    shown: Menu | None  # by WeChat
    ids: int  # how many menus were ever made there: a default one by each `create`, a personalised one by each `add`
    calls: int  # to WeChat, of whatever kind
    live: PublicationRow | None  # in our tables
    is_doubtful: bool  # so that WeChat has to be asked
    delay: Delay | None

    @property
    def is_well(self) -> bool:
        """What is due is shown, and known for sure to be."""
        if self.due is None or self.wanted is None:
            return True
        is_known = self.live is not None and self.live.version == self.due.rotation.version
        return is_known and not self.is_doubtful and self.shown is not None and is_same(self.shown, self.wanted)


def wishes(connection: Connection, account_id: int) -> Wishes:
    rows = rotations(connection, account_id)
    return Wishes(rows, guards.stopped(connection, account_id), freezes.freezes(connection, account_id))


def look(
    connection: Connection, own: Holdings, account_id: int, due: Due | None, wanted: Menu | None, is_frozen: bool
) -> Seen:
    return Seen(
        due=due,
        wanted=wanted,
        is_frozen=is_frozen,
        shown=shown(own),
        ids=own.last_menu_id,
        calls=sum(own.calls.values()),
        live=publications.live(connection, account_id),
        is_doubtful=drift_of(connection, account_id) is not None or _is_unfinished(connection, account_id),
        delay=delay_of(connection, account_id),
    )


def _is_unfinished(connection: Connection, account_id: int) -> bool:
    """The last attempt; the process may have been killed in it."""
    last = publications.publications(connection, account_id, 1)
    return bool(last) and last[0].outcome != publications.PUBLISHED


def shown(own: Holdings) -> Menu | None:
    if own.menu is None:
        return None
    tree: dict[str, Any] = {"menu": {"button": own.menu.button}}
    if own.conditional:
        tree["conditionalmenu"] = [
            {"button": one.button, "matchrule": one.matchrule, "menuid": one.menu_id} for one in own.conditional
        ]
    return read(definition_of(tree))
