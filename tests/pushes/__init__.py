"""Sample pushes of every kind, and what `manifest.json` expects of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wechat.event import BATCH_VERSION, Addressee, Batch, Entry, Event, read
from wechat.parse import parse

FOLDER = Path(__file__).parent
SAMPLES: list[dict[str, Any]] = json.loads((FOLDER / "manifest.json").read_text())["files"]
SHOP = Addressee("shop", "wx0123456789abcdef", "gh_e136c6e50636")
RECEIVED_AT = datetime(2026, 10, 1, 12, 30, 15, 123456, tzinfo=UTC)


def sample(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def event_of(message: bytes, account: Addressee = SHOP) -> Event:
    fields, _ = parse(message)
    return read(fields, account, RECEIVED_AT)


def push(
    event: str = "CLICK", *, key: str = "menu", user: str = "oUser", at: int = 1_790_000_000, more: str = ""
) -> bytes:
    """An event as WeChat would push it; `more` is XML of further fields."""
    return (
        f"<xml><ToUserName>gh_e136c6e50636</ToUserName><FromUserName>{user}</FromUserName><CreateTime>{at}</CreateTime>"
        f"<MsgType>event</MsgType><Event>{event}</Event><EventKey>{key}</EventKey>{more}</xml>"
    ).encode()


def batch_of(*entries: Entry) -> Batch:
    return Batch(version=BATCH_VERSION, id="00" * 16, receipts="receipts.test", entries=list(entries))
