"""What WeChat makes of a passive reply: whether it may be one, and whether it is one (PROTOCOL section 2.3).

A judge of what Caidan writes, so it takes nothing from where that is written.
"""

from wechat.parse import Fields

COMMON = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
MOST_ARTICLES = 8
LONGEST_TEXT = 2048  # bytes

# Events that may be answered; every message may. All others have to get `success`.
ANSWERABLE = frozenset(
    {
        "CLICK",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "SCAN",
        "subscribe",
    }
)
_ONE_ARTICLE = {"text", "image", "voice", "video", "news", "location"}  # messages whose answer shows the first only

# Where the media is that a type cannot do without.
_MEDIA = {"image": ("Image", "MediaId"), "voice": ("Voice", "MediaId"), "video": ("Video", "MediaId")}
_MEDIA |= {"music": ("Music", "ThumbMediaId")}


def fault(reply: Fields) -> str:
    """What is wrong with a reply in itself; empty where nothing is."""
    if not all(isinstance(reply.get(name), str) and reply[name] for name in COMMON):
        return "not understood"
    if not reply["CreateTime"].isdecimal():
        return "not understood"
    kind = reply["MsgType"]
    if kind == "text":
        return _fault_of_text(reply.get("Content"))
    if kind in _MEDIA:
        outer, inner = _MEDIA[kind]
        return "" if _inside(reply, outer).get(inner) else "not understood"
    if kind == "news":
        return _fault_of_news(reply)
    return "" if kind == "transfer_customer_service" else "not understood"


def misfit(reply: Fields, push: Fields) -> str:
    """Why a reply is none to this push; empty where it is one."""
    if "Event" in push and push["Event"] not in ANSWERABLE:
        return "not answerable"
    if (reply["ToUserName"], reply["FromUserName"]) != (push.get("FromUserName"), push.get("ToUserName")):
        return "names not swapped"
    return ""


def articles(reply: Fields) -> list[Fields]:
    found = _inside(reply, "Articles").get("item")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def shown_articles(reply: Fields, push: Fields) -> list[Fields]:
    """Those that the follower sees; the surplus is dropped."""
    is_single = "Event" not in push and push.get("MsgType") in _ONE_ARTICLE
    return articles(reply)[: 1 if is_single else MOST_ARTICLES]


def _fault_of_text(content: object) -> str:
    if not isinstance(content, str) or not content:
        return "not understood"
    return "text too long" if len(content.encode()) > LONGEST_TEXT else ""


def _fault_of_news(reply: Fields) -> str:
    given = articles(reply)
    return "" if given and reply.get("ArticleCount") == str(len(given)) else "not understood"


def _inside(reply: Fields, name: str) -> Fields:
    found = reply.get(name)
    return found if isinstance(found, dict) else {}
