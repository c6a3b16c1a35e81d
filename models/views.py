"""Views for analysts: what was tapped, scanned and sent, in words that stay, for whatever speaks SQL.

They tell of followers by number only, so that no openid leaves the database with a dashboard; what followers wrote is
in none, and where they were only by cells and places that several people chose. Whoever needs more is granted a table.

Dashboards rely on names and columns: a view may get another column at its end, and no other change. Each change of a
definition needs a migration that makes the views anew, as 0009 did; a test compares their digest with its.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from models.event import DOCTORS, MENU_KINDS
from models.rollup import ANY_PUBLICATION, NO_MENU_ID, NO_PUBLICATION, WHOLE_MENU
from models.view_columns import COLUMNS, Comment
from models.view_dialects import Dialect, MySQL, SQLite, dialect_of

AT_LEAST = 5  # different people at a place, below whom no view tells of it; the default of `places_at_least`

_EVENT = f"account a JOIN event e ON e.account_id = a.id AND e.kind <> '{DOCTORS}'"
# The time is named besides the id: so PostgreSQL joins month by month, and leaves out the same months of both.
_DETAIL = _EVENT + " JOIN {0} d ON d.event_id = e.id AND d.created_at = e.created_at"
_FOLLOWER = "LEFT JOIN follower f ON f.account_id = e.account_id AND f.open_id = e.open_id"
_MENU = "LEFT JOIN publication p ON p.id = e.publication_id LEFT JOIN menu m ON m.id = p.menu_id"
_NAME = "LEFT JOIN v_button n ON n.account_id = {0}.account_id AND n.kind = {0}.kind AND n.button_key = {0}.event_key"
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(MENU_KINDS))


@dataclass(frozen=True)
class View:
    name: str
    comment: Comment
    columns: Mapping[str, str]  # what each is made of
    source: str  # what comes after FROM
    rest: str = ""

    @property
    def query(self) -> str:
        columns = ", ".join(f"{made} AS {name}" for name, made in self.columns.items())
        return f"SELECT {columns} FROM {self.source} {self.rest}".rstrip()  # noqa: S608 (all of it is ours)


def views(dialect: Dialect) -> list[View]:
    """In an order in which they can be made: some read others."""
    return [*_of_menus(dialect), *_of_events(dialect), *_of_places(dialect), *_of_rollups(), *_of_keeping(dialect)]


def create(connection: Connection) -> None:
    """Make the views, or bring them up to date; who may read them, still may."""
    dialect = dialect_of(connection)
    # SQLite has no OR REPLACE, and nobody who could have been granted anything.
    verb = "CREATE VIEW" if isinstance(dialect, SQLite) and not isinstance(dialect, MySQL) else "CREATE OR REPLACE VIEW"
    if verb == "CREATE VIEW":
        drop(connection)
    for view in views(dialect):
        _run(connection, f"{verb} {view.name} AS {view.query}")
        if dialect.name == "postgresql":  # the others keep no comments on views: `caidan db views` has them
            _run(connection, f"COMMENT ON VIEW {view.name} IS {_quoted(view.comment)}")
            for column in view.columns:
                _run(connection, f"COMMENT ON COLUMN {view.name}.{column} IS {_quoted(COLUMNS[column])}")


def drop(connection: Connection) -> None:
    for view in reversed(views(dialect_of(connection))):
        _run(connection, f"DROP VIEW IF EXISTS {view.name}")


def digest() -> str:
    """Of all that is said here, on every database."""
    dialects = (Dialect(), SQLite(), MySQL("utf8mb4_nopad_bin"))
    made = [
        (view.name, view.comment, view.query, list(view.columns)) for dialect in dialects for view in views(dialect)
    ]
    comments = sorted(COLUMNS.items())
    return hashlib.blake2b(repr((made, comments)).encode(), digest_size=16).hexdigest()


def _of_menus(dialect: Dialect) -> list[View]:
    of_menu = {"account_id": "m.account_id", "account": "a.name", "menu_id": "m.id", "menu_version": "m.version"}
    shown = ("account_id", "menu_id", "menu_version", "menu_position", "button_name", "kind", "button_key")
    latest = dialect.latest(
        "account_id, kind, button_key, button_name",
        "account_id, kind, button_key",
        "menu_version DESC, menu_position",
        dialect.buttons() + " WHERE button_key IS NOT NULL",
    )
    named = ("account_id", "kind", "button_key", "button_name")
    return [
        View(
            "v_account",
            Comment("the Official Accounts", "公众号"),
            {"account_id": "a.id", "account": "a.name"}
            | {name: f"a.{name}" for name in ("app_id", "original_id", "timezone")},
            "account a",
        ),
        View(
            "v_menu",
            Comment("the saved versions of the menus", "已保存的菜单版本"),
            of_menu | {"note": "m.note", "author": "m.author", "saved_at": "m.created_at"},
            "menu m JOIN account a ON a.id = m.account_id",
        ),
        View(
            "v_menu_button",
            Comment("the buttons of each saved menu that taps tell of", "各已保存菜单中会产生点击事件的按钮"),
            {name: f"shown.{name}" for name in shown},
            dialect.buttons(),
        ),
        View(
            "v_button",
            Comment("the buttons by kind and key, with their last name", "按种类和 key 区分的按钮及其最新名称"),
            {name: f"b.{name}" for name in named},
            f"({latest}) AS b",
        ),
        View(
            "v_publication",
            Comment("when which menu was put up, and why", "哪个菜单在何时因何发布"),
            {"publication_id": "p.id"}
            | of_menu
            | {name: f"p.{name}" for name in ("cause", "rotation_id", "started_at", "ended_at", "outcome", "errcode")},
            "publication p JOIN menu m ON m.id = p.menu_id JOIN account a ON a.id = p.account_id",
        ),
    ]


def _of_events(dialect: Dialect) -> list[View]:
    base = {
        "event_id": dialect.id("e.id"),
        "created_at": "e.created_at",
        "local_at": dialect.local("e.created_at"),
        "account_id": "e.account_id",
        "account": "a.name",
        "kind": "e.kind",
    }
    menu = {"publication_id": "e.publication_id", "menu_version": "m.version", "wechat_menu_id": "e.wechat_menu_id"}
    follower, button = {"follower": "f.number"}, {"button_key": "e.event_key", "button_name": "n.button_name"}
    times = {"received_at": "e.received_at", "recorded_at": "e.recorded_at"}
    name = _NAME.format("e")

    def detail(table: str, *columns: str) -> tuple[dict[str, str], str]:
        return {column: f"d.{column}" for column in columns}, _DETAIL.format(table)

    scan, scans = detail("scan", "scan_type", "scan_result", "symbology", "code")
    send, sends = detail("photo_send", "declared_count", "listed_count")
    photo, photos = detail("photo", "position", "md5")
    message, messages = detail("message", "msg_type", "format")
    characters = dialect.length("coalesce(d.content, d.recognition)")
    return [
        View(
            "v_event",
            Comment("everything that was pushed", "微信推送的全部事件"),
            base | follower | {"event_key": "e.event_key"} | menu | times,
            f"{_EVENT} {_FOLLOWER} {_MENU}",
        ),
        View(
            "v_tap",
            Comment("taps of buttons of the menu, one row each", "菜单按钮的点击，每次一行"),
            base | button | follower | menu,
            f"{_EVENT} AND e.kind IN ({_KINDS}) {_FOLLOWER} {_MENU} {name}",
        ),
        View(
            "v_scan",
            Comment("what was scanned by a button of the menu", "通过菜单按钮扫描的内容"),
            base | button | follower | menu | scan,
            f"{scans} {_FOLLOWER} {_MENU} {name}",
        ),
        View(
            "v_photo_send",
            Comment("photos sent by a button of the menu, one row a send", "通过菜单按钮发送照片，每次发送一行"),
            base | button | follower | menu | send,
            f"{sends} {_FOLLOWER} {_MENU} {name}",
        ),
        View(
            "v_photo",
            Comment("the photos of v_photo_send, one row each", "v_photo_send 中的照片，每张一行"),
            base | button | follower | menu | photo,
            f"{photos} {_FOLLOWER} {_MENU} {name}",
        ),
        View(
            "v_message",
            Comment("messages of followers, without what they say", "关注者的消息，不含其内容"),
            base | follower | message | {"characters": characters},
            f"{messages} {_FOLLOWER}",
        ),
    ]


def _of_places(dialect: Dialect) -> list[View]:
    chosen = _DETAIL.format("location")
    month = dialect.month("e.created_at")
    latitude, longitude = (dialect.cell(f"d.{name}") for name in ("latitude", "longitude"))
    of_account = {"utc_month": month, "account_id": "e.account_id", "account": "a.name", "kind": "e.kind"}
    counts = {"times": "count(*)", "users": "count(DISTINCT e.open_id)"}
    several = f"HAVING count(DISTINCT e.open_id) >= {AT_LEAST}"
    cell = {"latitude": latitude, "longitude": longitude, "datum": "d.datum"}
    by_cell = f"GROUP BY {month}, e.account_id, a.name, e.kind, {latitude}, {longitude}, d.datum {several}"
    by_name = f"GROUP BY {month}, e.account_id, a.name, e.kind, d.poi_name {several}"
    few = f"at least {AT_LEAST} people a month", f"每月至少 {AT_LEAST} 人"
    return [
        View(
            "v_place_cell",
            Comment(f"where followers were, by cells with {few[0]}", f"关注者所在的网格，{few[1]}"),
            of_account | cell | counts,
            f"{chosen} AND d.latitude IS NOT NULL AND d.longitude IS NOT NULL",
            by_cell,
        ),
        View(
            "v_place",
            Comment(f"places by name that were chosen by {few[0]}", f"按名称统计的所选地点，{few[1]}"),
            of_account | {"place": "d.poi_name"} | counts,
            f"{chosen} AND d.poi_name IS NOT NULL",
            by_name,
        ),
    ]


def _of_rollups() -> list[View]:
    """Of each button in a bucket one row is whole: that of all publications together, or of the only one."""
    account = {"account_id": "r.account_id", "account": "a.name"}
    button = {"kind": "b.kind", "button_key": "b.event_key", "button_name": "n.button_name"}
    counts = {"taps": "r.taps", "users": "r.users"}
    names = f"JOIN button b ON b.id = r.button_id {_NAME.format('b')}"
    found = []
    for table, often, times, chinese in (
        ("rollup_hour", "hourly", ("day", "starts_at"), "小时"),
        ("rollup_day", "daily", ("day",), "日"),
        ("rollup_week", "weekly", ("monday",), "周"),
        ("rollup_month", "monthly", ("month",), "月"),
    ):
        source = f"{table} r JOIN account a ON a.id = r.account_id"
        when = {time: f"r.{time}" for time in times}
        found += [
            View(
                f"v_{often}_button",
                Comment(
                    f"{often} taps and users of each button, and events of other kinds",
                    f"各按钮每{chinese}的点击次数和人数，以及其他种类的事件",
                ),
                when | account | button | counts,
                f"{source} {names}",
                "WHERE r.is_whole",
            ),
            View(
                f"v_{often}_menu",
                Comment(f"{often} taps and users of the whole menu", f"整个菜单每{chinese}的点击次数和人数"),
                when | account | counts,
                source,
                f"WHERE r.is_whole AND r.button_id = {WHOLE_MENU}",
            ),
        ]
    of_publication = {
        "publication_id": f"nullif(r.publication_id, {NO_PUBLICATION})",
        "menu_version": "m.version",
        "wechat_menu_id": f"nullif(r.wechat_menu_id, '{NO_MENU_ID}')",
    }
    return [
        *found,
        View(
            "v_daily_publication",
            Comment(
                "daily taps and users of each button, apart by publication and personalised menu",
                "各按钮每日的点击次数和人数，按菜单发布和个性化菜单分列",
            ),
            {"day": "r.day"} | account | of_publication | button | counts,
            f"rollup_day r JOIN account a ON a.id = r.account_id {names}"
            " LEFT JOIN publication p ON p.id = r.publication_id LEFT JOIN menu m ON m.id = p.menu_id",
            f"WHERE r.publication_id <> {ANY_PUBLICATION}",
        ),
    ]


def _of_keeping(dialect: Dialect) -> list[View]:
    """How well what was pushed is kept."""
    counted = ("day", "hour", "callback_count", "fail_count", "stored", "late", "compared_at")
    moments = ("received_at", "quarantined_at", "replayed_at")
    return [
        View(
            "v_reconciliation",
            Comment("WeChat's own count of its pushes, beside what is stored", "微信统计的推送次数与已存储数的对照"),
            {"account_id": "s.account_id", "account": "a.name"} | {name: f"s.{name}" for name in counted},
            "interface_summary s JOIN account a ON a.id = s.account_id",
        ),
        View(
            "v_quarantine",
            Comment("pushes that could not be stored, without their bytes", "未能存储的推送，不含其内容"),
            {"event_id": dialect.id("q.id"), "account_id": "q.account_id", "account": "a.name", "reason": "q.reason"}
            | {name: f"q.{name}" for name in moments},
            "quarantine q LEFT JOIN account a ON a.id = q.account_id",
        ),
    ]


def _quoted(comment: Comment) -> str:
    return "'" + str(comment).replace("'", "''") + "'"


def _run(connection: Connection, statement: str) -> None:
    # Without parameters, or PyMySQL would take each % for the place of one.
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
