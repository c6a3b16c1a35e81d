"""Whatever happens to events, and however often counting them is ended in the middle: the rollups say what they are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select, update

from models.account import Account
from models.db import connect, transaction
from models.event import Event
from models.rollup import RollupMark
from tests.pushes import SHOP, batch_of, event_of, push
from tests.workers.counted import counted, empty, rolled_up, utc
from tests.workers.states import EndedError
from wechat.event import Addressee
from workers.forget import forget
from workers.marks import mark
from workers.record import record
from workers.rollup import roll_up
from workers.rollup_lock import LEASE

NEWS = Addressee("news", "wx_news")
# Where clocks are set, by an hour and by half of one, at night, at a minute past midnight; and where they never are.
PLACES = {
    "America/New_York": utc("2026-11-01 06:00"),
    "Australia/Lord_Howe": utc("2026-04-04 15:00"),
    "America/St_Johns": utc("2011-11-06 02:31"),
    "Asia/Kathmandu": utc("2026-12-31 18:15"),
    "Asia/Shanghai": utc("2026-10-01 16:00"),
}
KINDS = ("CLICK", "VIEW", "scancode_push", "subscribe", "caidan_doctor")
# Few, so that much meets in an hour or about where clocks are set: in the same slot, minute and hour, and far away.
MINUTES = st.sampled_from((-13_000, -1500, -125, -61, -60, -31, -30, -1, 0, 1, 29, 59, 100))


@dataclass
class World:
    """An installation, its clock, and what was pushed so far."""

    engine: Engine
    zone: str
    now: datetime
    pushed: list[Any]

    def at(self, minutes: int, seconds: int) -> int:
        return int(PLACES[self.zone].timestamp()) + minutes * 60 + seconds


pushes = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(("a", "b", "http://例子.cn/?" + "x" * 900)),
    st.sampled_from(("oA", "oa", "oB", "oC")),
    MINUTES,
    st.sampled_from((0, 9, 10, 59)),
    st.sampled_from(("", "<MenuId>412</MenuId>")),
    st.sampled_from((SHOP, SHOP, NEWS)),
)


def do_record(world: World, made: list[Any]) -> None:
    events = [
        event_of(push(kind, key=key, user=user, at=world.at(minute, second), more=more), account)
        for kind, key, user, minute, second, more, account in made
    ]
    world.pushed += events
    record(world.engine, batch_of(*events))


def do_repeat(world: World, _: None) -> None:
    record(world.engine, batch_of(*world.pushed[-5:]))


def do_wait(world: World, minutes: int) -> None:
    world.now += timedelta(minutes=minutes)


def do_forget(world: World, chosen: tuple[str, int]) -> None:
    user, minute = chosen
    with world.engine.connect() as connection:
        shop = connection.scalar(select(Account.id).where(Account.app_id == SHOP.app_id))
    if shop:
        forget(world.engine, shop, SHOP.app_id, user, PLACES[world.zone] + timedelta(minutes=minute))


def do_attribute(world: World, chosen: tuple[str, int]) -> None:
    """As attribution does when it is recomputed."""
    user, publication_id = chosen
    with transaction(world.engine) as connection:
        of_user = Event.open_id == user
        mark(
            connection,
            [tuple(row) for row in connection.execute(select(Event.account_id, Event.created_at).where(of_user))],
        )
        connection.execute(update(Event).where(of_user).values(publication_id=publication_id))


def do_move(world: World, zone: str) -> None:
    with transaction(world.engine) as connection:
        connection.execute(update(Account).where(Account.app_id == SHOP.app_id).values(timezone=zone))


def do_end(world: World, statements: int) -> None:
    """Begin a roll-up that is killed, and let its lease run out."""
    left = statements

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise EndedError

    event.listen(world.engine, "before_cursor_execute", count)
    try:
        roll_up(world.engine, None, world.now)
    except EndedError:
        pass
    finally:
        event.remove(world.engine, "before_cursor_execute", count)
    free(world.engine)


def free(engine: Engine) -> None:
    from models.rollup import RollupLock

    with transaction(engine) as connection:
        connection.execute(update(RollupLock).values(leased_until=datetime.now().astimezone() - LEASE))


OPERATIONS: dict[Callable[[World, Any], None], st.SearchStrategy[Any]] = {
    do_record: st.lists(pushes, min_size=1, max_size=12),
    do_repeat: st.none(),
    do_wait: st.sampled_from((1, 61, 200)),
    do_forget: st.tuples(st.sampled_from(("oA", "oa")), MINUTES),
    do_attribute: st.tuples(st.sampled_from(("oA", "oB", "oC")), st.integers(1, 2)),
    do_move: st.sampled_from(sorted(PLACES)),
    do_end: st.integers(0, 60),
}
steps = st.one_of(
    *(st.tuples(st.just(operation), argument, st.booleans()) for operation, argument in OPERATIONS.items())
)


def check(engine: Engine, zone: str, todo: list[Any]) -> None:
    empty(engine)
    world = World(engine, zone, PLACES[zone] + timedelta(minutes=30), [])
    do_record(world, [("CLICK", "a", "oA", 0, 0, "", SHOP)])
    do_move(world, zone)
    for operation, argument, is_counted in todo:
        operation(world, argument)
        if is_counted:
            roll_up(engine, None, world.now)
    assert roll_up(engine, None, world.now, seconds=60) is not None

    assert counted(engine) == rolled_up(engine)
    with engine.connect() as connection:
        assert 0 == connection.scalar(select(func.count()).select_from(RollupMark))


@pytest.fixture(scope="module")
def sqlite(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    import shutil

    path = tmp_path_factory.mktemp("rollup") / "caidan.db"
    shutil.copy(sqlite_template, path)
    return connect(f"sqlite:///{path}")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(zone=st.sampled_from(sorted(PLACES)), todo=st.lists(steps, max_size=14))
def test_whatever_happens_the_rollups_say_what_events_are(sqlite: Engine, zone: str, todo: list[Any]) -> None:
    check(sqlite, zone, todo)
