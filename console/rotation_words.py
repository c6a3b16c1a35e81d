"""Sentences about rotations: when one is due, and what may keep it from being shown."""

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from console.i18n import _, ngettext
from console.rotation_calendar import weekday, weekday_names

if TYPE_CHECKING:
    from models.rotations import Draft
    from workers.windows import Window


def rule_words(rotation: "Draft", home: str | None = None) -> str:
    """When it is due, as in: Mon–Fri, 11:00–14:00, on workdays (Asia/Shanghai); the time zone `home` is not named."""
    if rotation.is_base:
        return _("base menu: always, where no other is due")
    zone = known_zone(rotation.timezone)
    days = [] if rotation.days == "all" else [_days_words(rotation.days)]
    parts = []
    if rotation.cron is not None:
        parts = [_cron_words(rotation.cron, rotation.duration or 0), *days]
    elif rotation.weekdays is not None:
        parts = [weekdays_words(rotation.weekdays), hours_words(rotation.hours), *days]
    elif rotation.hours is not None or days:
        parts = [*(days or [_("every day")]), hours_words(rotation.hours)]
    if rotation.starts_at is not None:
        parts.append(_("from {time}").format(time=minute(rotation.starts_at, zone)))
    if rotation.ends_at is not None:
        parts.append(_("until {time}").format(time=minute(rotation.ends_at, zone)))
    rule = _(", ").join(parts)
    return rule if rotation.timezone == home else _("{rule} ({zone})").format(rule=rule, zone=rotation.timezone)


def known_zone(name: str) -> ZoneInfo:
    """A time zone, or UTC where this host does not know it: even then a rotation can be listed, and removed."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def minute(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as a calendar has it, with its weekday."""
    there = moment.astimezone(zone)
    return f"{there:%Y-%m-%d} {weekday(there.date())} {there:%H:%M}"


def window_words(window: "Window", zone: ZoneInfo) -> str:
    from workers.windows import ALWAYS

    start = None if window.starts_at == ALWAYS else minute(window.starts_at, zone)
    if window.ends_at is None:
        return _("from {time}").format(time=start) if start else _("always")
    end = minute(window.ends_at, zone)
    if start is None:
        return _("until {time}").format(time=end)
    is_same_day = window.starts_at.astimezone(zone).date() == window.ends_at.astimezone(zone).date()
    return f"{start} – {end[-5:] if is_same_day else end}"


def duration_words(seconds: int) -> str:
    """2 h 30 min, of a number of seconds."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    parts = [
        (days, ngettext("{count} day", "{count} days", days)),
        (hours, _("{count} h")),
        (minutes, _("{count} min")),
        (left, _("{count} s")),
    ]
    return " ".join(text.format(count=count) for count, text in parts if count) or _("{count} s").format(count=0)


def _cron_words(cron: str, duration: int) -> str:
    return _("cron {cron}, each time for {duration}").format(cron=cron, duration=duration_words(duration))


def _days_words(days: str) -> str:
    return _("on workdays") if days == "workdays" else _("on holidays and weekends")


def weekdays_words(weekdays: str) -> str:
    """Mon–Fri, or Mon and Wed."""
    numbers, names = sorted(map(int, weekdays.split(","))), weekday_names()
    if len(numbers) == 7:
        return _("every day")
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return _("{first}–{last}").format(first=names[numbers[0] - 1], last=names[numbers[-1] - 1])
    return _(" and ").join(names[number - 1] for number in numbers)


def hours_words(hours: str | None) -> str:
    return _("all day") if hours is None else hours.replace("-", "–").replace(",", _(" and "))


def until_words(text: str, end: str | None) -> str:
    return text if end is None else _("{text} until {time}").format(text=text, time=end)
