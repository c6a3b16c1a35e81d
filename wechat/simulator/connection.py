"""A connection to the server under test, which has to be on this machine."""

import ipaddress
import time
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from wechat.simulator.request import Request

# As captured; none of them may be required by a server.
_HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0", "Accept": "*/*", "Pragma": "no-cache"}


class NotLocalError(ValueError):
    """A URL that the simulator must not push to."""


class Target(NamedTuple):
    host: str
    port: int
    path: str


def target(url: str, account: str) -> Target:
    """Where a URL leads: the callback itself, or the base of an ingress.

    Raises NotLocalError for anything but plain HTTP to a loopback address: a simulator must not load others' servers.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        is_local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise NotLocalError(f"{url!r} is no URL of this machine; give one like http://127.0.0.1:8000") from None
    if parts.scheme != "http" or not is_local:
        raise NotLocalError(f"{url!r} is not on this machine; pushes go to http://127.0.0.1, [::1] or localhost only")
    return Target(host, port, f"/wechat/{account}" if parts.path in ("", "/") else parts.path)


class Response(NamedTuple):
    """What a server sent, and how long it took; `error` says why there is no status."""

    status: int | None
    body: bytes
    seconds: float
    error: str = ""


class Connection:
    """Keep-alive to a target; for one thread."""

    def __init__(self, to: Target, timeout: float) -> None:
        self._path = to.path
        self._timeout = timeout
        self._http = HTTPConnection(to.host, to.port, timeout=timeout)

    def post(self, request: Request) -> Response:
        """Never raises for what a server does or does not do."""
        begun = time.monotonic()
        try:
            self._http.request("POST", f"{self._path}?{request.query}", request.body, _HEADERS)
            answer = self._http.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, HTTPException) as error:
            self._http.close()
            reason = "timeout" if isinstance(error, TimeoutError) else type(error).__name__
            return Response(None, b"", time.monotonic() - begun, reason)
        seconds = time.monotonic() - begun
        if seconds > self._timeout:  # each read was in time, the answer was not
            self._http.close()
            return Response(None, b"", seconds, "timeout")
        return Response(status, body, seconds)

    def close(self) -> None:
        self._http.close()
