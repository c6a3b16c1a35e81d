"""Sentences about what is wrong with a rotation, and what to do."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from console.i18n import _, ngettext
from console.rotation_words import known_zone, minute

if TYPE_CHECKING:
    from console.rotation_weighing import Weighed
    from models.rotations import RotationRow
    from workers.due import Conflict
    from workers.rotation_check import Problem
    from workers.rotation_cost import Overrun

_OPTIONS = {"starts_at": "--from", "ends_at": "--until"}


def problem_sentence(problem: "Problem") -> str:
    words = _words()
    text = words.get(f"{problem.field} {problem.reason}") or words[problem.reason]
    sentence = text.format(option=_option(problem.field), value=problem.value, other=problem.better)
    if problem.reason == "unknown_zone" and problem.better:
        return _("{text} Did you mean {alike}?").format(text=sentence, alike=problem.better)
    return sentence


def conflict_sentence(conflict: "Conflict", rotation_id: int, zone: ZoneInfo) -> str:
    """What is in conflict with a rotation."""
    other = conflict.second if conflict.first.id == rotation_id else conflict.first
    text = _("Rotation {id} (version {version}) begins with it at {time}, for as long, and with the same priority.")
    return text.format(id=other.id, version=other.version, time=minute(conflict.at, zone))


def overrun_sentences(overruns: "Sequence[Overrun]") -> Iterator[str]:
    """Of each call the first day; the others are like it."""
    text = _("On {day} this takes {calls:,} calls of {path}; WeChat allows {limit:,} a day.")
    for path, days in Counter(one.path for one in overruns).items():
        first, others = next(one for one in overruns if one.path == path), days - 1
        yield text.format(day=first.day, calls=first.calls, path=path, limit=first.limit)
        if others:
            more = ngettext("So it is on {count} other day.", "So it is on {count} other days.", others)
            yield more.format(count=others)


def years_sentence(years: Sequence[int]) -> str:
    """About years of which workdays or holidays are asked for, and none are known."""
    text = _(
        "The holidays of {years} are not in the table, so weekdays decide. Once they are announced, run: {command}"
    )
    command = "caidan holiday load " + " ".join(map(str, years))
    return text.format(years=_(" and ").join(map(str, years)), command=command)


def weighed_sentences(weighed: "Weighed", rotation: "RotationRow") -> list[str]:
    """All that is to be thought of."""
    zone = known_zone(rotation.timezone)
    told = [conflict_sentence(one, rotation.id, zone) for one in weighed.conflicts]
    told += overrun_sentences(weighed.overruns)
    if weighed.unknown_years:
        told.append(years_sentence(weighed.unknown_years))
    return told


def _option(field: str) -> str:
    """The option that a column comes from."""
    return _OPTIONS.get(field, "--" + field.replace("_", "-"))


def _words() -> dict[str, str]:
    """By reason, or by column and reason."""
    return {
        "unknown_zone": _("{value!r} is no time zone; give one like Asia/Shanghai."),
        "cron_with_seconds": _("{value!r} has six fields; a cron expression has five, without seconds."),
        "unreadable_cron": _("{value!r} is no cron expression; give one like '0 11 * * 1-5', at 11:00 on weekdays."),
        "never_starts": _("{value!r} never comes: no month has such a day."),
        "beside_cron": _("--cron says when it begins; leave {option} out."),
        "missing_duration": _("--cron says when it begins; say with --duration for how long."),
        "without_cron": _("--duration is for --cron; without it, use --hours, or --from and --until."),
        "not_positive": _("{option} must be more than nothing."),
        "duration too_long": _("A duration is at most 366 days."),
        "lead too_long": _("A lead is at most a day."),
        "negative": _("{option} must not be less than nothing."),
        "unknown_weekday": _("{value!r} is no weekday; give them like mon-fri, or sat,sun."),
        "unknown_days": _("{value!r} is none of all, workdays, holidays."),
        "unreadable_hours": _("{value!r} are no hours of a day; give them like 11:00-14:00, at most until 24:00."),
        "overlapping_hours": _("The hours {value} overlap; join them."),
        "without_zone": _("{value} has no time zone."),
        "far_away": _("{value} is not between 2011 and 2100."),
        "ends_before_start": _("It would end before it begins: --until must be later than --from."),
        "no_window": _("It would never begin before --until."),
        "priority out_of_range": _("A priority is between -1000 and 1000."),
        "guard_share out_of_range": _("The share of a guard is more than 0 and at most 1: 0.5 or 50%."),
        "guard_hours out_of_range": _("A guard looks at 1 to 168 hours."),
        "without_share": _("--guard-hours is for a guard; say with --guard-share below which share it acts."),
        "guarded_base": _("A base menu has no guard: there is no menu below it to go back to."),
        "too_long": _("{option} is too long."),
        "second_base": _("Rotation {other} is the base menu; with --replace this one takes its place."),
    }
