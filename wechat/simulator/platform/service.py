"""Messages to single followers: of customer service, and by template."""

import re
from typing import Any

from wechat.simulator.platform import conversation, openings
from wechat.simulator.platform.asked import Asked, text
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Follower, Holdings

INTERACTION = 30.0  # seconds after an action in which "typing" may be shown
TYPING = 15.0  # seconds that it is shown
_LONGEST_TEXT = 2048
_MOST_SENT = 1000  # messages that are remembered
_KF_ACCOUNT = re.compile(r"[^@\s]+@[^@\s]+")

# What each type has to have, and the code where it is missing.
NEEDED: dict[str, dict[str, int]] = {
    "text": {"content": 44004},
    "image": {"media_id": 41006},
    "voice": {"media_id": 41006},
    "video": {"media_id": 41006},
    "music": {"musicurl": 40035, "hqmusicurl": 40035, "thumb_media_id": 41006},
    "news": {"articles": 44003},
    "mpnews": {"media_id": 41006},
    "mpnewsarticle": {"article_id": 53600},
    "msgmenu": {"list": 40035},
    "wxcard": {"card_id": 40035},
    "miniprogrampage": {"title": 40035, "appid": 41002, "pagepath": 40035, "thumb_media_id": 41006},
}


def send(asked: Asked) -> dict[str, Any]:
    fields = asked.fields()
    follower = _receiver(asked.own, fields)
    _judge(fields, asked.own)
    openings.spend(follower, asked.now)
    follower.typing_until = 0.0
    _remember(asked, fields)
    return {}


def type_(asked: Asked) -> dict[str, Any]:
    """Show, or no longer show, that somebody is typing."""
    fields = asked.fields()
    follower = _receiver(asked.own, fields)
    command = fields.get("command")
    if command not in ("Typing", "CancelTyping"):
        raise RefusalError(45072)
    if not follower.follows or follower.acted_at < 0 or asked.now - follower.acted_at > INTERACTION:
        raise RefusalError(45080)
    if command == "Typing" and asked.now < follower.typing_until:
        raise RefusalError(45081)
    follower.typing_until = asked.now + TYPING if command == "Typing" else 0.0
    return {}


def send_template(asked: Asked) -> dict[str, Any]:
    fields, own = asked.fields(), asked.own
    if not _receiver(own, fields).follows:
        raise RefusalError(43004)
    template = text(fields.get("template_id"))
    if not template or (own.templates is not None and template not in own.templates):
        raise RefusalError(40037)
    if not isinstance(fields.get("data"), dict):
        raise RefusalError(47001)
    once = text(fields.get("client_msg_id"))
    if once and once in own.template_ids:
        raise RefusalError(45065)
    own.last_message_id += 1
    if once:
        own.template_ids[once] = own.last_message_id
    _remember(asked, fields)
    return {"errcode": 0, "errmsg": "ok", "msgid": own.last_message_id}


def _receiver(own: Holdings, fields: dict[str, Any]) -> Follower:
    name = text(fields.get("touser"))
    if not name:
        raise RefusalError(41009)
    if name not in own.followers:
        raise RefusalError(40003)
    return own.followers[name]


def _judge(fields: dict[str, Any], own: Holdings) -> None:
    kind = text(fields.get("msgtype"))
    if kind not in NEEDED:
        raise RefusalError(40008)
    given = fields.get(kind)
    content = given if isinstance(given, dict) else {}
    for name, code in NEEDED[kind].items():
        if not content.get(name):
            raise RefusalError(code)
        if name == "media_id" and own.media_ids is not None and content[name] not in own.media_ids:
            raise RefusalError(40007)
    if kind == "text" and len(str(content["content"]).encode(errors="replace")) > _LONGEST_TEXT:
        raise RefusalError(45002)
    if kind == "news":
        _judge_articles(content["articles"])
    _judge_sender(fields.get("customservice"))


def _judge_articles(articles: Any) -> None:
    if not isinstance(articles, list):
        raise RefusalError(44003)
    if len(articles) > 1:
        raise RefusalError(45008)


def _judge_sender(given: Any) -> None:
    if given is not None and not (isinstance(given, dict) and _KF_ACCOUNT.fullmatch(text(given.get("kf_account")))):
        raise RefusalError(65401)


def _remember(asked: Asked, fields: dict[str, Any]) -> None:
    asked.own.sent.append({"at": asked.now, **fields})
    del asked.own.sent[:-_MOST_SENT]
    conversation.send(asked.own, fields, asked.now)
