"""What WeChat makes of a server's answer (PROTOCOL section 2)."""

from typing import Literal, NamedTuple, TypeAlias

from wechat import crypto
from wechat.parse import Fields, UnreadableError, parse
from wechat.simulator import passive
from wechat.simulator.account import Account
from wechat.simulator.request import Mode

Outcome: TypeAlias = Literal["success", "empty", "reply", "refused", "failed"]
ACKNOWLEDGED: frozenset[str] = frozenset({"success", "empty", "reply"})


class Answer(NamedTuple):
    """`refused` is a status other than 200, `failed` no answer in time or none that is understood."""

    outcome: Outcome
    detail: str = ""
    reply: Fields | None = None  # its fields, where it is one

    @property
    def is_acknowledged(self) -> bool:
        return self.outcome in ACKNOWLEDGED


def understand(status: int, body: bytes, account: Account, mode: Mode, push: bytes | None = None) -> Answer:
    """The answer to a push, if it is known to which one: a reply is for one follower, and not for every kind."""
    if status != 200:
        return Answer("refused", f"status {status}")
    if body == b"success":
        return Answer("success")
    if not body:
        return Answer("empty")
    try:
        reply = _read(body, account, mode)
    except (UnreadableError, crypto.UndecryptableError):
        return Answer("failed", "not understood")
    wrong = passive.fault(reply) or (passive.misfit(reply, parse(push)[0]) if push is not None else "")
    return Answer("failed", wrong) if wrong else Answer("reply", reply=reply)


def _read(body: bytes, account: Account, mode: Mode) -> Fields:
    if body.lstrip()[:1] in (b"{", b"["):  # that is for mini programs
        raise UnreadableError("bad_xml")
    fields, _ = parse(body)
    if "Encrypt" in fields and mode != "plain":
        return parse(_decrypt(fields, account))[0]
    if mode == "security":
        raise UnreadableError("not_encrypted")
    return fields


def _decrypt(fields: Fields, account: Account) -> bytes:
    signed = [str(fields.get(name, "")) for name in ("TimeStamp", "Nonce", "Encrypt")]
    if not signed[0].isdecimal() or not crypto.is_signed(str(fields.get("MsgSignature", "")), account.token, *signed):
        raise crypto.UndecryptableError("bad_signature")
    return crypto.decrypt(signed[-1], account.key, account.app_id)
