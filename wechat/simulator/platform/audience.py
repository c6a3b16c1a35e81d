"""Which menu a follower is shown."""

from wechat.simulator.platform.judgement import WITHDRAWN
from wechat.simulator.platform.state import Button, Follower, Holdings, Menu


def find(own: Holdings, name: str) -> Follower | None:
    """By OpenID or WeChat ID."""
    found = own.followers.get(name)
    if found is None and name:
        found = next((follower for follower in own.followers.values() if follower.wechat_id == name), None)
    return found


def chosen(own: Holdings, follower: Follower, *, heed_withdrawn: bool = False) -> Menu | None:
    """The newest personalised menu whose rule matches, else the default menu."""
    for menu in reversed(own.conditional):
        if _matches(menu, follower, heed_withdrawn):
            return menu
    return own.menu


def seen(own: Holdings, follower: Follower, now: float) -> tuple[int, list[Button]]:
    """The menu, and its id, that the client shows: what it fetched last, unless that was too long ago."""
    if follower.fetched_at < 0 or now - follower.fetched_at > follower.cache_seconds:
        follower.menu_id, follower.fetched_at = _live(own, follower), now
    return follower.menu_id, own.shown.get(follower.menu_id, [])


def _live(own: Holdings, follower: Follower) -> int:
    """The id of the menu that the servers show; 0 for none."""
    if not own.is_menu_open:
        return 0
    if own.console is not None:
        return int(own.console["menuid"])
    menu = chosen(own, follower)
    return menu.menu_id if menu else 0


def _matches(menu: Menu, follower: Follower, heed_withdrawn: bool) -> bool:
    """Of several tags the one assigned last counts. Old rules with withdrawn fields match nobody any more."""
    rule = menu.matchrule
    withdrawn = [name for name in WITHDRAWN if rule.get(name) not in (None, "")]
    if withdrawn and not heed_withdrawn:
        return False
    if "group_id" in rule and str(rule["group_id"]) not in map(str, follower.tags[-1:]):
        return False
    if "client_platform_type" in rule and str(follower.platform) != str(rule["client_platform_type"]):
        return False
    return all(str(getattr(follower, name)) == str(rule[name]) for name in withdrawn)
