"""Webhooks: events as signed posts to the servers of others, each a handler that is built in.

The signature is that of Standard Webhooks (github.com/standard-webhooks/standard-webhooks), which many libraries check.
What is said of a failure is one fixed word: neither URLs, which may have secrets in them, nor what a server answers.
"""

import base64
import functools
import hashlib
import hmac
import logging
import os
import random
import ssl
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from typing import Any

import httpx2
import msgspec
from pydantic import SecretStr

from models.config import Config
from models.webhooks import Webhook, key_of
from wechat.exchange import LOGGERS
from workers.handlers import Event, GiveUp, Handler, TryAgain, register

GONE = 410  # by which a server says that it wants no more of these
_UNREACHED = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError  # whatever the event is
_ASKS_TO_WAIT = {429, 503}
_LONGEST_WAIT = 3600.0
PAUSE = 1.0  # seconds between two tries to reach a server, whatever waits for it
_MARGIN = 2.0  # seconds beyond the timeout, in which its own error is told


_is_private: ContextVar[bool] = ContextVar("_is_private", default=False)


class _Silence(logging.Filter):
    """The HTTP client logs the address of each request, and what is below it every header, at these levels."""

    def filter(self, _record: logging.LogRecord) -> bool:
        return not _is_private.get()


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_Silence())


def register_webhooks(config: Config) -> None:
    """Make a handler of each."""
    for webhook in config.webhooks:
        register(handler_of(webhook))


def handler_of(webhook: Webhook) -> Handler:
    return Handler(
        name=f"webhook.{webhook.name}",
        function=functools.partial(post, webhook),
        kinds=webhook.kinds,
        accounts=webhook.accounts,
        retries=webhook.retries,
        # A server that sends its headers one by one is never silent for long: this ends it all the same.
        time_limit=webhook.timeout + _MARGIN,
        rate=webhook.rate,
        concurrency=webhook.concurrency,
        wait=wait,
    )


def post(webhook: Webhook, event: Event) -> None:
    """Raises TryAgain, or GiveUp, unless the server takes it."""
    body = msgspec.json.encode(payload(event))
    headers = signed(webhook, str(event.id), int(time.time()), body)
    failure: TryAgain | None = None
    silence = _is_private.set(True)
    try:
        with _client().stream("POST", webhook.url, content=body, headers=headers, timeout=webhook.timeout) as response:
            status, asked = response.status_code, response.headers.get("retry-after", "")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        failure = TryAgain(_word(error), pause=PAUSE if isinstance(error, _UNREACHED) else 0.0)
    finally:
        _is_private.reset(silence)
    if failure:  # outside of `except`, lest the error, which knows the URL, be chained to this
        raise failure
    judge(status, asked)


def judge(status: int, retry_after: str) -> None:
    """What an answer means. A redirect is not followed: it would lead events to whoever can answer for this address."""
    if 200 <= status < 300:
        return
    if status == GONE:
        raise GiveUp(f"status_{status}")
    asked = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else None
    after = min(asked, _LONGEST_WAIT) if asked is not None and status in _ASKS_TO_WAIT else None
    raise TryAgain("redirected" if 300 <= status < 400 else f"status_{status}", after)


def payload(event: Event) -> dict[str, Any]:
    """What is posted: names as in the tables; what belongs to one kind only stands where there is some."""
    told = {field.name: getattr(event, field.name) for field in fields(event) if field.name != "attempt"}
    nested = {name: value for name, value in told.items() if is_dataclass(value)}
    plain = {name: value for name, value in told.items() if name not in ("scan", "photos", "location", "message")}
    return {"type": event.kind, "timestamp": event.created_at, "data": plain | nested}


def signed(webhook: Webhook, event_id: str, now: int, body: bytes) -> Mapping[str, str]:
    """The headers; with two secrets there are two signatures, and either is good."""
    content = f"{event_id}.{now}.".encode() + body
    secrets = filter(None, (webhook.secret, webhook.previous_secret))
    return {
        "Content-Type": "application/json",
        "User-Agent": "caidan",
        "webhook-id": event_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def wait(attempt: int) -> float:
    """Seconds after so many attempts: 5, 15, 45 … an hour; a fifth more or less, lest all come back at once."""
    return min(5.0 * 3.0 ** min(attempt - 1, 9), _LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311


def _signature(secret: SecretStr, content: bytes) -> str:
    digest = hmac.new(key_of(secret), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _word(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "timed_out"
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return "bad_url"
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        return "bad_certificate" if _is_of_tls(error) else "connect_failed"
    return "dropped"


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _client() -> httpx2.Client:
    return _client_of(os.getpid())


@functools.cache
def _client_of(_pid: int) -> httpx2.Client:
    """Connections of this process' own: a fork must not share its parent's. Cookies would mix up those it is for."""
    return httpx2.Client(follow_redirects=False)
