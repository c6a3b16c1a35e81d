"""Moments as people give them: 7d, today, 2026-10-01, 2026-10-01T12:00."""

import re
from datetime import datetime, timedelta, tzinfo

from console.command import InvalidInputError
from console.i18n import _

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def moment(text: str | None, now: datetime, zone: tzinfo) -> datetime | None:
    """The moment meant: so long ago, the start of a day in the time zone, or a time in it unless it names its own.

    Raises InvalidInputError.
    """
    if text is None:
        return None
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
