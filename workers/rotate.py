"""Keeping accounts in the state that their rotations ask for, whatever has happened since the last look."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from models import api_use, freezes, guards, menu_versions, publications
from models.account import id_of
from models.config import Account, Config
from models.db import transaction
from models.drift import drift_of
from models.holidays import calendar
from models.publications import PublicationRow, UnderWayError
from models.rotation_delays import Delay, delay_of, end_delay, note_delay
from models.rotations import rotations
from wechat.client import Client
from wechat.errcodes import WeChatError
from wechat.menu import read
from wechat.quota import day_of
from workers import delays
from workers.api import Api
from workers.due import Due, due_menu
from workers.publishing import Clock, NotAsPublishedError, Wanted, publish, utc_now
from workers.rotation_check import problems
from workers.rotation_cost import cost, overruns
from workers.windows import ALWAYS, Window

log = logging.getLogger(__name__)

ROTATION, GUARD = "rotation", "guard"  # causes of publications
_LOOK_AGAIN = 2.0  # seconds between looks at somebody else's publication


@dataclass(frozen=True)
class State:
    """What is to be for an account, and what is."""

    account_id: int
    due: Due | None
    is_unreadable: bool  # `due` is of a rotation that this host cannot read: nobody knows which menu is due
    is_by_guard: bool  # the menu is due because a guard has stopped another
    live: PublicationRow | None
    is_doubtful: bool  # something else was seen in its place, or may be there after an attempt that came to no end
    frozen_until: datetime | None
    delay: Delay | None

    @property
    def is_well(self) -> bool:
        """Without a due menu, what is live stays. Versions of an account differ in content: numbers say it all."""
        if self.due is None:
            return True
        if self.is_unreadable:
            return False
        return self.live is not None and self.live.version == self.due.rotation.version and not self.is_doubtful


def rotate_all(engine: Engine, config: Config, clock: Clock = utc_now, patience: float = 0.0) -> None:
    """All accounts, each in a thread of its own: WeChat may take a minute to answer for one of them, or to fail to.

    Where somebody else is publishing, it is looked for so many seconds whether they come to an end: who was killed is
    taken for dead before the next tick, and the menu is not to wait for that.

    Threads, rather than a task for each account: there is hardly ever anything to do, so a tick is one message, and a
    few small queries for each account.
    """
    if not config.accounts:
        return
    with ThreadPoolExecutor(len(config.accounts), "rotate") as pool:
        turns = [
            (account, pool.submit(_rotate, engine, config, account, clock, patience)) for account in config.accounts
        ]
    for account, turn in turns:
        if error := turn.exception():  # of whatever kind, it must not keep the others from their menus
            log.error("account not rotated", extra={"account": account.name, "reason": type(error).__name__})


def rotate(engine: Engine, api: Api | None, account: Account, clock: Clock = utc_now) -> bool:
    """Make the menu that is due for one account live, or write down why it is not; `api` is None where WeChat cannot be
    asked about it. Any number of processes may do so at once, and each may end at any point:

    1. Read what is due, and what is live. Where that is the same, all is well.
    2. Where something stands in the way, write down what. The next tick looks again.
    3. Claim the publication. Who ends after that is taken for dead when 45 seconds have passed without a sign of life.
    4. Call WeChat, as workers/publishing.py does. Who ends in between leaves menus from which the next one goes on.
    5. Write down that it is live. Who ends before that leaves it to the next one, who finds no call to be made.
    6. Forget why it was not live, or write down why it is not. The next tick does the same.

    The answer says whether somebody else is publishing, dead or alive. Raises SQLAlchemyError.
    """
    now = clock()
    with engine.connect() as connection:
        state = _look(connection, account, now)
        if state is None:
            return False
        wanted = None if state.is_well else _wanted(connection, state)
        delay = None if wanted is None else _obstacle(connection, state, wanted, api is not None, now)
    if wanted is None:
        _forget(engine, account, state)
    elif delay is not None:
        _note(engine, account, state, delay, now)
    elif api is not None:
        return _publish(engine, api, account, state, wanted, clock)
    return False


def _rotate(engine: Engine, config: Config, account: Account, clock: Clock, patience: float) -> None:
    end = time.monotonic() + patience
    with Client(config.api_base_url) as client:
        api = Api(engine, client, account, config.secret_key) if config.may_ask_about(account) else None
        while rotate(engine, api, account, clock) and time.monotonic() < end:
            time.sleep(_LOOK_AGAIN)


def _look(connection: Connection, account: Account, now: datetime) -> State | None:
    """Nothing where the account has no row yet, and so neither menus nor rotations."""
    account_id = id_of(connection, account.app_id)
    if account_id is None:
        return None
    rules, days, stopped = (
        rotations(connection, account_id),
        calendar(connection),
        guards.stopped(connection, account_id),
    )
    unreadable = None
    try:
        due = due_menu(rules, now, days, stopped)
    except Exception:  # of zoneinfo and cronsim, of many families
        unreadable = next((row for row in rules if row.enabled and problems(row)), None)
        if unreadable is None:
            raise
        due = Due(unreadable, Window(ALWAYS, None))
    return State(
        account_id,
        due,
        is_unreadable=unreadable is not None,
        is_by_guard=bool(stopped) and unreadable is None and due_menu(rules, now, days) != due,
        live=publications.live(connection, account_id),
        is_doubtful=drift_of(connection, account_id) is not None or publications.is_doubtful(connection, account_id),
        frozen_until=freezes.frozen_until(connection, account_id, now),
        delay=delay_of(connection, account_id),
    )


def _wanted(connection: Connection, state: State) -> Wanted:
    assert state.due is not None
    rotation = state.due.rotation
    version = menu_versions.version(connection, state.account_id, rotation.version)
    assert version is not None
    cause = GUARD if state.is_by_guard else ROTATION
    return Wanted(state.account_id, version.id, read(version.definition), cause, rotation.id)


def _obstacle(connection: Connection, state: State, wanted: Wanted, can_ask: bool, now: datetime) -> Delay | None:
    """Why the due menu is not even tried."""
    known, due = state.delay, state.due
    assert due is not None
    if state.is_unreadable:
        return delays.held_up(known, due, delays.UNREADABLE, now, now)
    if not can_ask:
        return delays.held_up(known, due, delays.NOT_CONFIGURED, now, now)
    if state.frozen_until is not None:
        return delays.held_up(known, due, delays.FROZEN, state.frozen_until, now)
    if known is not None and delays.holds(known, due, now):
        return delays.held_up(known, due, known.reason, known.next_try_at, now)
    if _lacks_calls(connection, state, wanted, now):
        return delays.held_up(known, due, delays.QUOTA, delays.after_midnight(now), now)
    return None


def _lacks_calls(connection: Connection, state: State, wanted: Wanted, now: datetime) -> bool:
    """Whether the day has too few calls left for what is to be done; begun, it would stop somewhere in the middle."""
    live = None
    if state.live is not None and not state.is_doubtful:
        version = menu_versions.version(connection, state.account_id, state.live.version)
        live = None if version is None else read(version.definition)
    day = day_of(now)
    used = {use.call: use.count for use in api_use.uses(connection, state.account_id, day)}
    return bool(overruns({day: cost(live, wanted.menu)}, {day: used}))


def _publish(engine: Engine, api: Api, account: Account, state: State, wanted: Wanted, clock: Clock) -> bool:
    """Whether somebody else does."""
    assert state.due is not None
    try:
        published = publish(engine, api, wanted, clock=clock)
    except (UnderWayError, NotAsPublishedError, WeChatError) as error:
        now = clock()
        _note(engine, account, state, delays.failed(state.delay, state.due, error, now), now)
        return isinstance(error, UnderWayError)
    fields = {"publication": published.publication_id, "cause": wanted.cause, "calls": len(published.steps)}
    log.info("menu rotated", extra=_told(account, state.due) | fields)
    _forget(engine, account, state)
    return False


def _note(engine: Engine, account: Account, state: State, delay: Delay, now: datetime) -> None:
    """Write it down where it is news, and tell it now and then."""
    assert state.due is not None
    if delays.must_tell(delay, now):
        delay = replace(delay, told_at=now)
        fields = {name: getattr(delay, name) for name in ("reason", "errcode", "failures")}
        fields |= {name: getattr(delay, name).isoformat() for name in ("since", "next_try_at")}
        level = logging.WARNING if delay.reason == delays.FROZEN else logging.ERROR  # a person wanted it so
        log.log(level, "due menu not live", extra=_told(account, state.due) | fields)
    if delay != state.delay:
        with transaction(engine) as connection:
            note_delay(connection, delay)


def _forget(engine: Engine, account: Account, state: State) -> None:
    if state.delay is None:
        return
    with transaction(engine) as connection:
        end_delay(connection, state.account_id)
    if state.due is not None:
        fields = {"reason": state.delay.reason, "since": state.delay.since.isoformat()}
        log.info("due menu live at last", extra=_told(account, state.due) | fields)


def _told(account: Account, due: Due) -> dict[str, object]:
    return {"account": account.name, "rotation": due.rotation.id, "version": due.rotation.version}
