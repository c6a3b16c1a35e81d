"""What WeChat makes of a server's answer (PROTOCOL section 2)."""

from typing import Literal, NamedTuple, TypeAlias

from wechat import crypto
from wechat.parse import Fields, UnreadableError, parse
from wechat.simulator.account import Account
from wechat.simulator.request import Mode

Outcome: TypeAlias = Literal["success", "empty", "reply", "refused", "failed"]
ACKNOWLEDGED: frozenset[str] = frozenset({"success", "empty", "reply"})


class Answer(NamedTuple):
    """`refused` is a status other than 200, `failed` no answer in time or none that is understood."""

    outcome: Outcome
    detail: str = ""

    @property
    def is_acknowledged(self) -> bool:
        return self.outcome in ACKNOWLEDGED


def understand(status: int, body: bytes, account: Account, mode: Mode) -> Answer:
    if status != 200:
        return Answer("refused", f"status {status}")
    if body == b"success":
        return Answer("success")
    if not body:
        return Answer("empty")
    return Answer("reply") if _is_reply(body, account, mode) else Answer("failed", "not understood")


def _is_reply(body: bytes, account: Account, mode: Mode) -> bool:
    try:
        fields, _ = parse(body)
        if "Encrypt" in fields and mode != "plain":
            fields, _ = parse(_decrypt(fields, account))
        elif mode == "security":
            return False
    except (UnreadableError, crypto.UndecryptableError):
        return False
    return all(fields.get(name) for name in ("ToUserName", "FromUserName", "CreateTime", "MsgType"))


def _decrypt(fields: Fields, account: Account) -> bytes:
    signed = [str(fields.get(name, "")) for name in ("TimeStamp", "Nonce", "Encrypt")]
    if not crypto.is_signed(str(fields.get("MsgSignature", "")), account.token, *signed):
        raise crypto.UndecryptableError("bad_signature")
    return crypto.decrypt(signed[-1], account.key, account.app_id)
