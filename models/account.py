"""Accounts: known by their AppID, called by the names the configuration gives them."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, String, bindparam, cast, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, table_of
from models.bulk import insert_new
from models.config import DoorAccount

DEFAULT_TIMEZONE = "Asia/Shanghai"


class Account(Base):
    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    app_id: Mapped[str] = mapped_column(String(128), unique=True)
    original_id: Mapped[str | None] = mapped_column(String(128))  # gh_…, the ToUserName of pushes
    timezone: Mapped[str] = mapped_column(String(64))  # whose days its figures count


_TABLE = table_of(Account)
# Made once, since every batch asks.
_IDS = select(_TABLE.c.app_id, _TABLE.c.id).where(_TABLE.c.app_id.in_(bindparam("app_ids", expanding=True)))


def upsert_accounts(connection: Connection, accounts: Iterable[DoorAccount]) -> None:
    """Give every configured account its row, found by AppID: a renamed account keeps its events.

    Whoever else held a name, an account of the past, keeps it with its id appended; `~` is in no configured name.
    """
    for account in accounts:
        former = (Account.name == account.name) & (Account.app_id != account.app_id)
        connection.execute(update(Account).where(former).values(name=Account.name + "~" + cast(Account.id, String(20))))
        values = {"name": account.name, "original_id": account.original_id, "timezone": account.timezone}
        insert_new(connection, Account, [{"app_id": account.app_id, **values}])
        connection.execute(update(Account).where(Account.app_id == account.app_id).values(values))


def account_ids(connection: Connection, names: Mapping[str, str]) -> dict[str, int]:
    """The ids of accounts by AppID; `names` gives the name of one that has no row yet, and gets one."""
    ids = _ids(connection, names)
    # The second candidate is for a name that an account of another AppID holds until the configuration is read anew.
    for candidate in ("{name}", "{name}~{app_id}"):
        missing = sorted(names.keys() - ids.keys())
        if not missing:
            break
        rows = [
            {
                "app_id": app_id,
                "name": candidate.format(name=names[app_id], app_id=app_id),
                "timezone": DEFAULT_TIMEZONE,
            }
            for app_id in missing
        ]
        insert_new(connection, Account, rows)
        ids = _ids(connection, names)
    return ids


def lock(connection: Connection, account_id: int) -> None:
    """Wait until nobody else has locked the account, and let others who do wait until the end of the transaction.

    On PostgreSQL without those who record events: their foreign keys hold the row as well, each for a batch, and where
    a backlog is drained there is always one of them.
    """
    connection.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


def id_of(connection: Connection, app_id: str) -> int | None:
    """None where the account has no row yet."""
    return _ids(connection, [app_id]).get(app_id)


def _ids(connection: Connection, app_ids: Iterable[str]) -> dict[str, int]:
    return {row.app_id: row.id for row in connection.execute(_IDS, {"app_ids": list(app_ids)})}
