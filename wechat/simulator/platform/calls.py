"""The calls that the platform answers, by path."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from wechat.simulator.platform import addresses, menus, quotas, service, statistics, tokens, traces
from wechat.simulator.platform.asked import Asked


@dataclass(frozen=True)
class Call:
    """What answers it, an empty object meaning "ok"; and who asks: the holder of a token, or of the AppSecret."""

    method: Literal["GET", "POST"]
    answer: Callable[[Asked], dict[str, Any]]
    by: Literal["token", "secret", "secret without grant"] = "token"
    is_quick: bool = True  # what is not must not hold up others, and changes nothing


CALLS = {
    "cgi-bin/token": Call("GET", tokens.issue, by="secret"),
    "cgi-bin/stable_token": Call("POST", tokens.issue_stable, by="secret"),
    "cgi-bin/menu/create": Call("POST", menus.create),
    "cgi-bin/menu/get": Call("GET", menus.get),
    "cgi-bin/menu/delete": Call("GET", menus.delete),
    "cgi-bin/menu/addconditional": Call("POST", menus.add_conditional),
    "cgi-bin/menu/delconditional": Call("POST", menus.delete_conditional),
    "cgi-bin/menu/trymatch": Call("POST", menus.try_match),
    "cgi-bin/get_current_selfmenu_info": Call("GET", menus.current),
    "cgi-bin/getcallbackip": Call("GET", addresses.of_callbacks),
    "cgi-bin/get_api_domain_ip": Call("GET", addresses.of_api),
    "cgi-bin/callback/check": Call("POST", addresses.check, is_quick=False),
    "cgi-bin/message/custom/send": Call("POST", service.send),
    "cgi-bin/message/custom/typing": Call("POST", service.type_),
    "cgi-bin/message/template/send": Call("POST", service.send_template),
    "datacube/getinterfacesummary": Call("POST", statistics.by_day),
    "datacube/getinterfacesummaryhour": Call("POST", statistics.by_hour),
    "cgi-bin/clear_quota": Call("POST", quotas.clear),
    "cgi-bin/clear_quota/v2": Call("POST", quotas.clear_all, by="secret without grant"),
    "cgi-bin/openapi/quota/get": Call("POST", quotas.get),
    "cgi-bin/openapi/quota/clear": Call("POST", quotas.clear_one),
    "cgi-bin/openapi/rid/get": Call("POST", traces.get),
}
