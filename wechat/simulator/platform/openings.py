"""Which actions of a follower allow customer-service messages, how many, and how long (PROTOCOL 7.4)."""

from wechat.parse import Fields
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Follower, Opening

_MINUTE, _TWO_DAYS = 60.0, 48 * 3600.0
_ALLOWED: dict[str, tuple[int | None, float]] = {
    "message": (5, _TWO_DAYS),
    "menu": (3, _MINUTE),
    "follow": (3, _MINUTE),
    "scan": (3, _MINUTE),
    "payment": (None, _TWO_DAYS),
}
_EVENTS = {
    "CLICK": "menu",
    "scancode_push": "menu",
    "scancode_waitmsg": "menu",
    "subscribe": "follow",
    "SCAN": "scan",
}


def note(follower: Follower, fields: Fields, at: float) -> None:
    """What a push means to the account's standing with the follower, from the time of the action on."""
    name = fields.get("Event")
    if name == "unsubscribe":
        follower.follows, follower.openings = False, {}
        return
    if name == "subscribe":
        follower.follows, follower.fetched_at = True, -1.0  # whoever follows again sees the menu of the moment
    kind = _kind(fields)
    if kind is not None:
        most, seconds = _ALLOWED[kind]
        follower.acted_at, follower.openings[kind] = at, Opening(at + seconds, most)


def spend(follower: Follower, now: float) -> None:
    """One message more; raises where none is allowed."""
    follower.openings = {kind: opening for kind, opening in follower.openings.items() if now < opening.until}
    if not follower.openings or not follower.follows:
        raise RefusalError(45015)
    usable = [opening for opening in follower.openings.values() if opening.left is None or opening.left > 0]
    if not usable:
        raise RefusalError(45047)
    soonest = min(usable, key=lambda opening: (opening.left is None, opening.until))
    if soonest.left is not None:
        soonest.left -= 1


def _kind(fields: Fields) -> str | None:
    """A tap on an entry of a msgmenu is a tap on a menu, though it comes as a text."""
    if "Event" not in fields:
        return "menu" if "bizmsgmenuid" in fields else "message"
    if str(fields.get("EventKey", "")).startswith("last_trade_no_"):
        return "payment"
    return _EVENTS.get(str(fields["Event"]))
