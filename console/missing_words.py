"""Pushes that WeChat counted and that are not here, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from console.i18n import _
from wechat.quota import BEIJING
from workers.reconcile import DAYS, NO_FIGURES
from workers.shortfall import shortfalls

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.reconciliation import Day, Delay
    from wechat.errcodes import Code


@dataclass(frozen=True, slots=True)
class Missing:
    """Of a day in Beijing."""

    day: date
    hours: list[int]
    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What the last comparisons of an account found."""

    days: list["Day"]
    missing: list[Missing]
    delay: "Delay | None"


def read_compared(connection: "Connection", account: str, now: datetime) -> Compared:
    """Of the last 30 days."""
    from models import queries, reconciliation

    account_id = queries.account_id(connection, account)
    if account_id is None:
        return Compared([], [], None)
    since = now.astimezone(BEIJING).date() - timedelta(days=DAYS)
    days = list(reconciliation.days(connection, account_id, since).values())
    return Compared(days, list(missing_of(days)), reconciliation.delay_of(connection, account_id))


def missing_of(days: Iterable["Day"]) -> Iterator[Missing]:
    """Of the days that are short."""
    for day in days:
        if short := shortfalls(day.hours):
            hours = [missing.hour for missing in short]
            least, most = sum(missing.at_least for missing in short), sum(missing.at_most for missing in short)
            yield Missing(day.day, hours, least, most)


def missing_sentence(missing: Missing) -> str:
    text = _("{count} pushes of {day}, {hours} (Beijing time)")
    hours = spans(missing.hours)
    return text.format(count=between(missing.at_least, missing.at_most), day=missing.day, hours=hours)


def between(at_least: int, at_most: int) -> str:
    return f"{at_least:,}" if at_least == at_most else f"{at_least:,}–{at_most:,}"


def spans(hours: Iterable[int]) -> str:
    """Of hours in their order: 09:00-11:00, 23:00-24:00."""
    found: list[list[int]] = []
    for hour in hours:
        if found and found[-1][1] == hour:
            found[-1][1] = hour + 1
        else:
            found.append([hour, hour + 1])
    return ", ".join(f"{begin:02}:00-{end:02}:00" for begin, end in found)


def delay_words(delay: "Delay") -> str:
    """Why WeChat's latest figures are not here."""
    from wechat.errcodes import codes

    if delay.reason == NO_FIGURES:
        return _("WeChat has no figures of the latest day yet.")
    number = delay.reason.removeprefix("errcode_")
    code = codes().get(int(number)) if number.isdecimal() else None
    text = _("WeChat does not tell what it counted: {reason}.")
    return text.format(reason=_meaning(code) if code else delay.reason)


def _meaning(code: "Code") -> str:
    from console import i18n

    return f"{code.meaning.said(i18n.language())} ({code.number})"
