"""What was ever tapped in an account's menus, and what other kinds of events there were, as the rollups know them."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from models.menu import Publication, PublicationMenu
from models.publications import PUBLISHED
from models.rollup import Button


@dataclass(frozen=True, slots=True)
class ButtonRow:
    id: int
    kind: str
    key: str | None  # or URL, or page path; None of kinds that no menu causes


@dataclass(frozen=True, slots=True)
class PutUp:
    menu_id: int
    position: int  # 0 is the default menu, then the personalised ones


def buttons(connection: Connection, account_id: int) -> list[ButtonRow]:
    """In the order in which they were first counted."""
    query = select(Button.id, Button.kind, Button.event_key).where(Button.account_id == account_id)
    return [ButtonRow(*row) for row in connection.execute(query.order_by(Button.id))]


def put_up(connection: Connection, account_id: int) -> Mapping[str, PutUp]:
    """What WeChat's ids of menus stand for, as it was last published."""
    query = select(PublicationMenu.wechat_menu_id, Publication.menu_id, PublicationMenu.position)
    query = query.join_from(PublicationMenu, Publication, Publication.id == PublicationMenu.publication_id)
    query = query.where(Publication.account_id == account_id, Publication.outcome == PUBLISHED)
    rows = connection.execute(query.order_by(Publication.id))
    return {row.wechat_menu_id: PutUp(row.menu_id, row.position) for row in rows}


def live_menu_id(connection: Connection, account_id: int) -> int | None:
    """Which menu Caidan published last."""
    is_live = (Publication.outcome == PUBLISHED, Publication.ended_at.is_(None))
    return connection.scalar(select(Publication.menu_id).where(Publication.account_id == account_id, *is_live))
