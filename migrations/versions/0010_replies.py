"""The rules by which pushes are answered, and which of them were handed to the ingresses."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Json, Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reply_rule",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "account_id", sa.Integer, sa.ForeignKey("account.id", name="reply_rule_account_id_fkey"), nullable=False
        ),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("kinds", sa.Text),
        sa.Column("event_key", sa.Text),
        sa.Column("event_key_how", sa.String(16)),
        sa.Column("scan_code", sa.Text),
        sa.Column("scan_code_how", sa.String(16)),
        sa.Column("keyword", sa.Text),
        sa.Column("keyword_how", sa.String(16)),
        sa.Column("menu_version", sa.Integer),
        sa.Column("tag_id", sa.String(64)),
        sa.Column("starts_at", Moment),
        sa.Column("ends_at", Moment),
        sa.Column("weekdays", sa.String(64)),
        sa.Column("hours", sa.String(255)),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("reply", Json, nullable=False),
        sa.Column("author", sa.String(255)),
        sa.Column("note", sa.Text),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.UniqueConstraint("account_id", "name", name="reply_rule_account_id_name_key"),
        **_exact(),
    )
    op.add_column("snapshot", sa.Column("replies_digest", sa.String(64)))


def downgrade() -> None:
    op.drop_column("snapshot", "replies_digest")
    op.drop_table("reply_rule")


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
