"""Compares what WeChat says that it pushed with what was stored, a day at a time, and reports what is missing.

WeChat's figures of a day are complete the next morning. They are asked for once and kept. Of a day with a shortfall,
what is stored is counted again a few times a day, because journals and quarantine may be replayed.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock

from sqlalchemy import Engine

from models import reconciliation
from models.account import id_of
from models.config import Account, Config
from models.db import transaction
from models.reconciliation import Day, Delay
from models.retention import Limits, limits
from wechat.client import Client
from wechat.errcodes import Busy, Unreachable, WeChatError
from wechat.quota import BEIJING
from workers.api import Api
from workers.shortfall import counted_anew, shortfalls, side_by_side

log = logging.getLogger(__name__)

NO_FIGURES = "no_figures"  # WeChat has none of the latest days, and should have

DAYS = 30  # that are made up for, at the most
READY = timedelta(hours=8)  # after the midnight at which a day has ended
PATIENCE = 3  # days, after which a day without figures is taken for one without pushes
SOON, LATER, TOMORROW = timedelta(minutes=50), timedelta(hours=6), timedelta(hours=23)  # by an hourly tick
SECONDS = 120.0  # after which the rest is left to the next tick


def reconcile(engine: Engine, client: Client, config: Config, now: datetime) -> None:
    """For every account that WeChat may be asked about."""
    end, kept = time.monotonic() + SECONDS, limits(config.retention_days, now)
    for account in filter(config.may_ask_about, config.accounts):
        if time.monotonic() < end:
            _reconcile(engine, Api(engine, client, account, config.secret_key), account, kept, now, end)


def comparable(first: datetime | None, kept: Limits, now: datetime) -> list[date]:
    """The days, in Beijing, of which WeChat's figures are complete and all events are here, the newest first.

    What was pushed before the day after the `first` event may have gone to another server.
    """
    if first is None:
        return []
    newest = (now.astimezone(BEIJING) - READY).date() - timedelta(days=1)
    since = max(filter(None, [first, kept.some_before, kept.quarantine]))
    days = (newest - timedelta(days=back) for back in range(DAYS))
    return [day for day in days if begin(day) > since]


def to_compare_again(known: Iterable[Day], now: datetime) -> list[Day]:
    return [day for day in known if shortfalls(day.hours) and now - day.compared_at >= LATER]


def begin(day: date) -> datetime:
    """Midnight in Beijing."""
    return datetime.combine(day, clock(), BEIJING)


def _reconcile(engine: Engine, api: Api, account: Account, kept: Limits, now: datetime, end: float) -> None:
    with engine.connect() as connection:
        if (account_id := id_of(connection, account.app_id)) is None:
            return
        days = comparable(reconciliation.first_event_at(connection, account_id), kept, now)
        known = reconciliation.days(connection, account_id, min(days)) if days else {}
        delay = reconciliation.delay_of(connection, account_id)
    for day in to_compare_again([known[day] for day in days if day in known], now):
        _compare_again(engine, account_id, account.name, day, now)
    unknown = [day for day in days if day not in known]
    if unknown and (delay is None or now >= delay.next_try_at):
        delay = _ask(engine, api, account_id, account.name, _while_there_is_time(unknown, end), now)
        _note_delay(engine, account_id, account.name, delay)


def _ask(engine: Engine, api: Api, account_id: int, name: str, days: Iterable[date], now: datetime) -> Delay | None:
    """Ask WeChat for the figures of these days, and compare them; why not, where it does not tell them."""
    delay = None
    for day in days:
        try:
            counted = api.with_token(api.client.interface_hours, day)
        except WeChatError as error:
            wait = SOON if isinstance(error, Unreachable | Busy) else TOMORROW
            return Delay(error.reason, now + wait)
        if not counted and (now.astimezone(BEIJING).date() - day).days <= PATIENCE:
            delay = Delay(NO_FIGURES, now + LATER)
            continue
        with transaction(engine) as connection:
            hours = side_by_side(counted, reconciliation.stored(connection, account_id, begin(day)))
            reconciliation.note_day(connection, account_id, Day(day, hours, now))
        _report(name, Day(day, hours, now), before=None)
    return delay


def _compare_again(engine: Engine, account_id: int, name: str, before: Day, now: datetime) -> None:
    with transaction(engine) as connection:
        hours = counted_anew(before.hours, reconciliation.stored(connection, account_id, begin(before.day)))
        reconciliation.note_day(connection, account_id, Day(before.day, hours, now))
    _report(name, Day(before.day, hours, now), before)


def _report(name: str, day: Day, before: Day | None) -> None:
    """What is news of a day."""
    short = shortfalls(day.hours)
    if short == (shortfalls(before.hours) if before else []):
        return
    told = {
        "account": name,
        "day": day.day.isoformat(),
        "hours": [missing.hour for missing in short],
        "counted": sum(hour.counted for hour in day.hours),
        "failed": sum(hour.failed for hour in day.hours),
        "stored": sum(hour.stored for hour in day.hours),
        "missing_at_least": sum(missing.at_least for missing in short),
        "missing_at_most": sum(missing.at_most for missing in short),
    }
    if short:
        log.error("pushes missing", extra=told)
    else:
        log.info("no pushes missing any more", extra=told)


def _note_delay(engine: Engine, account_id: int, name: str, delay: Delay | None) -> None:
    with transaction(engine) as connection:
        if delay is None:
            reconciliation.end_delay(connection, account_id)
            return
        is_news = reconciliation.note_delay(connection, account_id, delay)
    if is_news and delay.reason != NO_FIGURES:  # which is usual where nobody did anything
        log.warning("pushes not compared", extra={"account": name, "reason": delay.reason})


def _while_there_is_time(days: Sequence[date], end: float) -> Iterator[date]:
    for day in days:
        if time.monotonic() < end:
            yield day
