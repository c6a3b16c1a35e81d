"""Sentences about a menu that is due and not live: why, and what to do."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from console import i18n
from console.i18n import _
from console.rotation_words import minute

if TYPE_CHECKING:
    from models.rotation_delays import Delay
    from wechat.errcodes import WeChatError


def delay_sentence(delay: "Delay", version: int | None, zone: ZoneInfo) -> str:
    """`version` is that of the menu that is due."""
    text = _("Version {version} has been due since {time} and is not live: {why}.")
    return text.format(version=version, time=minute(delay.since, zone), why=why(delay))


def why(delay: "Delay") -> str:
    """The fixed word of workers/delays.py as the end of a sentence."""
    if delay.errcode is not None:
        return _refused(delay).meaning.said(i18n.language()) + f" ({delay.errcode})"
    return {
        "frozen": _("the menu is frozen"),
        "under_way": _("somebody is publishing at this moment"),
        "unreadable": _("its rotation cannot be read on the worker's host, so nobody knows which menu is due"),
        "not_configured": _("the account has no app_secret, so WeChat cannot be asked"),
        "quota": _("the calls that WeChat allows a day would not suffice"),
        "unreachable": _("WeChat cannot be reached"),
        "busy": _("WeChat is busy"),
        "token_rejected": _("WeChat rejects the access token"),
        "not_as_published": _("WeChat took all calls and shows something else"),
        "refused": _("WeChat refuses it"),
    }.get(delay.reason, delay.reason)


def what_to_do(delay: "Delay", zone: ZoneInfo) -> str:
    """The advice, and when it is tried again by itself."""
    if delay.reason in ("frozen", "under_way", "unreadable", "not_configured"):  # looked at every minute
        return _advice(delay)
    again = _("It is tried again at {time}.").format(time=minute(delay.next_try_at, zone))
    return f"{_advice(delay)} {again}".strip()


def _advice(delay: "Delay") -> str:
    from wechat.errcodes import Invalid

    if delay.errcode is not None and not isinstance(refused := _refused(delay), Invalid):
        return refused.advised(i18n.language())
    return {
        "frozen": _("Let the rotations go on with: caidan rotation unfreeze"),
        "unreadable": _("Look at its time zone with: caidan rotation list; disable it, and the others go on."),
        "not_configured": _("Give the account its app_secret, and start the workers again."),
        "quota": _("Find who calls so often; counters are reset at midnight, Beijing time, or by clear_quota."),
        "unreachable": _("Look after the network between this host and WeChat's servers."),
        "token_rejected": _("Look with: caidan token show"),
        "not_as_published": _("Look whether another program changes the menu."),
        "refused": _("Save a version that WeChat takes, and let the rotation show that."),
    }.get(delay.reason, "")


def _refused(delay: "Delay") -> "WeChatError":
    from wechat.client import CREATE_MENU
    from wechat.errcodes import refusal

    assert delay.errcode is not None
    return refusal(CREATE_MENU, delay.errcode, "")
