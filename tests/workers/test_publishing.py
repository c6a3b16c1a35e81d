"""Publishing against the simulated platform: what is live afterwards, what was called, and what is written down."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from models import menu_versions, publications, queries
from models.account import upsert_accounts
from models.db import connect, transaction
from models.publications import PublicationRow, UnderWayError
from tests.platforms import Platform
from tests.workers.shop import KEY, SHOP
from wechat.client import Client
from wechat.errcodes import Invalid, NotPermitted, Unreachable
from wechat.menu import Menu, digest, read, write
from wechat.menu_plan import is_same
from workers import publishing
from workers.api import Api
from workers.publishing import Wanted, live_menu, publish

CALLS = ("menu/create", "menu/addconditional", "menu/delconditional", "menu/delete")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with transaction(engine) as connection:
        upsert_accounts(connection, [SHOP])
    yield engine
    engine.dispose()


@pytest.fixture
def api(engine: Engine, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(publishing, "PAUSES", (0.0, 0.0, 0.0, 0.0))
    with Client(platform.url) as client:
        yield Api(engine, client, SHOP, KEY)


def a_menu(name: str, *tags: str) -> Menu:
    """A menu whose buttons are all called alike; with a personalised menu for each tag."""
    buttons = [{"type": "click", "name": name, "key": name}]
    conditional = [{"button": buttons, "matchrule": {"tag_id": tag}} for tag in tags]
    return read({"menu": {"button": buttons}} | ({"conditionalmenu": conditional} if tags else {}))


def saved(engine: Engine, menu: Menu) -> Wanted:
    with transaction(engine) as connection:
        account_id = queries.account_id(connection, SHOP.name)
        assert account_id is not None
        now = datetime.now(UTC)
        version, _ = menu_versions.save_version(connection, account_id, write(menu), digest(menu), now=now)
        found = menu_versions.version(connection, account_id, version)
    assert found is not None
    return Wanted(account_id, found.id, menu, "publish")


def written(engine: Engine) -> list[PublicationRow]:
    """The oldest first."""
    with engine.connect() as connection:
        account_id = queries.account_id(connection, SHOP.name)
        assert account_id is not None
        return list(reversed(publications.publications(connection, account_id)))


def made(platform: Platform) -> list[int]:
    return [len(platform.calls(call)) for call in CALLS]


def test_a_published_menu_is_live_and_written_down(engine: Engine, platform: Platform, api: Api) -> None:
    published = publish(engine, api, saved(engine, a_menu("a", "1", "2")))
    live = live_menu(api)
    (row,) = written(engine)
    with engine.connect() as connection:
        ids = publications.wechat_ids(connection, row.id)

    assert live is not None
    assert is_same(live, a_menu("a", "1", "2"))
    assert ["create", "add", "add"] == [step.call for step in published.steps]
    assert ("published", None, None, "publish") == (row.outcome, row.ended_at, row.errcode, row.cause)
    assert [str(one.fields["menuid"]) for one in (live, *live.personal)] == [ids[position] for position in range(3)]


def test_what_is_live_is_not_published_again(engine: Engine, platform: Platform, api: Api) -> None:
    publish(engine, api, saved(engine, a_menu("a", "1")))
    before = made(platform)
    again = publish(engine, api, saved(engine, a_menu("a", "1")))

    assert [] == again.steps
    assert before == made(platform)


def test_the_publication_before_ends_when_the_next_is_live(engine: Engine, api: Api) -> None:
    for name in ("a", "b"):
        publish(engine, api, saved(engine, a_menu(name)))
    first, second = written(engine)

    assert first.ended_at is not None
    assert second.ended_at is None
    assert second.started_at <= first.ended_at


def test_a_menu_of_the_console_is_replaced(engine: Engine, platform: Platform, api: Api) -> None:
    platform.console_menu([{"type": "text", "name": "t", "value": "Hi"}])

    assert live_menu(api) is None

    publish(engine, api, saved(engine, a_menu("a", "1")))
    live = live_menu(api)

    assert live is not None
    assert is_same(live, a_menu("a", "1"))


def test_a_refusal_leaves_the_old_menu_and_is_written_down(engine: Engine, platform: Platform, api: Api) -> None:
    publish(engine, api, saved(engine, a_menu("a")))
    with pytest.raises(Invalid):
        publish(engine, api, saved(engine, a_menu("much too long a name")))
    live = live_menu(api)
    first, second = written(engine)

    assert live is not None
    assert is_same(live, a_menu("a"))
    assert (None, "published") == (first.ended_at, first.outcome)
    assert ("refused", 40018) == (second.outcome, second.errcode)
    assert second.ended_at is not None


def test_an_account_without_the_right_to_personalised_menus_keeps_its_menu(
    engine: Engine, platform: Platform, api: Api
) -> None:
    publish(engine, api, saved(engine, a_menu("a")))
    platform.holdings(is_verified=False)
    with pytest.raises(NotPermitted):
        publish(engine, api, saved(engine, a_menu("b", "1")))

    assert live_menu(api) is not None


@pytest.mark.parametrize("call", ["menu/create", "menu/addconditional", "menu/delconditional", "menu/get"])
@pytest.mark.parametrize("after", [True, False])
def test_a_connection_that_breaks_does_not_keep_a_menu_from_being_published_once(
    engine: Engine, platform: Platform, api: Api, call: str, after: bool
) -> None:
    publish(engine, api, saved(engine, a_menu("a", "1", "2")))
    before = made(platform)
    platform.fault(call, drop=True, times=1, after=after)
    if call == "menu/get":  # nothing is known, nothing is done
        with pytest.raises(Unreachable):
            publish(engine, api, saved(engine, a_menu("b", "2", "3")))
        assert before == made(platform)
        return
    publish(engine, api, saved(engine, a_menu("b", "2", "3")))
    live = live_menu(api)

    assert live is not None
    assert is_same(live, a_menu("b", "2", "3"))


def test_a_platform_that_is_down_fails_the_publication_and_nothing_else(
    engine: Engine, platform: Platform, api: Api
) -> None:
    publish(engine, api, saved(engine, a_menu("a")))
    platform.fault("menu/create", status=502, garbage=True)
    with pytest.raises(Unreachable):
        publish(engine, api, saved(engine, a_menu("b")))
    platform.heal()

    assert ["published", "failed"] == [row.outcome for row in written(engine)]

    publish(engine, api, saved(engine, a_menu("b")))

    assert ["published", "failed", "published"] == [row.outcome for row in written(engine)]


def test_where_there_is_no_room_for_both_the_old_personalised_menus_go_first(
    engine: Engine, platform: Platform, api: Api
) -> None:
    publish(engine, api, saved(engine, a_menu("a", "1")))
    platform.fault("menu/addconditional", errcode=65305, times=1)
    published = publish(engine, api, saved(engine, a_menu("a", "2")))

    assert ["delete", "add"] == [step.call for step in published.steps]


def test_two_do_not_publish_for_an_account_at_the_same_time(engine: Engine, api: Api) -> None:
    wanted = saved(engine, a_menu("a"))
    with transaction(engine) as connection:
        publications.claim(connection, wanted.account_id, wanted.menu_id, "rotation", datetime.now(UTC))
    with pytest.raises(UnderWayError):
        publish(engine, api, wanted)


def test_whoever_died_while_publishing_is_succeeded_after_a_while(engine: Engine, api: Api) -> None:
    wanted = saved(engine, a_menu("a"))
    long_ago = datetime.now(UTC) - publications.CLAIM - timedelta(seconds=1)
    with transaction(engine) as connection:
        publications.claim(connection, wanted.account_id, wanted.menu_id, "rotation", long_ago)
    publish(engine, api, wanted)

    assert ["abandoned", "published"] == [row.outcome for row in written(engine)]


def test_a_successor_is_not_overwritten_by_whoever_was_taken_for_dead(engine: Engine) -> None:
    wanted = saved(engine, a_menu("a"))
    long_ago = datetime.now(UTC) - publications.CLAIM - timedelta(seconds=1)
    with transaction(engine) as connection:
        dead = publications.claim(connection, wanted.account_id, wanted.menu_id, "rotation", long_ago)
        publications.claim(connection, wanted.account_id, wanted.menu_id, "publish", datetime.now(UTC))

        assert not publications.finish(connection, dead, {}, datetime.now(UTC))


def test_whoever_was_taken_for_dead_makes_no_further_call(engine: Engine, platform: Platform, api: Api) -> None:
    slow, other = saved(engine, a_menu("a", "1")), saved(engine, a_menu("b"))
    now = [datetime.now(UTC)]

    def be_overtaken(_step: object) -> None:
        now[0] += publications.CLAIM + timedelta(seconds=1)
        publish(engine, api, other, clock=lambda: now[0])

    with pytest.raises(UnderWayError):
        publish(engine, api, slow, be_overtaken, lambda: now[0])
    live = live_menu(api)

    assert live is not None
    assert is_same(live, other.menu)
    assert ["abandoned", "published"] == [row.outcome for row in written(engine)]


def test_whoever_gives_signs_of_life_is_not_overtaken(engine: Engine, api: Api) -> None:
    now = [datetime.now(UTC)]

    def be_slow(_step: object) -> None:
        now[0] += publications.CLAIM * 0.9
        with pytest.raises(UnderWayError):
            publish(engine, api, wanted, clock=lambda: now[0])

    wanted = saved(engine, a_menu("a", "1", "2"))
    publish(engine, api, wanted, be_slow, lambda: now[0])

    assert ["published"] == [row.outcome for row in written(engine)]


def test_the_version_before_is_the_last_one_that_was_another(engine: Engine, api: Api) -> None:
    for name in ("a", "b", "b"):
        publish(engine, api, saved(engine, a_menu(name)))
    with engine.connect() as connection:
        account_id = queries.account_id(connection, SHOP.name)
        assert account_id is not None
        former = publications.before_live(connection, account_id)

    assert former is not None
    assert 1 == former.version
