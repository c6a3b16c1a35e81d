"""Rules for replies, handed to a door as workers hand them, and what its answers say."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ingest.snapshot import keep
from tests.ingest.conftest import AES_KEY, APP_ID, TOKEN
from wechat.crypto import decode_key, decrypt, is_signed
from wechat.parse import Fields, parse
from wechat.reply import Reply, Text
from wechat.reply_rules import Match, Menus, Rule

BACK = Text("有货 {event_key}")
STOCK = Rule(id=1, name="stock", kinds=("click",), key=Match("STOCK"), reply=BACK)


def hand(data_dir: Path, *rules: Rule, menus: Menus | None = None, revision: int = 1, app_id: str = APP_ID) -> None:
    """Put a snapshot into the door's folder, as the publisher does."""
    put(data_dir, {app_id: {"rules": rules, "menus": menus or Menus()}}, revision)


def put(data_dir: Path, replies: Any, revision: int = 1) -> None:
    content = {"revision": revision, "made_at": datetime.now(UTC)} | ({} if replies is None else {"replies": replies})
    assert keep(data_dir / "snapshot.json", msgspec.json.encode(content))


def default(reply: Reply, **asked: Any) -> Rule:
    """For whatever no other rule replies to."""
    return Rule(id=9, name="default", is_default=True, reply=reply, **asked)


def opened(body: bytes, token: str = TOKEN, key: str = AES_KEY) -> Fields:
    """What an encrypted reply says, judged as WeChat judges it."""
    sealed = parse(body)[0]
    assert {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"} == sealed.keys()
    assert is_signed(sealed["MsgSignature"], token, sealed["TimeStamp"], sealed["Nonce"], sealed["Encrypt"])
    return parse(decrypt(sealed["Encrypt"], decode_key(key), APP_ID))[0]
