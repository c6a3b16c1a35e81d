"""Calls a day and a minute, and their resets."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from wechat.simulator.platform.asked import Asked, text
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Holdings, Quota

BEIJING = timezone(timedelta(hours=8))
A_MINUTE = 10_000
RESETS = {"clear": 10, "clear_one": 50}  # a month

# New accounts, and test accounts where the documentation has a figure for these (PROTOCOL 7.2).
LIMITS = {
    "cgi-bin/token": 2000,
    "cgi-bin/stable_token": 500_000,
    "cgi-bin/menu/create": 1000,
    "cgi-bin/menu/get": 10_000,
    "cgi-bin/menu/delete": 1000,
    "cgi-bin/menu/addconditional": 2000,
    "cgi-bin/menu/delconditional": 2000,
    "cgi-bin/menu/trymatch": 20_000,
    "cgi-bin/message/custom/send": 500_000,
    "cgi-bin/media/upload": 100_000,
    "cgi-bin/media/get": 200_000,
    "cgi-bin/user/info": 5_000_000,
    "cgi-bin/user/get": 500,
    "cgi-bin/qrcode/create": 100_000,
} | dict.fromkeys(
    (
        "cgi-bin/callback/check",
        "cgi-bin/clear_quota",
        "cgi-bin/clear_quota/v2",
        "cgi-bin/get_api_domain_ip",
        "cgi-bin/get_current_selfmenu_info",
        "cgi-bin/getcallbackip",
        "cgi-bin/message/custom/typing",
        "cgi-bin/message/template/send",
        "cgi-bin/openapi/quota/clear",
        "cgi-bin/openapi/quota/get",
        "cgi-bin/openapi/rid/get",
        "channels/ec/basics/info/get",
        "datacube/getinterfacesummary",
        "datacube/getinterfacesummaryhour",
    ),
    100_000,  # no figure is documented
)
OF_TESTS = {
    "cgi-bin/token": 200,
    "cgi-bin/menu/create": 100,
    "cgi-bin/menu/get": 1000,
    "cgi-bin/menu/delete": 100,
    "cgi-bin/message/custom/send": 50_000,
    "cgi-bin/media/upload": 500,
    "cgi-bin/media/get": 1000,
    "cgi-bin/user/info": 500_000,
    "cgi-bin/user/get": 100,
    "cgi-bin/qrcode/create": 10_000,
}


def day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone(BEIJING).strftime("%Y-%m-%d")


def limit(own: Holdings, path: str) -> int:
    usual = (OF_TESTS if own.is_test else {}).get(path, LIMITS[path])
    return own.quota.limits.get(path, usual)


def count(own: Holdings, path: str, now: float) -> None:
    """One more call; raises where it is one too many."""
    quota = own.quota
    _turn(quota, now)
    if quota.in_minute.get(path, 0) >= quota.minute_limits.get(path, A_MINUTE):
        raise RefusalError(45011)
    if quota.used.get(path, 0) >= limit(own, path):
        raise RefusalError(45009)
    quota.used[path] = quota.used.get(path, 0) + 1
    quota.in_minute[path] = quota.in_minute.get(path, 0) + 1


def _turn(quota: Quota, now: float) -> None:
    if quota.day != day(now):
        quota.day, quota.used = day(now), {}
    if quota.minute != int(now // 60):
        quota.minute, quota.in_minute = int(now // 60), {}
    if quota.month != quota.day[:7]:
        quota.month, quota.resets = quota.day[:7], {}


def clear(asked: Asked) -> dict[str, Any]:
    if text(asked.fields().get("appid")) != asked.account.app_id:
        raise RefusalError(40013)
    return clear_all(asked)


def clear_all(asked: Asked) -> dict[str, Any]:
    """With the AppSecret, too, for when the quota of tokens itself is gone; both count as one."""
    _spend_reset(asked, "clear")
    asked.own.quota.used = {}
    return {}


def clear_one(asked: Asked) -> dict[str, Any]:
    path = _known(asked)
    _spend_reset(asked, "clear_one")
    asked.own.quota.used.pop(path, None)
    return {}


def get(asked: Asked) -> dict[str, Any]:
    path, own = _known(asked), asked.own
    _turn(own.quota, asked.now)
    most, used = limit(own, path), own.quota.used.get(path, 0)
    rate = {"call_count": own.quota.minute_limits.get(path, A_MINUTE), "refresh_second": 60}
    return {
        "errcode": 0,
        "errmsg": "ok",
        "quota": {"daily_limit": most, "used": used, "remain": max(most - used, 0)},
        "rate_limit": rate,
        "component_rate_limit": rate,
    }


def _known(asked: Asked) -> str:
    path = text(asked.fields().get("cgi_path"))
    if not path.startswith("/") or path[1:] not in LIMITS:
        raise RefusalError(76021)
    return path[1:]


def _spend_reset(asked: Asked, kind: str) -> None:
    quota = asked.own.quota
    _turn(quota, asked.now)
    if quota.resets.get(kind, 0) >= RESETS[kind]:
        raise RefusalError(48006)
    quota.resets[kind] = quota.resets.get(kind, 0) + 1
