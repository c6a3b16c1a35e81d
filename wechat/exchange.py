"""One request to WeChat and its answer: an object, or one of the exceptions of errcodes.py.

URLs carry access tokens. So nothing of httpx2 leaves this module: its exceptions know the URL, and what is raised here
is raised outside of `except`, where it would be chained to them.
"""

import json
import logging
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx2
import msgspec

from wechat.errcodes import INVALID_CHARSET, Unreachable, WeChatError, refusal

Json: TypeAlias = dict[str, Any]

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0  # between two pieces of an answer
WHOLE_SECONDS = 7.0  # for all of it: a server that drips would hold us for ever
MOST_BYTES = 4 << 20

_SECRET = re.compile(r"(?i)\b((?:access_token|secret|appsecret)=)[^&\s\"'<>]+")
_TRACE = 300  # characters that are kept of what WeChat, or the system, says of an error


def masked(text: str) -> str:
    """The text without the secrets that URLs carry."""
    return _SECRET.sub(r"\1***", text)


class _Masking(logging.Filter):
    """httpx2 logs the URL of every request, and what is below it the headers of answers, which may repeat it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = masked(record.getMessage()), None
        return True


# All that log what goes over HTTP.
LOGGERS = ("httpx2", *(f"httpcore2.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_Masking())


@dataclass(frozen=True)
class Question:
    call: str
    query: Mapping[str, str]
    body: object = None  # nothing: GET
    secrets: tuple[str, ...] = ()  # what may be in the query or the body, and in nothing that is said about it

    def __repr__(self) -> str:
        return f"Question({self.call!r})"


class Exchange:
    """Connections to WeChat's servers, made by the process that uses them: a fork must not share its parent's."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._session: tuple[int, httpx2.Client] | None = None

    def __call__(self, question: Question) -> Json:
        """Raises WeChatError."""
        answer = self._answer(question)
        if isinstance(answer, WeChatError):
            raise answer
        return answer

    def close(self) -> None:
        if self._session is not None and self._session[0] == os.getpid():
            self._session[1].close()
        self._session = None

    def _answer(self, question: Question) -> Json | WeChatError:
        call = question.call
        try:
            content = None if question.body is None else msgspec.json.encode(question.body)  # UTF-8 without \u: 40033
        except UnicodeEncodeError:
            return refusal(call, INVALID_CHARSET, "not sent: its text is no UTF-8")
        try:
            status, answer = self._exchange(question, content)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return _unreachable(call, error)
        return read(call, status, answer, question.secrets)

    def _exchange(self, question: Question, content: bytes | None) -> tuple[int, bytes]:
        end = time.monotonic() + WHOLE_SECONDS
        method = "GET" if content is None else "POST"
        headers = {} if content is None else {"Content-Type": "application/json; charset=utf-8"}
        url = self._base_url + question.call
        pieces = bytearray()
        with self._opened().stream(method, url, params=question.query, content=content, headers=headers) as response:
            for piece in response.iter_bytes():
                pieces += piece
                if time.monotonic() > end:
                    raise httpx2.ReadTimeout("the answer drips")
                if len(pieces) > MOST_BYTES:
                    raise httpx2.DecodingError("the answer is too long")
            return response.status_code, bytes(pieces)

    def _opened(self) -> httpx2.Client:
        if self._session is None or self._session[0] != os.getpid():
            limits = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
            self._session = os.getpid(), httpx2.Client(timeout=limits, headers={"User-Agent": "caidan"})
        return self._session[1]


def read(call: str, status: int, content: bytes, secrets: tuple[str, ...] = ()) -> Json | WeChatError:
    """The answer as an object, whatever its Content-Type says, or why it is none."""
    try:
        # Control characters, which followers' names contain, are passed through by WeChat as they are.
        answer = json.loads(content.decode("utf-8-sig"), strict=False)
        errcode = int(answer.get("errcode") or 0)
        errmsg = str(answer.get("errmsg") or "")
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Unreachable(call, "garbled", f"HTTP {status}, {len(content)} bytes that are no JSON object")
    if errcode:
        return refusal(call, errcode, _trace(errmsg, secrets))
    if status != 200:
        return Unreachable(call, "garbled", f"HTTP {status} without an error code")
    return answer  # type: ignore[no-any-return]  # it has `get`


def _trace(text: str, secrets: tuple[str, ...] = ()) -> str:
    """What somebody else says of an error: without secrets, on one line, and not too long."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(masked(text).split())[:_TRACE]


def _unreachable(call: str, error: Exception) -> Unreachable:
    if isinstance(error, httpx2.DecodingError):
        return Unreachable(call, "garbled", _trace(str(error)))
    if isinstance(error, httpx2.TimeoutException):
        sent = not isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        return Unreachable(call, "timeout", sent=sent)
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError | httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return Unreachable(call, "connect_failed", _trace(str(error)), sent=False)
    return Unreachable(call, "dropped", _trace(str(error)))
