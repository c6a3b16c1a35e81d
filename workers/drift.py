"""Menus that somebody changed elsewhere, in WeChat's console or by another program: each is reported once."""

import logging
from datetime import UTC, datetime

from sqlalchemy import Engine

from models import menu_versions, publications
from models.account import account_ids
from models.config import Account, Config
from models.db import transaction
from models.drift import end_drift, note_drift
from models.publications import PublicationRow
from wechat.client import Client
from wechat.errcodes import WeChatError
from wechat.menu import Menu, digest, read
from wechat.menu_diff import difference
from wechat.menu_plan import is_same, seen
from workers.api import Api
from workers.publishing import live_menu

log = logging.getLogger(__name__)

NONE = "none"  # instead of the digest of menus that were set by API, where there are none
_TOLD = 10  # changes in the log


def look_for_drift(engine: Engine, client: Client, config: Config) -> None:
    """For the accounts that Caidan has published a menu for; WeChat is asked nothing about others."""
    for account in config.accounts:
        if config.may_ask_about(account):
            _look_at(engine, Api(engine, client, account, config.secret_key), account)


def _look_at(engine: Engine, api: Api, account: Account) -> None:
    account_id, before = _published(engine, account)
    if before is None:
        return
    try:
        live = live_menu(api)
    except WeChatError as error:
        log.warning("menu not compared", extra={"account": account.name, "reason": error.reason})
        return
    if _published(engine, account) != (account_id, before):
        return  # somebody has published meanwhile, or is about to: what was read is of nobody knows when
    with transaction(engine) as connection:
        version = menu_versions.version(connection, account_id, before.version)
        assert version is not None
        wanted = read(version.definition)
        if live is not None and is_same(live, wanted):
            if end_drift(connection, account_id):
                log.info("menu as published again", extra={"account": account.name, "version": before.version})
            return
        found = NONE if live is None else digest(seen(live))
        is_news = note_drift(connection, account_id, before.id, found, datetime.now(UTC))
    if is_news:
        told = {"account": account.name, "version": before.version, "changes": changes(wanted, live)}
        log.warning("menu changed elsewhere", extra=told)


def changes(published: Menu, live: Menu | None) -> list[str]:
    """What is different and where, without contents."""
    if live is None:
        return ["removed menu"]
    found = difference(seen(published), seen(live))
    return [f"{change.kind} {change.new or change.old}" for change in found[:_TOLD]]


def _published(engine: Engine, account: Account) -> tuple[int, PublicationRow | None]:
    """What should be live; nothing while somebody is publishing."""
    with transaction(engine) as connection:
        account_id = account_ids(connection, {account.app_id: account.name})[account.app_id]
        if publications.under_way_since(connection, account_id, datetime.now(UTC)):
            return account_id, None
        return account_id, publications.live(connection, account_id)
