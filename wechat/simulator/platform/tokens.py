"""Access tokens: `token` voids its last one with each call, `stable_token` hands out the same while it lives."""

import base64
import hmac
import random
import secrets
from typing import Any

from wechat.simulator.account import Account
from wechat.simulator.platform.asked import Asked, Request, read_object, text
from wechat.simulator.platform.quotas import day
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Holdings, Token

LIFE = 7200.0
OVERLAP = 300.0  # in which a token and its successor both work
FORCED_A_DAY = 20
FORCED_APART = 30.0
_REMEMBERED = 86400.0  # seconds for which a dead token is still told from one that never was


def issue(asked: Asked) -> dict[str, Any]:
    """`token`: a new one each time; the one before works for five more minutes."""
    for token in asked.own.tokens:
        if token.kind == "plain" and token.void_at is None:
            token.void_at = asked.now + OVERLAP
    return _answer(_make(asked, "plain"), asked.now)


def issue_stable(asked: Asked) -> dict[str, Any]:
    """`stable_token`: the same until its last five minutes, unless a refresh is forced, which voids it at once."""
    own, now = asked.own, asked.now
    current = next((token for token in reversed(own.tokens) if token.kind == "stable" and is_alive(token, now)), None)
    if asked.fields().get("force_refresh") is True and _may_force(asked, current):
        own.forced.append(now)
        for token in own.tokens:
            if token.kind == "stable" and is_alive(token, now):
                token.void_at = now
        current = None
    if current is None or current.expires_at - now <= OVERLAP:
        current = _make(asked, "stable")
    return _answer(current, now)


def _may_force(asked: Asked, current: Token | None) -> bool:
    """Within half a minute nothing is refreshed; the 21st time of a day is refused."""
    asked.own.forced = [moment for moment in asked.own.forced if day(moment) == day(asked.now)]
    if current is not None and asked.own.forced and asked.now - asked.own.forced[-1] < FORCED_APART:
        return False
    if len(asked.own.forced) >= FORCED_A_DAY:
        raise RefusalError(45009)
    return True


def is_alive(token: Token, now: float) -> bool:
    return now < token.expires_at and (token.void_at is None or now < token.void_at)


def find_owner(accounts: dict[str, Holdings], given: str, now: float) -> str:
    """The AppID of a living token."""
    if not given:
        raise RefusalError(41001)
    for app_id, own in accounts.items():
        for token in own.tokens:
            if token.text == given:
                if is_alive(token, now):
                    return app_id
                raise RefusalError(42001 if now >= token.expires_at else 40001)
    raise RefusalError(40014)


def find_account(accounts: dict[str, Account], request: Request) -> Account:
    """The account whose AppID and AppSecret a token call gives."""
    given = request.query
    if request.method == "POST":
        found = read_object(request.body)
        if found is None:
            raise RefusalError(47001)
        given = {name: text(value) for name, value in found.items()}
    if given.get("grant_type") != "client_credential":
        raise RefusalError(40002)
    return check_secret(accounts, given.get("appid", ""), given.get("secret", ""))


def check_secret(accounts: dict[str, Account], app_id: str, secret: str) -> Account:
    if not app_id:
        raise RefusalError(41002)
    if app_id not in accounts:
        raise RefusalError(40013)
    if not secret:
        raise RefusalError(41004)
    account = accounts[app_id]
    if account.app_secret is None or not hmac.compare_digest(secret.encode(), account.app_secret.encode()):
        # Both are seen: 40125 for what cannot be a secret at all.
        raise RefusalError(40001 if len(secret) == 32 else 40125)
    return account


def void(own: Holdings, now: float, given: str | None = None) -> None:
    """Void a token before its time, or all of an account."""
    for token in own.tokens:
        if given in (None, token.text) and is_alive(token, now):
            token.void_at = now


def _make(asked: Asked, kind: Any) -> Token:
    token = Token(f"{random.randrange(10, 100)}_{_letters(102)}", kind, asked.now + LIFE)  # noqa: S311
    asked.own.tokens = [each for each in asked.own.tokens if asked.now - each.expires_at < _REMEMBERED] + [token]
    return token


def _letters(size: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).decode()


def _answer(token: Token, now: float) -> dict[str, Any]:
    return {"access_token": token.text, "expires_in": int(token.expires_at - now)}
