"""Answers that are sent after a push was answered, one for an event at most."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Id, Json, Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer",
        sa.Column("event_id", Id, primary_key=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("handler", sa.String(64), nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Moment),
        sa.Column("errcode", sa.Integer),
        sa.Column("open_id", sa.String(128)),
        sa.Column("message", Json),
        sa.Column("changed_at", Moment, nullable=False),
        **_exact(),
    )
    op.create_index("answer_state_due", "answer", ["state", "due_at"])
    op.create_index("answer_created", "answer", ["created_at"])


def downgrade() -> None:
    op.drop_table("answer")


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
