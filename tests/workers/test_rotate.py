"""The tick: the menu that is due goes live, or the reason why it does not is on record."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from models import freezes, guards, publications
from models.api_use import ApiUse, count_calls
from models.config import Account, Config
from models.db import transaction
from models.drift import note_drift
from models.menu import Menu
from models.rotation import Rotation
from models.rotations import set_enabled
from tests.workers.rotating import CAFE, HOUR, MINUTE, NINE, DeadError, Rotating, a_menu, rotating_on
from tests.workers.shop import KEY, SHOP
from wechat.client import CREATE_MENU
from wechat.menu import write
from wechat.quota import DAILY, day_of
from workers import publishing
from workers.rotate import rotate, rotate_all

SALE = {"starts_at": NINE + HOUR, "ends_at": NINE + 2 * HOUR}
TOO_LONG = "much too long a name"


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PAUSES", (0.0, 0.0))


@pytest.fixture
def rotating(sqlite_database_url: str) -> Iterator[Rotating]:
    with rotating_on(sqlite_database_url) as rotating:
        yield rotating


@pytest.fixture
def rotating_anywhere(database_url: str) -> Iterator[Rotating]:
    with rotating_on(database_url) as rotating:
        yield rotating


def told(caplog: pytest.LogCaptureFixture, event: str = "due menu not live") -> list[tuple[int, str]]:
    return [(one.levelno, vars(one).get("reason", "")) for one in caplog.records if one.message == event]


def test_menus_come_and_go_with_their_windows(rotating_anywhere: Rotating) -> None:
    rotating = rotating_anywhere
    base, sale = rotating.add(a_menu("base")), rotating.add(a_menu("sale", "1"), **SALE)
    seen = []
    for after in (MINUTE, HOUR, HOUR):
        rotating.tick(after)
        seen.append(rotating.live())

    assert [1, 2, 1] == seen
    assert [("rotation", base), ("rotation", sale), ("rotation", base)] == rotating.caused()
    assert [NINE + MINUTE, NINE + MINUTE + HOUR, NINE + MINUTE + 2 * HOUR] == [
        row.started_at for row in rotating.written()
    ]
    assert rotating.delay() is None


def test_what_is_live_already_costs_no_call(rotating: Rotating) -> None:
    rotating.add(a_menu("base"))
    rotating.tick()
    before = rotating.calls("")
    rotating.tick()

    assert before == rotating.calls("")


def test_where_no_menu_is_due_the_one_that_is_live_stays(rotating: Rotating) -> None:
    rotation_id = rotating.add(a_menu("base"))
    rotating.add(a_menu("sale"), **SALE)
    rotating.tick()
    with transaction(rotating.engine) as connection:
        set_enabled(connection, rotation_id, False)
    rotating.tick()
    rotating.tick(HOUR)
    rotating.tick(5 * HOUR)

    assert 2 == rotating.live()
    assert rotating.delay() is None


def test_switches_that_were_missed_are_made_up_by_what_is_due_now(rotating: Rotating) -> None:
    rotating.add(a_menu("base"))
    for number in range(1, 6):
        rotating.add(a_menu(f"sale{number}"), starts_at=NINE + number * HOUR, ends_at=NINE + (number + 1) * HOUR)
    rotating.tick()
    rotating.tick(4 * HOUR)

    assert 5 == rotating.live()
    assert 2 == rotating.calls()


def test_any_number_of_beats_makes_one_publication(rotating_anywhere: Rotating) -> None:
    rotating = rotating_anywhere
    rotating.add(a_menu("base", "1"))
    rotating.platform.fault("menu/create", delay=0.5)
    start, config = threading.Barrier(4), rotating.config

    def beat() -> None:
        start.wait()
        rotate_all(rotating.engine, config, lambda: NINE)

    threads = [threading.Thread(target=beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rotating.tick()

    assert (1, 1) == (rotating.calls("menu/create"), rotating.calls("menu/addconditional"))
    assert ["published"] == [row.outcome for row in rotating.written()]
    assert 1 == rotating.live()
    assert rotating.delay() is None


@pytest.mark.parametrize("readings", range(7))
def test_whoever_is_killed_on_the_way_is_succeeded_within_two_minutes(rotating: Rotating, readings: int) -> None:
    """The clock is read when looking, claiming, before each of three calls, and in the end."""
    rotating.add(a_menu("base"))
    rotating.add(a_menu("sale", "1", "2"), **SALE)
    rotating.tick()
    rotating.now = NINE + HOUR
    if readings == 6:
        rotating.die(readings)  # it has lived long enough
    else:
        with pytest.raises(DeadError):
            rotating.die(readings)
    rotating.tick()
    rotating.tick()

    assert 2 == rotating.live()
    assert (2, 2) == (rotating.calls("menu/create"), rotating.calls("menu/addconditional"))
    assert rotating.delay() is None


@pytest.mark.parametrize("is_killed", [True, False])
def test_what_a_failed_publication_left_behind_is_put_right_when_the_old_menu_is_due_again(
    rotating: Rotating, *, is_killed: bool
) -> None:
    rotating.add(a_menu("base"))
    rotating.add(a_menu("sale", "1"), **SALE)
    rotating.tick()
    rotating.now = NINE + HOUR
    if is_killed:
        with pytest.raises(DeadError):
            rotating.die(3)  # when the default menu is there, and the other is not
    else:
        rotating.platform.fault("menu/addconditional", errcode=48001)
        rotating.tick(timedelta())
        rotating.platform.heal()

    assert rotating.live() is None

    rotating.tick(HOUR)
    before = rotating.calls("")
    rotating.tick()

    assert before == rotating.calls("")
    assert 1 == rotating.live()
    assert rotating.delay() is None


def test_a_refusal_leaves_the_old_menu_and_the_other_accounts_get_theirs(
    rotating_anywhere: Rotating, caplog: pytest.LogCaptureFixture
) -> None:
    rotating = rotating_anywhere
    rotating.add(a_menu("base"))
    rotating.add(a_menu(TOO_LONG), starts_at=NINE + HOUR, ends_at=NINE + 3 * HOUR)
    rotating.add(a_menu("cafe"), CAFE, **SALE)
    rotating.tick()
    rotating.tick(HOUR)
    delay = rotating.delay()

    assert (1, 1) == (rotating.live(), rotating.live(CAFE))
    assert delay is not None
    assert ("refused", 40018, 1) == (delay.reason, delay.errcode, delay.failures)
    assert [(logging.ERROR, "refused")] == told(caplog)

    before = rotating.calls("")
    for _minute in range(5):
        rotating.tick()

    assert before == rotating.calls("")
    assert [(logging.ERROR, "refused")] == told(caplog)

    rotating.tick(HOUR)

    assert 2 == len(told(caplog))
    assert ["published", "refused", "refused"] == [row.outcome for row in rotating.written()]

    rotating.tick(HOUR)

    assert rotating.delay() is None


def test_after_a_refusal_another_menu_is_tried_at_once(rotating: Rotating) -> None:
    rotating.add(a_menu(TOO_LONG))
    rotating.tick()
    rotating.add(a_menu("sale"), starts_at=NINE)
    rotating.tick()

    assert 2 == rotating.live()
    assert rotating.delay() is None


def test_when_wechat_is_reached_again_the_menu_goes_live(rotating: Rotating, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rotating.add(a_menu("base"))
    rotating.platform.fault("menu/get", drop=True)
    for _minute in range(4):
        rotating.tick()
    delay = rotating.delay()

    assert delay is not None
    assert ("unreachable", 3, NINE + MINUTE) == (delay.reason, delay.failures, delay.since)
    assert [(logging.ERROR, "unreachable")] == told(caplog)

    rotating.platform.heal()
    rotating.tick(4 * MINUTE)

    assert 1 == rotating.live()
    assert rotating.delay() is None
    assert [(logging.INFO, "unreachable")] == told(caplog, "due menu live at last")


def test_an_account_for_which_wechat_is_slow_does_not_keep_the_others(
    rotating: Rotating, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rotating.add(a_menu("base", "1"))  # the first account, with a menu that takes a second call
    rotating.add(a_menu("cafe"), CAFE)
    rotating.platform.fault("menu/addconditional", delay=4)
    rotating.tick()

    assert ["cafe", "shop"] == [vars(one)["account"] for one in caplog.records if one.message == "menu rotated"]


def test_a_rotation_that_this_host_cannot_read_is_on_record_and_the_menu_stays(
    rotating: Rotating, caplog: pytest.LogCaptureFixture
) -> None:
    rotating.add(a_menu("base"))
    rotating.tick()
    strange = rotating.add(a_menu("sale"), weekdays="1,2,3", priority=-1)
    with transaction(rotating.engine) as connection:  # of a zone that this machine does not know, after a move
        connection.execute(update(Rotation).where(Rotation.id == strange).values(timezone="Mars/Phobos"))
    rotating.add(a_menu("cafe"), CAFE)
    before = rotating.calls("menu/get")
    rotating.tick()
    rotating.tick()
    delay = rotating.delay()

    assert (1, 1) == (rotating.live(), rotating.live(CAFE))
    assert before + 2 == rotating.calls("menu/get") - 2  # the cafe's, and those of this test
    assert delay is not None
    assert ("unreadable", strange, 0) == (delay.reason, delay.rotation_id, delay.failures)
    assert [(logging.ERROR, "unreadable")] == told(caplog)

    with transaction(rotating.engine) as connection:
        set_enabled(connection, strange, False)
    rotating.tick()

    assert rotating.delay() is None


def test_an_error_in_one_account_is_told_and_no_others(rotating: Rotating, caplog: pytest.LogCaptureFixture) -> None:
    rotating.add(a_menu("cafe"), CAFE)
    rotating.add(a_menu("base"))
    with transaction(rotating.engine) as connection:  # as if by hand
        connection.execute(update(Menu).where(Menu.account_id == rotating.account_id()).values(definition=[]))
    rotating.tick()

    assert 1 == rotating.live(CAFE)
    assert [(logging.ERROR, "AttributeError")] == told(caplog, "account not rotated")


def test_while_frozen_the_menu_stays_and_the_reason_is_on_record(
    rotating: Rotating, caplog: pytest.LogCaptureFixture
) -> None:
    rotating.add(a_menu("base"))
    rotating.tick()
    rotating.add(a_menu("sale"), starts_at=NINE)
    with transaction(rotating.engine) as connection:
        freezes.freeze(connection, rotating.account_id(), NINE, NINE + HOUR)
    for _minute in range(3):
        rotating.tick()
    delay = rotating.delay()

    assert 1 == rotating.live()
    assert delay is not None
    assert ("frozen", 0, NINE + HOUR) == (delay.reason, delay.failures, delay.next_try_at)
    assert [(logging.WARNING, "frozen")] == told(caplog)

    with transaction(rotating.engine) as connection:
        freezes.unfreeze(connection, rotating.account_id(), rotating.now)
    rotating.tick()

    assert 2 == rotating.live()


def test_a_window_that_its_guard_has_stopped_gives_way_to_the_menu_below(rotating: Rotating) -> None:
    base = rotating.add(a_menu("base"))
    sale = rotating.add(a_menu("sale"), **SALE)
    rotating.tick(HOUR)
    with transaction(rotating.engine) as connection:
        guards.stop(connection, sale, NINE + HOUR, 1, 100, rotating.now)
    rotating.tick()

    assert 1 == rotating.live()
    assert [("rotation", sale), ("guard", base)] == rotating.caused()


def test_a_menu_that_was_changed_elsewhere_is_put_right(rotating: Rotating) -> None:
    rotating.add(a_menu("base"))
    rotating.tick()
    rotating.platform.call("menu/create", write(a_menu("else"))["menu"], token=rotating.platform.token())
    with transaction(rotating.engine) as connection:
        note_drift(connection, rotating.account_id(), rotating.written()[0].id, "another", rotating.now)

    assert rotating.live() is None

    rotating.tick()
    before = rotating.calls("")
    rotating.tick()

    assert before == rotating.calls("")
    assert 1 == rotating.live()


def test_a_menu_that_a_person_publishes_gives_way_to_the_one_that_is_due(rotating: Rotating) -> None:
    rotating.add(a_menu("base"))
    rotating.tick()
    account_id, menu_id = rotating.account_id(), rotating.save(a_menu("other"))
    with transaction(rotating.engine) as connection:
        published = publications.claim(connection, account_id, menu_id, "publish", rotating.now)
        publications.finish(connection, published, {}, rotating.now)
    rotating.tick()

    assert 1 == rotating.live()


def test_what_would_take_more_calls_than_the_day_has_left_is_not_begun(rotating: Rotating) -> None:
    rotating.now = datetime.now(UTC)
    day = day_of(rotating.now)
    with transaction(rotating.engine) as connection:
        count_calls(connection, rotating.account_id(), day, [CREATE_MENU], rotating.now)
        connection.execute(update(ApiUse).values(count=DAILY[CREATE_MENU] - 1))
    rotating.add(a_menu("base"))
    rotating.tick(timedelta())  # there is room for one

    assert 1 == rotating.live()

    rotating.add(a_menu("sale"), starts_at=rotating.now)
    before = rotating.calls("")
    rotating.tick(timedelta())
    delay = rotating.delay()

    assert before == rotating.calls("")
    assert delay is not None
    assert ("quota", 0) == (delay.reason, delay.failures)
    assert day < day_of(delay.next_try_at)

    rotating.tick(delay.next_try_at - rotating.now)

    assert 2 == rotating.live()


def test_while_somebody_publishes_that_is_the_reason_and_no_alarm(
    rotating: Rotating, caplog: pytest.LogCaptureFixture
) -> None:
    rotating.add(a_menu("base"))
    account_id, menu_id = rotating.account_id(), rotating.save(a_menu("other"))
    with transaction(rotating.engine) as connection:
        publications.claim(connection, account_id, menu_id, "publish", NINE + MINUTE)
    rotating.tick()
    delay = rotating.delay()

    assert delay is not None
    assert ("under_way", 0) == (delay.reason, delay.failures)
    assert [] == told(caplog)

    rotating.tick()

    assert 1 == rotating.live()
    assert rotating.delay() is None


def test_without_an_app_secret_wechat_is_not_asked(rotating: Rotating, caplog: pytest.LogCaptureFixture) -> None:
    rotating.add(a_menu("base"))
    secretless = SHOP.model_copy(update={"app_secret": None})
    rotating.config = Config(accounts=(secretless,), secret_key=KEY, api_base_url=rotating.platform.url)
    rotating.tick()
    rotating.tick()
    delay = rotating.delay()

    assert delay is not None
    assert "not_configured" == delay.reason
    assert [(logging.ERROR, "not_configured")] == told(caplog)
    assert 0 == rotating.calls("")


def test_an_account_without_rows_is_passed_over(rotating: Rotating) -> None:
    rotate(rotating.engine, None, Account(name="new", app_id="wx00000000000000ff", token="t"))
