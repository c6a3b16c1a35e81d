"""The seven calls about menus, and the shapes in which the platform shows them."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from wechat.simulator.platform import judgement
from wechat.simulator.platform.asked import Asked, read_object
from wechat.simulator.platform.audience import chosen, find
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Button, Holdings, Menu


def create(asked: Asked) -> dict[str, Any]:
    """Replaces the default menu; a matchrule is ignored, personalised menus stay."""
    found = judgement.read(asked.request.body)
    judgement.judge(found, asked.own)
    own = asked.own
    own.menu, own.console, own.is_menu_open = _new(asked, found, {}), None, True
    forget_unseen(own)
    return {}


def add_conditional(asked: Asked) -> dict[str, Any]:
    """The id is text here, and a number in menu/get."""
    found = judgement.read(asked.request.body)
    judgement.judge_personalised(found, asked.own)
    menu = _new(asked, found, _rule(found["matchrule"]))
    asked.own.conditional.append(menu)
    return {"menuid": str(menu.menu_id)}


def get(asked: Asked) -> dict[str, Any]:
    own = asked.own
    if own.menu is None:
        raise RefusalError(46003)
    menu: dict[str, Any] = {"button": own.menu.button}
    if not own.conditional:
        return {"menu": menu}
    personalised = [
        {"button": each.button, "matchrule": each.matchrule, "menuid": each.menu_id} for each in own.conditional
    ]
    return {"menu": menu | {"menuid": own.menu.menu_id}, "conditionalmenu": personalised}


def delete(asked: Asked) -> dict[str, Any]:
    """With all personalised menus."""
    own = asked.own
    own.menu, own.conditional, own.console = None, [], None
    forget_unseen(own)
    return {}


def delete_conditional(asked: Asked) -> dict[str, Any]:
    """What cannot be read names no menu."""
    given = str((read_object(asked.request.body) or {}).get("menuid", ""))
    left = [menu for menu in asked.own.conditional if str(menu.menu_id) != given]
    if len(left) == len(asked.own.conditional):
        raise RefusalError(65301)
    asked.own.conditional = left
    forget_unseen(asked.own)
    return {}


def try_match(asked: Asked) -> dict[str, Any]:
    """By OpenID or WeChat ID. Unlike the clients, it still heeds withdrawn fields of old rules."""
    given = (read_object(asked.request.body) or {}).get("user_id")
    follower = find(asked.own, given) if isinstance(given, str) else None
    if follower is None:
        raise RefusalError(65302)
    if not follower.follows:
        raise RefusalError(65315)
    menu = chosen(asked.own, follower, heed_withdrawn=True)
    if menu is None:
        raise RefusalError(46003)
    return {"button": menu.button}


def current(asked: Asked) -> dict[str, Any]:
    """get_current_selfmenu_info: the default menu, whoever made it. Sub-buttons are in a list inside of an object."""
    own = asked.own
    if own.console is not None:
        buttons = [_with_new_links(button) for button in own.console["button"]]
    else:
        buttons = [_as_current(button) for button in own.menu.button] if own.menu else []
    return {"is_menu_open": int(own.is_menu_open and bool(buttons)), "selfmenu_info": {"button": buttons}}


def set_console(own: Holdings, buttons: list[Button], *, is_open: bool = True) -> None:
    """A menu as a person makes it in the console: it takes the place of those made through the API."""
    menu_id = next_menu_id(own)
    own.menu, own.conditional, own.is_menu_open = None, [], is_open
    own.console = {"menuid": menu_id, "button": buttons}
    own.shown[menu_id] = [_from_console(button) for button in buttons]
    forget_unseen(own)


def next_menu_id(own: Holdings) -> int:
    own.last_menu_id += 1
    return own.last_menu_id


def forget_unseen(own: Holdings) -> None:
    """Forget menus that are neither live nor in any client's cache."""
    live = {menu.menu_id for menu in (own.menu, *own.conditional) if menu}
    live |= {follower.menu_id for follower in own.followers.values()}
    if own.console is not None:
        live.add(own.console["menuid"])
    own.shown = {menu_id: buttons for menu_id, buttons in own.shown.items() if menu_id in live}


def _new(asked: Asked, found: dict[str, Any], rule: dict[str, Any]) -> Menu:
    menu = Menu(next_menu_id(asked.own), [_kept(button) for button in found["button"]], rule)
    asked.own.shown[menu.menu_id] = menu.button
    return menu


def _kept(button: Button) -> Button:
    """What the platform keeps of a button, in the shape of menu/get: every leaf has an empty list of sub-buttons."""
    if inner := button.get("sub_button"):
        return {"name": button["name"], "sub_button": [_kept(each) for each in inner]}
    kind = button["type"]
    known = judgement.FIELDS.get(kind, [field for field in button if field not in ("type", "name", "sub_button")])
    return {"type": kind, "name": button["name"], **{field: button[field] for field in known}, "sub_button": []}


def _rule(given: dict[str, Any]) -> dict[str, Any]:
    """The tag comes back as group_id, and numbers as numbers."""
    names = {"group_id": "group_id", "tag_id": "group_id", "client_platform_type": "client_platform_type"}
    return {kept: _number(given[name]) for name, kept in names.items() if given.get(name) not in (None, "")}


def _number(value: str | int) -> str | int:
    """What is too long for a number of WeChat's stays text."""
    return int(value) if len(str(value)) < 19 else str(value)


def _as_current(button: Button) -> Button:
    inner = button["sub_button"]
    if inner:
        return {"name": button["name"], "sub_button": {"list": [_as_current(each) for each in inner]}}
    return {field: value for field, value in button.items() if field != "sub_button"}


def _from_console(button: Button) -> Button:
    if inner := (button.get("sub_button") or {}).get("list"):
        return {"name": button["name"], "sub_button": [_from_console(each) for each in inner]}
    return {**button, "sub_button": []}


def _with_new_links(button: Button) -> Button:
    """Pictures, voices and videos have another media id, or link, with each call."""
    if inner := (button.get("sub_button") or {}).get("list"):
        return {**button, "sub_button": {"list": [_with_new_links(each) for each in inner]}}
    renew = _LINKS.get(button.get("type", ""))
    return button if renew is None else {**button, "value": renew(button.get("value", ""))}


def _new_media_id(_value: str) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(48)).decode()


def _new_video(value: str) -> str:
    return f"{value.partition('?')[0]}?sha={hashlib.sha256(secrets.token_bytes(8)).hexdigest()[:12]}&save=1"


_LINKS: dict[str, Callable[[str], str]] = {
    "img": _new_media_id,
    "photo": _new_media_id,
    "voice": _new_media_id,
    "video": _new_video,
}
