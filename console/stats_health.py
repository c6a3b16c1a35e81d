"""`caidan stats health`: how fast what followers do reaches the tables, and which taps and buttons are not right."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.command import command
from console.i18n import _
from console.rotation_words import duration_words
from console.stats_asked import Asked, Question, opened, question
from console.stats_names import Names, button_columns, names_of
from console.stats_tables import Column, Row, Table, moment, number
from console.stats_time import Time

if TYPE_CHECKING:
    from models.percentiles import Percentiles
    from models.pulse import Delays
    from models.silence import Silence
    from models.tapped import Tapped
    from wechat.menu import Menu

# So long an event may be on its way, a push that WeChat repeats included, before an hour passes for silent.
_UNDER_WAY = timedelta(minutes=15)


@command()
@question("delays", "unattributed", "gone", "untapped", "silence")
def health(asked: Asked) -> None:
    """Show how long events take to the tables, taps of no known menu or button, and hours without any."""
    from models.pulse import delays
    from models.tapped import tapped

    with opened(asked) as one:
        time, names = one.time(), names_of(one.connection, one.account_id)
        about = (one.connection, one.account_id, time.since, time.until)
        pulse, found, live = delays(*about), tapped(*about), names.live
        tables: dict[str, Callable[[], Table]] = {
            "delays": lambda: _delays(pulse),
            "unattributed": lambda: _unattributed(found, names, one),
            "gone": lambda: _gone(found, live, names, one),
            "untapped": lambda: _untapped(found, live, names),
            "silence": lambda: _silence(one, time),
        }
        facts = {"events": pulse.events, "late": pulse.late, "early": pulse.early, "has_live_menu": live is not None}
        one.answer(time, tables, facts, _notes(pulse, live))


def _delays(pulse: "Delays") -> Table:
    ways: Mapping[str, tuple[str, Percentiles | None]] = {
        "to_door": (_("from the tap to the door"), pulse.to_door),
        "to_table": (_("from the tap to the table"), pulse.to_table),
        "in_house": (_("from the door to the table"), pulse.in_house),
    }
    columns = [Column("way", _("Way"), lambda way: ways[way][0])]
    columns += [number(f"p{share}_ms", f"p{share} ms") for share in (50, 90, 99)]
    columns.append(number("most_ms", _("most ms")))
    rows = [
        {
            "way": way,
            "p50_ms": found.p50,
            "p90_ms": found.p90,
            "p99_ms": found.p99,
            "most_ms": found.most,
        }
        for way, (_words, found) in ways.items()
        if found
    ]
    return Table(_("Delays; WeChat's time has whole seconds"), columns, rows)


def _unattributed(found: "Sequence[Tapped]", names: Names, one: Question) -> Table:
    from models.tapped import unattributed

    title = _("Taps of which it is not known what menu their followers saw")
    return _tapped(title, unattributed(found), names, one)


def _gone(found: "Sequence[Tapped]", live: "Menu | None", names: Names, one: Question) -> Table:
    from models.tapped import gone
    from workers.attribution import targets

    title = _("Taps on buttons that are not in the live menu")
    return _tapped(title, gone(found, targets(live)) if live else [], names, one)


def _tapped(title: str, found: "Sequence[Tapped]", names: Names, one: Question) -> Table:
    columns = [
        *button_columns(),
        number("taps", _("Taps")),
        number("unattributed", _("Not known")),
        number("users", _("Users")),
        moment("last_at", _("Last"), one.zone),
    ]
    rows: list[Row] = [
        {
            **names.row(row.kind, row.event_key),
            "taps": row.taps,
            "unattributed": row.unattributed,
            "users": row.users,
            "last_at": row.last_at,
        }
        for row in found
    ]
    return Table(title, columns, rows)


def _untapped(found: "Sequence[Tapped]", live: "Menu | None", names: Names) -> Table:
    from models.tapped import untapped
    from workers.attribution import targets

    rows: list[Row] = [names.row(*target) for target in (untapped(found, targets(live)) if live else [])]
    return Table(_("Buttons of the live menu that nobody tapped"), button_columns(), rows)


def _silence(one: Question, time: Time) -> Table:
    from models.silence import silences

    until = min(time.until, one.now - _UNDER_WAY)
    found = silences(one.connection, one.account_id, time.since, until, one.zone) if time.since < until else []
    columns = [
        moment("begin", _("Begins"), one.zone),
        moment("end", _("Ends"), one.zone),
        Column("seconds", _("So long"), duration_words, is_number=True),
        number("missing", _("Events that are usual then")),
    ]
    rows = [_silent(row) for row in found]
    return Table(_("Hours without events where there used to be some"), columns, rows)


def _silent(row: "Silence") -> dict[str, Any]:
    seconds = int((row.end - row.begin).total_seconds())
    return {"begin": row.begin, "end": row.end, "seconds": seconds, "missing": row.missing}


def _notes(pulse: "Delays", live: "Menu | None") -> list[str]:
    notes = []
    if pulse.late:
        text = _("{count:,} of {events:,} came more than 5 s late: repeats of pushes that failed, or held up.")
        notes.append(text.format(count=pulse.late, events=pulse.events))
    if pulse.early:
        text = _("{count:,} came before they happened: the clock of this host and WeChat's are apart.")
        notes.append(text.format(count=pulse.early))
    if live is None:
        notes.append(_("No menu of Caidan's is live, so that buttons are not compared with one."))
    return notes
