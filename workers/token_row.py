"""The row of an account's token: read by all, changed by whoever holds its lease."""

import logging
import os
import secrets
import socket
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy import Engine, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from models import api_use
from models.account import Account as AccountRow
from models.account import account_ids
from models.base import table_of
from models.bulk import insert_new
from models.config import Account
from models.db import transaction
from models.token import AccessToken
from wechat.quota import FORCE_REFRESH, day_of
from workers.held import LATEST, LEASE, Held
from workers.seal import Seal

log = logging.getLogger(__name__)

_unopenable: set[str] = set()  # AppIDs of which was said that their token cannot be opened


class TokenRow:
    def __init__(self, engine: Engine, account: Account, secret_key: SecretStr) -> None:
        self._engine = engine
        self._account = account
        self._seal = Seal(secret_key, account.app_id)

    def look(self) -> Held | None:
        """What is held; nothing where nobody asked for a token yet."""
        columns = table_of(AccessToken).columns
        query = select(*columns).join(AccountRow).where(AccountRow.app_id == self._account.app_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        token = None if row["token"] is None else self._opened(row["token"])
        return Held(**{**row, "token": token, "sealed": row["token"]})

    def held(self) -> Held:
        """The same, with a row made where there is none."""
        while (held := self.look()) is None:
            with transaction(self._engine) as connection:
                ids = account_ids(connection, {self._account.app_id: self._account.name})
                insert_new(connection, AccessToken, [{"account_id": ids[self._account.app_id]}])
        return held

    def claim(self, held: Held, now: datetime) -> str | None:
        """The name of our lease; none where somebody else has one, or has fetched or failed since we looked."""
        lease = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        until = AccessToken.lease_until
        unchanged = update(AccessToken).where(
            AccessToken.account_id == held.account_id,
            AccessToken.token.is_not_distinct_from(held.sealed),
            AccessToken.failures == held.failures,
            or_(until.is_(None), until <= now, until > now + LATEST),
        )
        with transaction(self._engine) as connection:
            claimed = connection.execute(unchanged.values(lease_until=now + LEASE, lease_owner=lease)).rowcount
        return lease if claimed == 1 else None

    def end(self, lease: str, held: Held, **values: object) -> None:
        """Write down what came of a lease, unless it ran out and another has it: what came late is older."""
        if isinstance(token := values.get("token"), SecretStr):
            values["token"] = self._seal.close(token)
        ours = update(AccessToken).where(AccessToken.account_id == held.account_id, AccessToken.lease_owner == lease)
        with transaction(self._engine) as connection:
            kept = connection.execute(ours.values(lease_until=None, **values)).rowcount
        if not kept:
            log.warning("token came too late", extra={"account": self._account.name, "reason": "lease_lost"})

    def uses(self, held: Held, now: datetime) -> list[api_use.Use]:
        """Which calls were made today, and how often."""
        with self._engine.connect() as connection:
            return api_use.uses(connection, held.account_id, day_of(now))

    def last_forced(self, held: Held) -> datetime | None:
        with self._engine.connect() as connection:
            return api_use.last_use(connection, held.account_id, FORCE_REFRESH)

    def count(self, held: Held, calls: Sequence[str]) -> None:
        """Count calls towards the limits of the day. What WeChat has done is done, whether it can be counted or not."""
        now = datetime.now(UTC)
        try:
            with transaction(self._engine) as connection:
                api_use.count_calls(connection, held.account_id, day_of(now), calls, now)
        except SQLAlchemyError as error:
            fields = {"account": self._account.name, "reason": type(error).__name__}
            log.warning("calls not counted", extra=fields)

    def _opened(self, sealed: str) -> SecretStr | None:
        token = self._seal.open(sealed)
        if token is None and self._account.app_id not in _unopenable:
            _unopenable.add(self._account.app_id)
            log.warning("token cannot be opened", extra={"account": self._account.name, "reason": "secret_key_changed"})
        return token
