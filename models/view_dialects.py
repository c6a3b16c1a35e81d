"""What each database says in its own words in the views: ids as text, local time, and the buttons inside a menu."""

from sqlalchemy import Connection

# Eight hours before Greenwich without a change since before there was WeChat: databases that know no time zones, and
# MariaDB whose tables of them are empty, tell the time of these all the same.
EIGHT_HOURS = (
    "Asia/Shanghai",
    "Asia/Chongqing",
    "Asia/Hong_Kong",
    "Asia/Macau",
    "Asia/Singapore",
    "Asia/Taipei",
    "PRC",
)
_EIGHT = ", ".join(f"'{name}'" for name in EIGHT_HOURS)
_KIND = "CASE {type} WHEN 'miniprogram' THEN 'view_miniprogram' ELSE {type} END"  # which a tap of it makes
_KEY = "CASE {type} WHEN 'view' THEN {url} WHEN 'miniprogram' THEN {pagepath} ELSE {key} END"
_TYPES = (
    "'click', 'view', 'miniprogram', 'scancode_push', 'scancode_waitmsg', 'pic_sysphoto', 'pic_photo_or_album',"
    " 'pic_weixin', 'location_select'"
)


class Dialect:
    """PostgreSQL's words; the others' where they differ."""

    name = "postgresql"

    def id(self, column: str) -> str:
        return column

    def local(self, moment: str) -> str:
        """Of the account `a`, without a time zone."""
        return f"{moment} AT TIME ZONE a.timezone"

    def month(self, moment: str) -> str:
        return f"CAST(date_trunc('month', {moment} AT TIME ZONE 'UTC') AS date)"

    def cell(self, coordinate: str) -> str:
        return f"round({coordinate}, 2)"

    def length(self, text: str) -> str:
        return f"char_length({text})"

    def latest(self, columns: str, key: str, order: str, source: str) -> str:
        """The first row of each key. As DISTINCT ON says it, nothing is read where nobody asks for the row."""
        return f"SELECT DISTINCT ON ({key}) {columns} FROM {source} ORDER BY {key}, {order}"  # noqa: S608

    def buttons(self) -> str:
        """`shown`: the buttons of each menu, with the kinds and keys of their taps; 0 is the default menu."""
        fields = {"type": "b.button ->> 'type'"} | {
            name: f"b.button ->> '{name}'" for name in ("key", "url", "pagepath")
        }
        top = (
            "(SELECT 0 AS menu_position, m.definition -> 'menu' AS shown UNION ALL"
            " SELECT p.position, p.shown FROM jsonb_path_query(m.definition, '$.conditionalmenu[*]')"
            " WITH ORDINALITY AS p (shown, position))"
        )
        return f"""
            (SELECT m.id AS menu_id, m.account_id, m.version AS menu_version, t.menu_position,
                b.button ->> 'name' AS button_name, {_KIND.format(**fields)} AS kind,
                {_KEY.format(**fields)} AS button_key
            FROM menu m CROSS JOIN LATERAL {top} AS t CROSS JOIN LATERAL (
                SELECT jsonb_path_query(t.shown, '$.button[*] ? (!exists(@.sub_button[*]))') AS button UNION ALL
                SELECT jsonb_path_query(t.shown, '$.button[*].sub_button[*]')
            ) AS b WHERE {fields["type"]} IN ({_TYPES})) AS shown
        """  # noqa: S608


class SQLite(Dialect):
    name = "sqlite"

    def id(self, column: str) -> str:
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return "lower({})".format(" || '-' || ".join(f"substr(hex({column}), {at}, {size})" for at, size in parts))

    def local(self, moment: str) -> str:
        return f"CASE WHEN a.timezone IN ({_EIGHT}) THEN datetime({moment}, '+8 hours') END"

    def month(self, moment: str) -> str:
        return f"strftime('%Y-%m-01', {moment})"

    def cell(self, coordinate: str) -> str:
        return f"round(CAST({coordinate} AS REAL), 2)"

    def length(self, text: str) -> str:
        return f"length({text})"

    def latest(self, columns: str, key: str, order: str, source: str) -> str:
        ranked = f"SELECT {columns}, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS place FROM {source}"  # noqa: S608
        return f"SELECT {columns} FROM ({ranked}) AS ranked WHERE place = 1"  # noqa: S608

    def buttons(self) -> str:
        fields = {name: f"json_extract(b.value, '$.{name}')" for name in ("type", "key", "url", "pagepath")}
        made = (
            f"json_extract(b.value, '$.name') AS button_name, {_KIND.format(**fields)} AS kind,"
            f" {_KEY.format(**fields)} AS button_key"
        )
        default, others = "json_each(m.definition, '$.menu.button')", "json_each(m.definition, '$.conditionalmenu')"
        its, below = "json_each(p.value, '$.button')", "json_each(t.value, '$.sub_button')"
        leaf = "coalesce(json_array_length(b.value, '$.sub_button'), 0) = 0"
        ways = (
            ("0", f"{default} AS b WHERE {leaf}"),
            ("0", f"{default} AS t, {below} AS b WHERE true"),
            ("p.key + 1", f"{others} AS p, {its} AS b WHERE {leaf}"),
            ("p.key + 1", f"{others} AS p, {its} AS t, {below} AS b WHERE true"),
        )
        parts = (
            f"SELECT m.id AS menu_id, m.account_id, m.version AS menu_version, {position} AS menu_position,"  # noqa: S608
            f" {made} FROM menu m, {source} AND {fields['type']} IN ({_TYPES})"
            for position, source in ways
        )
        return "({}) AS shown".format(" UNION ALL ".join(parts))


class MySQL(SQLite):
    """MariaDB and MySQL."""

    name = "mysql"

    def __init__(self, collation: str) -> None:
        self.collation = collation  # that of the tables, which tells "a" from "A" and from "a "

    def id(self, column: str) -> str:
        made = f"HEX({column})"
        for at in (9, 14, 19, 24):
            made = f"INSERT({made}, {at}, 0, '-')"
        return f"LOWER({made})"

    def local(self, moment: str) -> str:
        zone = f"CONVERT_TZ({moment}, '+00:00', a.timezone)"  # null where the server's tables of time zones are empty
        return f"CASE WHEN a.timezone IN ({_EIGHT}) THEN {moment} + INTERVAL 8 HOUR ELSE {zone} END"

    def month(self, moment: str) -> str:
        return f"CAST(DATE_FORMAT({moment}, '%Y-%m-01') AS DATE)"

    def cell(self, coordinate: str) -> str:
        return f"ROUND({coordinate}, 2)"

    def length(self, text: str) -> str:
        return f"CHAR_LENGTH({text})"

    def buttons(self) -> str:
        own, below = (self._fields(prefix) for prefix in ("top", "sub"))
        nested = f"{own}, NESTED PATH '$.sub_button[*]' COLUMNS ({below})"
        default = f"JSON_TABLE(m.definition, '$.menu.button[*]' COLUMNS ({nested})) AS t"
        others = (
            "JSON_TABLE(m.definition, '$.conditionalmenu[*]' COLUMNS (position FOR ORDINALITY,"
            f" NESTED PATH '$.button[*]' COLUMNS ({nested}))) AS t"
        )
        parts = (self._menu(source, position) for source, position in ((default, "0"), (others, "t.position")))
        return "({}) AS shown".format(" UNION ALL ".join(parts))

    def _menu(self, source: str, position: str) -> str:
        # A row has the fields of a button of the bar, and those of one above it, if there is one.
        fields = {
            name: f"IF(t.sub_name IS NULL AND t.sub_type IS NULL, t.top_{name}, t.sub_{name})"
            for name in ("name", "type", "key", "url", "pagepath")
        }
        kind, key = (form.format(**fields) for form in (_KIND, _KEY))
        return (
            f"SELECT m.id AS menu_id, m.account_id, m.version AS menu_version, {position} AS menu_position,"  # noqa: S608
            f" {fields['name']} AS button_name, {kind} AS kind, {key} AS button_key"
            f" FROM menu m, {source} WHERE {fields['type']} IN ({_TYPES})"
        )

    def _fields(self, prefix: str) -> str:
        names = ("name", "type", "key", "url", "pagepath")
        text = f"TEXT CHARACTER SET utf8mb4 COLLATE {self.collation}"
        return ", ".join(f"{prefix}_{name} {text} PATH '$.{name}'" for name in names)


def dialect_of(connection: Connection) -> Dialect:
    if connection.dialect.name == "postgresql":
        return Dialect()
    if connection.dialect.name == "sqlite":
        return SQLite()
    is_mariadb = getattr(connection.dialect, "is_mariadb", False)
    return MySQL(collation="utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin")
