"""One roll-up at a time: who counts has a lease, and every transaction of its begins by making sure that it still has.

A session's lock would not do: SQLite has none, and a pool between us and PostgreSQL gives sessions to anybody.
"""

import secrets
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, or_, select, update

from models.bulk import insert_new
from models.db import transaction
from models.rollup import RollupLock

LEASE = timedelta(seconds=30)  # after which the roll-up of a process that was killed goes on elsewhere
_RENEWAL = 5.0  # seconds
_ROW = 1
_NOBODY = ""


class LostError(Exception):
    """Somebody else counts by now: what was counted here is not to be written."""


class Turn:
    """Ours, until it is given back or lost."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self.engine = engine
        self._owner = owner
        self._kept = time.monotonic()

    def keep(self, connection: Connection) -> None:
        """Go on, with a lease anew; until the transaction ends, nobody else gets it.

        Raises LostError.
        """
        mine = update(RollupLock).where(RollupLock.id == _ROW, RollupLock.owner == self._owner)
        if connection.execute(mine.values(leased_until=datetime.now(UTC) + LEASE)).rowcount != 1:
            raise LostError
        self._kept = time.monotonic()

    def renew(self) -> None:
        """The same between transactions, when it is time; raises LostError."""
        if time.monotonic() > self._kept + _RENEWAL:
            with transaction(self.engine) as connection:
                self.keep(connection)

    def give_back(self) -> None:
        with transaction(self.engine) as connection:
            mine = update(RollupLock).where(RollupLock.owner == self._owner)
            connection.execute(mine.values(owner=_NOBODY))


def take(engine: Engine) -> Turn | None:
    """None while somebody else counts."""
    now, owner = datetime.now(UTC), secrets.token_hex(8)
    with transaction(engine) as connection:
        if connection.scalar(select(RollupLock.id)) is None:
            insert_new(connection, RollupLock, [{"id": _ROW, "owner": _NOBODY, "leased_until": now}])
        # A lease that ends later than any can was made before the clock was set back.
        is_free = or_(
            RollupLock.owner == _NOBODY, RollupLock.leased_until <= now, RollupLock.leased_until > now + LEASE
        )
        claim = update(RollupLock).where(RollupLock.id == _ROW, is_free).values(owner=owner, leased_until=now + LEASE)
        return Turn(engine, owner) if connection.execute(claim).rowcount == 1 else None


def wait(connection: Connection) -> None:
    """Wait for the transaction that a roll-up is in, and let it begin no other before this one ends."""
    connection.execute(select(RollupLock.id).where(RollupLock.id == _ROW).with_for_update())
