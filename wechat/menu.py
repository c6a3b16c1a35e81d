"""A menu and its personalised menus (个性化菜单), in WeChat's words but in no particular call's shape.

A *definition* is a menu as plain JSON in the shape of menu/get, as it stands in the tables:
`{"menu": {"button": […]}, "conditionalmenu": [{"button": […], "matchrule": {…}}]}`. The personalised menus stand in the
order of their creation, so the last that matches a follower is the one that is shown.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# What each type of button has besides its name; WeChat needs all of it.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "click": ("key",),
    "view": ("url",),
    "scancode_push": ("key",),
    "scancode_waitmsg": ("key",),
    "pic_sysphoto": ("key",),
    "pic_photo_or_album": ("key",),
    "pic_weixin": ("key",),
    "location_select": ("key",),
    "media_id": ("media_id",),
    "view_limited": ("media_id",),
    "article_id": ("article_id",),
    "article_view_limited": ("article_id",),
    "miniprogram": ("url", "appid", "pagepath"),
}
# What only WeChat's console makes: get_current_selfmenu_info tells of them, menu/create does not take them.
CONSOLE_TYPES = frozenset({"text", "img", "photo", "voice", "video", "news", "finder"})

MAX_BUTTONS, MAX_SUB_BUTTONS = 3, 5


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its fields in WeChat's spelling, unknown ones too, and the buttons that stand above it when tapped.

    `buttons` is None for a button that does something itself.
    """

    fields: Mapping[str, Any]
    buttons: tuple["Button", ...] | None = None

    @property
    def name(self) -> str:
        return str(self.fields.get("name") or "")

    @property
    def type(self) -> str | None:
        value = self.fields.get("type")
        return value if isinstance(value, str) and value else None

    @property
    def target(self) -> dict[str, Any]:
        """The fields that say what a tap does; of a type that nobody knows, all but the name."""
        if (known := FIELDS.get(self.type or "")) is None:
            return _without(self.fields, "name")
        return {name: self.fields[name] for name in ("type", *known) if name in self.fields}

    @property
    def others(self) -> dict[str, Any]:
        """The fields beside name and target: those that WeChat does not name, or that do nothing for the type."""
        return _without(self.fields, "name", *self.target)


@dataclass(frozen=True, slots=True)
class PersonalMenu:
    """What followers see whom `rule`, WeChat's matchrule, matches."""

    buttons: tuple[Button, ...]
    rule: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)  # menuid, and what is unknown


@dataclass(frozen=True, slots=True)
class Menu:
    buttons: tuple[Button, ...]
    personal: tuple[PersonalMenu, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the default menu: menuid, and unknown ones
    around: Mapping[str, Any] = field(default_factory=dict)  # of the whole answer, such as is_menu_open


class UnsoundError(ValueError):
    """A definition whose structure is no menu's; `path` says where. `menu_rules.check` tells all there is to say."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def read(definition: Mapping[str, Any]) -> Menu:
    """The menu of a definition.

    Raises UnsoundError.
    """
    around = {name: value for name, value in definition.items() if name not in ("menu", "conditionalmenu")}
    default = _object(definition.get("menu", {}), "menu")
    personal = _list(definition.get("conditionalmenu", []), "conditionalmenu")
    return Menu(
        buttons=_buttons(default.get("button", []), "menu.button"),
        personal=tuple(_personal(one, f"conditionalmenu[{index}]") for index, one in enumerate(personal)),
        fields=_without(default, "button"),
        around=around,
    )


def write(menu: Menu) -> dict[str, Any]:
    """The definition of a menu; `read` gives the same menu again."""
    definition: dict[str, Any] = {}
    if menu.buttons or menu.fields or not menu.personal:
        definition["menu"] = {"button": [write_button(button) for button in menu.buttons], **menu.fields}
    if menu.personal:
        definition["conditionalmenu"] = [write_personal(one) for one in menu.personal]
    return definition | dict(menu.around)


def write_personal(menu: PersonalMenu) -> dict[str, Any]:
    buttons = [write_button(button) for button in menu.buttons]
    return {"button": buttons, "matchrule": dict(menu.rule), **menu.fields}


def write_button(button: Button) -> dict[str, Any]:
    if button.buttons is None:
        return dict(button.fields)
    return {**button.fields, "sub_button": [write_button(one) for one in button.buttons]}


def content(menu: Menu) -> Menu:
    """The menu without what WeChat adds: its ids, its older name of a tag, its numbers where it takes text."""
    return Menu(
        buttons=menu.buttons,
        personal=tuple(
            PersonalMenu(one.buttons, plain_rule(one.rule), _without(one.fields, "menuid")) for one in menu.personal
        ),
        fields=_without(menu.fields, "menuid"),
        around=_without(menu.around, "is_menu_open"),
    )


def plain_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A matchrule in the form in which it is sent: values as text, none empty, the tag by its name of today."""
    filled = {name: value for name, value in rule.items() if value is not None and value != ""}
    if "group_id" in filled:
        group = filled.pop("group_id")
        filled.setdefault("tag_id", group)
    return {name: str(value) if isinstance(value, int) else value for name, value in filled.items()}


def digest(menu: Menu) -> str:
    """The same for the same content, in whichever shape, spelling and order of fields it came."""
    text = json.dumps(write(content(menu)), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def placed(menu: Menu) -> Iterator[tuple[str, Button]]:
    """Every button with its path, in the order of the definition."""
    yield from _placed(menu.buttons, "menu.button")
    for index, one in enumerate(menu.personal):
        yield from _placed(one.buttons, f"conditionalmenu[{index}].button")


def _placed(buttons: tuple[Button, ...], path: str) -> Iterator[tuple[str, Button]]:
    for index, button in enumerate(buttons):
        yield f"{path}[{index}]", button
        yield from _placed(button.buttons or (), f"{path}[{index}].sub_button")


def _personal(raw: Any, path: str) -> PersonalMenu:
    fields = _object(raw, path)
    return PersonalMenu(
        buttons=_buttons(fields.get("button", []), f"{path}.button"),
        rule=_object(fields.get("matchrule", {}), f"{path}.matchrule"),
        fields=_without(fields, "button", "matchrule"),
    )


def _buttons(raw: Any, path: str) -> tuple[Button, ...]:
    return tuple(_button(one, f"{path}[{index}]") for index, one in enumerate(_list(raw, path)))


def _button(raw: Any, path: str) -> Button:
    fields = _object(raw, path)
    subs = fields.get("sub_button")
    if subs is None or (subs == [] and fields.get("type")):  # menu/get gives every leaf an empty list
        return Button(_without(fields, "sub_button"))
    return Button(_without(fields, "sub_button"), _buttons(subs, f"{path}.sub_button"))


def _object(raw: Any, path: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise UnsoundError(path)
    return raw


def _list(raw: Any, path: str) -> list[Any]:
    if not isinstance(raw, list):
        raise UnsoundError(path)
    return raw


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
