"""What was tapped how often, and by whom, counted ahead."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_SET = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
_COUNTS: dict[str, dict[str, Any]] = {"rollup_slot": {"starts_at": Moment}, "rollup_minute": {"starts_at": Moment}}
_ANSWERS: dict[str, dict[str, Any]] = {
    "rollup_hour": {"day": sa.Date, "starts_at": Moment},
    "rollup_day": {"day": sa.Date},
    "rollup_week": {"monday": sa.Date},
    "rollup_month": {"month": sa.Date},
}


def upgrade() -> None:
    create_table(
        "rollup_mark",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("slot", Moment, nullable=False),
    )
    create_table(
        "rollup_lock",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("leased_until", Moment, nullable=False),
    )
    create_table(
        "rollup_account",
        account_id(),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("followers", sa.Integer, nullable=False),
    )
    create_table(
        "follower",
        account_id(),
        sa.Column("open_id", sa.String(128), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.UniqueConstraint("account_id", "number", name="follower_account_id_number_key"),
    )
    create_table(
        "button",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("event_key", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.UniqueConstraint("account_id", "digest", name="button_account_id_digest_key"),
    )
    for name, times in _COUNTS.items():
        create_rollup(name, times, sa.Column("followers", _SET, nullable=False))
    for name, times in _ANSWERS.items():
        is_whole = sa.Column("is_whole", sa.Boolean, nullable=False)
        create_rollup(name, times, sa.Column("followers", _SET, nullable=False), is_whole)
        if op.get_bind().dialect.name == "postgresql":
            # Who only wants to know how many does not read who: all sets but the smallest are kept elsewhere.
            op.execute(f"ALTER TABLE {name} SET (toast_tuple_target = 128)")
    op.create_index(
        "rollup_hour_menu",
        "rollup_hour",
        ["account_id", "button_id", "day"],
        postgresql_include=["starts_at", "taps", "users", "is_whole"],
        postgresql_where=sa.text("button_id = 0"),
        sqlite_where=sa.text("button_id = 0"),
    )


def downgrade() -> None:
    for table in (*_ANSWERS, *_COUNTS, "button", "follower", "rollup_account", "rollup_lock", "rollup_mark"):
        op.drop_table(table)


def create_rollup(name: str, times: dict[str, Any], *columns: sa.Column[Any]) -> None:
    create_table(
        name,
        account_id(),
        *(sa.Column(column, type_, primary_key=True) for column, type_ in times.items()),
        sa.Column("button_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("publication_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wechat_menu_id", sa.String(128), primary_key=True),
        sa.Column("taps", sa.BigInteger, nullable=False),
        sa.Column("users", sa.Integer, nullable=False),
        *columns,
    )
    if op.get_bind().dialect.name == "postgresql":
        # These sets are as small as they get: to try to compress them, and to read them again, takes time for nothing.
        op.execute(f"ALTER TABLE {name} ALTER COLUMN followers SET STORAGE EXTERNAL")


def account_id() -> sa.Column[int]:
    return sa.Column("account_id", sa.Integer, primary_key=True, autoincrement=False)


def create_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """On MySQL and MariaDB, with text that tells upper from lower case."""
    options: dict[str, Any] = {}
    dialect = op.get_bind().dialect
    if isinstance(dialect, MySQLDialect):
        options["mysql_charset"] = "utf8mb4"
        options["mysql_collate"] = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    op.create_table(name, *columns, **options)
