"""Why a menu that is due is not live, and when that is tried again: decided without database, WeChat and clock."""

from dataclasses import replace
from datetime import datetime, timedelta

from models.publications import UnderWayError
from models.rotation_delays import Delay
from wechat.errcodes import Busy, RateLimited, TokenRejected, Unreachable, WeChatError
from wechat.quota import BEIJING
from workers.due import Due
from workers.publishing import NotAsPublishedError

FROZEN = "frozen"  # a person wants the menu to stay as it is
UNDER_WAY = "under_way"  # somebody else is publishing for this account
UNREADABLE = "unreadable"  # a rotation that this host cannot read, as of a time zone that it does not know
NOT_CONFIGURED = "not_configured"  # WeChat's servers cannot be asked: there is no AppSecret
QUOTA = "quota"  # the calls of the day are used up, or would not suffice
UNREACHABLE, BUSY = "unreachable", "busy"
TOKEN_REJECTED = "token_rejected"  # noqa: S105 - a reason
NOT_AS_PUBLISHED = "not_as_published"  # all calls went well, and something else is there
REFUSED = "refused"  # by WeChat, and would be again
LOOKED_AT = (FROZEN, UNDER_WAY, UNREADABLE, NOT_CONFIGURED)  # each time: these end without an attempt

DAY_USED_UP = 45009
LONGEST_WAIT = timedelta(minutes=10)
HOUR = timedelta(hours=1)  # between attempts that only a person can make succeed, and between two alarms
_TICK = timedelta(minutes=1)
_EARLY = timedelta(seconds=30)  # ticks are not to the second
_MIDNIGHT_OVER = timedelta(minutes=5)  # two clocks may differ, and a call too early costs another day
_LONGEST = timedelta(days=1) + HOUR  # what lasts longer was written before the clock was set back


def first(due: Due, reason: str, until: datetime, now: datetime) -> Delay:
    """Of a menu that could not even be tried."""
    rotation = due.rotation
    return Delay(rotation.account_id, rotation.id, rotation.menu_id, reason, None, now, 0, until)


def held_up(known: Delay | None, due: Due, reason: str, until: datetime, now: datetime) -> Delay:
    """What stands in the way of a due menu, after what is known."""
    found = first(due, reason, until, now)
    if known is None or known.menu_id != found.menu_id:
        return found
    found = replace(found, since=known.since, failures=known.failures)
    return replace(found, errcode=known.errcode, told_at=known.told_at) if known.reason == reason else found


def failed(known: Delay | None, due: Due, error: Exception, now: datetime) -> Delay:
    """What an attempt came to; `error` is one of those that `publish` raises."""
    reason = reason_of(error)
    if reason == UNDER_WAY:
        if known is not None and known.menu_id == due.rotation.menu_id:
            return known
        return first(due, reason, now, now)
    found = held_up(known, due, reason, now, now)
    failures = found.failures + 1
    errcode = error.errcode if isinstance(error, WeChatError) else None
    return replace(found, errcode=errcode, failures=failures, next_try_at=_next_try(reason, failures, now))


def holds(delay: Delay | None, due: Due, now: datetime) -> bool:
    """Whether it is too early to try again. For another menu it is not, unless it is the account that has to wait."""
    if delay is None or delay.reason in LOOKED_AT:
        return False
    is_same = delay.menu_id == due.rotation.menu_id or delay.reason == QUOTA
    return is_same and now < delay.next_try_at <= now + _LONGEST


def must_tell(delay: Delay, now: datetime) -> bool:
    """Whether an alarm is due: one for each reason and hour; what will be over in a moment is none."""
    if delay.reason == UNDER_WAY:
        return False
    return delay.told_at is None or not delay.told_at <= now < delay.told_at + HOUR


def after_midnight(now: datetime) -> datetime:
    """When WeChat's counters of the day are sure to begin anew."""
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight.astimezone(now.tzinfo) + _MIDNIGHT_OVER


def reason_of(error: Exception) -> str:
    if isinstance(error, UnderWayError):
        return UNDER_WAY
    if isinstance(error, NotAsPublishedError):
        return NOT_AS_PUBLISHED
    if isinstance(error, Unreachable):
        return UNREACHABLE
    if isinstance(error, TokenRejected):
        return TOKEN_REJECTED
    if isinstance(error, RateLimited):  # other allowances are not of a day: of menus, of refreshes of the token
        return QUOTA if error.errcode == DAY_USED_UP else BUSY if error.errcode is None else REFUSED
    return BUSY if isinstance(error, Busy) else REFUSED


def _next_try(reason: str, failures: int, now: datetime) -> datetime:
    """Soon where it may pass by itself, and then less and less often."""
    if reason == QUOTA:
        return after_midnight(now)
    if reason == REFUSED:
        return now + HOUR - _EARLY
    longest = HOUR if reason == NOT_AS_PUBLISHED else LONGEST_WAIT  # each of those attempts takes several calls
    doubled: int = 2 ** min(failures - 1, 10)
    return now + min(_TICK * doubled, longest) - _EARLY
