"""Windows of made-up rotations, against what trying every minute finds."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from tests.workers.rules import AROUND, CALENDAR, TURNS, Rule, rules, spans
from workers.windows import windows


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, date, datetime, datetime]:
    zone, day = draw(st.sampled_from(TURNS))
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    minutes = st.integers(-(AROUND // timedelta(minutes=1)), AROUND // timedelta(minutes=1))
    begin, end = sorted(middle + timedelta(minutes=draw(minutes)) for _ in ("begin", "end"))
    assume(begin < end)
    return draw(rules(zone, day)), day, begin, end


@settings(max_examples=150, deadline=None)
@given(cases())
def test_windows_are_those_that_are_found_minute_by_minute(case: tuple[Rule, date, datetime, datetime]) -> None:
    rule, day, begin, end = case
    found = [(one.starts_at, one.end) for one in windows(rule.rotation, CALENDAR, begin, end)]
    event(f"{'cron' if rule.rotation.cron else 'other'}: {'some' if found else 'none'}")

    assert [one for one in spans(rule, day, CALENDAR) if one[0] < end and begin < one[1]] == found
