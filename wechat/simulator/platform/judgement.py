"""Whether WeChat would take a menu: the first thing wrong with it, as a code (PROTOCOL section 6).

Written from the protocol alone. Not to be merged with what checks menus before they are sent: tests compare the two.
The order of the checks is not documented anywhere.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from wechat.simulator.platform.asked import read_object, text
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Holdings, Menu

_WITH_KEY = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
# What menu/get shows of each type, besides name and type.
FIELDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_WITH_KEY, ("key",)),
    "view": ("url",),
    "media_id": ("media_id",),
    "view_limited": ("media_id",),
    "article_id": ("article_id",),
    "article_view_limited": ("article_id",),
    "miniprogram": ("url", "appid", "pagepath"),
}
_OF_THE_CONSOLE = ("text", "img", "photo", "voice", "video", "news", "finder")
WITHDRAWN = ("sex", "country", "province", "city", "language")
_RULES = ("tag_id", "group_id", "client_platform_type", *WITHDRAWN)
_TOP, _SUB = 3, 5
_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u")


class _Level(NamedTuple):
    """The limit and the codes of a level."""

    name_bytes: int
    shape: int
    name: int
    type: int
    key: int
    url: int
    domain: int


_UPPER = _Level(16, 40016, 40018, 40017, 40019, 40020, 40055)
_LOWER = _Level(60, 40023, 40025, 40024, 40026, 40027, 40054)


def read(body: bytes) -> dict[str, Any]:
    """The object of a menu's body, which is read in a way of its own: no escapes, and 40016 for what is no object."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise RefusalError(65318) from None
    if _ESCAPE.search(body):
        raise RefusalError(40033)
    found = read_object(body)
    if found is None:
        raise RefusalError(40016)
    return found


def judge(menu: dict[str, Any], own: Holdings) -> None:
    """Raises for the first thing that is wrong with a default menu."""
    _judge_buttons(menu.get("button"), own, 0)


def judge_personalised(menu: dict[str, Any], own: Holdings) -> None:
    """Raises for the first thing that is wrong with a personalised menu."""
    if not own.is_verified:
        raise RefusalError(65306)
    if own.menu is None:
        raise RefusalError(65303)
    if not isinstance(menu.get("button"), list) or not menu["button"]:
        raise RefusalError(65307)
    _judge_rule(menu.get("matchrule"))
    _judge_buttons(menu["button"], own, 65308)
    hosts = {host for each in own.conditional for host in _hosts(each)} | set(_hosts(Menu(0, menu["button"])))
    if len(hosts) > 3:
        raise RefusalError(65316)
    if len(own.conditional) >= own.most_personalised:
        raise RefusalError(65305)


def _judge_rule(rule: Any) -> None:
    given = {name: value for name, value in rule.items() if value not in (None, "")} if isinstance(rule, dict) else {}
    if not given.keys() & set(_RULES):
        raise RefusalError(65304)
    if given.keys() & set(WITHDRAWN):
        raise RefusalError(65320)
    for name in ("tag_id", "group_id"):
        if name in given and not _is_number(given[name]):
            raise RefusalError(45159)
    platform = given.get("client_platform_type", 1)
    if not _is_number(platform) or str(platform) not in ("1", "2", "3"):
        raise RefusalError(40035)


def _is_number(value: Any) -> bool:
    return type(value) in (int, str) and str(value).isascii() and str(value).isdigit()


def _judge_buttons(buttons: Any, own: Holdings, typeless: int) -> None:
    """`typeless` is the code for a leaf without type, where it has one of its own."""
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= _TOP:
        raise RefusalError(40016)
    for button in buttons:
        inner = _judge_head(button, _UPPER)
        if inner:
            _judge_inner(button, inner, own, typeless)
        elif inner is not None and button.get("type") in (None, ""):
            raise RefusalError(40023)
        else:
            _judge_leaf(button, _UPPER, own, typeless)


def _judge_inner(parent: dict[str, Any], inner: list[Any], own: Holdings, typeless: int) -> None:
    if parent.get("type") not in (None, ""):
        raise RefusalError(40017)
    if len(inner) > _SUB:
        raise RefusalError(40023)
    for button in inner:
        if _judge_head(button, _LOWER):
            raise RefusalError(40022)
        _judge_leaf(button, _LOWER, own, typeless)


def _judge_head(button: Any, level: _Level) -> list[Any] | None:
    """Judge what every button has; its list of sub-buttons, if there is one."""
    if not isinstance(button, dict):
        raise RefusalError(level.shape)
    if not 1 <= len(text(button.get("name")).encode()) <= level.name_bytes:
        raise RefusalError(level.name)
    inner = button.get("sub_button")
    if inner is not None and not isinstance(inner, list):
        raise RefusalError(40023 if level is _UPPER else 40022)
    return inner


def _judge_leaf(button: dict[str, Any], level: _Level, own: Holdings, typeless: int) -> None:
    kind = button.get("type")
    if kind in (None, ""):
        raise RefusalError(typeless or level.type)
    if not isinstance(kind, str) or kind in _OF_THE_CONSOLE:
        raise RefusalError(level.type)
    if kind != kind.lower():
        raise RefusalError(65318)  # reported: PROTOCOL 9, item 13
    for field in FIELDS.get(kind, ()):
        _judge_field(field, text(button.get(field)), level, own)


def _judge_field(field: str, value: str, level: _Level, own: Holdings) -> None:
    if field == "key" and not 1 <= len(value.encode()) <= 128:
        raise RefusalError(level.key)
    if field == "url":
        if not 1 <= len(value.encode()) <= 1024:
            raise RefusalError(level.url)
        if not _host(value):
            raise RefusalError(level.domain)
    if field in _MISSING and not value:
        raise RefusalError(_MISSING[field])
    if field == "media_id" and own.media_ids is not None and value not in own.media_ids:
        raise RefusalError(40007)
    if field == "appid" and own.mini_programs is not None and value not in own.mini_programs:
        raise RefusalError(40013)


_MISSING = {"media_id": 41006, "article_id": 53600, "appid": 41002, "pagepath": 40035}


def _host(url: str) -> str:
    """The domain that a link leads to; empty where it is no link."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in ("http", "https"):
        return ""
    authority = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if authority.startswith("["):
        return "".join(authority.partition("]")[:2]).lower()
    return authority.partition(":")[0].lower()


def _hosts(menu: Menu) -> Iterator[str]:
    """Where a menu leads to."""
    for button in menu.button:
        for leaf in button.get("sub_button") or [button]:
            if leaf.get("type") in ("view", "miniprogram"):
                yield _host(leaf["url"])
