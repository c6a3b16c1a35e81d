"""Tokens of the HTTP API, and the accounts they are for."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment),
        sa.UniqueConstraint("digest", name="api_token_digest_key"),
        **_exact(),
    )
    op.create_table(
        "api_token_account",
        belongs_to("api_token"),
        belongs_to("account"),
        **_exact(),
    )


def downgrade() -> None:
    op.drop_table("api_token_account")
    op.drop_table("api_token")


def belongs_to(table: str) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", name=f"api_token_account_{table}_id_fkey")
    return sa.Column(f"{table}_id", sa.Integer, key, primary_key=True, autoincrement=False)


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
