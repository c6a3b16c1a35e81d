"""The door as WeChat meets it: the Flask application over a journal on disk, and a look into that journal."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from ingest.app import create_app
from ingest.segment import SegmentReader, segments
from models.config import DoorAccount, DoorConfig
from wechat.crypto import decode_key, encrypt, signature
from wechat.event import Entry, Event, Unreadable, decode_entry

TOKEN = "menuTok2024"
AES_KEY = "5YTZWhHanluh8NlyUjOeOXQ0BuFej0DPAYUxQvVDNM7"
APP_ID = "wx5823bf96d3bd56c7"
SHOP = {"name": "shop", "app_id": APP_ID, "original_id": "gh_e136c6e50636", "token": TOKEN, "aes_key": AES_KEY}


class Gate:
    """One account's way in, and what lies behind it."""

    def __init__(self, app: Flask, directory: Path, account: DoorAccount) -> None:
        self.app = app
        self.client = app.test_client()
        self.directory = directory
        self.account = account

    def send(self, query: str | dict[str, str], body: bytes = b"", **options: Any) -> TestResponse:
        """A POST as it is, to the account's address."""
        text = query if isinstance(query, str) else urlencode(query)
        return self.client.post(f"/wechat/{self.account.name}?{text}", data=body, **options)

    def push(self, message: bytes, mode: str = "plain", **signing: str) -> TestResponse:
        """A push as WeChat sends it: plain, compatible, security, or security as JSON."""
        if mode == "plain":
            return self.send(signed(**signing), message)
        ciphertext = self.encrypted(message)
        return self.send(sealed(ciphertext, **signing), around(ciphertext, message, mode))

    def encrypted(self, message: bytes, key: str = AES_KEY) -> str:
        return encrypt(message, decode_key(key), self.account.app_id)

    def entries(self) -> list[Entry]:
        found: list[Entry] = []
        for file in segments(self.directory):
            with closing(SegmentReader(file)) as reader:
                found += [decode_entry(entry.content) for entry in reader.after(0, 10_000)]
        return found

    def event(self) -> Event:
        """The one thing stored, which is an event."""
        (entry,) = self.entries()
        assert isinstance(entry, Event)
        return entry

    def unreadable(self) -> Unreadable:
        """The one thing stored, which is for quarantine."""
        (entry,) = self.entries()
        assert isinstance(entry, Unreadable)
        return entry


def signed(*, token: str = TOKEN, timestamp: str | None = None, nonce: str = "927451038") -> dict[str, str]:
    """The query of a plain push."""
    at = str(int(time.time())) if timestamp is None else timestamp
    return {"signature": signature(token, at, nonce), "timestamp": at, "nonce": nonce, "openid": "oOpenIdInTheQuery"}


def sealed(ciphertext: str, *, token: str = TOKEN, **signing: str) -> dict[str, str]:
    """The query of an encrypted push."""
    query = signed(token=token, **signing)
    msg_signature = signature(token, query["timestamp"], query["nonce"], ciphertext)
    return query | {"encrypt_type": "aes", "msg_signature": msg_signature}


def around(ciphertext: str, message: bytes = b"", mode: str = "security") -> bytes:
    """The body of an encrypted push."""
    if mode == "json":
        return f'{{"ToUserName": "gh_e136c6e50636", "Encrypt": "{ciphertext}"}}'.encode()
    element = f"<Encrypt><![CDATA[{ciphertext}]]></Encrypt>\n</xml>".encode()
    if mode == "compatible":
        return message.rpartition(b"</xml>")[0] + element
    return b"<xml>\n<ToUserName><![CDATA[gh_e136c6e50636]]></ToUserName>\n" + element


OpenGate = Callable[..., Gate]


@pytest.fixture
def open_gate(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[OpenGate]:
    """Opens doors; what differs from the shop and the defaults is given. At the end no log has told a secret."""
    gates: list[Gate] = []
    caplog.set_level(logging.DEBUG)

    def opened(*, settings: dict[str, object] | None = None, **account: str | None) -> Gate:
        known = DoorAccount.model_validate(SHOP | account)
        config = DoorConfig.model_validate({"data_dir": tmp_path, "accounts": (known,)} | (settings or {}))
        gates.append(Gate(create_app(config), config.journal_dir, known))
        return gates[-1]

    yield opened
    for gate in gates:
        gate.app.extensions["door"].journal.close()
    assert [] == [record.__dict__ for record in caplog.get_records("call") if tells_a_secret(record, gates)]


@pytest.fixture
def gate(open_gate: OpenGate) -> Gate:
    return open_gate()


def tells_a_secret(record: logging.LogRecord, gates: list[Gate]) -> bool:
    """Whether a line, or a field beside it, has a token, a key, a signature, or who the push was from."""
    secrets = {"oOpenIdInTheQuery", "oUser", "oTestOpenId", "927451038", "signature=", "FromUserName"}
    for gate in gates:
        values = (value for _, value in gate.account)
        secrets |= {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
    secrets -= {secret for secret in secrets if len(secret) < 5}  # tokens of the vectors that any number contains
    written = f"{record.getMessage()} {record.__dict__}"
    return any(secret in written for secret in secrets)
