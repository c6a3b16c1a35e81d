"""As many rules for replies as a large account may have, of every way to ask."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.load import APP_ID
from wechat.reply import Text
from wechat.reply_rules import Match, Rule

BUTTONS = 13  # of the load: MENU_0 to MENU_12
SAID = "您好，您选的是 {event_key}。回复 1 查询订单，回复 2 联系客服。"


def rules(count: int) -> list[Rule]:
    """One for each button; of the others, half ask for other keys, a tenth for keys by patterns, which are tried one by
    one, and the rest for words and codes."""
    reply = Text(SAID)
    found = [
        Rule(id=number, name=f"button {number}", kinds=("click",), key=Match(f"MENU_{number}"), reply=reply)
        for number in range(BUTTONS)
    ]
    return found + [
        Rule(id=number, name=f"rule {number}", reply=reply, priority=number % 3 - 1, **_asked(number))
        for number in range(BUTTONS, count)
    ]


def hand_rules(data_dir: Path, count: int, *, for_load: bool) -> None:
    """Into the folder of a door, as its publisher does; whoever has rules of its own has no addresses.

    Each push of the load is replied to, or none is: those rules are for others.
    """
    replies = {APP_ID: {"rules": rules(count) if for_load else rules(count + BUTTONS)[BUTTONS:]}}
    snapshot = {"revision": 1, "made_at": datetime.now(UTC), "replies": replies}
    (data_dir / "snapshot.json").write_bytes(msgspec.json.encode(snapshot))


def _asked(number: int) -> dict[str, Any]:
    match number % 10:
        case 0:
            return {"key": Match(f"*SALE_{number}*", "pattern")}
        case 1:
            return {"keyword": Match(f"退货{number}", "contains")}
        case 2:
            return {"keyword": Match(f"订单{number}")}
        case 3:
            return {"kinds": ("scancode_waitmsg",), "scan_code": Match(f"69{number}", "prefix")}
        case 4:
            return {"key": Match(f"SHOP_{number}_", "prefix"), "weekdays": "1,2,3,4,5", "hours": "09:00-18:00"}
        case _:
            return {"key": Match(f"KEY_{number}")}
