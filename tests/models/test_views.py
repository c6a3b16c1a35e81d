"""The views say what the tables do, without saying who."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, inspect, make_url, text

import migrations
from models import views
from models.db import connect
from models.event import Location
from models.menu import Menu
from models.view_columns import COLUMNS
from models.view_dialects import EIGHT_HOURS, Dialect, MySQL, SQLite
from tests.console import asked
from tests.models.heard import Heard, tell

_SHOP = "WHERE account = 'shop'"


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def filled_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database of its own, filled once: these tests read it, or take back what they write."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('views') / 'caidan.db'}"
        if request.param != "sqlite":
            server = make_url(request.getfixturevalue(f"{request.param}_server").url)
            if server.drivername == "postgresql":
                server = server.set(drivername="postgresql+psycopg")
            admin = create_engine(server, isolation_level="AUTOCOMMIT")
            stack.callback(admin.dispose)
            connection = stack.enter_context(admin.connect())
            connection.exec_driver_sql("CREATE DATABASE caidan_views")
            stack.callback(connection.exec_driver_sql, "DROP DATABASE caidan_views")
            url = server.set(database="caidan_views").render_as_string(hide_password=False)
        engine = connect(url)
        stack.callback(engine.dispose)
        migrations.upgrade(engine)
        asked.fill(url)
        yield engine


@pytest.fixture
def filled(filled_engine: Engine) -> Iterator[Connection]:
    with filled_engine.connect() as connection:
        yield connection


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def test_whoever_changes_a_view_makes_the_views_anew() -> None:
    newest = import_module("migrations.versions.0009_views")

    assert newest.DIGEST == views.digest(), "views were changed: see migrations/versions/0009_views.py"


def test_the_views_are_those_that_are_told_of(database: Engine) -> None:
    with database.connect() as connection:
        told = {view.name: list(view.columns) for view in views.views(views.dialect_of(connection))}
    looked = inspect(database)

    made = {name: [column["name"] for column in looked.get_columns(name)] for name in looked.get_view_names()}

    assert told == made


def test_postgresql_has_a_comment_on_every_view_and_column_in_both_languages(postgresql_database_url: str) -> None:
    engine = connect(postgresql_database_url)
    with engine.connect() as connection:
        found = rows(
            connection,
            "SELECT c.relname, coalesce(a.attname, ''), col_description(c.oid, a.attnum), obj_description(c.oid)"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
            " WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace",
        )
        told = {view.name: str(view.comment) for view in views.views(views.dialect_of(connection))}
    engine.dispose()

    assert {(view, column, str(COLUMNS[column]), told[view]) for view, column, *_ in found} == set(found)
    assert all(
        re.search("[\u4e00-\u9fff]", comment.chinese) for comment in COLUMNS.values() if comment.chinese != "AppID"
    )
    assert told.keys() == {view for view, *_ in found}


def test_no_column_is_explained_that_no_view_has() -> None:
    used = {column for view in views.views(Dialect()) for column in view.columns}

    assert used == COLUMNS.keys()


def test_names_are_those_of_all_databases() -> None:
    named = [
        [(view.name, list(view.columns)) for view in views.views(dialect)]
        for dialect in (Dialect(), SQLite(), MySQL("utf8mb4_bin"))
    ]

    assert named[0] == named[1] == named[2]


def test_every_tap_is_a_row_with_the_name_of_its_button(filled: Connection) -> None:
    columns = "local_at, kind, button_key, button_name, menu_version, wechat_menu_id"
    found = rows(filled, f"SELECT {columns} FROM v_tap {_SHOP} ORDER BY created_at")
    at = {str(row[0])[:16]: row[1:] for row in found}

    assert 19 == len(found) == len(at)
    assert ("click", "TODAY", "每日推荐", 1, "100") == at["2026-11-19 10:00"]
    assert ("view", asked.URL, "官网", 1, None) == at["2026-11-19 10:01"]
    assert ("click", "OLD", None, None, None) == at["2026-11-21 12:00"]


def test_an_event_has_one_id_in_all_views_and_it_is_the_canonical_one(filled: Connection) -> None:
    query = "SELECT {} FROM v_scan s JOIN v_tap t ON t.event_id = s.event_id JOIN v_event e ON e.event_id = s.event_id"
    found = rows(filled, query.format("s.event_id, s.symbology, s.code, s.scan_type, t.follower, e.follower"))

    assert {("EAN_13", "6901234567892", "barcode"), (None, None, "qrcode")} == {row[1:4] for row in found}
    assert all(len(str(row[0])) == 36 and str(row[0])[14] == "8" and row[4] == row[5] for row in found)


def test_followers_are_numbers_by_which_they_are_told_apart(filled: Connection) -> None:
    query = "SELECT count(DISTINCT {}) FROM {} WHERE account_id = (SELECT id FROM account WHERE name = 'shop')"

    assert rows(filled, query.format("open_id", "event")) == rows(filled, query.format("follower", "v_event")) == [(5,)]


def test_no_view_names_a_follower_or_tells_what_they_wrote(filled: Connection) -> None:
    names = {row.open_id for row in filled.execute(text("SELECT DISTINCT open_id FROM event"))}
    names |= {name for (name,) in rows(filled, "SELECT label FROM location")}
    for view in views.views(views.dialect_of(filled)):
        said = {str(cell) for row in rows(filled, f"SELECT * FROM {view.name}") for cell in row}

        assert set() == names & said, view.name
        assert set() == {"open_id", "content", "body", "raw", "detail", "token", "digest"} & view.columns.keys()


def test_photos_are_counted_as_declared_and_as_listed(filled: Connection) -> None:
    found = rows(filled, f"SELECT declared_count, listed_count FROM v_photo_send {_SHOP} ORDER BY created_at")

    assert [(3, 1), (1, 1)] == found
    assert [("0" * 32, 2)] == rows(filled, "SELECT md5, count(*) FROM v_photo GROUP BY md5")


def test_places_are_told_of_only_where_several_people_were(filled: Connection) -> None:
    assert [] == rows(filled, "SELECT * FROM v_place") + rows(filled, "SELECT * FROM v_place_cell")

    place = {"latitude": Decimal("23.1264"), "longitude": Decimal("113.2551"), "poi_name": "五号店", "label": "3单元"}
    users = ["o1", "o1", "o2", "o3", "o4", "o5"]
    tell(
        filled,
        [Heard(one, "location_select", user=user, details=[(Location, place)]) for one, user in enumerate(users)],
    )
    (name,) = rows(filled, "SELECT utc_month, place, times, users FROM v_place")
    (cell,) = rows(filled, "SELECT latitude, longitude, times, users FROM v_place_cell")
    filled.rollback()

    assert ("2026-10-01", "五号店", 6, 5) == (str(name[0]), *name[1:])
    assert (23.13, 113.26, 6, 5) == (float(cell[0]), float(cell[1]), *cell[2:])


@pytest.mark.parametrize("view", ["v_hourly_button", "v_daily_button", "v_weekly_button", "v_monthly_button"])
def test_taps_are_those_of_the_events_and_none_is_counted_twice(filled: Connection, view: str) -> None:
    what = "account_id, kind, coalesce(button_key, ''), coalesce(button_name, '')"
    one_row_of_each = f"SELECT {what}, sum({{}}) FROM {{}} GROUP BY 1, 2, 3, 4"
    found = rows(filled, one_row_of_each.format("taps", f"{view} WHERE button_key IS NOT NULL"))

    assert {(*row[:4], int(row[4])) for row in found} == set(rows(filled, one_row_of_each.format("1", "v_tap")))


def test_users_of_a_day_are_different_people(filled: Connection) -> None:
    query = "SELECT {} day, taps, users FROM v_daily_{} WHERE account = 'shop' AND day >= '2026-11-19' {} ORDER BY day"
    menu = [(str(day), taps, users) for day, taps, users in rows(filled, query.format("", "menu", ""))]
    coupon = "AND button_name = '优惠券'"
    (button,) = rows(filled, query.format("button_key, menu_version,", "publication", coupon))

    assert [("2026-11-19", 4, 2), ("2026-11-20", 5, 3), ("2026-11-21", 2, 2), ("2026-11-23", 1, 1)] == menu
    assert ("COUPON", 2, "2026-11-20", 3, 2) == (*button[:2], str(button[2]), *button[3:])


def test_the_buttons_of_a_menu_are_those_that_it_has(filled: Connection) -> None:
    link = {"type": "view", "name": "官网", "url": "https://a", "sub_button": []}
    app = {"type": "miniprogram", "name": "商城", "url": "https://b", "appid": "wx", "pagepath": "pages/a"}
    definition = {
        "menu": {"button": [{"name": "更多", "sub_button": [link, app]}, {"type": "click", "name": "a", "key": "K"}]},
        "conditionalmenu": [
            {"button": [{"type": "click", "name": "b", "key": "k "}], "matchrule": {"tag_id": "2"}},
            {"button": [{"name": "下", "sub_button": [{"type": "media_id", "name": "c", "media_id": "m"}, link]}]},
        ],
    }
    (shop,) = rows(filled, "SELECT id FROM account WHERE name = 'shop'")[0]
    menu = {
        "account_id": shop,
        "version": 9,
        "digest": "",
        "definition": definition,
        "created_at": asked.clock("11-23 09:00"),
    }
    filled.execute(insert(Menu).values(menu))
    found = rows(
        filled, "SELECT menu_position, button_name, kind, button_key FROM v_menu_button WHERE menu_version = 9"
    )
    names = dict(rows(filled, "SELECT button_key, button_name FROM v_button WHERE kind = 'click'"))
    filled.rollback()

    assert {
        (0, "官网", "view", "https://a"),
        (0, "商城", "view_miniprogram", "pages/a"),
        (0, "a", "click", "K"),
        (1, "b", "click", "k "),
        (2, "官网", "view", "https://a"),
    } == set(found)
    assert 5 == len(found)
    assert {"K": "a", "k ": "b", "TODAY": "每日推荐", "COUPON": "优惠券"} == names


@pytest.mark.parametrize("name", EIGHT_HOURS)
def test_these_zones_have_always_been_eight_hours_ahead(name: str) -> None:
    zone = ZoneInfo(name)
    hours = (datetime(2011, 1, 1, tzinfo=zone) + timedelta(days=day / 4) for day in range(4 * 365 * 89))

    assert {timedelta(hours=8)} == {hour.utcoffset() for hour in hours}
