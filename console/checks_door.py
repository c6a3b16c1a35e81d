"""What the doctor learns by being WeChat: a verification and a push, through the account's own public URL."""

import secrets
import time
from collections.abc import Iterator
from random import SystemRandom
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from console.checks import Finding, failure, fine, skipped, warning
from console.i18n import _
from models.config import Account
from wechat.crypto import signature
from wechat.simulator.account import Account as Simulated
from wechat.simulator.answer import Answer, understand
from wechat.simulator.request import Mode, make_request
from wechat.simulator.wire import write_xml

if TYPE_CHECKING:
    import httpx2

KIND = "caidan_doctor"  # of the events that this makes, and who sends them
PATIENCE = 5.0  # seconds, WeChat's
_LISTENS = {"http": (80,), "https": (443,)}  # where WeChat pushes to


def callback_url(url: str, name: str) -> str:
    """The callback of an account below a public URL; of a URL that is a callback itself, the one beside it."""
    base, slash, _name = url.rstrip("/").rpartition("/wechat/")
    return f"{base if slash else url.rstrip('/')}/wechat/{name}"


def round_trip(url: str, account: Account) -> Iterator[Finding]:
    """What WeChat would do, from here."""
    import httpx2

    from console.simulate import simulated

    pushed = simulated(account)
    yield from place(url)
    try:
        with httpx2.Client(timeout=PATIENCE) as client:
            yield _verified(client, url, pushed)
            yield _pushed(client, url, pushed, "plain")
            if pushed.aes_key:
                yield _pushed(client, url, pushed, "security")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        kind = "timeout" if isinstance(error, httpx2.TimeoutException) else str(error)[:200] or type(error).__name__
        text = _("{url} cannot be reached: {reason}").format(url=url, reason=kind)
        yield failure(text, _("Look after DNS, firewall, certificate and proxy; the ingress has to run behind it."))


def place(url: str) -> list[Finding]:
    """Whether WeChat would push to such a URL at all."""
    parts = urlsplit(url)
    if parts.port is None or parts.port in _LISTENS.get(parts.scheme, ()):
        return []
    text = _("WeChat pushes to ports 80 and 443 only, not to {port}.").format(port=parts.port)
    return [warning(text, _("Put a proxy in front, as deploy/nginx has it."))]


def _verified(client: "httpx2.Client", url: str, account: Simulated) -> Finding:
    timestamp, nonce, echo = str(int(time.time())), secrets.token_hex(8), secrets.token_hex(8)
    signed = signature(account.token, timestamp, nonce)
    query = {"signature": signed, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
    answer = client.get(f"{url}?{urlencode(query)}")
    return verified(answer.status_code, answer.content, echo)


def verified(status: int, body: bytes, echo: str) -> Finding:
    """What the answer to WeChat's verification of the URL tells."""
    if status == 200 and body == echo.encode():
        return fine(_("The URL answers WeChat's verification; the Token is the right one."))
    text = _("The URL does not answer WeChat's verification: {answer}.").format(answer=_told(status, body))
    return failure(text, _advice(status, body))


def _pushed(client: "httpx2.Client", url: str, account: Simulated, mode: Mode) -> Finding:
    fields = {
        "ToUserName": account.to_user,
        "FromUserName": KIND,
        "CreateTime": int(time.time()),
        "MsgType": "event",
        "Event": KIND,
        "EventKey": secrets.token_hex(8),
    }
    request = make_request(
        account, write_xml(fields), KIND, mode=mode, timestamp=int(time.time()), random=SystemRandom()
    )
    answer = client.post(f"{url}?{request.query}", content=request.body, headers={"Content-Type": "text/xml"})
    made_of_it = understand(answer.status_code, answer.content, account, mode)
    return accepted(mode, answer.status_code, answer.content, made_of_it)


def accepted(mode: Mode, status: int, body: bytes, answer: Answer) -> Finding:
    """What the answer to a push tells."""
    said = _("plain") if mode == "plain" else _("encrypted")
    if answer.outcome in ("success", "reply"):
        text = _("A push, {mode}, was taken, and is stored as an event of the kind {kind}.")
        return fine(text.format(mode=said, kind=KIND))
    if answer.outcome == "empty":
        text = _("A push, {mode}, was taken and could not be read; its bytes are in quarantine.").format(mode=said)
        return failure(text, _("Compare aes_key and app_id with those of the ingress and of WeChat's console."))
    if body == b"foreign_address":
        text = _("A push, {mode}, was refused because it does not come from WeChat, as foreign_pushes says.")
        return skipped(text.format(mode=said))
    text = _("A push, {mode}, was not taken: {answer}.").format(mode=said, answer=_told(status, body))
    return failure(text, _advice(status, body))


def _told(status: int, body: bytes) -> str:
    """The status, and the word that our door says with it; a page of somebody else's is not repeated."""
    word = body.decode("ascii", "ignore") if body.isascii() and len(body) < 40 and b"<" not in body else ""
    return f"HTTP {status} {word}".strip()


def _advice(status: int, body: bytes) -> str:
    advice = {
        b"bad_signature": _("The ingress has another Token: restart it after changes, and compare configurations."),
        b"outside_replay_window": _("The clock of the ingress is wrong: let it be set by NTP."),
        b"unknown_account": _("The ingress does not know the account: compare configurations, and restart it."),
    }
    if body in advice:
        return advice[body]
    if status in (301, 302, 307, 308):
        return _("WeChat follows no redirects: give the URL that they lead to.")
    if status in (502, 503, 504):
        return _("Look whether the ingress runs and its disk has room; see its /readyz.")
    return _("Something else than the ingress answers: look at the proxy, and at the path of the URL.")
