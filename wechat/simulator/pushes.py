"""The pushes of an account: what its followers and the platform do, at the times they do it."""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import Literal

from wechat.event import event_id
from wechat.parse import Fields
from wechat.simulator.account import Account
from wechat.simulator.coming import report_location, scan_account_code, subscribe, unsubscribe
from wechat.simulator.crowd import Crowd
from wechat.simulator.menu import MENU, Button
from wechat.simulator.messages import message
from wechat.simulator.notices import notice
from wechat.simulator.rhythm import history, live
from wechat.simulator.scene import Act, Repertoire, Said, Scene
from wechat.simulator.taps import tap
from wechat.simulator.wire import as_read, write_json, write_xml

_PARTS: tuple[tuple[float, Act], ...] = (
    (58, tap),
    (17, message),
    (12, report_location),
    (4, subscribe),
    (2, unsubscribe),
    (3, scan_account_code),
    (4, notice),
)
_ACTS = Repertoire.of(*_PARTS)
_RENAMED = {"LOCATION": "location_report", "SCAN": "qrcode_scan"}


@dataclass(frozen=True)
class Push:
    """A message, and the id and kind that its event has to get."""

    id: str
    kind: str
    open_id: str
    created_at: int
    message: bytes


def pushes(
    account: Account,
    count: int | None,
    *,
    seed: int = 0,
    period: tuple[datetime, datetime] | None = None,
    menu: Sequence[Button] = MENU,
    followers: int = 3000,
    form: Literal["xml", "json"] = "xml",
) -> Iterator[Push]:
    """Pushes of a period in the past, or as of now; None is without end. No two have the same id.

    With a period and a seed they are the same each time.
    """
    random = Random(seed)  # noqa: S311  # reproducible on purpose; nothing here is secret
    scene = Scene(random, Crowd(random, account.app_id, followers), menu)
    return play(account, scene, _moments(random, period, count), form)


def play(
    account: Account, scene: Scene, moments: Iterable[float], form: Literal["xml", "json"] = "xml"
) -> Iterator[Push]:
    """A push of this scene at each of these moments."""
    write = partial(write_push, account, scene.random, form)
    waiting: list[tuple[float, int, Said]] = []  # what follows an act, by its time
    numbers = itertools.count()
    second, seen = 0, set[str]()
    for moment in moments:
        while True:
            push = write(*_next(scene, waiting, numbers, moment))
            if int(moment) != second:
                second, seen = int(moment), set()
            # A follower who taps twice in a second is one event to WeChat and to us; here each push shall count.
            if push.id not in seen:
                break
        seen.add(push.id)
        yield push


def _moments(random: Random, period: tuple[datetime, datetime] | None, count: int | None) -> Iterator[float]:
    if period is None:
        return itertools.islice(live(), count)
    if count is None:
        raise ValueError("a period needs a count")
    return history(random, *period, count)


def _next(
    scene: Scene, waiting: list[tuple[float, int, Said]], numbers: Iterator[int], moment: float
) -> tuple[Said, int]:
    """What is due, or else the beginning of something new."""
    if waiting and waiting[0][0] <= moment:
        due, _, said = heapq.heappop(waiting)
        return said, int(due)
    acted: list[Said] = []
    while not acted:
        acted = _ACTS.play(scene)
    first, *rest = acted
    for said in rest:
        heapq.heappush(waiting, (moment + said.delay, next(numbers), said))
    return first, int(moment)


def write_push(account: Account, random: Random, form: str, said: Said, created_at: int) -> Push:
    """What is said, in its envelope."""
    fields: Fields = {"ToUserName": account.to_user, "FromUserName": said.sender, "CreateTime": created_at}
    fields |= said.fields
    if "Event" not in fields:
        fields["MsgId"] = created_at << 32 | random.getrandbits(32)  # 19 digits, growing, as WeChat's
    return Push(
        id=str(event_id(account.app_id, as_read(fields), created_at * 1000)),
        kind=_kind(fields),
        open_id=said.sender,
        created_at=created_at,
        message=write_json(fields) if form == "json" else write_xml(fields),
    )


def _kind(fields: Fields) -> str:
    if "Event" not in fields:
        return f"message_{fields['MsgType']}"
    return _RENAMED.get(fields["Event"]) or str(fields["Event"]).lower()
