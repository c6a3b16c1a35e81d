"""Publishing a menu: from what is live to what should be, by WeChat's calls, and written down.

Nothing depends on this process seeing it through: whoever publishes next reads what is live, and goes on from there.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from sqlalchemy import Engine

from models import publications
from models.db import transaction
from models.publications import FAILED, REFUSED, UnderWayError
from wechat.answers import LiveMenu
from wechat.errcodes import Busy, Invalid, Unreachable, WeChatError
from wechat.menu import Menu, read
from wechat.menu_plan import Plan, Step, makes_room, plan
from wechat.menu_shapes import definition_of
from workers.api import Api

log = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds, after rounds of reading and planning in which WeChat could not be reached
Clock: TypeAlias = Callable[[], datetime]  # aware UTC

NOT_CONDITIONAL = 65301
_NO_ROOM = {65305, 65316}  # too many personalised menus; they lead to too many domains


@dataclass(frozen=True)
class Wanted:
    """A saved version that is to be live, and why."""

    account_id: int
    menu_id: int
    menu: Menu
    cause: str
    rotation_id: int | None = None


@dataclass(frozen=True)
class Published:
    publication_id: int
    steps: Plan  # those that were carried out


class NotAsPublishedError(Exception):
    """All calls went well, and WeChat shows something else; somebody may be changing the menu at the same time."""


def live_menu(api: Api) -> Menu | None:
    """The menus that were set by API; None where there are none, even if one was made in WeChat's console.

    Raises WeChatError.
    """
    found: LiveMenu | None = api.with_token(api.client.get_menu)
    if found is None:
        return None
    menu = {"button": found.button} | ({} if found.menuid is None else {"menuid": found.menuid})
    conditional = [
        {"button": one.button, "matchrule": one.matchrule, "menuid": one.menuid} for one in found.conditional
    ]
    return read(definition_of({"menu": menu, "conditionalmenu": conditional}))


def utc_now() -> datetime:
    return datetime.now(UTC)


def publish(
    engine: Engine,
    api: Api,
    wanted: Wanted,
    done: Callable[[Step], object] = lambda _step: None,
    clock: Clock = utc_now,
) -> Published:
    """Make a version live, with its row in `publication`; `done` is told of every call that was carried out.

    Raises UnderWayError, NotAsPublishedError, and WeChatError, after which the old menu, or the new one, is live.
    """
    with transaction(engine) as connection:
        publication_id = publications.claim(
            connection, wanted.account_id, wanted.menu_id, wanted.cause, clock(), wanted.rotation_id
        )

    def keep() -> None:
        now = clock()
        with transaction(engine) as connection:
            if not publications.keep(connection, publication_id, now):
                raise UnderWayError(now)

    try:
        live, steps = _converge(api, wanted.menu, done, keep)
    except BaseException as error:
        _note_failure(engine, publication_id, error, clock())
        raise
    with transaction(engine) as connection:
        publications.finish(connection, publication_id, _ids(live), clock())
    return Published(publication_id, steps)


def _converge(api: Api, wanted: Menu, done: Callable[[Step], object], keep: Callable[[], None]) -> tuple[Menu, Plan]:
    """Carry out plans until nothing is left to be done; what is live then, and the calls that it took. Before each
    call `keep` is called: who was slow enough to be taken for dead must not undo what another has done since."""
    carried_out: Plan = []
    is_crowded = False
    failure: WeChatError | None = None
    for pause in PAUSES:
        live = live_menu(api)
        steps = plan(live, wanted)
        if live is not None and not steps:
            return live, carried_out
        try:
            for step in makes_room(steps) if is_crowded else steps:
                keep()
                _carry_out(api, step)
                carried_out.append(step)
                done(step)
                if step.call == "create" and live is not None and live.personal:
                    break  # what has become of these is to be seen first
            failure = None
        except (Unreachable, Busy) as error:  # WeChat may have done it: what is live will tell
            failure = error
            time.sleep(pause)
        except WeChatError as error:
            if error.errcode not in _NO_ROOM or is_crowded:
                raise
            is_crowded, failure = True, error
    live = live_menu(api)
    if live is not None and not plan(live, wanted):
        return live, carried_out
    raise failure or NotAsPublishedError


def _carry_out(api: Api, step: Step) -> None:
    if step.call == "create":
        assert step.body is not None
        api.with_token(api.client.create_menu, step.body)
    elif step.call == "add":
        assert step.body is not None
        api.with_token(api.client.add_conditional, step.body)
    else:
        assert step.menuid is not None
        try:
            api.with_token(api.client.delete_conditional, step.menuid)
        except Invalid as error:
            if error.errcode != NOT_CONDITIONAL:  # it is gone already
                raise


def _ids(live: Menu) -> dict[int, str]:
    """WeChat's ids by position: 0 is the default menu, which has one only where there are personalised ones."""
    menus = [live.fields, *(one.fields for one in live.personal)]
    return {position: str(fields["menuid"]) for position, fields in enumerate(menus) if "menuid" in fields}


def _note_failure(engine: Engine, publication_id: int, error: BaseException, now: datetime) -> None:
    errcode = error.errcode if isinstance(error, WeChatError) else None
    reason = error.reason if isinstance(error, WeChatError) else type(error).__name__
    log.error("menu not published", extra={"publication": publication_id, "reason": reason})
    with transaction(engine) as connection:
        outcome = FAILED if errcode is None else REFUSED
        publications.fail(connection, publication_id, outcome, errcode, now)
