"""What developers and tests do to the platform: its clock, faults, followers and state. Not a part of WeChat.

Answered to this machine only, for whoever can call it can read the tokens.
"""

import ipaddress
from collections.abc import Callable
from contextlib import nullcontext
from random import Random
from typing import Any, NamedTuple

import msgspec
from flask import Blueprint, Response, request

from wechat.simulator.account import Account
from wechat.simulator.platform import conversation, menus, orders, tokens
from wechat.simulator.platform.acting import Audience, as_button, leaves, pushed
from wechat.simulator.platform.callback import Callback
from wechat.simulator.platform.followers import made_up
from wechat.simulator.platform.platform import Platform
from wechat.simulator.platform.state import Button, Fault, Follower, Holdings, State
from wechat.simulator.pushes import Push
from wechat.simulator.scene import Said
from wechat.simulator.taps import press

_MOST_MADE_UP = 1_000_000


class ControlError(Exception):
    """What was asked for cannot be done; the sentence says why."""


def dump(platform: Platform, _none: None) -> State:
    """All that the platform remembers, tokens included."""
    return platform.state


def load(platform: Platform, state: State) -> None:
    """Go on from a state; what is not given begins anew."""
    platform.load(state)


def advance_clock(platform: Platform, order: orders.Clock) -> object:
    """Move the platform's clock by so many seconds."""
    platform.state.offset += order.advance
    return {"now": platform.now()}


def list_faults(platform: Platform, _none: None = None) -> object:
    """What goes wrong."""
    return {"faults": platform.state.faults}


def add_faults(platform: Platform, added: Fault | list[Fault]) -> object:
    """Let something go wrong; one fault, or a list of them."""
    platform.state.faults += added if isinstance(added, list) else [added]
    return list_faults(platform)


def clear_faults(platform: Platform, _none: None) -> None:
    """End all faults."""
    platform.state.faults.clear()


def list_calls(platform: Platform, _none: None) -> object:
    """The latest calls, and how they were answered."""
    return {"calls": platform.state.made}


def void_tokens(platform: Platform, order: orders.Void) -> None:
    """Void a token, or all of the account, as if others had taken their place."""
    tokens.void(_own(platform, order), platform.now(), order.token)


def set_console_menu(platform: Platform, order: orders.ConsoleMenu) -> None:
    """Set a menu as a person does in WeChat's console."""
    if not all(_is_of_the_console(button) for button in order.button):
        raise ControlError('sub_button has to be like {"list": [{…}]}, as in get_current_selfmenu_info')
    menus.set_console(_own(platform, order), order.button, is_open=order.is_menu_open)


def set_followers(platform: Platform, order: orders.Followers) -> object:
    """Add followers, or change them: who is known keeps what is not given."""
    if not 0 <= order.count <= _MOST_MADE_UP:
        raise ControlError(f"count has to be between 0 and {_MOST_MADE_UP}")
    own = _own(platform, order)
    touched = made_up(_account(platform, order).app_id, order.count, len(own.followers))
    for fields in order.followers:
        known = own.followers.get(str(fields.get("open_id")))
        follower = msgspec.convert((msgspec.to_builtins(known) if known else {}) | fields, Follower)
        touched[follower.open_id] = follower
    own.followers |= touched
    return {"followers": list(touched.values())}


def set_holdings(platform: Platform, order: orders.Holdings) -> None:
    """Change anything that the platform has of an account."""
    own = _own(platform, order)
    if unknown := order.holdings.keys() - set(own.__struct_fields__):
        raise ControlError(f"unknown: {', '.join(sorted(unknown))}")
    changed = msgspec.convert(msgspec.to_builtins(own, str_keys=True) | order.holdings, Holdings, strict=False)
    platform.state.accounts[_account(platform, order).app_id] = changed


def tap(platform: Platform, order: orders.Tap) -> object:
    """A follower taps; what is pushed is delivered before this is answered."""
    account = _account(platform, order)
    with platform.lock:
        _check_follower(platform, order, order.open_id)
        scene = Audience(platform, account, Random())  # noqa: S311
        menu_id, menu = scene.menu_of(order.open_id)
        button = as_button(_find(menu, order.button), menu_id)
        said = press(scene, order.open_id, button) if button else []
        pushes = pushed(platform, account, scene.random, said, platform.now())
    return {"menu_id": menu_id, "pushed": _deliver(platform, account, pushes)}


def push(platform: Platform, order: orders.Push) -> object:
    """Whatever else a follower does."""
    if not isinstance(order.fields.get("MsgType"), str):
        raise ControlError("fields has to have a MsgType")
    account = _account(platform, order)
    with platform.lock:
        _check_follower(platform, order, order.open_id)
        said = [Said(order.open_id, order.fields)]
        pushes = pushed(platform, account, Random(), said, platform.now())  # noqa: S311
    return {"pushed": _deliver(platform, account, pushes)}


def show_conversation(platform: Platform, order: orders.Conversation) -> object:
    """The chat as a follower sees it, and whether they still wait for an answer; without open_id, all chats."""
    own = _own(platform, order)
    if order.open_id:
        _check_follower(platform, order, order.open_id)
    is_waiting = conversation.waits(own, order.open_id) if order.open_id else None
    return {"turns": conversation.turns(own, order.open_id, order.since), "is_waiting": is_waiting}


def explain(_platform: Platform, _none: None) -> object:
    """This."""
    return {
        f"{method} /_control/{name}": {"what": action.do.__doc__, "fields": action.fields}
        for (method, name), action in ACTIONS.items()
    }


class _Action(NamedTuple):
    """What is done with a body of this kind; what waits for a callback takes the lock itself."""

    do: Callable[[Platform, Any], object]
    kind: Any = None
    is_quick: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        kind = Fault if self.do is add_faults else self.kind
        return tuple(getattr(kind, "__struct_fields__", ()))


ACTIONS = {
    ("GET", "help"): _Action(explain),
    ("GET", "state"): _Action(dump),
    ("PUT", "state"): _Action(load, State),
    ("POST", "clock"): _Action(advance_clock, orders.Clock),
    ("GET", "faults"): _Action(list_faults),
    ("POST", "faults"): _Action(add_faults, Fault | list[Fault]),
    ("DELETE", "faults"): _Action(clear_faults),
    ("GET", "calls"): _Action(list_calls),
    ("GET", "conversation"): _Action(show_conversation, orders.Conversation),
    ("POST", "void"): _Action(void_tokens, orders.Void),
    ("POST", "console-menu"): _Action(set_console_menu, orders.ConsoleMenu),
    ("POST", "followers"): _Action(set_followers, orders.Followers),
    ("POST", "account"): _Action(set_holdings, orders.Holdings),
    ("POST", "tap"): _Action(tap, orders.Tap, is_quick=False),
    ("POST", "push"): _Action(push, orders.Push, is_quick=False),
}


def control(platform: Platform) -> Blueprint:
    pages = Blueprint("control", __name__, url_prefix="/_control")

    @pages.route("/<name>", methods=["GET", "POST", "PUT", "DELETE"])
    def act(name: str) -> Response:
        if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104
            return _json({"error": "answered to this machine only"}, 403)
        action = ACTIONS.get((request.method, name))
        if action is None:
            return _json({"error": "no such action; GET /_control/help lists them"}, 404)
        try:
            order = _order(action.kind) if action.kind else None
            with platform.lock if action.is_quick else nullcontext():
                return _json(action.do(platform, order))
        except (ControlError, msgspec.MsgspecError) as error:
            return _json({"error": str(error)}, 400)

    return pages


def _order(kind: Any) -> Any:
    """What a body says, or the query of a GET."""
    if request.method == "GET":
        return msgspec.convert(request.args.to_dict(), kind, strict=False)
    return msgspec.json.decode(request.get_data() or b"{}", type=kind)


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode({} if body is None else body), status, content_type="application/json")


def _account(platform: Platform, order: orders.Of) -> Account:
    if not order.app_id and len(platform.accounts) == 1:
        return next(iter(platform.accounts.values()))
    if order.app_id not in platform.accounts:
        raise ControlError(f"app_id has to be one of {', '.join(platform.accounts)}")
    return platform.accounts[order.app_id]


def _own(platform: Platform, order: orders.Of) -> Holdings:
    return platform.state.accounts[_account(platform, order).app_id]


def _check_follower(platform: Platform, order: orders.Of, open_id: str) -> None:
    if open_id not in _own(platform, order).followers:
        raise ControlError(f"{open_id} is no follower; POST /_control/followers makes one")


def _is_of_the_console(button: Button) -> bool:
    inner = button.get("sub_button")
    found = inner.get("list") if isinstance(inner, dict) else None
    return inner is None or (isinstance(found, list) and all(isinstance(each, dict) for each in found))


def _find(menu: list[Button], wanted: list[int] | str) -> Button:
    if isinstance(wanted, str):
        for leaf in leaves(menu):
            if wanted in (leaf.get("name"), leaf.get("key"), leaf.get("url"), leaf.get("pagepath")):
                return leaf
    else:
        try:
            found: Button = {"sub_button": menu}
            for place in wanted:
                found = found["sub_button"][place]
        except (IndexError, KeyError):
            pass
        else:
            if not found.get("sub_button"):
                return found
    raise ControlError("the follower sees no such button")


def _deliver(platform: Platform, account: Account, pushes: list[Push]) -> list[dict[str, Any]]:
    callback = Callback(platform)
    try:
        return [
            {"id": each.id, "kind": each.kind, "created_at": each.created_at}
            | callback.deliver(account, each)._asdict()
            for each in pushes
        ]
    finally:
        callback.close()
