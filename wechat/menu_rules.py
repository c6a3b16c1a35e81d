"""What WeChat refuses in a menu, known before it is asked.

The codes and limits are WeChat's, or reported by developers; in which order it judges is written down nowhere. Assumed:
one call after the other, the default menu first and the personalised ones in their order; in a call the characters,
then the matchrule, then button by button as they stand, a button's own fields before its sub-buttons, and at last the
domains. `caidan platform` judges in the same order.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from wechat.menu import CONSOLE_TYPES, FIELDS, MAX_BUTTONS, MAX_SUB_BUTTONS

# Of each pair, the first is for top-level buttons and the second for sub-buttons.
LIMITS = {"name": (16, 60), "key": (128, 128), "url": (1024, 1024)}  # in UTF-8 bytes
CODES = {
    "count": (40016, 40023),
    "sub_button": (40023, 40022),
    "type": (40017, 40024),
    "name": (40018, 40025),
    "key": (40019, 40026),
    "url": (40020, 40027),
    "domain": (40055, 40054),
    "media_id": (41006, 41006),
    "article_id": (53600, 53600),
    "appid": (41002, 41002),
    "pagepath": (40035, 40035),
}
MAX_DOMAINS = 3  # of all personalised menus together
WITHDRAWN = ("sex", "country", "province", "city", "language")
RULE_FIELDS = ("tag_id", "group_id", "client_platform_type", *WITHDRAWN)

_ESCAPED = re.compile("[\x00-\x07\x0b\x0e-\x1f]")  # JSON has no way to write these but \uXXXX, which WeChat refuses
_SURROGATE = re.compile("[\ud800-\udfff]")
_URL = re.compile(r"https?://(?P<authority>[^/?#]*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a menu; `reason` is a fixed word, `facts` are what a sentence about it needs."""

    path: str
    reason: str
    errcode: int | None = None
    level: Literal["error", "warning"] = "error"
    facts: Mapping[str, Any] = field(default_factory=dict)


Problems: TypeAlias = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a button is: it decides on limits and codes."""

    path: str
    is_sub: bool
    is_personal: bool

    def code(self, of: str) -> int:
        return CODES[of][self.is_sub]

    def problem(self, reason: str, of: str, at: str = "", /, **facts: Any) -> Problem:
        return Problem(f"{self.path}.{at}" if at else self.path, reason, self.code(of), facts=facts)


def errors(definition: Mapping[str, Any]) -> Problems:
    """What WeChat would refuse, in the order in which it would: the first has the code of its answer."""
    personal = definition.get("conditionalmenu", [])
    if "menu" in definition or not personal:
        menu = definition.get("menu", {})
        yield from _characters(menu, "menu")
        yield from _menu(menu, "menu", is_personal=False)
    if not isinstance(personal, list):
        yield Problem("conditionalmenu", "not_a_list", 40016)
        return
    domains: set[str] = set()
    for index, menu in enumerate(personal):
        path = f"conditionalmenu[{index}]"
        yield from _characters(menu, path)
        yield from _menu(menu, path, is_personal=True)
        more = domains | domains_of(menu)
        if len(more) > MAX_DOMAINS >= len(domains):
            facts = {"domains": sorted(more), "limit": MAX_DOMAINS}
            yield Problem(f"{path}.button", "too_many_domains", 65316, facts=facts)
        domains = more


def verdict(definition: Mapping[str, Any]) -> int:
    """The code that WeChat would answer first; 0 where it would take the menu."""
    first = next(errors(definition), None)
    return first.errcode or 0 if first else 0


def domains_of(menu: Any) -> set[str]:
    """The domains that the buttons of a menu lead to."""
    found = set()
    for button in objects(menu, "button"):
        for leaf in objects(button, "sub_button") or [button]:
            if "url" in FIELDS.get(str(leaf.get("type")), ()):
                found.add(host_of(leaf.get("url")))
    return found - {""}


def host_of(url: Any) -> str:
    """The host of a URL, in lower case; of anything else, nothing."""
    start = _URL.match(url) if isinstance(url, str) else None
    if not start:
        return ""
    host = start["authority"].rpartition("@")[2]
    return (host[: host.find("]") + 1 or None] if host.startswith("[") else host.partition(":")[0]).lower()


def objects(parent: Any, name: str) -> list[dict[str, Any]]:
    """The objects of a list in an object, as far as there are any."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def is_empty(value: Any) -> bool:
    return value is None or value == ""


def _characters(raw: Any, path: str) -> Problems:
    texts = list(_texts(raw, path))
    for place, text in texts:
        if found := _SURROGATE.search(text):
            yield Problem(place, "no_character", 65318, facts={"code": f"U+{ord(found[0]):04X}"})
    for place, text in texts:
        if found := _ESCAPED.search(text):
            yield Problem(place, "control_character", 40033, facts={"code": f"U+{ord(found[0]):04X}"})


def _texts(raw: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(raw, str):
        yield path, raw
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _texts(value, f"{path}[{index}]")
    elif isinstance(raw, dict):
        for name, value in raw.items():
            yield path, name
            yield from _texts(value, f"{path}.{name}")


def _menu(raw: Any, path: str, *, is_personal: bool) -> Problems:
    if not isinstance(raw, dict):
        yield Problem(path, "not_an_object", 40016)
        return
    buttons = raw.get("button")
    if not isinstance(buttons, list) or not buttons:
        yield Problem(f"{path}.button", "no_buttons", 65307 if is_personal else 40016, facts={"limit": MAX_BUTTONS})
        buttons = []
    if is_personal:
        yield from _rule(raw.get("matchrule"), f"{path}.matchrule")
    if len(buttons) > MAX_BUTTONS:
        facts = {"count": len(buttons), "limit": MAX_BUTTONS}
        yield Problem(f"{path}.button", "too_many_buttons", 40016, facts=facts)
    for index, button in enumerate(buttons):
        yield from _button(button, _Place(f"{path}.button[{index}]", is_sub=False, is_personal=is_personal))


def _rule(raw: Any, path: str) -> Problems:
    given = [name for name in RULE_FIELDS if not is_empty(raw.get(name))] if isinstance(raw, dict) else []
    if not given:
        yield Problem(path, "no_rule", 65304)
        return
    for name in WITHDRAWN:
        if name in given:
            yield Problem(f"{path}.{name}", "withdrawn_rule", 65320, facts={"field": name})
    for name in ("tag_id", "group_id"):
        if name in given and not _is_number(raw[name]):
            yield Problem(f"{path}.{name}", "bad_tag", 45159, facts={"value": str(raw[name])})
    platform = raw.get("client_platform_type")
    if "client_platform_type" in given and not (_is_number(platform) and str(platform) in ("1", "2", "3")):
        yield Problem(f"{path}.client_platform_type", "bad_platform", 40035, facts={"value": str(platform)})


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit()
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _button(raw: Any, place: _Place) -> Problems:
    if not isinstance(raw, dict):
        yield place.problem("not_an_object", "count")
        return
    yield from _text(raw, "name", place)
    subs = raw.get("sub_button")
    if subs is not None and not isinstance(subs, list):
        yield place.problem("not_a_list", "sub_button", "sub_button")
    elif subs:
        yield from _parent(raw, subs, place)
    else:
        yield from _leaf(raw, place)


def _parent(raw: dict[str, Any], subs: list[Any], place: _Place) -> Problems:
    if place.is_sub:
        yield place.problem("too_deep", "sub_button", "sub_button")
        return
    if not is_empty(raw.get("type")):
        yield place.problem("type_of_parent", "type", "type")
    if len(subs) > MAX_SUB_BUTTONS:
        facts = {"count": len(subs), "limit": MAX_SUB_BUTTONS}
        yield place.problem("too_many_buttons", "sub_button", "sub_button", **facts)
    for index, sub in enumerate(subs):
        yield from _button(sub, _Place(f"{place.path}.sub_button[{index}]", True, place.is_personal))


def _leaf(raw: dict[str, Any], place: _Place) -> Problems:
    type_ = raw.get("type")
    if is_empty(type_):
        if raw.get("sub_button") == [] and not place.is_sub:
            yield place.problem("no_buttons", "sub_button", "sub_button", limit=MAX_SUB_BUTTONS)
        else:
            code = 65308 if place.is_personal else place.code("type")
            yield Problem(f"{place.path}.type", "no_type", code)
        return
    if not isinstance(type_, str):
        yield place.problem("not_text", "type", "type", field="type")
        return
    if type_ != type_.lower():
        yield Problem(f"{place.path}.type", "upper_case_type", 65318, facts={"type": type_})
    elif type_ in CONSOLE_TYPES:
        yield place.problem("console_type", "type", "type", type=type_)
    for name in FIELDS.get(type_.lower(), ()):
        yield from _url(raw, place) if name == "url" else _text(raw, name, place)


def _url(raw: dict[str, Any], place: _Place) -> Problems:
    yield from _text(raw, "url", place)
    url = raw.get("url")
    if not isinstance(url, str) or not url or host_of(url):
        return
    yield place.problem("no_host" if _URL.match(url) else "no_scheme", "domain", "url")


def _text(raw: dict[str, Any], name: str, place: _Place) -> Problems:
    value = raw.get(name)
    limit = LIMITS.get(name, (None, None))[place.is_sub]
    if is_empty(value):
        yield place.problem(f"no_{name}", name, name)
    elif not isinstance(value, str):
        yield place.problem("not_text", name, name, field=name)
    elif limit is not None and (size := len(value.encode("utf-8", "surrogatepass"))) > limit:
        yield place.problem("too_long", name, name, field=name, bytes=size, limit=limit)
