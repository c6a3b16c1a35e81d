"""The rid of a failed call, and what it tells for seven days."""

import re
import secrets
from typing import Any
from urllib.parse import urlencode

from wechat.simulator.platform.asked import Asked, Request, text
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import State, Trace

KEPT = 7 * 86400.0
_MOST = 2000
_HIDDEN = ("access_token", "secret", "appsecret")
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")


def new_rid(now: float) -> str:
    return f"{int(now):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def remember(state: State, rid: str, trace: Trace) -> None:
    state.traces[rid] = trace
    while len(state.traces) > _MOST:
        del state.traces[next(iter(state.traces))]


def trace(request: Request, app_id: str, now: float, seconds: float, response: str) -> Trace:
    """What is remembered of a call; of tokens only their beginning, of secrets nothing."""
    query = {name: _shortened(value) if name in _HIDDEN else value for name, value in request.query.items()}
    body = request.body[:4096].decode(errors="replace")
    if "secret" in body:
        body = ""
    return Trace(app_id, int(now), int(seconds * 1000), urlencode(query), body, response, request.ip)


def get(asked: Asked) -> dict[str, Any]:
    rid = text(asked.fields().get("rid"))
    if not _FORM.fullmatch(rid):
        raise RefusalError(76002)
    found = asked.state.traces.get(rid)
    if found is None:
        raise RefusalError(76001)
    if found.app_id != asked.account.app_id:
        raise RefusalError(76003)
    if asked.now - found.invoke_time > KEPT:
        raise RefusalError(76004)
    names = ("invoke_time", "cost_in_ms", "request_url", "request_body", "response_body", "client_ip")
    return {"errcode": 0, "errmsg": "ok", "request": {name: getattr(found, name) for name in names}}


def _shortened(value: str) -> str:
    return value[:6] + "xxxx"
