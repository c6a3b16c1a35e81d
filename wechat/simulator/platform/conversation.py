"""What followers do and get, as they see it on their phones: taps, messages, replies, and WeChat's line for a failure.

It shows what no call of WeChat's tells: whether an answer came, how, and whether somebody still waits for one.
"""

from collections.abc import Iterator
from typing import Any

from wechat.parse import Fields, parse
from wechat.simulator import passive
from wechat.simulator.answer import Answer
from wechat.simulator.platform.state import Holdings, Turn
from wechat.simulator.pushes import Push

MOST = 2000  # turns that are remembered of an account
OUTAGE = "该公众号提供的服务出现故障，请稍后再试"
WAITING = "消息接收中"

# What a follower does, and sees; a place that the phone reports by itself is not in the chat, nor is a notice.
_ACTS = passive.ANSWERABLE | {"VIEW", "view_miniprogram", "unsubscribe"}
_ENVELOPE = frozenset({*passive.COMMON, "Event", "MsgId", "MenuId", "ArticleCount", "MediaId16K", "PicUrl", "picurl"})


def hear(own: Holdings, push: Push) -> None:
    """A follower does something."""
    fields = parse(push.message)[0]
    if _is_seen(fields):
        _add(own, push.open_id, push.created_at, "follower", push.kind, _words(fields))


def answer(own: Holdings, push: Push, given: Answer, now: float) -> None:
    """What the account's server answered at once."""
    fields = parse(push.message)[0]
    if not _is_seen(fields):
        return
    if given.reply is not None:
        seen = dict(given.reply)
        if seen["MsgType"] == "news":
            seen["Articles"] = passive.shown_articles(given.reply, fields)
        _add(own, push.open_id, now, "account", seen["MsgType"], _words(seen), "passive")
    elif not given.is_acknowledged:
        _add(own, push.open_id, now, "wechat", "outage", OUTAGE, given.detail)


def send(own: Holdings, message: dict[str, Any], now: float) -> None:
    """A message of customer service, or by template."""
    is_template = "template_id" in message
    kind = "template" if is_template else str(message["msgtype"])
    said = message["data"] if is_template else message.get(kind)
    _add(own, str(message["touser"]), now, "account", kind, _words(said), "template" if is_template else "service")


def turns(own: Holdings, open_id: str = "", since: int = 0) -> list[Turn]:
    """Those of a follower, or of all; from one number on."""
    return [turn for turn in own.turns if turn.number > since and open_id in ("", turn.open_id)]


def waits(own: Holdings, open_id: str) -> bool:
    """Whether the follower scanned for an answer (scancode_waitmsg), sees WAITING, and nothing has come."""
    for turn in reversed(turns(own, open_id)):
        if turn.by == "account" or turn.kind == "outage":
            return False
        if turn.kind == "scancode_waitmsg":
            return True
    return False


def _add(own: Holdings, open_id: str, at: float, by: Any, kind: str, text: str, how: str = "") -> None:
    own.last_turn += 1
    own.turns.append(Turn(own.last_turn, at, open_id, by, kind, text, how))
    del own.turns[:-MOST]


def _is_seen(fields: Fields) -> bool:
    return "Event" not in fields or fields["Event"] in _ACTS


def _words(said: Any) -> str:
    """All that a message says, in its order."""
    return " · ".join(_leaves(said))


def _leaves(said: Any) -> Iterator[str]:
    if isinstance(said, dict):
        for name, value in said.items():
            if name not in _ENVELOPE:
                yield from _leaves(value)
    elif isinstance(said, list):
        for value in said:
            yield from _leaves(value)
    elif said not in ("", None):
        yield str(said)
