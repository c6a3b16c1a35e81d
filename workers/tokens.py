"""Access tokens: fetched here and nowhere else, so that nobody voids the token of another.

All processes share the one in the table. Whoever fetches claims its row by a short lease, so that one of any number
does; WeChat is called outside of any transaction. Several installations on one AppID agree by themselves, because
`stable_token` gives the same token to each.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine

from models.api_use import Use
from models.config import Account, Config
from wechat.answers import Token
from wechat.client import Client
from wechat.errcodes import (
    INVALID_CREDENTIAL,
    STABLE_TOKEN,
    TOKEN,
    Invalid,
    NotConfigured,
    NotPermitted,
    RateLimited,
    TokenRejected,
    Unreachable,
    WeChatError,
    Words,
    recorded,
)
from wechat.quota import FORCE_REFRESH
from workers.held import LEASE, Held, Step, back_off, is_due, is_foreign, may_force, next_step
from workers.token_row import TokenRow

log = logging.getLogger(__name__)

PATIENCE = LEASE.total_seconds() + 3  # of those who wait for another's result: longer than a dead one's lease
# What accounts that have no `stable_token` are answered: no right to it, tokens forbidden, no such path.
_NOT_STABLE = {48001, 50004, 40066}


@dataclass(frozen=True)
class _Fetched:
    token: Token
    source: str
    is_forced: bool = False


class Tokens:
    """The access token of one account. Raises WeChatError where none can be had."""

    def __init__(self, engine: Engine, client: Client, account: Account, secret_key: SecretStr) -> None:
        self._client = client
        self._account = account
        self._row = TokenRow(engine, account, secret_key)

    def current(self) -> SecretStr:
        """The token there is; fetched where there is none."""
        return self._obtain(None)

    def replace(self, rejected: SecretStr) -> SecretStr:
        """The token to use instead of one that WeChat rejected: a stored one that differs, or a new one."""
        return self._obtain(rejected)

    def refresh_if_due(self) -> None:
        """Ahead of its end, so that nobody waits for a token; what fails is noted, and tried again later."""
        held, now = self._row.look(), datetime.now(UTC)
        if held is None or not is_due(held, now) or (lease := self._row.claim(held, now)) is None:
            return
        try:
            self._fetch(lease, held)
        except WeChatError as error:
            log.warning("token not refreshed", extra={"account": self._account.name, "reason": error.reason})

    def refresh(self, *, force: bool = False) -> None:
        """Ask WeChat now; with `force`, for another token, which voids the one there is for everybody."""
        end = time.monotonic() + PATIENCE
        while (lease := self._row.claim(held := self._row.held(), datetime.now(UTC))) is None:
            _wait(end)
        self._fetch(lease, held, force=force)

    def look(self) -> Held | None:
        """What is held; nothing where nobody asked for a token yet."""
        return self._row.look()

    def uses(self, held: Held, now: datetime) -> list[Use]:
        """Which calls were made today, and how often."""
        return self._row.uses(held, now)

    def forced_today(self) -> int:
        """How often another token than the present one was asked for."""
        held = self._row.look()
        uses = self._row.uses(held, datetime.now(UTC)) if held else []
        return next((use.count for use in uses if use.call == FORCE_REFRESH), 0)

    def count(self, calls: Sequence[str]) -> None:
        """Count calls of this account, towards the limits of the day."""
        self._row.count(self._row.held(), calls)

    def _obtain(self, rejected: SecretStr | None) -> SecretStr:
        end = time.monotonic() + PATIENCE
        while True:
            held, now = self._row.held(), datetime.now(UTC)
            step = next_step(held, rejected, now)
            if step is Step.USE and held.token is not None:
                return held.token
            if step is Step.GIVE_UP and held.failure is not None:
                raise recorded(held.failure)
            if step is not Step.WAIT and (lease := self._row.claim(held, now)) is not None:
                return self._fetch(lease, held, rejected)
            _wait(end)

    def _fetch(self, lease: str, held: Held, rejected: SecretStr | None = None, *, force: bool = False) -> SecretStr:
        """Fetch a token under our lease, and write down what came of it."""
        now, made = datetime.now(UTC), list[str]()
        try:
            fetched = self._ask(held, rejected, force, made)
        except WeChatError as error:
            failures = held.failures + 1
            retry_at = datetime.now(UTC) + back_off(failures, random.random())  # noqa: S311 - no secret
            self._row.end(lease, held, failures=failures, failure=error.record(), retry_at=retry_at)
            raise
        finally:
            self._row.count(held, made)
        token = fetched.token
        found: dict[str, Any] = {}
        if not fetched.is_forced and is_foreign(held, token, fetched.source, rejected, now):
            found = {"foreign_count": held.foreign_count + 1, "foreign_at": now}
            fields = {"account": self._account.name, "reason": "foreign_refresher", "count": held.foreign_count + 1}
            log.warning("token replaced by another program", extra=fields)
        found |= {"token": token.value, "expires_at": now + token.lifetime, "source": fetched.source}
        self._row.end(lease, held, refreshed_at=now, failures=0, failure=None, retry_at=None, **found)
        return token.value

    def _ask(self, held: Held, rejected: SecretStr | None, force: bool, made: list[str]) -> _Fetched:
        """Gently first: where somebody has refreshed already, that gives the new token, and voids nobody's."""
        app_id, secret = self._account.app_id, self._secret()
        if not force:
            fetched = self._gently(app_id, secret, made)
            if fetched.token.value != rejected:
                return fetched
        if not self._may_force(held):
            raise _rationed() if force else _repeated()
        token = _counted(FORCE_REFRESH, made, lambda: self._client.stable_token(app_id, secret, force_refresh=True))
        if token.value == rejected:
            raise _repeated()
        return _Fetched(token, STABLE_TOKEN, is_forced=True)

    def _gently(self, app_id: str, secret: SecretStr, made: list[str]) -> _Fetched:
        try:
            token = _counted(STABLE_TOKEN, made, lambda: self._client.stable_token(app_id, secret))
            return _Fetched(token, STABLE_TOKEN)
        except (Invalid, NotPermitted) as error:
            if error.errcode not in _NOT_STABLE:
                raise
        return _Fetched(_counted(TOKEN, made, lambda: self._client.token(app_id, secret)), TOKEN)

    def _may_force(self, held: Held) -> bool:
        return may_force(self.forced_today(), self._row.last_forced(held), datetime.now(UTC))

    def _secret(self) -> SecretStr:
        if self._account.app_secret is not None:
            return self._account.app_secret
        name = self._account.name
        missing = Words(f"the account {name} has no app_secret", f"账号 {name} 没有配置 app_secret")
        raise NotConfigured(STABLE_TOKEN, missing)


def refresh_due(engine: Engine, client: Client, config: Config) -> None:
    """The tokens that have been asked for once are kept fresh."""
    for account in config.accounts:
        Tokens(engine, client, account, config.secret_key).refresh_if_due()


def _counted(call: str, made: list[str], ask: Callable[[], Token]) -> Token:
    made.append(call)
    try:
        return ask()
    except Unreachable as error:
        if not error.sent:
            made.pop()
        raise


def _wait(end: float) -> None:
    """For the result of whoever is fetching.

    Raises Unreachable when it has been long enough.
    """
    if time.monotonic() > end:
        raise Unreachable(STABLE_TOKEN, "timeout", "another process is fetching the token", False)
    time.sleep(random.uniform(0.03, 0.1))  # noqa: S311 - no secret


def _rationed() -> RateLimited:
    words = Words(
        "a refresh can be forced 20 times a day, 30 seconds apart", "强制刷新每天最多 20 次，且至少间隔 30 秒"
    )
    return RateLimited(STABLE_TOKEN, words)


def _repeated() -> TokenRejected:
    words = Words("WeChat goes on giving out a token that it rejects", "微信仍在返回被它自己拒绝的 token")
    return TokenRejected(STABLE_TOKEN, words, INVALID_CREDENTIAL)
