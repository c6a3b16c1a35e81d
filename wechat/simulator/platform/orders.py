"""What can be asked of the platform by those who develop against it (control.py)."""

from typing import Any

import msgspec

from wechat.parse import Fields
from wechat.simulator.platform.state import Button


class Of(msgspec.Struct, forbid_unknown_fields=True):
    """Of an account, by AppID; needed once there are two."""

    app_id: str = ""


class Clock(msgspec.Struct, forbid_unknown_fields=True):
    """Seconds; less than none go back."""

    advance: float


class ConsoleMenu(Of):
    """In the shape of get_current_selfmenu_info."""

    button: list[Button] = []
    is_menu_open: bool = True


class Followers(Of):
    """People to add or to change, by OpenID; and how many more to make up."""

    followers: list[dict[str, Any]] = []
    count: int = 0


class Holdings(Of):
    """Anything that the platform has of an account, like is_verified, allowed_ips or quota."""

    holdings: dict[str, Any] = {}


class Void(Of):
    """A token, or all of the account."""

    token: str | None = None


class Tap(Of, kw_only=True):
    """A button of the menu that the follower sees: its place, like [0] or [1, 2]; or its name, key, URL or path."""

    open_id: str
    button: list[int] | str


class Conversation(Of):
    """Of a follower, or of all; after the turn of this number."""

    open_id: str = ""
    since: int = 0


class Push(Of, kw_only=True):
    """What a push says, its envelope aside: {"MsgType": "text", "Content": "…"}."""

    open_id: str
    fields: Fields
