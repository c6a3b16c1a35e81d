"""What WeChat counted of its pushes, beside what was stored."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "interface_summary",
        account_id("interface_summary"),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("callback_count", "fail_count", "stored", "late")),
        sa.Column("compared_at", Moment, nullable=False),
        **_exact(),
    )
    op.create_table(
        "reconciliation_delay",
        account_id("reconciliation_delay"),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("next_try_at", Moment, nullable=False),
        **_exact(),
    )


def downgrade() -> None:
    op.drop_table("reconciliation_delay")
    op.drop_table("interface_summary")


def account_id(table: str) -> sa.Column[int]:
    return sa.Column(
        "account_id", sa.Integer, sa.ForeignKey("account.id", name=f"{table}_account_id_fkey"), primary_key=True
    )


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
