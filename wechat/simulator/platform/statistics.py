"""The platform's own books of what it pushed and how it was answered (接口分析, PROTOCOL 7.6)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from wechat.simulator.platform.asked import Asked, text
from wechat.simulator.platform.quotas import BEIJING
from wechat.simulator.platform.refusals import RefusalError
from wechat.simulator.platform.state import Holdings, Hour

FIRST = date(2014, 12, 1)
READY = 8  # the hour after which yesterday's figures are there
_MOST_DAYS = 30


def note(own: Holdings, now: float, *, failed: bool, seconds: float) -> None:
    """One attempt to deliver a push."""
    key = _beijing(now).strftime("%Y-%m-%dT%H")
    hour = own.statistics.setdefault(key, Hour())
    _add(hour, Hour(1, int(failed), round(seconds * 1000), round(seconds * 1000)))


def by_day(asked: Asked) -> dict[str, Any]:
    days: dict[str, Hour] = {}
    for key, hour in _hours(asked, _MOST_DAYS):
        _add(days.setdefault(key[:10], Hour()), hour)
    return {"list": [{"ref_date": day, **_figures(total)} for day, total in days.items()]}


def by_hour(asked: Asked) -> dict[str, Any]:
    return {
        "list": [
            {"ref_date": key[:10], "ref_hour": int(key[11:]) * 100, **_figures(hour)} for key, hour in _hours(asked, 1)
        ]
    }


def _hours(asked: Asked, most_days: int) -> Iterator[tuple[str, Hour]]:
    """The hours of the days asked for, as far as they are known already."""
    if not asked.own.is_verified:
        raise RefusalError(48001)
    fields = asked.fields()
    begin, end = _date(fields.get("begin_date")), _date(fields.get("end_date"))
    now = _beijing(asked.now)
    if begin > end or (end - begin).days >= most_days or end >= now.date():
        raise RefusalError(61500)
    known = now.date() - timedelta(days=1 if now.hour >= READY else 2)
    span = f"{max(begin, FIRST)}T00", f"{min(end, known)}T23"
    return ((key, hour) for key, hour in sorted(asked.own.statistics.items()) if span[0] <= key <= span[1])


def _date(given: Any) -> date:
    try:
        return datetime.strptime(text(given), "%Y-%m-%d").replace(tzinfo=BEIJING).date()
    except ValueError:
        raise RefusalError(61500) from None


def _beijing(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(BEIJING)


def _add(total: Hour, more: Hour) -> None:
    total.callback_count += more.callback_count
    total.fail_count += more.fail_count
    total.total_time_cost += more.total_time_cost
    total.max_time_cost = max(total.max_time_cost, more.max_time_cost)


def _figures(hour: Hour) -> dict[str, int]:
    return {name: getattr(hour, name) for name in hour.__struct_fields__}
