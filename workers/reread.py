"""What a row of quarantine is today, read with the keys and the code of today. Nothing here touches a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from models.config import Config
from models.walk import AnyRow
from wechat.crypto import UndecryptableError, decode_key, decrypt
from wechat.event import Addressee, Entry, Event, decode_entry, read
from wechat.parse import UnreadableError, parse

SUSPECT = "suspect"  # the reason of an entry that may have killed workers


@dataclass(frozen=True)
class Reader(Addressee):
    """An account, and its keys: the current one, then the previous one."""

    aes_keys: tuple[bytes, ...] = ()


class NotReadError(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def readers(config: Config) -> dict[str, Reader]:
    """The accounts of the configuration by AppID."""
    return {
        account.app_id: Reader(
            account.name,
            account.app_id,
            account.original_id,
            tuple(decode_key(key.get_secret_value()) for key in (account.aes_key, account.previous_aes_key) if key),
        )
        for account in config.accounts
    }


def event_of(row: AnyRow, known: Mapping[str, Reader]) -> Event:
    """The event that a row of quarantine is today.

    Raises NotReadError.
    """
    try:
        entry = _entry(row)
        if isinstance(entry, Event):
            return entry
        if entry is not None:
            reader = known.get(entry.app_id) or Reader(entry.account, entry.app_id)
            return _read(entry.raw, entry.reason, reader, entry.received_at)
        reader = known.get(row.app_id) or Reader(row.name, row.app_id, row.original_id)
        return _read(row.raw, row.reason, reader, row.received_at)
    except (UndecryptableError, UnreadableError) as error:
        raise NotReadError(error.reason) from None
    except NotReadError:
        raise
    except Exception as error:  # of code that is to be mended; the others go on
        raise NotReadError("reader_failed", type(error).__name__) from None


def _entry(row: AnyRow) -> Entry | None:
    """What was an entry of the journal: a suspect, or an event, which has the id of its row; None for a request's body.

    No body can pass for an event: its row's id is a digest of it.
    """
    try:
        entry: Entry = decode_entry(row.raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        if row.reason == SUSPECT:
            raise NotReadError("bad_entry") from None
        return None
    return entry if row.reason == SUSPECT or entry.id == row.id else None


def _read(body: bytes, reason: str, reader: Reader, received_at: datetime) -> Event:
    """The event of a request's body. Its signatures were verified at the door; the one over the body is not kept."""
    message = _message(body, reason, reader)
    fields, is_altered = parse(message)
    return read(fields, reader, received_at, altered=message if is_altered else None)


def _message(body: bytes, reason: str, reader: Reader) -> bytes:
    """The message of a body, decrypted where it is encrypted, with the first key that fits."""
    encrypt = parse(body)[0].get("Encrypt")
    if not isinstance(encrypt, str):
        if reason == "no_ciphertext":  # the request was said to be encrypted
            raise UnreadableError(reason)
        return body
    first = UndecryptableError("no_aes_key")
    for index, key in enumerate(reader.aes_keys):
        try:
            return decrypt(encrypt, key, reader.app_id)
        except UndecryptableError as error:
            first = error if index == 0 else first
    raise first
