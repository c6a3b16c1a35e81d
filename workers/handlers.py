"""What a package of yours imports to act on events: `on`, the event and the replies.

    from workers.handlers import Event, News, Text, on

    @on("scancode_waitmsg", key="STOCK")
    def stock(event: Event) -> str:
        return f"{event.scan.result}: 12"

and in its pyproject.toml, so that it is found:

    [project.entry-points."caidan.handlers"]
    shop = "my_package.my_module"

A handler is called at least once for each event, after the event is in the tables: it may be called twice for one, so
`event.id` is the key by which a repeat is known. It returns a reply, a text, or nothing. A reply is sent as a
customer-service message, within the window of the kind: a minute after a menu tap, 48 hours after a message; the kinds
`view`, `view_miniprogram`, `pic_*`, `location_select` and `location_report` open none, so to them nothing can be said.

The registry, `registered()`, is a dict of `Handler` by name. What is built in adds to it by `register(Handler(...))`:
`workers/webhook.py` in `register_webhooks(config)`, which the worker of handlers calls before it loads packages
(workers/handler_worker.py, `prepare`). A function may raise `TryAgain(reason, after=seconds)` or `GiveUp(reason)`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from wechat.reply import Article, Image, Music, News, Nothing, Reply, Text, Transfer, Video, Voice
from workers.handled_event import Event, Location, Message, Photos, Scan

__all__ = [
    "Article",
    "Event",
    "GiveUp",
    "Handler",
    "Image",
    "Location",
    "Message",
    "Music",
    "News",
    "Nothing",
    "Photos",
    "Reply",
    "Scan",
    "Text",
    "Transfer",
    "TryAgain",
    "Video",
    "Voice",
    "on",
    "register",
    "registered",
]

Function: TypeAlias = Callable[[Event], Reply | str | None]
_Function = TypeVar("_Function", bound=Function)

ANY = "*"  # kind
LONGEST_RUN = 300.0  # seconds
MOST_AT_ONCE = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_KIND = re.compile(r"[a-z0-9_*]{1,128}")
_RATE = re.compile(r"(?P<count>[1-9][0-9]{0,5})/(?P<unit>[smh])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_REASON = re.compile(r"[a-z0-9_]{1,64}")


class TryAgain(Exception):  # noqa: N818 - what a handler says
    """Raised by a handler: not now. `reason` is one fixed word; `after` seconds, or as long as failures wait.

    For `pause` seconds it is called for no event at all, as when what it needs is out of reach.
    """

    def __init__(self, reason: str, after: float | None = None, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.after, self.pause = _word(reason), None if after is None else float(after), float(pause)


class GiveUp(Exception):  # noqa: N818
    """Raised by a handler: never. Listed as failed with this one fixed word, and not tried again by itself."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = _word(reason)


def soon(attempt: int) -> float:
    """Seconds to wait after so many attempts: 2, 8, 32, 128 … at most an hour."""
    return float(min(2 * 4 ** min(attempt - 1, 9), 3600))


@dataclass(frozen=True)
class Handler:
    """A function, the events that it wants, and what it may take. Raises ValueError where that makes no sense."""

    name: str
    function: Function
    kinds: tuple[str, ...]  # exact, or with `*` for any letters
    key: str | None = None  # exact, or with `*`
    accounts: tuple[str, ...] = ()  # names; none is all
    retries: int = 3
    time_limit: float = 10.0  # seconds
    rate: str | None = None  # 10/s, 100/m, 1000/h: of all workers together
    concurrency: int = 2  # of all workers together
    ordered: bool = False  # one event of a follower after the other
    wait: Callable[[int], float] = soon  # seconds after so many attempts

    def __post_init__(self) -> None:
        for problem, is_so in (
            (f"{self.name!r} is no name: give lower-case letters, digits, _ . or -", not _NAME.fullmatch(self.name)),
            (f"say which kinds, such as click, pic_* or {ANY}", not self.kinds),
            ("kinds are written in lower case, with * for any letters", not all(map(_KIND.fullmatch, self.kinds))),
            ("key is more than 1,000 letters long", len(self.key or "") > 1000),
            ("retries are 0 to 1,000", not 0 <= self.retries <= 1000),
            (
                f"time_limit is more than 0 and at most {LONGEST_RUN:.0f} seconds",
                not 0 < self.time_limit <= LONGEST_RUN,
            ),
            (f"{self.rate!r} is no rate: give one like 10/s, 100/m or 1000/h", not _is_rate(self.rate)),
            (f"concurrency is 1 to {MOST_AT_ONCE}", not 1 <= self.concurrency <= MOST_AT_ONCE),
        ):
            if is_so:
                raise ValueError(f"handler {self.name[:64]}: {problem}")

    @property
    def interval(self) -> float:
        """Seconds between two calls, by its rate."""
        found = _RATE.fullmatch(self.rate or "")
        return _UNITS[found["unit"]] / int(found["count"]) if found else 0.0


_registry: dict[str, Handler] = {}


def on(
    *kinds: str,
    key: str | None = None,
    account: str | tuple[str, ...] = (),
    name: str | None = None,
    retries: int = 3,
    time_limit: float = 10.0,
    rate: str | None = None,
    concurrency: int = 2,
    ordered: bool = False,
) -> Callable[[_Function], _Function]:
    """Call the function for every new event of these kinds: `click`, `pic_*`, `message_text`, `*` for all.

    key          the EventKey, exact or with `*`
    account      a name, or several; without it all
    name         of the handler, by default the function's; it stands for the handler in lists and queues, so a handler
                 that is given another name is another handler
    retries      how often it is tried again after it raised, hung or died; the waits are 2 s, 8 s, 32 s …
    time_limit   seconds, at most 300; then it is interrupted, and if it does not let itself be, killed
    rate         how often at most, as 10/s, 100/m or 1000/h
    concurrency  how many at once at most
    ordered      one event of a follower after the other, in the order of their CreateTime; while an earlier one is
                 tried again, the later ones of this follower wait, and each waits a second for what may come late
    """

    def decorate(function: _Function) -> _Function:
        register(
            Handler(
                name=name or function.__name__.lower(),
                function=function,
                kinds=kinds,
                key=key,
                accounts=(account,) if isinstance(account, str) else tuple(account),
                retries=retries,
                time_limit=time_limit,
                rate=rate,
                concurrency=concurrency,
                ordered=ordered,
            )
        )
        return function

    return decorate


def register(handler: Handler) -> None:
    """Raises ValueError where another has the name."""
    if (other := _registry.get(handler.name)) is not None:
        places = " and ".join(getattr(one.function, "__module__", "?") for one in (other, handler))
        raise ValueError(f"two handlers have the name {handler.name}: {places}; give one of them another by name=")
    _registry[handler.name] = handler


def registered() -> Mapping[str, Handler]:
    return MappingProxyType(_registry)


def restore(former: Mapping[str, Handler]) -> None:
    """Undo what was registered since."""
    _registry.clear()
    _registry.update(former)


def _word(reason: str) -> str:
    """Reasons are fixed words: what a handler made up at the moment may quote what a follower wrote."""
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else "unnamed"


def _is_rate(rate: str | None) -> bool:
    return rate is None or bool(_RATE.fullmatch(rate))
