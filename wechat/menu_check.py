"""All there is to say about a menu: what WeChat refuses, and then what it takes and its author may not have meant."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from unicodedata import category, east_asian_width

from wechat.menu import CONSOLE_TYPES, FIELDS, plain_rule
from wechat.menu_rules import (
    CODES,
    MAX_DOMAINS,
    RULE_FIELDS,
    Problem,
    Problems,
    domains_of,
    errors,
    objects,
)

# What fits on the screen of a phone, in Chinese characters. For sub-buttons an old text of WeChat says 7.
SHOWN = (4, 8)

_COMMON = frozenset({"name", "type", "sub_button"})
_KNOWN = _COMMON.union(*FIELDS.values(), {"value", "news_info"})
_OF_MENU = frozenset({"button", "menuid"})
_OF_ALL = frozenset({"menu", "conditionalmenu", "is_menu_open"})


def check(definition: Mapping[str, Any]) -> list[Problem]:
    """Errors in the order in which WeChat judges, so that the first has the code of its answer; then warnings."""
    return [*errors(definition), *_warnings(definition)]


def on_screen(name: str, is_sub: bool) -> str:
    """The name as a phone shows it: what does not fit becomes dots."""
    cells, limit = 0, 2 * SHOWN[is_sub]
    for end, sign in enumerate(name):
        cells += 0 if category(sign) in ("Mn", "Me", "Cf") else 2 if east_asian_width(sign) in "WF" else 1
        if cells > limit:
            return name[:end] + "..."
    return name


def _warnings(definition: Mapping[str, Any]) -> Problems:
    personal = objects(definition, "conditionalmenu")
    yield from _unknown(definition, "", _OF_ALL)
    if personal and "menu" not in definition:
        yield _warning("menu", "no_default_menu", 65303)
    if definition.get("is_menu_open") == 0:
        yield _warning("is_menu_open", "closed")
    if isinstance(default := definition.get("menu"), dict):
        yield from _unknown(default, "menu", _OF_MENU)
        yield from _of_buttons(default, "menu")
    for path, menu in _personal(definition):
        yield from _unknown(menu, path, _OF_MENU | {"matchrule"})
        if isinstance(rule := menu.get("matchrule"), dict):
            yield from _unknown(rule, f"{path}.matchrule", frozenset(RULE_FIELDS))
        yield from _of_buttons(menu, path)
    yield from _never_shown(definition)
    domains = set().union(*map(domains_of, personal))
    if len(domains) == MAX_DOMAINS:
        yield _warning("conditionalmenu", "domains_used_up", domains=sorted(domains), limit=MAX_DOMAINS)


def _personal(definition: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    found = definition.get("conditionalmenu")
    for index, menu in enumerate(found if isinstance(found, list) else []):
        if isinstance(menu, dict):
            yield f"conditionalmenu[{index}]", menu


def _of_buttons(menu: dict[str, Any], path: str) -> Problems:
    first: dict[tuple[str, Any], str] = {}
    for place, button, is_sub in _buttons(menu, path):
        yield from _of_button(button, place, is_sub)
        for name in ("key", "url"):
            if name not in FIELDS.get(str(button.get("type")), ()) or not isinstance(button.get(name), str):
                continue
            if "appid" not in button:  # its pushes tell the page, not the URL
                before = first.setdefault((name, button[name]), place)
                if before != place:
                    yield _warning(f"{place}.{name}", f"same_{name}", other=f"{before}.{name}")


def _buttons(menu: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    for index, button in enumerate(menu["button"] if isinstance(menu.get("button"), list) else []):
        if isinstance(button, dict):
            place = f"{path}.button[{index}]"
            yield place, button, False
            subs = button.get("sub_button")
            for number, sub in enumerate(subs if isinstance(subs, list) else []):
                if isinstance(sub, dict):
                    yield f"{place}.sub_button[{number}]", sub, True


def _of_button(button: dict[str, Any], path: str, is_sub: bool) -> Problems:
    name, url, type_ = button.get("name"), button.get("url"), button.get("type")
    if isinstance(name, str) and (shown := on_screen(name, is_sub)) != name:
        yield _warning(f"{path}.name", "name_cut", shown=shown, limit=SHOWN[is_sub])
    if button.get("sub_button"):
        yield from _idle(button, path, frozenset(), "")
    elif isinstance(type_, str) and type_ in FIELDS:
        yield from _idle(button, path, frozenset(FIELDS[type_]), type_)
        if "url" in FIELDS[type_] and isinstance(url, str):
            yield from _of_url(url, f"{path}.url")
    elif isinstance(type_, str) and type_.lower() not in {"", *FIELDS, *CONSOLE_TYPES}:
        alike = get_close_matches(type_.lower(), FIELDS, 1, 0.7)
        code = CODES["type"][is_sub]
        yield _warning(f"{path}.type", "unknown_type", code, type=type_, alike=alike[0] if alike else "")


def _of_url(url: str, path: str) -> Problems:
    if url.lower().startswith("http://"):
        yield _warning(path, "plain_http")
    if any(sign.isspace() for sign in url):
        yield _warning(path, "blank_in_url")


def _idle(button: dict[str, Any], path: str, wanted: frozenset[str], type_: str) -> Problems:
    """Fields that WeChat does not know, and those it knows but of another type."""
    yield from _unknown(button, path, _KNOWN)
    for name in button:
        if name in _KNOWN - _COMMON - wanted:
            yield _warning(f"{path}.{name}", "idle_field", field=name, type=type_)


def _unknown(found: Mapping[str, Any], path: str, known: frozenset[str]) -> Problems:
    for name in found:
        if name not in known:
            yield _warning(f"{path}.{name}" if path else name, "unknown_field", field=name)


def _never_shown(definition: Mapping[str, Any]) -> Problems:
    """Personalised menus behind one that was created later and matches the same followers."""
    later: dict[frozenset[tuple[str, str]], str] = {}
    found = []
    for path, menu in reversed(list(_personal(definition))):
        if not isinstance(menu.get("matchrule"), dict):
            continue
        rule = frozenset((name, str(value)) for name, value in plain_rule(menu["matchrule"]).items())
        if not rule:
            continue
        if rule in later:
            found.append(_warning(f"{path}.matchrule", "never_shown", other=later[rule]))
        later.setdefault(rule, path)
    yield from reversed(found)


def _warning(path: str, reason: str, errcode: int | None = None, **facts: Any) -> Problem:
    return Problem(path, reason, errcode, "warning", facts)
