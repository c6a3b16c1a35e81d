"""A simulated WeChat that tests call over HTTP, and the handle by which they look at it and change it."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from wechat.simulator.account import Account
from wechat.simulator.platform.platform import Platform as Simulated
from wechat.simulator.platform.server import Server

SHOP = Account(
    name="shop",
    app_id="wx1234567890abcdef",
    token="token",
    aes_key="5YTZWhHanluh8NlyUjOeOXQ0BuFej0DPAYUxQvVDNM7",
    original_id="gh_0a1b2c3d4e5f",
    app_secret="0123456789abcdef0123456789abcdef",
)
CAFE = Account("cafe", "wxfedcba0987654321", "another", original_id="gh_f5e4d3c2b1a0", app_secret="f" * 32)


class Platform:
    """A running platform at `url`; `account` is the one that is meant where none is named."""

    def __init__(self, url: str, account: Account = SHOP) -> None:
        self.url = url
        self.account = account

    def call(self, path: str, body: object = None, *, token: str | None = None, **query: str) -> Any:
        """Make a call as any client would: GET without a body, else POST; `path` like menu/create."""
        if token is not None:
            query["access_token"] = token
        path = path if path.startswith(("datacube/", "cgi-bin/")) else f"cgi-bin/{path}"
        content = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        return self.send(f"/{path}?{urlencode(query)}", content)

    def token(self, kind: str = "stable_token", **more: object) -> str:
        """Fetch a token."""
        given = {"grant_type": "client_credential", "appid": self.account.app_id, "secret": self.account.app_secret}
        if kind == "stable_token":
            return str(self.call(kind, given | more)["access_token"])
        return str(self.call(kind, **{name: str(value) for name, value in given.items()})["access_token"])

    def advance(self, seconds: float) -> None:
        """Move the platform's clock; this machine's stays."""
        self.control("clock", {"advance": seconds})

    def fault(self, call: str, **settings: object) -> None:
        """Let something go wrong: errcode=-1, delay=2, drop=True, garbage=True, void=True, status=502; with after=True
        the call is carried out first; times=3, probability=0.5."""
        self.control("faults", {"call": call, **settings})

    def heal(self) -> None:
        """End all faults."""
        self.control("faults", method="DELETE")

    def calls(self, name: str = "") -> list[Any]:
        """The answers to all calls made so far, or of one name: 0, an errcode, "dropped" or "garbage"."""
        return [made["answer"] for made in self.control("calls")["calls"] if name in ("", made["call"])]

    def void(self, token: str | None = None) -> None:
        """Void a token, or all: calls that come with it are answered 40001."""
        self.control("void", self._of(token=token))

    def console_menu(self, button: list[Any], *, is_menu_open: bool = True) -> None:
        """Set a menu as a person does in the console."""
        self.control("console-menu", self._of(button=button, is_menu_open=is_menu_open))

    def followers(self, *followers: dict[str, Any], count: int = 0) -> list[Any]:
        """Add or change followers by open_id, and make up so many more; those that were touched."""
        return list(self.control("followers", self._of(followers=followers, count=count))["followers"])

    def tap(self, open_id: str, button: list[int] | str) -> Any:
        """A follower taps a button of the menu they see: its place, name, key, URL or path; what was pushed."""
        return self.control("tap", self._of(open_id=open_id, button=button))

    def push(self, open_id: str, **fields: object) -> list[Any]:
        """A follower does something else: MsgType="text", Content="…"; what was pushed."""
        return list(self.control("push", self._of(open_id=open_id, fields=fields))["pushed"])

    def conversation(self, open_id: str = "", since: int = 0) -> Any:
        """The chat as a follower sees it, or those of all."""
        query = {"app_id": self.account.app_id, "open_id": open_id, "since": since}
        return self.control(f"conversation?{urlencode(query)}")

    def push_to(self, url: str, mode: str = "plain") -> None:
        """The account's callback: of an ingress, or a whole URL on this machine."""
        self.holdings(callback_url=url, mode=mode)

    def holdings(self, **changes: object) -> Any:
        """What the platform has of the account, after changes to it, like allowed_ips=[]."""
        if changes:
            self.control("account", self._of(holdings=changes))
        return self.state()["accounts"][self.account.app_id]

    def state(self) -> Any:
        return self.control("state")

    def load(self, state: object) -> None:
        self.control("state", state, method="PUT")

    def control(self, name: str, body: object = None, method: str | None = None) -> Any:
        return self.send(f"/_control/{name}", None if body is None else json.dumps(body).encode(), method)

    def _of(self, **fields: object) -> dict[str, object]:
        return {"app_id": self.account.app_id, **fields}

    def send(self, target: str, content: bytes | None, method: str | None = None) -> Any:
        request = urllib.request.Request(self.url + target, content, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def platform_of(*accounts: Account, followers: int = 20) -> Iterator[Platform]:
    """A platform in a thread of this process."""
    with served(*accounts, followers=followers) as server:
        yield Platform(server.url, accounts[0])


@contextmanager
def served(*accounts: Account, followers: int = 20) -> Iterator[Server]:
    """The same, for who looks into it: whoever does holds its lock, or calls nothing meanwhile."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = Server(Simulated(accounts, followers), listener)
        server.start()
        try:
            yield server
        finally:
            server.stop()
