"""What switches cost in calls: against the simulated platform, and by the day."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from models import menu_versions, queries
from models.account import upsert_accounts
from models.db import connect, transaction
from models.holidays import Calendar
from models.rotations import RotationRow
from tests.platforms import Platform
from tests.workers.guarded import a_menu
from tests.workers.shop import KEY, SHOP
from wechat.client import ADD_CONDITIONAL, CREATE_MENU, DELETE_CONDITIONAL, GET_MENU, Client
from wechat.menu import Menu, digest, read, write
from workers.api import Api
from workers.due import Switch, switches
from workers.publishing import Wanted, publish
from workers.rotation_cost import Overrun, calls, cost, overruns

MIDNIGHT = datetime(2026, 10, 20, 16, tzinfo=UTC)  # in Beijing
DAY = date(2026, 10, 21)
MENUS = {1: a_menu("base"), 2: a_menu("sale", "1", "2"), 3: a_menu("late")}
EVERYTHING = (CREATE_MENU, ADD_CONDITIONAL, DELETE_CONDITIONAL, GET_MENU)


def rotation(number: int, **rule: object) -> RotationRow:
    return RotationRow(id=number, account_id=1, menu_id=number, version=number, **rule)  # type: ignore[arg-type]


def switched(*rotations: RotationRow, days: int = 1) -> Iterator[Switch]:
    return switches(rotations, Calendar({}, frozenset()), MIDNIGHT, MIDNIGHT + timedelta(days=days))


def published(engine: Engine, platform: Platform, menu: Menu) -> Counter[str]:
    """The calls that it took."""
    before = Counter({path: len(platform.calls(path.removeprefix("/cgi-bin/"))) for path in EVERYTHING})
    with transaction(engine) as connection:
        account_id, now = queries.account_id(connection, SHOP.name), datetime.now(UTC)
        assert account_id is not None
        saved = menu_versions.save_version(connection, account_id, write(menu), digest(menu), now=now)
        version = menu_versions.version(connection, account_id, saved[0])
    assert version is not None
    with Client(platform.url) as client:
        publish(engine, Api(engine, client, SHOP, KEY), Wanted(account_id, version.id, menu, "rotation"))
    return Counter({path: len(platform.calls(path.removeprefix("/cgi-bin/"))) for path in EVERYTHING}) - before


@pytest.fixture
def engine(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    with transaction(engine) as connection:
        upsert_accounts(connection, [SHOP])
    yield engine
    engine.dispose()


def personalised(default: str, personal: str, *tags: str) -> Menu:
    return read(write(a_menu(default)) | {"conditionalmenu": write(a_menu(personal, *tags))["conditionalmenu"]})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (a_menu("a"), a_menu("b")),
        (a_menu("a"), a_menu("a")),
        (a_menu("a"), personalised("a", "b", "1", "2")),
        (personalised("a", "b", "1", "2"), personalised("a", "b", "1", "3")),
        (personalised("a", "b", "1", "2"), a_menu("a")),
    ],
)
def test_it_is_counted_what_publishing_takes(engine: Engine, platform: Platform, before: Menu, after: Menu) -> None:
    taken = [published(engine, platform, menu) for menu in (before, after)]

    assert [cost(None, before), cost(before, after)] == taken


def test_where_personalised_menus_may_go_with_the_default_one_the_most_is_counted(
    engine: Engine, platform: Platform
) -> None:
    before, after = personalised("a", "b", "1", "2"), personalised("b", "b", "1", "3")
    published(engine, platform, before)
    taken = published(engine, platform, after)  # here they stay

    assert Counter({CREATE_MENU: 1, ADD_CONDITIONAL: 1, DELETE_CONDITIONAL: 1, GET_MENU: 3}) == taken
    assert Counter({CREATE_MENU: 1, ADD_CONDITIONAL: 2, DELETE_CONDITIONAL: 1, GET_MENU: 3}) == cost(before, after)


def test_calls_are_counted_by_the_days_of_beijing() -> None:
    lunch = rotation(2, hours="11:00-14:00")
    night = rotation(3, hours="23:00-01:00")
    found = calls(switched(rotation(1), lunch, night, days=2), MENUS)

    assert [DAY, DAY + timedelta(days=1)] == list(found)
    # To the night's and back at one, to lunch and back; on the first day the night began before.
    assert {CREATE_MENU: 4, GET_MENU: 9, ADD_CONDITIONAL: 2, DELETE_CONDITIONAL: 2} == found[DAY]
    assert found[DAY] == found[DAY + timedelta(days=1)]


def test_where_nothing_is_due_afterwards_nothing_is_called() -> None:
    found = calls(switched(rotation(3, hours="11:00-14:00")), MENUS)

    assert {DAY: Counter({CREATE_MENU: 1, GET_MENU: 2})} == found


def test_a_plan_of_too_many_calls_is_told_by_the_day() -> None:
    every_minute = rotation(3, cron="* 12-20 * * *", duration=30)
    planned = calls(switched(rotation(1), every_minute), MENUS)

    assert [Overrun(DAY, CREATE_MENU, 1080, 1000)] == overruns(planned)


@pytest.mark.parametrize(("used", "expected"), [(998, []), (999, [Overrun(DAY, CREATE_MENU, 1001, 1000)])])
def test_calls_that_were_made_already_count(used: int, expected: list[Overrun]) -> None:
    planned = calls(switched(rotation(1), rotation(3, hours="11:00-14:00")), MENUS)

    assert expected == overruns(planned, {DAY: {CREATE_MENU: used}})
    assert [] == overruns(planned, {DAY + timedelta(days=1): {CREATE_MENU: used}})
    assert [] == overruns({}, {DAY: {CREATE_MENU: 2000}})


def test_accounts_that_may_call_less_often_are_told_sooner() -> None:
    planned = calls(switched(rotation(1), rotation(3, cron="*/10 0-9 * * *", duration=60)), MENUS)

    assert [] == overruns(planned)
    assert [CREATE_MENU] == [one.path for one in overruns(planned, limits={CREATE_MENU: 100})]
