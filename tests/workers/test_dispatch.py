"""What is called when: how many at once, how often, in which order, and again; on each kind of database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, insert, select, update

from models.db import transaction
from models.handling import DONE, FAILED, PENDING, RUNNING, HandlerRow, Handling, replay
from models.handling import Choice as HandlingChoice
from tests.workers.handled import events, record_all
from workers.dispatch import LOOK_EVERY, MARGIN, Call, Outcome, begin, claim, end, hold, is_due, permitted, withdraw
from workers.handlers import Handler

NOW = datetime.now(UTC)  # events are recorded at the clock's time
SECOND = timedelta(seconds=1)


def handler(**settings: Any) -> Handler:
    return Handler("tried", lambda event: None, ("*",), **{"retries": 1, "concurrency": 2} | settings)


def tell(engine: Engine, *, kinds: tuple[str, ...] = ("*",), is_ordered: bool = False, **settings: Any) -> None:
    values = {"name": "tried", "kinds": list(kinds), "accounts": [], "free_at": NOW, "seen_at": NOW}
    with transaction(engine) as connection:
        connection.execute(insert(HandlerRow).values(**values | settings, is_ordered=is_ordered))


def claimed(engine: Engine, asked: Handler, now: datetime) -> list[Call]:
    with transaction(engine) as connection:
        return claim(connection, asked, asked.concurrency, now)


def begun(engine: Engine, call: Call, now: datetime) -> bool:
    with transaction(engine) as connection:
        return begin(connection, call, 10.0, now) is not None


def ended(engine: Engine, asked: Handler, call: Call, outcome: Outcome, now: datetime) -> str | None:
    with transaction(engine) as connection:
        hold(connection, asked.name)
        return end(connection, asked, call, outcome, now)


def states(engine: Engine) -> dict[UUID, str]:
    with engine.connect() as connection:
        return {row.event_id: row.state for row in connection.execute(select(Handling.event_id, Handling.state))}


def later(seconds: float = 5) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_no_more_are_called_at_once_than_a_handler_wants(database: Engine) -> None:
    tell(database)
    record_all(database, events("a", "b", "c"))
    now, asked = later(), handler()

    first = claimed(database, asked, now)
    assert 2 == len(first)
    assert [] == claimed(database, asked, now)
    assert begun(database, first[0], now)
    assert DONE == ended(database, asked, first[0], Outcome(), now)
    assert 1 == len(claimed(database, asked, now))
    assert sorted([DONE, RUNNING, RUNNING]) == sorted(states(database).values())


def test_a_message_that_comes_twice_or_late_is_nothing(database: Engine) -> None:
    tell(database)
    record_all(database, events("a"))
    now, asked = later(), handler()
    (call,) = claimed(database, asked, now)

    assert begun(database, call, now)
    assert not begun(database, call, now)
    assert PENDING == ended(database, asked, call, Outcome("raised", "Odd"), now)
    assert ended(database, asked, call, Outcome(), now) is None
    (again,) = claimed(database, asked, now + 10 * SECOND)
    assert call.token < again.token
    assert not begun(database, call, now + 10 * SECOND)


def test_what_fails_waits_longer_each_time_and_then_has_failed(database: Engine) -> None:
    tell(database)
    record_all(database, events("a"))
    now, asked, waits = later(), handler(retries=2), []
    for _ in range(3):
        (call,) = claimed(database, asked, now)
        assert begun(database, call, now)
        state = ended(database, asked, call, Outcome("raised", "Odd"), now)
        since = now
        while state == PENDING and not claimable(database, asked, now):
            now += SECOND
        waits.append((now - since) / SECOND)

    assert [2, 8, 0] == waits
    assert [FAILED] == list(states(database).values())
    with transaction(database) as connection:
        assert 0 == replay(connection, HandlingChoice(reason="timed_out"), now)
        assert 1 == replay(connection, HandlingChoice(handler="tried", reason="raised"), now)
    assert 1 == len(claimed(database, asked, now))


def claimable(engine: Engine, asked: Handler, now: datetime) -> bool:
    with engine.connect() as connection:
        return is_due(connection, asked, asked.concurrency, now)


def test_what_its_process_took_along_is_due_again_when_the_lease_is_over(database: Engine) -> None:
    tell(database)
    record_all(database, events("a"))
    now, asked = later(), handler(concurrency=1)
    (call,) = claimed(database, asked, now)
    assert begun(database, call, now)
    lease = timedelta(seconds=10) + 2 * MARGIN

    assert not claimable(database, asked, now + lease - SECOND)
    assert claimable(database, asked, now + lease)
    assert [] == claimed(database, asked, now + lease)  # after a wait, as for any failure
    (again,) = claimed(database, asked, now + lease + 2 * SECOND)
    assert begun(database, again, now + lease + 2 * SECOND)
    assert [] == claimed(database, asked, now + 3 * lease)
    assert [FAILED] == list(states(database).values())


def test_a_message_that_is_lost_or_not_taken_is_no_attempt(database: Engine) -> None:
    tell(database)
    record_all(database, events("a"))
    now, asked = later(), handler(retries=0)
    for _ in range(3):
        (lost,) = claimed(database, asked, now)
        now += 61 * SECOND
        (refused,) = claimed(database, asked, now)
        with transaction(database) as connection:
            withdraw(connection, [lost, refused], now)
        assert [] == claimed(database, asked, now)
        now += 5 * LOOK_EVERY
    (call,) = claimed(database, asked, now)

    assert begun(database, call, now)
    assert DONE == ended(database, asked, call, Outcome(), now)


def test_events_of_a_follower_are_called_for_one_after_the_other(database: Engine) -> None:
    tell(database, is_ordered=True)
    given = [*events("a1", "a2", user="oA"), *events("b1", user="oB", at=1_790_000_001)]
    before = datetime.now(UTC)
    record_all(database, given[1:])
    record_all(database, given[:1])  # the first comes last
    asked, names = handler(ordered=True, concurrency=9), {event.id: event.event_key for event in given}

    assert [] == claimed(database, asked, before + 0.99 * SECOND)  # earlier ones may still come
    first = claimed(database, asked, later())
    assert {"a1", "b1"} == {names[call.event_id] for call in first}
    (a1,) = (call for call in first if names[call.event_id] == "a1")
    assert begun(database, a1, later())
    assert PENDING == ended(database, asked, a1, Outcome("raised"), later())
    assert [] == claimed(database, asked, later(6))
    (a1,) = claimed(database, asked, later(8))
    assert begun(database, a1, later(8))
    assert FAILED == ended(database, asked, a1, Outcome("raised"), later(8))
    assert ["a2"] == [names[call.event_id] for call in claimed(database, asked, later(8))]


def test_a_rate_holds_for_all_together(database: Engine) -> None:
    tell(database)
    record_all(database, events(*(f"{number}" for number in range(60))))
    asked, start, found = handler(rate="10/s", concurrency=64), later(), []
    for tick in range(20):
        now = start + tick * LOOK_EVERY
        found.append(len(claimed(database, asked, now)) if claimable(database, asked, now) else 0)

    assert 3 >= found[0]
    assert 38 <= sum(found) <= 42  # 10 a second, for 3.8 seconds, and a little at first


def test_while_what_it_needs_is_out_of_reach_a_handler_is_called_for_nothing(database: Engine) -> None:
    tell(database)
    record_all(database, events("a", "b", "c"))
    now, asked = later(), handler()
    first, second = claimed(database, asked, now)
    assert begun(database, first, now)
    assert begun(database, second, now)
    assert PENDING == ended(database, asked, first, Outcome("down", after=0, pause=5), now)
    assert PENDING == ended(database, asked, second, Outcome("down", after=0, pause=2), now)

    assert not claimable(database, asked, now + 4 * SECOND)
    assert [] == claimed(database, asked, now + 4 * SECOND)
    assert claimable(database, asked, now + 5 * SECOND)
    assert 2 == len(claimed(database, asked, now + 5 * SECOND))


def test_a_rate_saves_nothing_up() -> None:
    assert (5, NOW) == permitted(NOW, 0.0, 5, NOW)
    count, _free_at = permitted(NOW - 3600 * SECOND, 1.0, 100, NOW)
    assert 1 == count
    assert (0, NOW + SECOND) == permitted(NOW + SECOND, 1.0, 100, NOW)


def test_only_what_a_handler_wants_is_noted_for_it(database: Engine) -> None:
    tell(database, kinds=("click", "pic_*"), event_key="a*", accounts=["shop"])
    wanted = [*events("a", "ab"), *events("a", kind="pic_weixin")]
    others = [*events("b", ""), *events("a", kind="VIEW"), *events("a", kind="caidan_doctor")]
    record_all(database, [*wanted, *others])

    assert {event.id for event in wanted} == states(database).keys()


def test_a_handler_that_is_gone_is_no_longer_noted_for(database: Engine) -> None:
    tell(database)
    with transaction(database) as connection:
        connection.execute(update(HandlerRow).values(seen_at=NOW - timedelta(days=8)))
    record_all(database, events("a"))

    assert {} == states(database)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"kinds": ()}, "kinds"),
        ({"kinds": ("CLICK",)}, "lower case"),
        ({"name": "No Name"}, "name"),
        ({"rate": "often"}, "rate"),
        ({"rate": "0/s"}, "rate"),
        ({"concurrency": 0}, "concurrency"),
        ({"time_limit": 0}, "time_limit"),
        ({"time_limit": 3600}, "time_limit"),
        ({"retries": -1}, "retries"),
    ],
)
def test_a_handler_that_makes_no_sense_is_refused(settings: dict[str, Any], word: str) -> None:
    make: Callable[..., Handler] = Handler
    with pytest.raises(ValueError, match=word):
        make(**{"name": "tried", "function": lambda event: None, "kinds": ("click",)} | settings)
