"""Where pushes come from, where the API lives, and how carriers reach the callback."""

import socket
import time
from typing import Any
from urllib.parse import urlsplit

from wechat.simulator.platform.asked import Asked
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Line

_OPERATORS = ("CHINANET", "UNICOM", "CAP", "DEFAULT")
_PATIENCE = 3.0


def of_callbacks(asked: Asked) -> dict[str, Any]:
    return {"ip_list": asked.state.callback_ips}


def of_api(asked: Asked) -> dict[str, Any]:
    return {"ip_list": asked.state.api_ips}


def check(asked: Asked) -> dict[str, Any]:
    """callback/check: what the account is said to have, or else an honest try from this machine."""
    fields = asked.fields()
    action, operator = fields.get("action"), fields.get("check_operator", "DEFAULT")
    if action not in ("dns", "ping", "all"):
        raise RefusalError(40202)
    if operator not in _OPERATORS:
        raise RefusalError(40203)
    if not asked.own.callback_url:
        raise RefusalError(40201)
    lines = asked.own.lines
    if lines is None:
        lines = _try(asked.own.callback_url, "UNICOM" if operator == "DEFAULT" else operator)
    dns = [{"ip": line.ip, "real_operator": line.operator} for line in lines]
    ping = [
        {
            "ip": line.ip,
            "from_operator": line.operator if operator == "DEFAULT" else operator,
            "package_loss": "100%" if line.loss else "0%",
            "time": f"{line.milliseconds:.3f}ms",
        }
        for line in lines
    ]
    return {**({"dns": dns} if action != "ping" else {}), **({"ping": ping} if action != "dns" else {})}


def _try(url: str, operator: str) -> list[Line]:
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [_ping(str(place[0]), place, operator) for *_, place in found]


def _ping(ip: str, place: Any, operator: str) -> Line:
    begun = time.monotonic()
    try:
        socket.create_connection(place[:2], timeout=_PATIENCE).close()
    except OSError:
        return Line(ip, operator, loss=True, milliseconds=0.0)
    return Line(ip, operator, milliseconds=(time.monotonic() - begun) * 1000)
