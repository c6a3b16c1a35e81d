"""What a push is and what it is answered: verify, decrypt, parse. Pure: nothing here waits or writes.

The answer tells WeChat what to do: 200 is received, 403 is not WeChat's, 503 (given by the caller, when nothing could
be made durable) is send it again. Reasons are short fixed words, the same in answer, log and metric.
"""

import logging
import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from ingest.account import Account
from wechat.crypto import UndecryptableError, decrypt, is_signed
from wechat.envelope import Envelope
from wechat.event import EPOCH, Entry, Unreadable, unreadable_id
from wechat.event import read as read_event
from wechat.parse import Fields, UnreadableError, parse

log = logging.getLogger(__name__)

MAX_BYTES = 64 << 10  # of a request's body
_BLANK = b" \t\r\n\xef\xbb\xbf"  # with the byte order mark
_TIMESTAMP = re.compile("[0-9]{1,12}")
RELEASED = datetime(2026, 11, 21, tzinfo=UTC).timestamp()  # a clock older than the program is wrong, and refuses nobody


class Answer(NamedTuple):
    """What WeChat is told, and the word for it in logs and metrics; in `reply` the one for what rules had to say."""

    status: int
    body: bytes
    outcome: str
    content_type: str = "text/plain; charset=utf-8"
    reply: str = ""


class Checked(NamedTuple):
    """A push whose signatures were looked at: refused, or to be read.

    Encrypted, it has a ciphertext and the token by which that was signed, or a reason why there is none.
    """

    mode: str
    refusal: Answer | None = None
    body: bytes = b""
    received_at: datetime = EPOCH
    ciphertext: str = ""
    token: str = ""
    nonce: str = ""
    reason: str = ""


class Received(NamedTuple):
    """A push, understood as far as possible: the answer to give once `entry`, if there is one, is durable.

    `may_reply` says that a reply of our own may take the place of that answer; it goes into `envelope` if there is one.
    """

    answer: Answer
    entry: Entry | None
    may_reply: bool = False
    envelope: Envelope | None = None


def refusal(status: int, reason: str) -> Answer:
    return Answer(status, reason.encode(), reason)


ACCEPTED = Answer(200, b"success", "accepted")
EMPTY_MESSAGE = Answer(200, b"success", "empty_message")
UNKNOWN_ACCOUNT = refusal(404, "unknown_account")
TOO_LARGE = refusal(413, "too_large")
CUT_SHORT = refusal(400, "cut_short")
BAD_SIGNATURE = refusal(403, "bad_signature")
OUTSIDE_REPLAY_WINDOW = refusal(403, "outside_replay_window")


def verify_url(account: Account, query_string: str) -> Answer:
    """The answer to WeChat's one GET: the echostr unchanged.

    Source: developers.weixin.qq.com/doc/service/guide/dev/push
    """
    query = _query(query_string)
    if not _is_signed(account, query, "signature"):
        return BAD_SIGNATURE
    return Answer(200, query.get("echostr", "").encode("utf-8", "replace"), "verified")


def check(account: Account, query_string: str, body: bytes, replay_window: int, now: float) -> Checked:
    """Whether a push is WeChat's. Never raises.

    1. The signature, in constant time; then the age of its timestamp. It does not cover the body.
    2. In compatible and security mode the signature over the ciphertext.
    """
    query = _query(query_string)
    mode = _mode(query)
    if not _is_signed(account, query, "signature"):
        return Checked(mode, BAD_SIGNATURE)
    if not _is_recent(query, replay_window, now):
        return Checked(mode, OUTSIDE_REPLAY_WINDOW)
    received_at = datetime.fromtimestamp(now, UTC)
    if mode == "plain":
        return Checked(mode, None, body, received_at)
    try:
        ciphertext, token = _signed_ciphertext(account, query, body)
    except Exception as error:
        return Checked(mode, None, body, received_at, reason=_reason(error, account))
    if token is None:
        return Checked(mode, BAD_SIGNATURE)
    return Checked(mode, None, body, received_at, ciphertext, token, query.get("nonce", ""))


def read(account: Account, push: Checked) -> Received:
    """What a push says, if it was not refused. Never raises: what cannot be read is kept raw.

    1. Decryption: the decrypted half is the one that counts.
    2. Structure, not meaning: an unknown kind is an event like any other.
    """
    if push.reason:
        return _unread(account, push, push.reason)
    try:
        return _read(account, push)
    except Exception as error:
        return _unread(account, push, _reason(error, account))


def _read(account: Account, push: Checked) -> Received:
    message, envelope = push.body, None
    if push.mode != "plain":
        message, key = _decrypted(account, push.ciphertext)
        envelope = Envelope(push.token, key, account.app_id, push.nonce)
        if not message:
            return Received(EMPTY_MESSAGE, None)
    fields, is_altered = parse(message)
    event = read_event(fields, account, push.received_at, altered=message if is_altered else None)
    # What comes as JSON is of other kinds of accounts, to which an XML reply would be an outage.
    return Received(ACCEPTED, event, may_reply=not message.lstrip(_BLANK).startswith(b"{"), envelope=envelope)


def _query(query_string: str) -> dict[str, str]:
    if "%" in query_string or "+" in query_string:
        return dict(parse_qsl(query_string, keep_blank_values=True))
    return {name: value for pair in query_string.split("&") for name, _, value in [pair.partition("=")]}


def _mode(query: dict[str, str]) -> str:
    """By what arrives: `aes` means ciphertext, absent or `raw` plain text (the platform's FAQ)."""
    if query.get("encrypt_type", "").lower() in ("", "raw") and "msg_signature" not in query:
        return "plain"
    return "encrypted"


def _is_signed(account: Account, query: dict[str, str], name: str) -> bool:
    return _token(account, query, name) is not None


def _token(account: Account, query: dict[str, str], name: str, *ciphertext: str) -> str | None:
    """The token that a signature was made with."""
    given, timestamp, nonce = query.get(name, ""), query.get("timestamp", ""), query.get("nonce", "")
    for token in account.tokens:  # a generator costs half as much as the SHA-1
        if is_signed(given, token, timestamp, nonce, *ciphertext):
            return token
    return None


def _is_recent(query: dict[str, str], replay_window: int, now: float) -> bool:
    if replay_window == 0 or now < RELEASED:
        return True
    timestamp = query.get("timestamp", "")  # a signature holds for nonce and timestamp moved into one, too
    return bool(_TIMESTAMP.fullmatch(timestamp)) and abs(now - int(timestamp)) <= replay_window


def _signed_ciphertext(account: Account, query: dict[str, str], body: bytes) -> tuple[str, str | None]:
    """The ciphertext, and the token that it was signed with. Raises UnreadableError."""
    ciphertext = _likely_ciphertext(body)
    token = ciphertext and _token(account, query, "msg_signature", ciphertext)
    if token:
        return ciphertext, token
    ciphertext = _ciphertext(body)  # no push of WeChat's, or one that it wrote in another way than ever before
    return ciphertext, _token(account, query, "msg_signature", ciphertext)


def _decrypted(account: Account, ciphertext: str) -> tuple[bytes, bytes]:
    """The decrypted message, tried with the current key and then the previous one, as the platform advises.

    And the key that worked: with that a reply is to be encrypted.
    """
    first: UndecryptableError = UndecryptableError("no_aes_key")
    for index, key in enumerate(account.aes_keys):
        try:
            return decrypt(ciphertext, key, account.app_id), key
        except UndecryptableError as error:
            first = error if index == 0 else first
    raise first


def _likely_ciphertext(body: bytes) -> str:
    """Where it always is. Signed, it is WeChat's, whatever stands around it, which need not be parsed."""
    return body.partition(b"<Encrypt><![CDATA[")[2].partition(b"]]></Encrypt>")[0].decode("latin-1")


def _ciphertext(body: bytes) -> str:
    fields: Fields = parse(body)[0]
    encrypt = fields.get("Encrypt")
    if not isinstance(encrypt, str):
        raise UnreadableError("no_ciphertext")
    return encrypt


def _reason(error: Exception, account: Account) -> str:
    """Why a push cannot be read. A fault of ours must not cost it either: it is kept, and can be replayed."""
    if isinstance(error, UndecryptableError | UnreadableError):
        return error.reason
    log.error("push not read", extra={"account": account.name, "error": type(error).__name__})
    return "reader_failed"


def _unread(account: Account, push: Checked, reason: str) -> Received:
    entry = Unreadable(
        id=unreadable_id(account.app_id, push.body),
        app_id=account.app_id,
        account=account.name,
        reason=reason,
        raw=push.body,
        received_at=push.received_at,
    )
    return Received(Answer(200, b"", reason), entry)
