"""The shapes in which a menu comes and goes: those of WeChat's calls, and a shorter one for people to write.

The shorter one says `buttons` for `button` and `sub_button`, `personal` for `conditionalmenu`, and `match: {tag: 2,
platform: ios}` for a matchrule; WeChat has no fields of these names. In a list called `buttons` the type need not be
told where the other fields tell it.
"""

import re
from collections.abc import Mapping
from typing import Any

from wechat.menu import Button, Menu, PersonalMenu, content, plain_rule, write_button

PLATFORMS = {"ios": "1", "android": "2", "other": "3"}
_RULE = {"tag": "tag_id", "platform": "client_platform_type"}

# By which field a type is known, and which fields come first where there are several.
_TELLING = {
    "appid": "miniprogram",
    "pagepath": "miniprogram",
    "key": "click",
    "url": "view",
    "media_id": "media_id",
    "article_id": "article_id",
}

_ORDER = ("name", "type", "key", "url", "appid", "pagepath", "media_id", "article_id")


def definition_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The definition that a file or an answer means, whatever its shape: of one for menu/create or addconditional,
    of an answer of menu/get, trymatch or get_current_selfmenu_info, or of the short one.

    What is no menu at all stays as it is, for `menu_rules.check` to say so.
    """
    if wrapper := next((name for name in ("selfmenu_info", "menu") if name in tree), None):
        around = _without(tree, wrapper, "conditionalmenu", "personal", "errcode", "errmsg")
        return {"menu": _menu(tree[wrapper]), **_personal_menus(tree), **around}
    if "matchrule" in tree or "match" in tree:
        return {"conditionalmenu": [_personal_menu(tree)]}
    default = _menu(_without(tree, "conditionalmenu", "personal"))
    personal = _personal_menus(tree)
    return personal if personal and not default else {"menu": default, **personal}


def create_body(menu: Menu) -> dict[str, Any]:
    """What menu/create takes."""
    plain = content(menu)
    return {"button": [write_button(button) for button in plain.buttons], **plain.fields}


def conditional_body(menu: PersonalMenu) -> dict[str, Any]:
    """What menu/addconditional takes."""
    fields = _without(menu.fields, "menuid")
    buttons = [write_button(button) for button in menu.buttons]
    return {"button": buttons, **fields, "matchrule": plain_rule(menu.rule)}


def menu_get(menu: Menu) -> dict[str, Any]:
    """As menu/get answers: every leaf with an empty list."""
    answer: dict[str, Any] = {"menu": {"button": [_with_empty_lists(one) for one in menu.buttons], **menu.fields}}
    if menu.personal:
        answer["conditionalmenu"] = [
            {"button": [_with_empty_lists(button) for button in one.buttons], "matchrule": dict(one.rule), **one.fields}
            for one in menu.personal
        ]
    return answer | dict(menu.around)


def selfmenu(menu: Menu) -> dict[str, Any]:
    """As get_current_selfmenu_info answers: sub-buttons in an object."""
    buttons = [_with_nested_lists(button) for button in menu.buttons]
    return {**menu.around, "selfmenu_info": {"button": buttons, **menu.fields}}


def short(menu: Menu) -> dict[str, Any]:
    """As people write it; without what WeChat adds."""
    menu = content(menu)
    tree: dict[str, Any] = {}
    if menu.buttons or menu.fields or not menu.personal:
        tree = {**menu.fields, "buttons": [_short_button(button) for button in menu.buttons]}
    if menu.around:
        tree = {"menu": tree, **menu.around}
    if menu.personal:
        tree["personal"] = [_short_personal(one) for one in menu.personal]
    return tree


def _menu(raw: Any) -> Any:
    """The default menu or a personalised one, its buttons under WeChat's name for them."""
    if not isinstance(raw, dict):
        return raw
    fields = dict(raw)
    if "button" not in fields and "buttons" in fields:
        fields["button"] = _buttons(fields.pop("buttons"), is_short=True)
    elif "button" in fields:
        fields["button"] = _buttons(fields["button"], is_short=False)
    return fields


def _personal_menus(tree: Mapping[str, Any]) -> dict[str, Any]:
    raw = tree.get("conditionalmenu", tree.get("personal"))
    if raw is None or raw == []:
        return {}
    menus = [raw] if isinstance(raw, dict) else raw
    return {"conditionalmenu": [_personal_menu(one) for one in menus] if isinstance(menus, list) else menus}


def _personal_menu(raw: Any) -> Any:
    fields = _menu(raw)
    if isinstance(fields, dict) and "matchrule" not in fields and "match" in fields:
        fields["matchrule"] = _rule(fields.pop("match"))
    return fields


def _rule(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    rule = dict(raw)
    for name, wechats in _RULE.items():
        if name in rule and wechats not in rule:
            rule[wechats] = rule.pop(name)
    platform = rule.get("client_platform_type")
    if isinstance(platform, str):
        rule["client_platform_type"] = PLATFORMS.get(platform.lower(), platform)
    return rule


def _buttons(raw: Any, is_short: bool) -> Any:
    return [_button(one, is_short) for one in raw] if isinstance(raw, list) else raw


def _button(raw: Any, is_short: bool) -> Any:
    if not isinstance(raw, dict):
        return raw
    fields = {name: value for name, value in raw.items() if value is not None}
    if "sub_button" not in fields and "buttons" in fields:
        fields["sub_button"] = _buttons(fields.pop("buttons"), is_short=True)
    elif "sub_button" in fields:
        subs = fields["sub_button"]
        nested = isinstance(subs, dict) and list(subs) == ["list"]
        fields["sub_button"] = _buttons(subs["list"] if nested else subs, is_short=False)
    elif is_short and "type" not in raw and (told := _told_type(fields)):
        fields["type"] = told
    if fields.get("sub_button") == [] and fields.get("type"):
        del fields["sub_button"]
    return fields


def _told_type(fields: Mapping[str, Any]) -> str | None:
    return next((type_ for name, type_ in _TELLING.items() if name in fields), None)


def _short_personal(menu: PersonalMenu) -> dict[str, Any]:
    rule: dict[str, Any] = dict(menu.rule)
    for name, wechats in _RULE.items():
        if wechats in rule:
            rule[name] = _short_value(name, rule.pop(wechats))
    return {"match": rule, **menu.fields, "buttons": [_short_button(button) for button in menu.buttons]}


def _short_value(name: str, value: Any) -> Any:
    if name == "platform":
        return next((word for word, number in PLATFORMS.items() if number == value), value)
    return int(value) if re.fullmatch("0|[1-9][0-9]{0,17}", str(value)) else value


def _short_button(button: Button) -> dict[str, Any]:
    known = [name for name in _ORDER if name in button.fields]
    tree = {name: button.fields[name] for name in [*known, *(name for name in button.fields if name not in known)]}
    if button.buttons is not None:
        tree["buttons"] = [_short_button(one) for one in button.buttons]
    elif told := _told_type(tree):
        if "type" not in tree:
            tree["type"] = None  # it has none, and is to be given none
        elif tree["type"] == told:
            del tree["type"]
    return tree


def _with_empty_lists(button: Button) -> dict[str, Any]:
    if button.buttons is None and not button.fields.get("type"):
        return dict(button.fields)  # with an empty list it would be a parent
    return {**button.fields, "sub_button": [_with_empty_lists(one) for one in button.buttons or ()]}


def _with_nested_lists(button: Button) -> dict[str, Any]:
    if button.buttons is None:
        return dict(button.fields)
    return {**button.fields, "sub_button": {"list": [_with_nested_lists(one) for one in button.buttons]}}


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
