"""What is held of an account's token, and what is to be done about it: decided here, without database and clock."""

import enum
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from wechat.answers import Token
from wechat.errcodes import STABLE_TOKEN

LEASE = timedelta(seconds=15)  # for two calls; then whoever fetches is taken for dead
SLACK = timedelta(minutes=1)  # by which two clocks may differ, or one process be slower than another
LATEST = LEASE + SLACK  # a lease that ends even later is from before the clock was set back
OVERLAP = timedelta(minutes=5)  # before a token ends, WeChat gives out its successor, and both work
AHEAD = timedelta(minutes=4)
SPREAD = 50  # seconds; accounts that began together need not go on so
CHECK = timedelta(hours=1)  # how often WeChat is asked whether it is the token still
FORCED_A_DAY = 20
FORCED_APART = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=5)  # between two attempts


@dataclass(frozen=True)
class Held:
    account_id: int
    token: SecretStr | None  # none where there is none, or none that our key opens
    sealed: str | None  # as it stands in the table: a new one stands there in other words, even the same token
    expires_at: datetime | None
    refreshed_at: datetime | None
    source: str | None
    lease_until: datetime | None
    lease_owner: str | None
    failures: int
    failure: dict[str, object] | None
    retry_at: datetime | None
    foreign_count: int
    foreign_at: datetime | None

    def is_alive(self, now: datetime) -> bool:
        return self.token is not None and self.expires_at is not None and now < self.expires_at

    def is_leased(self, now: datetime) -> bool:
        return self.lease_until is not None and now < self.lease_until <= now + LATEST

    def must_wait(self, now: datetime) -> bool:
        return self.retry_at is not None and now < self.retry_at <= now + LONGEST_WAIT * 2

    @property
    def digest(self) -> str | None:
        """Enough to tell two tokens apart, and not to guess one."""
        if self.token is None:
            return None
        return hashlib.sha256(self.token.get_secret_value().encode()).hexdigest()[:8]


class Step(enum.Enum):
    USE = enum.auto()
    FETCH = enum.auto()
    WAIT = enum.auto()  # somebody else is fetching
    GIVE_UP = enum.auto()  # it failed a moment ago


def next_step(held: Held, rejected: SecretStr | None, now: datetime) -> Step:
    """What whoever needs a token does, where `rejected` is one that did not work."""
    if held.is_alive(now) and held.token != rejected:
        return Step.USE
    if held.is_leased(now):
        return Step.WAIT
    return Step.GIVE_UP if held.must_wait(now) else Step.FETCH


def is_due(held: Held, now: datetime) -> bool:
    """Whether a token that somebody has asked for is to be renewed, or looked after."""
    if held.sealed is None or held.is_leased(now) or held.must_wait(now):
        return False
    if held.token is None or held.expires_at is None or held.refreshed_at is None:
        return True
    spread = timedelta(seconds=held.account_id * 7 % SPREAD)
    if held.expires_at - now <= AHEAD + spread or held.refreshed_at > now + SLACK:
        return True
    # `token` gives out another each time, so there is nothing to be looked after.
    return held.source == STABLE_TOKEN and now - held.refreshed_at >= CHECK


def is_foreign(held: Held, fetched: Token, source: str, rejected: SecretStr | None, now: datetime) -> bool:
    """Whether somebody else has replaced the token that we held for good."""
    if held.token is None or held.expires_at is None or held.source != source or fetched.value == held.token:
        return False
    if held.expires_at - now <= OVERLAP + SLACK:
        return False  # its time had come
    return source == STABLE_TOKEN or rejected is not None


def may_force(used_today: int, last_at: datetime | None, now: datetime) -> bool:
    """Whether WeChat would obey a forced refresh: not twice in half a minute, and twenty times a day."""
    return used_today < FORCED_A_DAY and (last_at is None or abs(now - last_at) >= FORCED_APART)


def back_off(failures: int, luck: float) -> timedelta:
    """How long to wait after so many failures in a row; `luck`, from 0 to 1, keeps processes apart."""
    return min(timedelta(seconds=2 ** min(failures, 20)), LONGEST_WAIT) * (0.75 + luck / 2)
