"""Every attempt to put up a menu, as attribution reads them: those that ended never change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from models.menu import Menu, Publication, PublicationMenu
from models.types import Moment


@dataclass(frozen=True, slots=True)
class AttemptRow:
    id: int
    account_id: int
    menu_id: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None


def attempts_since(connection: Connection, since: Mapping[int, datetime]) -> list[AttemptRow]:
    """Those that began at a moment or later, which is another one for each account."""
    values: dict[str, Any] = {}
    for number, (account_id, moment) in enumerate(since.items()):
        values |= {f"account_{number}": account_id, f"since_{number}": moment}
    return [AttemptRow(*row) for row in connection.execute(_query(len(since)), values)] if since else []


def ids_put_up(connection: Connection, account_id: int, first: int) -> dict[int, frozenset[str]]:
    """WeChat's ids of what an account's publications put up, from one publication on."""
    query = select(PublicationMenu.publication_id, PublicationMenu.wechat_menu_id)
    query = query.join(Publication, Publication.id == PublicationMenu.publication_id)
    found: dict[int, set[str]] = {}
    for row in connection.execute(query.where(Publication.account_id == account_id, Publication.id >= first)):
        found.setdefault(row.publication_id, set()).add(row.wechat_menu_id)
    return {publication_id: frozenset(ids) for publication_id, ids in found.items()}


def definitions(connection: Connection, account_id: int, first: int) -> dict[int, dict[str, Any]]:
    """What is in an account's menus, from one menu on."""
    query = select(Menu.id, Menu.definition).where(Menu.account_id == account_id, Menu.id >= first)
    return {row.id: row.definition for row in connection.execute(query)}


@lru_cache(maxsize=100)
def _query(accounts: int) -> Select[*tuple[Any, ...]]:
    """Made once for each number of accounts: every batch asks."""
    columns = (Publication.id, Publication.account_id, Publication.menu_id, Publication.started_at)
    conditions = [
        and_(
            Publication.account_id == bindparam(f"account_{number}"),
            Publication.started_at >= bindparam(f"since_{number}", type_=Moment()),
        )
        for number in range(accounts)
    ]
    return select(*columns, Publication.ended_at, Publication.outcome).where(or_(*conditions))
