"""What the doctor sees in an account's rotations: whether the due menu is live, and what will keep others from it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from console.checks import FAILURE, WARNING, Finding, failure, fine, skipped, warning
from console.delay_words import delay_sentence, what_to_do
from console.i18n import _
from console.rotating import Rotating, read_rotating
from console.rotation_freezing import freezes_in_words
from console.rotation_plan import Plan, read_menus
from console.rotation_problems import problem_sentence
from console.rotation_weighing import calls_of_today
from console.rotation_words import minute
from models.guards import Trip
from wechat.quota import BEIJING, day_of
from workers.holiday_years import MONTHS
from workers.rotation_cost import Overrun, calls, overruns

if TYPE_CHECKING:
    from sqlalchemy import Connection

SOON = timedelta(minutes=3)  # a tick comes every minute, and publishing takes some seconds


def rotation(connection: "Connection", account: str, zone: ZoneInfo, now: datetime) -> Iterator[Finding]:
    found = read_rotating(connection, account, now)
    if found is None:
        yield skipped(_("There are no rotations: the menu stays until somebody publishes another."))
        return
    yield from unsound(found)
    yield from live(found, zone, now)
    yield from frozen(found, zone, now)
    yield from stopped(found.trips, zone)
    yield from over(found.plan, now)
    yield from unknown_years(found.plan, now)
    yield from costly(_overruns(connection, found, now))


def unsound(found: Rotating) -> list[Finding]:
    text = _("Rotation {id} cannot be followed: {why}")
    advice = _("If it is for its time zone, install tzdata on this host; else remove it: caidan rotation remove {id}")
    return [
        failure(text.format(id=number, why=problem_sentence(problem)), advice.format(id=number))
        for number, problem in found.unsound
    ]


def live(found: Rotating, zone: ZoneInfo, now: datetime) -> Iterator[Finding]:
    """Whether the menu that is due is live, and if not, why."""
    due = found.plan.due(now)
    if due is None:
        yield fine(_("No menu is due at this time; the live one stays.") + _coming(found, zone, now))
    elif due.rotation.version == found.live:
        text = _("Version {version} is due, and live.").format(version=found.live)
        yield fine(text + _coming(found, zone, now))
    elif found.delay is not None and found.delay.menu_id == due.rotation.menu_id:
        level = WARNING if found.delay.reason in ("frozen", "under_way") else FAILURE
        is_refusal = found.delay.errcode is not None
        sentence = delay_sentence(found.delay, due.rotation.version, zone)
        yield Finding(level, sentence, what_to_do(found.delay, zone), is_refusal)
    elif now - due.up_at < SOON:
        yield fine(_("Version {version} goes up within a minute.").format(version=due.rotation.version))
    elif not found.frozen(now):  # where nobody is to try, of which `frozen` tells
        text = _("Version {version} is due and not live, and nobody has tried.").format(version=due.rotation.version)
        yield failure(text, _("Unless that is news of the last minute, look whether workers and beat run."))


def frozen(found: Rotating, zone: ZoneInfo, now: datetime) -> list[Finding]:
    lasting = freezes_in_words(found.account, found.frozen(now), zone)
    advice = _("Let the rotations go on with: caidan rotation unfreeze")
    return [warning(sentence, advice) for sentence in lasting]


def stopped(trips: Iterable[Trip], zone: ZoneInfo) -> list[Finding]:
    advice = _("Look at the menu; in its next window the rotation is tried again.")
    return [warning(trip_sentence(trip, zone), advice) for trip in trips]


def trip_sentence(trip: Trip, zone: ZoneInfo) -> str:
    text = _(
        "At {time} its guard took down version {version} of rotation {id}: {taps:,} taps, where {expected:,} are usual."
    )
    facts = {"version": trip.version, "id": trip.rotation_id, "taps": trip.taps, "expected": trip.expected}
    return text.format(time=minute(trip.tripped_at, zone), **facts)


def over(plan: Plan, now: datetime) -> list[Finding]:
    """The rotations that will never be due again."""
    numbers = [row.id for row in plan.rotations if row.enabled and not plan.next_windows(row, now, 1)]
    text = _("Rotation {id} is never due again.")
    advice = _("Remove it with: caidan rotation remove {id}")
    return [warning(text.format(id=number), advice.format(id=number)) for number in numbers]


def unknown_years(plan: Plan, now: datetime) -> list[Finding]:
    years = plan.unknown_years(now, now + MONTHS * timedelta(days=31))
    text = _("Rotations go by the holidays of {year}, which are not in the table: weekdays decide instead.")
    advice = _("When they are announced, run: caidan holiday load {year}")
    return [warning(text.format(year=year), advice.format(year=year)) for year in years]


def costly(found: Iterable[Overrun]) -> list[Finding]:
    text = _("With the switches that are to come, today takes {calls:,} calls of {path}; WeChat allows {limit:,}.")
    advice = _("What does not fit waits for midnight, Beijing time: let the menu change less often.")
    return [
        warning(text.format(calls=overrun.calls, path=overrun.path, limit=overrun.limit), advice) for overrun in found
    ]


def _overruns(connection: "Connection", found: Rotating, now: datetime) -> list[Overrun]:
    """Where today's calls, as WeChat counts days, and those that are still planned are too many."""
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    menus = read_menus(connection, found.plan, found.account_id)
    planned = calls(found.plan.switches(now, midnight), menus)
    return overruns(planned, {day_of(now): calls_of_today(connection, found.account_id, now)})


def _coming(found: Rotating, zone: ZoneInfo, now: datetime) -> str:
    switch = found.next_switch(now)
    if switch is None or switch.after is None:
        return ""
    text = _("Version {version} is next, at {time}.")
    return " " + text.format(version=switch.after.rotation.version, time=minute(switch.at, zone))
