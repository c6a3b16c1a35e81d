"""A call that reached the platform."""

from dataclasses import dataclass
from typing import Any

import msgspec

from wechat.simulator.account import Account
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Holdings, State


@dataclass(frozen=True)
class Request:
    """As it came in; `path` is without the leading slash."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    ip: str


@dataclass(frozen=True)
class Asked:
    """A call that was let in: whose it is, when, and what it says."""

    request: Request
    state: State
    account: Account
    own: Holdings
    now: float

    def fields(self) -> dict[str, Any]:
        """The body's JSON object."""
        found = read_object(self.request.body)
        if found is None:
            raise RefusalError(47001)
        return found


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None where there is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def text(value: Any) -> str:
    """The text of a field; empty where it is missing or something else."""
    return value if isinstance(value, str) else ""
