"""What an account may say to a follower: in the answer to a push, or as a customer-service message.

Source: /doc/subscription/guide/product/message/Passive_user_reply_message.html and
/doc/service/api/customer/message/api_sendcustommessage (PROTOCOL sections 2.3 and 7.4).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, get_args

import msgspec

LONGEST_TEXT = 2048  # bytes of a text message; a limit of ours for all other texts
MOST_ARTICLES = 8  # of a passive answer to an event; to a message, and in a customer-service message, it is one
_REMEMBERED = 1024  # replies as XML
_MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_KF_ACCOUNT = re.compile(r"[^@\s]{1,64}@[^@\s]{1,64}")
_URL = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # by XML, and by UTF-8

# Events that WeChat takes an answer to; LOCATION must get `success`, and so do all others, to be safe (section 2.3).
ANSWERABLE = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "qrcode_scan",
        "subscribe",
    }
)
MESSAGES = "message_"  # with which the kind of every message begins


class Window(NamedTuple):
    """For how long after CreateTime, and how many, customer-service messages may be sent."""

    seconds: int
    messages: int


_MESSAGE_WINDOW = Window(48 * 3600, 5)
# pic_* and location_select open none: the messages that follow them do (section 7.4).
WINDOWS = MappingProxyType(
    dict.fromkeys(("click", "scancode_push", "scancode_waitmsg", "subscribe", "qrcode_scan"), Window(60, 3))
)


class _Reply(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class Text(_Reply, frozen=True, tag="text"):
    content: str


class Image(_Reply, frozen=True, tag="image"):
    media_id: str


class Voice(_Reply, frozen=True, tag="voice"):
    media_id: str


class Video(_Reply, frozen=True, tag="video"):
    media_id: str
    title: str = ""
    description: str = ""
    thumb_media_id: str = ""  # of customer-service messages only


class Music(_Reply, frozen=True, tag="music"):
    thumb_media_id: str
    title: str = ""
    description: str = ""
    music_url: str = ""
    hq_music_url: str = ""  # in wireless networks; else music_url


class Article(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    title: str
    description: str = ""
    pic_url: str = ""
    url: str = ""


class News(_Reply, frozen=True, tag="news"):
    articles: tuple[Article, ...]


class Transfer(_Reply, frozen=True, tag="transfer"):
    """Hand the conversation to the account's customer service, or to one of its people."""

    kf_account: str | None = None


class Nothing(_Reply, frozen=True, tag="nothing"):
    """Say nothing: the push gets `success`."""


Reply: TypeAlias = Text | Image | Voice | Video | Music | News | Transfer | Nothing


_NAMES = MappingProxyType({one: str(one.__struct_config__.tag) for one in get_args(Reply)})


class Problem(NamedTuple):
    """What is wrong: `reason` is a fixed word, `value` the part that is wrong, `limit` what it exceeds.

    `better` is what was meant, perhaps.
    """

    path: str
    reason: str
    value: str = ""
    limit: int = 0
    better: str = ""


def may_answer(kind: str) -> bool:
    """Whether a push of this kind may be answered with anything but `success`."""
    return kind in ANSWERABLE or kind.startswith(MESSAGES)


def window(kind: str) -> Window | None:
    """What a push of this kind allows later on; None is nothing."""
    return _MESSAGE_WINDOW if kind.startswith(MESSAGES) else WINDOWS.get(kind)


def passive(reply: Reply, to: str, sender: str, now: int, kind: str) -> bytes:
    """The XML that answers a push of this kind: to the follower, from the account's original id.

    What is too long by itself, or became so when fields were filled in, is cut; surplus articles are dropped.

    Raises ValueError for Nothing, which has no XML.
    """
    return (
        f"<xml>\n<ToUserName>{_inside(to)}</ToUserName>\n<FromUserName>{_inside(sender)}</FromUserName>\n"
        f"<CreateTime>{now}</CreateTime>\n{_said(reply, kind)}</xml>"
    ).encode()


@lru_cache(maxsize=_REMEMBERED)
def _said(reply: Reply, kind: str) -> str:
    """What does not depend on who is spoken to, and when: most of it was said before."""
    if isinstance(reply, Nothing):
        raise ValueError("nothing is said by `success`, not by XML")  # noqa: TRY004 - a reply like others, without XML
    msg_type = "transfer_customer_service" if isinstance(reply, Transfer) else _name(reply)
    return _lines({"MsgType": msg_type, **_payload(reply, kind)})


def message(reply: Reply, open_id: str) -> dict[str, Any]:
    """The customer-service message that says it.

    Raises ValueError for Transfer and Nothing: there are no such messages.
    """
    return {"touser": open_id, "msgtype": _name(reply), _name(reply): _content(reply)}


def problems(reply: Reply) -> list[Problem]:
    """All that WeChat would refuse, or not show. Whether a media id exists, only WeChat knows."""
    return list(_problems(reply))


def cut(text: str, limit: int = LONGEST_TEXT) -> str:
    """As much of the beginning as fits into so many bytes, without what neither XML nor UTF-8 can hold."""
    clean = _clean(text)
    if 4 * len(clean) <= limit:
        return clean
    encoded = clean.encode()
    return clean if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")


def _clean(text: str) -> str:
    return text if text.isprintable() else _FORBIDDEN.sub("", text)  # what is forbidden is not printable either


def _name(reply: Reply) -> str:
    return _NAMES[type(reply)]


def _payload(reply: Reply, kind: str) -> dict[str, Any]:
    """The elements of one MsgType, as PROTOCOL 2.3 has them; optional ones that are empty are left out."""
    match reply:
        case Text():
            return {"Content": cut(reply.content)}
        case Image() | Voice():
            return {type(reply).__name__: {"MediaId": reply.media_id}}
        case Video():
            return {"Video": {"MediaId": reply.media_id} | _told(Title=reply.title, Description=reply.description)}
        case Music():
            urls = _told(MusicUrl=reply.music_url, HQMusicUrl=reply.hq_music_url or reply.music_url)
            texts = _told(Title=reply.title, Description=reply.description)
            return {"Music": {**texts, **urls, "ThumbMediaId": reply.thumb_media_id}}
        case News():
            items = [_item(one) for one in reply.articles[: 1 if kind.startswith(MESSAGES) else MOST_ARTICLES]]
            return {"ArticleCount": len(items), "Articles": {"item": items}}
        case Transfer():
            return {"TransInfo": {"KfAccount": reply.kf_account}} if reply.kf_account else {}
        case Nothing():
            return {}


def _item(article: Article) -> dict[str, str]:
    return {
        "Title": cut(article.title),
        "Description": cut(article.description),
        "PicUrl": cut(article.pic_url),
        "Url": cut(article.url),
    }


def _told(**texts: str) -> dict[str, str]:
    return {name: cut(text) for name, text in texts.items() if text}


def _lines(fields: dict[str, Any]) -> str:
    """An element a line; of a list, one for each of its values."""
    return "".join(
        [
            f"<{name}>{_inside(one)}</{name}>\n"
            for name, value in fields.items()
            for one in (value if isinstance(value, list) else (value,))
        ]
    )


def _inside(value: Any) -> str:
    if isinstance(value, str):
        text = _clean(value)
        return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>') if ']]>' in text else text}]]>"
    return f"\n{_lines(value)}" if isinstance(value, dict) else str(value)


def _content(reply: Reply) -> dict[str, Any]:
    match reply:
        case Text():
            return {"content": cut(reply.content)}
        case Image() | Voice():
            return {"media_id": reply.media_id}
        case Video():
            thumb = {"thumb_media_id": reply.thumb_media_id} if reply.thumb_media_id else {}
            return {"media_id": reply.media_id, **thumb, **_told(title=reply.title, description=reply.description)}
        case Music():
            urls = {"musicurl": cut(reply.music_url), "hqmusicurl": cut(reply.hq_music_url or reply.music_url)}
            texts = {"title": cut(reply.title), "description": cut(reply.description)}
            return {**texts, **urls, "thumb_media_id": reply.thumb_media_id}
        case News():
            first = reply.articles[0]
            texts = {"title": cut(first.title), "description": cut(first.description)}
            return {"articles": [{**texts, "url": cut(first.url), "picurl": cut(first.pic_url)}]}
    raise ValueError(f"there is no customer-service message for {_name(reply)}")


def _problems(reply: Reply) -> Iterator[Problem]:
    match reply:
        case Text():
            yield from _text("content", reply.content)
        case Image() | Voice():
            yield from _media("media_id", reply.media_id)
        case Video():
            yield from _media("media_id", reply.media_id)
            if reply.thumb_media_id:
                yield from _media("thumb_media_id", reply.thumb_media_id)
            yield from _texts(reply, "title", "description")
        case Music():
            yield from _media("thumb_media_id", reply.thumb_media_id)
            yield from _texts(reply, "title", "description")
            yield from _urls(reply, "music_url", "hq_music_url")
        case News():
            yield from _articles(reply)
        case Transfer(kf_account=str(account)) if not _KF_ACCOUNT.fullmatch(account):
            yield Problem("kf_account", "no_kf_account", account)


def _articles(reply: News) -> Iterator[Problem]:
    if not reply.articles:
        yield Problem("articles", "empty")
    if len(reply.articles) > MOST_ARTICLES:
        yield Problem("articles", "too_many", str(len(reply.articles)), MOST_ARTICLES)
    for index, article in enumerate(reply.articles):
        path = f"articles[{index}]."
        yield from _text(f"{path}title", article.title)
        if not article.url:
            yield Problem(f"{path}url", "empty")
        yield from _texts(article, "description", path=path)
        yield from _urls(article, "url", "pic_url", path=path)


def _text(path: str, text: str) -> Iterator[Problem]:
    if not text.strip():
        yield Problem(path, "empty")
    yield from _length(path, text)


def _texts(holder: msgspec.Struct, *names: str, path: str = "") -> Iterator[Problem]:
    for name in names:
        yield from _length(path + name, getattr(holder, name))


def _urls(holder: msgspec.Struct, *names: str, path: str = "") -> Iterator[Problem]:
    yield from _texts(holder, *names, path=path)
    for name in names:
        if (url := getattr(holder, name)) and not _URL.match(url):
            yield Problem(path + name, "no_url", url)


def _media(path: str, media_id: str) -> Iterator[Problem]:
    if not media_id:
        yield Problem(path, "empty")
    elif not _MEDIA_ID.fullmatch(media_id):
        yield Problem(path, "no_media_id", media_id)


def _length(path: str, text: str) -> Iterator[Problem]:
    size = len(text.encode(errors="replace"))
    if size > LONGEST_TEXT:
        yield Problem(path, "too_long", str(size), LONGEST_TEXT)
    if _FORBIDDEN.search(text):
        yield Problem(path, "forbidden_sign")
