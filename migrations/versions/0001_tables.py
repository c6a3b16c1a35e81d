"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Coordinate, Id, Json, Moment, Raw

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BY_MONTH = ("event", "scan", "photo_send", "photo", "location", "message")


def upgrade() -> None:
    create_facts()
    create_details()
    create_quarantine()
    create_menus()
    create_rotations()
    create_publications()
    create_tokens()
    if op.get_bind().dialect.name == "postgresql":
        for table in BY_MONTH:
            op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


def downgrade() -> None:
    for table in ("access_token", "freeze", "holiday", "publication_menu", "publication", "rotation", "menu"):
        op.drop_table(table)
    for table in ("forgotten", "quarantine", *reversed(BY_MONTH), "account"):
        op.drop_table(table)


def create_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """A table that tells upper from lower case and "a" from "a ", as openids do, on MySQL and MariaDB too."""
    options: dict[str, Any] = {"postgresql_partition_by": "RANGE (created_at)"} if name in BY_MONTH else {}
    dialect = op.get_bind().dialect
    if isinstance(dialect, MySQLDialect):
        options["mysql_charset"] = "utf8mb4"
        options["mysql_collate"] = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    op.create_table(name, *columns, **options)


def create_facts() -> None:
    create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("app_id", sa.String(128), nullable=False),
        sa.Column("original_id", sa.String(128)),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.UniqueConstraint("name", name="account_name_key"),
        sa.UniqueConstraint("app_id", name="account_app_id_key"),
    )
    create_table(
        "event",
        sa.Column("id", Id, primary_key=True),
        sa.Column("created_at", Moment, primary_key=True),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("open_id", sa.String(128)),
        sa.Column("event_key", sa.Text),
        sa.Column("wechat_menu_id", sa.String(128)),
        sa.Column("msg_id", sa.String(128)),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("publication_id", sa.Integer),
        sa.Column("body", Json),
    )
    op.create_index("event_account_created", "event", ["account_id", "created_at"])
    op.create_index("event_recorded", "event", ["recorded_at", "id"])
    op.create_index("event_open_id", "event", ["open_id"])


def create_details() -> None:
    create_table(
        "scan",
        *detail_key(),
        sa.Column("scan_type", sa.String(128)),
        sa.Column("scan_result", sa.Text),
        sa.Column("symbology", sa.Text),
        sa.Column("code", sa.Text),
    )
    create_table(
        "photo_send",
        *detail_key(),
        sa.Column("declared_count", sa.Integer),
        sa.Column("listed_count", sa.Integer, nullable=False),
    )
    create_table(
        "photo",
        *detail_key(),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("md5", sa.String(128)),
    )
    create_table(
        "location",
        *detail_key(),
        sa.Column("latitude", Coordinate),
        sa.Column("longitude", Coordinate),
        sa.Column("scale", sa.Integer),
        sa.Column("label", sa.Text),
        sa.Column("poi_name", sa.Text),
        sa.Column("precision", Coordinate),
        sa.Column("datum", sa.String(16)),
    )
    create_table(
        "message",
        *detail_key(),
        sa.Column("msg_type", sa.String(128), nullable=False),
        sa.Column("content", sa.Text),
        sa.Column("media_id", sa.Text),
        sa.Column("url", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("format", sa.String(128)),
        sa.Column("recognition", sa.Text),
    )


def reference(table: str, column: str, **options: Any) -> sa.Column[int]:
    """A column named for the table it points to."""
    other = sa.ForeignKey(f"{column.removesuffix('_id')}.id", name=f"{table}_{column}_fkey")
    return sa.Column(column, sa.Integer, other, **options)


def detail_key() -> tuple[sa.Column[object], sa.Column[object]]:
    return sa.Column("event_id", Id, primary_key=True), sa.Column("created_at", Moment, primary_key=True)


def create_quarantine() -> None:
    create_table(
        "quarantine",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", sa.Integer),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("raw", Raw, nullable=False),
        sa.Column("received_at", Moment),
        sa.Column("quarantined_at", Moment, nullable=False),
        sa.Column("replayed_at", Moment),
    )
    op.create_index("quarantine_quarantined", "quarantine", ["quarantined_at", "id"])
    create_table(
        "forgotten",
        sa.Column("account_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("open_id_hash", sa.String(64), primary_key=True),
        sa.Column("forgotten_at", Moment, nullable=False),
    )


def create_menus() -> None:
    create_table(
        "menu",
        sa.Column("id", sa.Integer, primary_key=True),
        reference("menu", "account_id", nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(128), nullable=False),
        sa.Column("definition", Json, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("author", sa.String(255)),
        sa.Column("created_at", Moment, nullable=False),
        sa.UniqueConstraint("account_id", "version", name="menu_account_id_version_key"),
    )


def create_rotations() -> None:
    create_table(
        "rotation",
        sa.Column("id", sa.Integer, primary_key=True),
        reference("rotation", "account_id", nullable=False),
        reference("rotation", "menu_id", nullable=False),
        sa.Column("starts_at", Moment),
        sa.Column("ends_at", Moment),
        sa.Column("cron", sa.String(255)),
        sa.Column("duration", sa.Integer),
        sa.Column("weekdays", sa.String(64)),
        sa.Column("hours", sa.String(255)),
        sa.Column("days", sa.String(16), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("lead", sa.Integer, nullable=False),
        sa.Column("guard_share", sa.Float),
        sa.Column("guard_hours", sa.Integer),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("author", sa.String(255)),
        sa.Column("note", sa.Text),
    )
    op.create_index("rotation_account", "rotation", ["account_id"])
    create_table(
        "holiday",
        sa.Column("date", sa.Date, primary_key=True),
        sa.Column("is_workday", sa.Boolean, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
    )
    create_table(
        "freeze",
        reference("freeze", "account_id", primary_key=True),
        sa.Column("starts_at", Moment, primary_key=True),
        sa.Column("ends_at", Moment, nullable=False),
        sa.Column("note", sa.Text),
    )


def create_publications() -> None:
    create_table(
        "publication",
        sa.Column("id", sa.Integer, primary_key=True),
        reference("publication", "account_id", nullable=False),
        reference("publication", "menu_id", nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        reference("publication", "rotation_id"),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("outcome", sa.String(64)),
        sa.Column("errcode", sa.Integer),
    )
    op.create_index("publication_account_started", "publication", ["account_id", "started_at"])
    create_table(
        "publication_menu",
        reference("publication_menu", "publication_id", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("wechat_menu_id", sa.String(128), nullable=False),
    )


def create_tokens() -> None:
    create_table(
        "access_token",
        reference("access_token", "account_id", primary_key=True),
        sa.Column("token", sa.Text),
        sa.Column("expires_at", Moment),
        sa.Column("refreshed_at", Moment),
        sa.Column("lease_until", Moment),
        sa.Column("lease_owner", sa.String(255)),
    )
