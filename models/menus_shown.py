"""What followers may still see of an account's menus: by WeChat's ids, and by what stands in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from models.menu import Menu, Publication, PublicationMenu
from models.publications import PUBLISHED

MOST = 500  # publications; WeChat takes a thousand menus a day at most


class Shown(NamedTuple):
    """A publication that followers may still see, with WeChat's ids by position; `is_live` is what others replace."""

    menu_id: int
    version: int
    is_live: bool
    wechat_menu_ids: dict[int, str]


def shown(connection: Connection, account_id: int, since: datetime) -> Sequence[Shown]:
    """What was live since, the oldest first."""
    query = select(Publication.id, Publication.menu_id, Menu.version, Publication.ended_at)
    query = query.join_from(Publication, Menu, Menu.id == Publication.menu_id)
    query = query.where(Publication.account_id == account_id, Publication.outcome == PUBLISHED)
    query = query.where(or_(Publication.ended_at.is_(None), Publication.ended_at > since))
    rows = connection.execute(query.order_by(Publication.started_at.desc(), Publication.id.desc()).limit(MOST)).all()
    ids: dict[int, dict[int, str]] = {row.id: {} for row in rows}
    for one in connection.execute(select(PublicationMenu).where(PublicationMenu.publication_id.in_(ids))):
        ids[one.publication_id][one.position] = one.wechat_menu_id
    return [Shown(row.menu_id, row.version, row.ended_at is None, ids[row.id]) for row in reversed(rows)]


def menu_definitions(connection: Connection, menu_ids: Iterable[int]) -> dict[int, Any]:
    query = select(Menu.id, Menu.definition).where(Menu.id.in_(set(menu_ids)))
    return {row.id: row.definition for row in connection.execute(query)}
