"""A push as an HTTP request: signed, and encrypted where the mode says so; or damaged on the way."""

import json
from random import Random
from typing import Literal, NamedTuple, TypeAlias, get_args
from urllib.parse import urlencode

from wechat import crypto
from wechat.event import unreadable_id
from wechat.simulator.account import Account

Mode: TypeAlias = Literal["plain", "compatible", "security"]
Damage: TypeAlias = Literal["truncated", "garbage", "wrong_signature"]
MODES: tuple[Mode, ...] = get_args(Mode)
DAMAGES: tuple[Damage, ...] = get_args(Damage)


class Request(NamedTuple):
    query: str
    body: bytes


def make_request(
    account: Account,
    message: bytes,
    open_id: str,
    *,
    mode: Mode,
    timestamp: int,
    random: Random,
    damage: Damage | None = None,
) -> Request:
    """The request of a delivery at `timestamp`, which the signatures cover."""
    token = "somebody else's" if damage == "wrong_signature" else account.token
    nonce = str(random.randrange(10**8, 10**10))
    query = {
        "signature": crypto.signature(token, str(timestamp), nonce),
        "timestamp": str(timestamp),
        "nonce": nonce,
        "openid": open_id,
    }
    if mode == "plain":
        return Request(urlencode(query), _damaged(message, damage, nonce))
    encrypted = crypto.encrypt(message, account.key, account.app_id, random.randbytes(16))
    # Damaged before it is signed, or a door would refuse it as a forgery, unread.
    encrypted = _damaged(encrypted.encode(), damage, nonce).decode("latin-1")
    query["encrypt_type"] = "aes"
    query["msg_signature"] = crypto.signature(token, str(timestamp), nonce, encrypted)
    return Request(urlencode(query), _envelope(account, message, encrypted, mode))


def quarantine_id(account: Account, request: Request, damage: Damage) -> str | None:
    """The id under which a damaged push has to be kept; None where it has to be refused."""
    return None if damage == "wrong_signature" else str(unreadable_id(account.app_id, request.body))


def _damaged(content: bytes, damage: Damage | None, nonce: str) -> bytes:
    if damage == "truncated":
        return content[:-9]  # cuts the closing tag of XML, and base64 to an impossible length
    if damage == "garbage":
        return f"<html><body>502 Bad Gateway {nonce}</body></html>".encode()
    return content


def _envelope(account: Account, message: bytes, encrypted: str, mode: Mode) -> bytes:
    if message.startswith(b"{"):
        outer = json.loads(message) if mode == "compatible" else {"ToUserName": account.to_user}
        return json.dumps(outer | {"Encrypt": encrypted}, ensure_ascii=False).encode()
    sealed = f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>\n".encode()
    if mode == "compatible":
        return message.removesuffix(b"</xml>") + sealed + b"</xml>"
    return f"<xml>\n    <ToUserName><![CDATA[{account.to_user}]]></ToUserName>\n    ".encode() + sealed + b"</xml>\n"
