"""Where a token came from, why none came, and how often WeChat was called."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Json, Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("source", sa.String(64)),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failure", Json),
        sa.Column("retry_at", Moment),
        sa.Column("foreign_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("foreign_at", Moment),
    ):
        op.add_column("access_token", column)
    op.create_table(
        "api_use",
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", name="api_use_account_id_fkey")),
        sa.Column("day", sa.Date),
        sa.Column("call", sa.String(64)),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", "call"),
        **_exact(),
    )


def downgrade() -> None:
    op.drop_table("api_use")
    for name in ("foreign_at", "foreign_count", "retry_at", "failure", "failures", "source"):
        op.drop_column("access_token", name)


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
