"""A plan as an iCalendar file, which calendar programs and phones read."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from console.i18n import _
from console.rotation_words import rule_words

if TYPE_CHECKING:
    from icalendar import Event

    from console.rotation_plan import Span
    from workers.due import Due

_YEAR = timedelta(days=366)


def calendar_file(account: str, spans: Sequence["Span"], now: datetime) -> bytes:
    """An event for each span with a menu that is not the base menu; the same one has the same UID in every file."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Caidan//Menu rotation//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _("Menus of {account}").format(account=account))
    for event in _events(account, spans, now):
        calendar.add_component(event)
    # A year more than is needed: zones are described by their changes, and there has to be one before the first event.
    ends = [spans[0].starts_at - _YEAR, spans[-1].ends_at + _YEAR]
    calendar.add_missing_timezones(*(end.date() for end in ends))
    return bytes(calendar.to_ical())


def _events(account: str, spans: Iterable["Span"], now: datetime) -> Iterable["Event"]:
    from icalendar import Event

    for span in spans:
        if span.due is None or span.due.rotation.is_base:
            continue
        rotation, zone = span.due.rotation, ZoneInfo(span.due.rotation.timezone)
        event = Event()
        event.add("uid", f"rotation-{rotation.id}-{span.starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}@{account}.caidan")
        event.add("dtstamp", now)
        event.add("dtstart", span.starts_at.astimezone(zone))
        event.add("dtend", span.ends_at.astimezone(zone))
        event.add("summary", _summary(account, span.due))
        event.add("description", rule_words(rotation))
        event.add("transp", "TRANSPARENT")  # nobody is busy meanwhile
        yield event


def _summary(account: str, due: "Due") -> str:
    text = _("{account}: menu version {version}").format(account=account, version=due.rotation.version)
    return f"{text} · {due.rotation.note}" if due.rotation.note else text
