"""Where WeChat's pushes come from: asked of WeChat once a day for each account, and handed to the doors."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from models import ingress
from models.account import account_ids
from models.config import Account, Config
from models.db import transaction
from wechat.client import Client
from wechat.errcodes import WeChatError
from workers.api import Api
from workers.ingresses import hand_out
from workers.outgoing import Outgoing

log = logging.getLogger(__name__)

ASK_EVERY = timedelta(hours=23)  # by an hourly tick: what fails is tried again an hour later
SECONDS = 120.0  # after which the other accounts are left to the next tick
NEVER = datetime.min.replace(tzinfo=UTC)


def keep_addresses(engine: Engine, client: Client, config: Config, outgoing: Outgoing) -> None:
    """Renew the lists that are a day old. The doors are told of new ones, and once a day of what there is."""
    now, end = datetime.now(UTC), time.monotonic() + SECONDS
    with engine.connect() as connection:
        fetched_at, told_at = ingress.fetched_at(connection), ingress.handed_out_at(connection)
    renewed = 0
    for account in due(list(filter(config.may_ask_about, config.accounts)), fetched_at, now):
        if time.monotonic() < end:
            renewed += _renew(engine, Api(engine, client, account, config.secret_key), account)
    if renewed or told_at is None or now - told_at >= ASK_EVERY:
        hand_out(engine, outgoing)


def due(accounts: Sequence[Account], fetched_at: Mapping[str, datetime], now: datetime) -> list[Account]:
    """The accounts whose lists are to be renewed, the oldest first."""
    old = [account for account in accounts if now - fetched_at.get(account.app_id, NEVER) >= ASK_EVERY]
    return sorted(old, key=lambda account: fetched_at.get(account.app_id, NEVER))


def _renew(engine: Engine, api: Api, account: Account) -> bool:
    try:
        addresses = api.with_token(api.client.callback_addresses)
    except WeChatError as error:
        log.warning("callback addresses not fetched", extra={"account": account.name, "reason": error.reason})
        return False
    if not addresses:
        log.warning("callback addresses not fetched", extra={"account": account.name, "reason": "empty_list"})
        return False
    with transaction(engine) as connection:
        account_id = account_ids(connection, {account.app_id: account.name})[account.app_id]
        ingress.put_addresses(connection, account_id, addresses, datetime.now(UTC))
    return True
