"""Rules for replies, and pushes to ask them about, as tests of several rooms write them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wechat.event import Addressee, Event, read
from wechat.parse import parse
from wechat.reply import Reply, Text
from wechat.reply_rules import Match, Rule

PUSHES = Path(__file__).parents[1] / "pushes"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)  # Monday, 12:00 in Shanghai
SHOP = Addressee("shop", "wx1234567890abcdef", "gh_0a1b2c3d4e5f")


def event(kind: str = "click", at: datetime = NOON, **fields: Any) -> Event:
    """A push in WeChat's spelling, of which only what matters is given."""
    given = {"FromUserName": "oFollower", "CreateTime": str(int(at.timestamp())), **fields}
    is_message = kind.startswith("message_")
    given |= {"MsgType": kind.removeprefix("message_")} if is_message else {"MsgType": "event", "Event": kind}
    return read(given, SHOP, at)


def tap(key: str, kind: str = "click", at: datetime = NOON, **fields: Any) -> Event:
    return event(kind, at, EventKey=key, **fields)


def said(content: str, at: datetime = NOON) -> Event:
    return event("message_text", at, Content=content)


def scanned(result: str, type_: str = "qrcode", key: str = "SCAN") -> Event:
    return tap(key, "scancode_waitmsg", ScanCodeInfo={"ScanType": type_, "ScanResult": result})


def captured(name: str) -> Event:
    return read(parse((PUSHES / f"{name}.xml").read_bytes())[0], SHOP, NOON)


def rule(id_: int = 1, reply: Reply | None = None, **asked: Any) -> Rule:
    """A text is asked for as it is, or by (how, text); its reply is its number."""
    for name in ("key", "scan_code", "keyword"):
        if (given := asked.get(name)) is not None:
            asked[name] = Match(given) if isinstance(given, str) else Match(given[1], given[0])
    return Rule(id=id_, name=f"rule {id_}", reply=reply or Text(str(id_)), **asked)
