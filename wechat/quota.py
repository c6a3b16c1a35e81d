"""How often WeChat lets itself be called on a day, and whether that will do.

Source: guide 接口调用额度说明; the limits of new accounts. Larger ones have more: `Client.quota` tells which is in
force.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from types import MappingProxyType

from wechat.errcodes import STABLE_TOKEN, TOKEN

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")  # whose midnight resets the counters
FORCE_REFRESH = f"{STABLE_TOKEN} force_refresh"  # counted apart from other calls of the same path
DAILY = MappingProxyType(
    {
        TOKEN: 2_000,
        STABLE_TOKEN: 500_000,
        FORCE_REFRESH: 20,
        "/cgi-bin/menu/create": 1_000,
        "/cgi-bin/menu/get": 10_000,
        "/cgi-bin/menu/delete": 1_000,
        "/cgi-bin/menu/addconditional": 2_000,
        "/cgi-bin/menu/delconditional": 2_000,
        "/cgi-bin/menu/trymatch": 20_000,
        "/cgi-bin/message/custom/send": 500_000,
    }
)
_LEARNING = timedelta(hours=2)  # in the first hours of a day a few calls tell little about the rest of it


@dataclass(frozen=True)
class Forecast:
    used: int
    limit: int
    expected: int  # at the end of the day
    runs_out_at: datetime | None  # where it does before the counter is reset

    @property
    def suffices(self) -> bool:
        return self.expected <= self.limit


def day_of(now: datetime) -> date:
    """The day that WeChat's counters are in."""
    return now.astimezone(BEIJING).date()


def forecast(used: int, limit: int, now: datetime, *, planned: int = 0) -> Forecast:
    """What the day comes to, if it goes on as it began and `planned` calls come on top, spread over the rest of it."""
    local = now.astimezone(BEIJING)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    left = midnight + timedelta(days=1) - local
    more = used * (left / max(local - midnight, _LEARNING)) + planned
    expected = used + round(more)
    if expected <= limit:
        return Forecast(used, limit, expected, None)
    room = max(limit - used, 0)
    return Forecast(used, limit, expected, now + left * (room / more) if more else now)
