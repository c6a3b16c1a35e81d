"""WeChat, as the verbs that ask it reach it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from console.command import NotFoundError
from console.database import account_row, chosen_account, working
from console.i18n import _
from models import logs
from models.config import Account, Config
from wechat.menu import Menu, content, read
from wechat.menu_shapes import definition_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from workers.api import Api


class Asked(NamedTuple):
    """An account that WeChat can be asked about."""

    name: str
    account_id: int
    engine: "Engine"
    api: "Api"


@contextmanager
def asking(config: Config, name: str | None) -> Iterator[Asked]:
    from models.db import transaction
    from wechat.client import Client
    from workers.api import Api

    chosen = chosen_account(config, name)
    assert isinstance(chosen, Account)  # those of a Config are
    logs.set_up("critical")  # what would be logged is shown
    with working(config) as engine, Client(config.api_base_url) as client:
        with transaction(engine) as connection:
            account_id = account_row(connection, chosen)
        yield Asked(chosen.name, account_id, engine, Api(engine, client, chosen, config.secret_key))


def live_or_none(asked: Asked) -> tuple[Menu | None, bool]:
    """What followers see, and whether it was made in WeChat's console, whose menus the calls for menus do not know."""
    from workers.publishing import live_menu

    if (live := live_menu(asked.api)) is not None:
        return live, False
    current = asked.api.with_token(asked.api.client.current_menu)
    if not current.button:
        return None, False
    return content(read(definition_of({"selfmenu_info": {"button": current.button}}))), True


def live_now(config: Config, name: str | None) -> Menu:
    """The same, where there is one.

    Raises NotFoundError.
    """
    with asking(config, name) as asked:
        live, _is_consoles = live_or_none(asked)
    if live is None:
        raise NotFoundError(_("{account} has no menu at WeChat.").format(account=asked.name))
    return live
