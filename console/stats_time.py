"""Which time a question is about, in the words that people have for it; pure. Days are whole ones, by a time zone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.command import InvalidInputError
from console.i18n import _
from console.moments import moment

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_LATEST = re.compile(r"(\d{1,6})([hdw])")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Time:
    """From `since` until before `until`, and the time that it is compared with."""

    since: datetime
    until: datetime
    before_since: datetime
    before_until: datetime

    def days(self) -> tuple[date, date]:
        """Its first day and its last one.

        Raises InvalidInputError.
        """
        return _days(self.since, self.until)

    def days_before(self) -> tuple[date, date]:
        return _days(self.before_since, self.before_until)


def time_of(
    word: str | None, last: str | None, since: str | None, until: str | None, now: datetime, zone: ZoneInfo
) -> Time | None:
    """The time that the words mean; None without any.

    Raises InvalidInputError.
    """
    if sum(given is not None for given in (word, last, since)) > 1 or (until and not since):
        text = _("Give one time: a word such as last-month, or --last, or --since, and with that perhaps --until.")
        raise InvalidInputError(text)
    try:
        if since is not None:
            return _between(since, until, now, zone)
        return _named(word if last is None else last, now, zone, is_word=last is None)
    except OverflowError:
        text = _("{text!r} is too far away.").format(text=word or last or since)
        raise InvalidInputError(text) from None


def _between(since: str, until: str | None, now: datetime, zone: ZoneInfo) -> Time:
    today = now.astimezone(zone).date()
    tomorrow = _midnight(today + _DAY, zone)
    begin, end = _moment(since, now, zone), _moment(until, now, zone) or tomorrow
    assert begin is not None
    if begin >= now:
        raise _not_yet(since)
    if begin >= end:
        raise InvalidInputError(_("The time ends before it begins: {since}, {until}").format(since=since, until=until))
    return _after_as_much(begin, min(end, tomorrow), zone)


def _moment(text: str | None, now: datetime, zone: ZoneInfo) -> datetime | None:
    """As everywhere, but that 7d is the beginning of a day."""
    if text and (found := _LATEST.fullmatch(text)) and found[2] != "h":
        days = int(found[1]) * (7 if found[2] == "w" else 1)
        return _midnight(now.astimezone(zone).date() - timedelta(days=days), zone)
    return moment(text, now, zone)


def _named(text: str | None, now: datetime, zone: ZoneInfo, *, is_word: bool) -> Time | None:
    if text is None:
        return None
    if found := _LATEST.fullmatch(text):
        return _latest(int(found[1]), found[2], now, zone)
    if not is_word:
        raise InvalidInputError(_("{text!r} is no length of time; give one like 7d, 12h or 4w").format(text=text))
    today = now.astimezone(zone).date()
    if text in (names := _names()):
        return names[text](today, zone)
    try:
        if month := _MONTH.fullmatch(text):
            return _month_of(text, date(int(month[1]), int(month[2]), 1), today, zone)
        day = date.fromisoformat(text)
    except ValueError:
        sentence = _("{text!r} is no time; there is: {names}, and such as 7d, 2026-10 or 2026-10-01")
        raise InvalidInputError(sentence.format(text=text, names=", ".join(names))) from None
    if day > today:
        raise _not_yet(text)
    return _whole(day, day, _DAY, zone)


def _month_of(text: str, first: date, today: date, zone: ZoneInfo) -> Time:
    if first > today:
        raise _not_yet(text)
    return _this_month(today, zone) if first == today.replace(day=1) else _month(first, zone)


def _not_yet(text: str) -> InvalidInputError:
    return InvalidInputError(_("{text} has not come yet.").format(text=text))


def _latest(count: int, unit: str, now: datetime, zone: ZoneInfo) -> Time:
    """Hours until now; days and weeks of days until today, today included."""
    if count == 0:
        raise InvalidInputError(_("A time of no length has no answer."))
    if unit == "h":
        return _after_as_much(now - timedelta(hours=count), now, zone)
    today = now.astimezone(zone).date()
    days = timedelta(days=count * (7 if unit == "w" else 1))
    return _whole(today - days + _DAY, today, days, zone)


def _names() -> dict[str, Callable[[date, ZoneInfo], Time]]:
    return {
        "today": lambda today, zone: _whole(today, today, _DAY, zone),
        "yesterday": lambda today, zone: _whole(today - _DAY, today - _DAY, _DAY, zone),
        "this-week": lambda today, zone: _whole(_monday(today), today, _WEEK, zone),
        "last-week": lambda today, zone: _whole(_monday(today) - _WEEK, _monday(today) - _DAY, _WEEK, zone),
        "this-month": _this_month,
        "last-month": lambda today, zone: _month(_former(today.replace(day=1)), zone),
    }


def _this_month(today: date, zone: ZoneInfo) -> Time:
    """Until today; compared with as many days of the month before, as far as it has them."""
    first = today.replace(day=1)
    former = _former(first)
    end = min(former + (today - first) + _DAY, first)
    return Time(*(_midnight(day, zone) for day in (first, today + _DAY, former, end)))


def _month(first: date, zone: ZoneInfo) -> Time:
    after = (first + timedelta(days=31)).replace(day=1)
    return Time(*(_midnight(day, zone) for day in (first, after, _former(first), first)))


def _whole(first: date, last: date, back: timedelta, zone: ZoneInfo) -> Time:
    """From one day to another, both included; compared with the same so much earlier."""
    days = (first, last + _DAY, first - back, last + _DAY - back)
    return Time(*(_midnight(day, zone) for day in days))


def _after_as_much(since: datetime, until: datetime, zone: ZoneInfo) -> Time:
    """Compared with the time before that has the same length by the clock, which may be set in between."""
    since, until = since.astimezone(zone), until.astimezone(zone)
    begin, end = since.replace(tzinfo=None), until.replace(tzinfo=None)
    return Time(since, until, (begin - (end - begin)).replace(tzinfo=zone), since)


def _days(since: datetime, until: datetime) -> tuple[date, date]:
    if any(one.timetz().replace(tzinfo=None) != time() for one in (since, until)):
        text = _("This is counted by whole days: give days, such as 7d, yesterday or --since 2026-10-01.")
        raise InvalidInputError(text)
    return since.date(), until.date() - _DAY


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _former(first: date) -> date:
    return (first - _DAY).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
