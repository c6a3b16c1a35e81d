"""Handlers, and what they are called for."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Id, Json, Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handler",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("event_key", sa.Text),
        sa.Column("accounts", Json, nullable=False),
        sa.Column("is_ordered", sa.Boolean, nullable=False),
        *(sa.Column(name, Moment, nullable=False) for name in ("free_at", "seen_at")),
        **_exact(),
    )
    op.create_table(
        "handling",
        sa.Column("event_id", Id, primary_key=True),
        sa.Column("handler", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("follower", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("is_begun", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("error", sa.String(200)),
        **_exact(),
    )
    op.create_index("handling_due", "handling", ["handler", "state", "due_at"])
    op.create_index("handling_follower", "handling", ["handler", "follower"])


def downgrade() -> None:
    op.drop_table("handling")
    op.drop_table("handler")


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
