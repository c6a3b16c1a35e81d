"""Which of made-up rotations is due, and when that changes, against trying every one at every minute."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.workers.rules import AROUND, CALENDAR, DAY, MINUTE, TURNS, Rule, due_at, rules, spans
from workers.due import Due, Stopped, due_menu, switches

SECOND = timedelta(seconds=1)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Rule], date, Stopped, list[int]]:
    """Rotations of one zone, some of their windows stopped by a guard, and minutes around midnight of the day."""
    zone, day = draw(st.sampled_from(TURNS))
    made = draw(st.lists(rules(zone, day), min_size=1, max_size=5))
    all_spans = [(rule.rotation.id, start) for rule in made for start, _ in spans(rule, day, CALENDAR)]
    stopped = draw(st.sets(st.sampled_from(all_spans), max_size=2)) if all_spans else set()
    around = st.integers(-(AROUND // MINUTE) + 1440, AROUND // MINUTE - 1441)
    return made, day, frozenset(stopped), sorted(draw(st.lists(around, min_size=2, max_size=10, unique=True)))


@settings(max_examples=50, deadline=None)
@given(cases())
def test_the_due_menu_is_the_one_that_is_found_by_trying(case: tuple[list[Rule], date, Stopped, list[int]]) -> None:
    made, day, stopped, minutes = case
    rotations = [rule.rotation for rule in made]
    known = [
        (rule.rotation, [one for one in spans(rule, day, CALENDAR) if (rule.rotation.id, one[0]) not in stopped])
        for rule in made
    ]
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for now in [middle + minute * MINUTE for minute in minutes]:
        expected = due_at(now, known)
        found = due_menu(rotations, now, CALENDAR, stopped)
        event("none" if found is None else "early" if found.window.starts_at > now else "in its window")

        assert expected == (found and (found.rotation, (found.window.starts_at, found.window.end)))


@settings(max_examples=40, deadline=None)
@given(cases())
def test_switches_are_where_the_due_menu_changes(case: tuple[list[Rule], date, Stopped, list[int]]) -> None:
    made, day, stopped, minutes = case
    rotations = [rule.rotation for rule in made]
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    begin, *between, end = [middle + minute * MINUTE for minute in minutes]
    found = list(switches(rotations, CALENDAR, begin, end, stopped))
    event(f"{min(len(found), 3)} switches, or more")

    def due(now: datetime) -> Due | None:
        return due_menu(rotations, now, CALENDAR, stopped)

    def menu(one: Due | None) -> int | None:
        return one and one.rotation.menu_id

    few = found[:5]  # enough of them, over all examples
    for switch in few:
        assert begin <= switch.at < end
        assert menu(switch.before) != menu(switch.after)
        assert (switch.before, switch.after) == (due(switch.at - timedelta(microseconds=1)), due(switch.at))
    for now in [begin, *between, *(switch.at + SECOND for switch in few if switch.at + SECOND < end)]:
        latest = max((switch for switch in found if switch.at <= now), key=lambda switch: switch.at, default=None)
        assert menu(latest.after if latest else due(begin - SECOND)) == menu(due(now))


@settings(max_examples=30, deadline=None)
@given(cases())
def test_switches_of_two_halves_are_those_of_the_whole(case: tuple[list[Rule], date, Stopped, list[int]]) -> None:
    made, day, stopped, minutes = case
    rotations = [rule.rotation for rule in made]
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    begin, end = middle + minutes[0] * MINUTE, middle + minutes[-1] * MINUTE + DAY
    cut = middle + minutes[len(minutes) // 2] * MINUTE
    halves = [*switches(rotations, CALENDAR, begin, cut, stopped), *switches(rotations, CALENDAR, cut, end, stopped)]

    assert list(switches(rotations, CALENDAR, begin, end, stopped)) == halves
