"""Moments and durations as people give them: 7d, today, 2026-10-01, 2026-10-01T12:00, 1h30m."""

import re
from datetime import datetime, timedelta, tzinfo

from console.command import InvalidInputError
from console.i18n import _

_YEARS = range(1000, 9000)  # with room on either side, for other time zones and for what is added
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def moment(text: str | None, now: datetime, zone: tzinfo) -> datetime | None:
    """The moment meant: so long ago, the start of a day in the time zone, or a time in it unless it names its own.

    Raises InvalidInputError.
    """
    return None if text is None else _near(_moment(text, now, zone), text)


def _moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if text in ("today", "yesterday"):
        return today if text == "today" else today - timedelta(days=1)
    try:
        if ago := re.fullmatch(r"(\d{1,6})([mhdw])", text):
            return now - int(ago[1]) * _UNITS[ago[2]]
        given = datetime.fromisoformat(text)
        return given if given.tzinfo else given.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        text = _("{text!r} is no time; give one like 7d, 12h, today, 2026-10-01 or 2026-10-01T12:00").format(text=text)
        raise InvalidInputError(text) from None


def coming(text: str | None, now: datetime, zone: tzinfo) -> datetime | None:
    """The same where moments to come are meant: 2h is in two hours, and there is a tomorrow.

    Raises InvalidInputError.
    """
    if text == "now":
        return now
    if text == "tomorrow":
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=1)
    if text and re.fullmatch(r"\d{1,6}[mhdw]", text):
        return _in(text, now)
    return moment(text, now, zone)


def duration(text: str) -> int:
    """Seconds: of 90m, 2h, 1h30m, 3d; 0 is none.

    Raises InvalidInputError.
    """
    plain = text.strip().lower()
    found = re.findall(r"(\d{1,6})([mhdw])", plain)
    if plain == "0" or (found and "".join(number + unit for number, unit in found) == plain):
        return int(sum((int(number) * _UNITS[unit] for number, unit in found), timedelta()).total_seconds())
    raise InvalidInputError(_("{text!r} is no duration; give one like 90m, 2h, 1h30m or 3d").format(text=text))


def _in(text: str, now: datetime) -> datetime:
    try:
        return _near(now + int(text[:-1]) * _UNITS[text[-1]], text)
    except OverflowError:
        raise _far(text) from None


def _near(found: datetime, text: str) -> datetime:
    if found.year not in _YEARS:
        raise _far(text)
    return found


def _far(text: str) -> InvalidInputError:
    return InvalidInputError(_("{text!r} is too far away.").format(text=text))
