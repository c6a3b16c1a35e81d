"""The ingresses that workers have heard of, and the addresses that are handed to them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.account import Account
from models.base import Base
from models.bulk import insert_new
from models.types import Json

NOTE_EVERY = timedelta(hours=1)


class Ingress(Base):
    __tablename__ = "ingress"

    queue: Mapped[str] = mapped_column(String(255), primary_key=True)  # of its receipts
    seen_at: Mapped[datetime]  # to the hour


class CallbackAddresses(Base):
    __tablename__ = "callback_addresses"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    addresses: Mapped[list[str]] = mapped_column(Json)  # single ones and blocks, as WeChat writes them
    fetched_at: Mapped[datetime]


class Snapshot(Base):
    """One row: what the snapshots so far leave behind."""

    __tablename__ = "snapshot"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    handed_out_at: Mapped[datetime | None]  # to all ingresses
    replies_digest: Mapped[str | None] = mapped_column(String(64))  # of the rules that all ingresses were sent


def note_ingress(connection: Connection, queue: str, now: datetime) -> bool:
    """Write down that an ingress is there; whether it is a new one."""
    seen_at = connection.scalar(select(Ingress.seen_at).filter_by(queue=queue))
    if seen_at is None:
        insert_new(connection, Ingress, [{"queue": queue, "seen_at": now}])
    elif now - seen_at >= NOTE_EVERY:
        connection.execute(update(Ingress).filter_by(queue=queue).values(seen_at=now))
    return seen_at is None


def ingress_queues(connection: Connection, since: datetime) -> list[str]:
    """The queues of the ingresses that were there since; all others are forgotten."""
    connection.execute(delete(Ingress).where(Ingress.seen_at < since))
    return list(connection.scalars(select(Ingress.queue).order_by(Ingress.queue)))


def put_addresses(connection: Connection, account_id: int, addresses: Sequence[str], now: datetime) -> None:
    """Put an account's list in the place of the former one."""
    values = {"addresses": list(addresses), "fetched_at": now}
    insert_new(connection, CallbackAddresses, [{"account_id": account_id} | values])
    connection.execute(update(CallbackAddresses).filter_by(account_id=account_id).values(values))


def callback_addresses(connection: Connection, since: datetime) -> dict[str, list[str]]:
    """The lists by AppID that were fetched since."""
    query = select(Account.app_id, CallbackAddresses.addresses).join(Account)
    query = query.where(CallbackAddresses.fetched_at >= since)
    return {row.app_id: row.addresses for row in connection.execute(query)}


def fetched_at(connection: Connection) -> dict[str, datetime]:
    """By AppID, when its list was fetched."""
    query = select(Account.app_id, CallbackAddresses.fetched_at).join(Account)
    return {row.app_id: row.fetched_at for row in connection.execute(query)}


def handed_out_at(connection: Connection) -> datetime | None:
    """When all ingresses were handed a snapshot last."""
    return connection.scalar(select(Snapshot.handed_out_at))


def note_handed_out(connection: Connection, now: datetime) -> None:
    connection.execute(update(Snapshot).values(handed_out_at=now))


def replies_digest(connection: Connection) -> str | None:
    """Of the rules for replies that all ingresses were sent last."""
    return connection.scalar(select(Snapshot.replies_digest))


def note_replies(connection: Connection, digest: str) -> None:
    connection.execute(update(Snapshot).values(replies_digest=digest))


def next_revision(connection: Connection, now: datetime) -> int:
    """The revision of a snapshot that is made of what this transaction reads from now on.

    Whoever comes later waits for its end, so a higher one is never made of older rows. It follows the clock, so that an
    ingress does not take one for old because the database was restored from a backup.
    """
    insert_new(connection, Snapshot, [{"id": 1, "revision": 0}])
    last = connection.scalar(select(Snapshot.revision).with_for_update())
    revision = max((last or 0) + 1, int(now.timestamp()))
    connection.execute(update(Snapshot).values(revision=revision))
    return revision
