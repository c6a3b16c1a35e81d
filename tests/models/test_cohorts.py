"""Who comes back: as counted from sets of people, and from events that were rolled up."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap
from sqlalchemy import Engine, select

from models.account import Account
from models.cohorts import Cohort, Week, cohorts, cohorts_of
from tests.pushes import SHOP, batch_of, event_of, push
from workers.record import record
from workers.rollup import roll_up

MONDAY, WEEK = date(2026, 9, 7), timedelta(days=7)
people = st.sets(st.integers(0, 6))


@given(st.lists(st.tuples(people, people), max_size=7), st.integers(0, 6), st.integers(0, 7), st.integers(0, 4))
def test_cohorts_are_the_new_of_a_week_and_who_of_them_tapped_later(
    done: list[tuple[set[int], set[int]]], first: int, last: int, weeks: int
) -> None:
    known = {
        MONDAY + place * WEEK: Week(BitMap(tapped), BitMap(subscribed))
        for place, (tapped, subscribed) in enumerate(done)
    }
    seen: dict[int, int] = {}
    for place, (tapped, subscribed) in enumerate(done):
        for person in tapped | subscribed:
            seen.setdefault(person, place)
    expected = []
    for place in range(first, last + 1):
        new = {person for person, begun in seen.items() if begun == place}
        later = [done[one][0] if one < len(done) else set() for one in range(place + 1, min(last, place + weeks) + 1)]
        expected.append(Cohort(MONDAY + place * WEEK, len(new), tuple(len(new & tapped) for tapped in later)))

    assert expected == cohorts_of(known, MONDAY + first * WEEK, MONDAY + last * WEEK, weeks)


def test_cohorts_are_read_from_rolled_up_events(database: Engine) -> None:
    """By Shanghai's Mondays; Sunday at 16:00 UTC is one."""
    done = [
        ("2026-09-06 15:59", "subscribe", "old"),
        ("2026-09-06 16:00", "subscribe", "new"),
        ("2026-09-08 12:00", "CLICK", "old"),
        ("2026-09-09 12:00", "CLICK", "tapped"),
        ("2026-09-09 12:00", "unsubscribe", "gone"),
        ("2026-09-15 12:00", "CLICK", "new"),
        ("2026-09-15 12:00", "VIEW", "new"),
        ("2026-09-20 15:59", "CLICK", "tapped"),
        ("2026-09-20 16:00", "CLICK", "tapped"),
        ("2026-09-23 12:00", "subscribe", "new"),
        ("2026-09-28 12:00", "CLICK", "new"),
    ]
    moments = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment, *_ in done]
    pushes = [
        push(kind, user=user, at=int(moment.timestamp()), key="" if "subscribe" in kind else "a")
        for moment, (_, kind, user) in zip(moments, done, strict=True)
    ]
    record(database, batch_of(*map(event_of, pushes)))
    assert roll_up(database, None, datetime(2026, 10, 1, tzinfo=UTC), seconds=60)
    with database.connect() as connection:
        account_id = connection.scalar(select(Account.id).where(Account.app_id == SHOP.app_id)) or 0
        found = cohorts(connection, account_id, date(2026, 9, 10), date(2026, 9, 27))
        nobody = cohorts(connection, account_id + 1, date(2026, 9, 10), date(2026, 9, 10))

    weeks = [date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21)]
    assert [Cohort(weeks[0], 2, (2, 1)), Cohort(weeks[1], 0, (0,)), Cohort(weeks[2], 0, ())] == found
    assert [(1.0, 0.5), (), ()] == [cohort.shares for cohort in found]
    assert [Cohort(weeks[0], 0, ())] == nobody
