"""Menus that were changed elsewhere."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drift",
        sa.Column(
            "account_id", sa.Integer, sa.ForeignKey("account.id", name="drift_account_id_fkey"), primary_key=True
        ),
        sa.Column(
            "publication_id",
            sa.Integer,
            sa.ForeignKey("publication.id", name="drift_publication_id_fkey"),
            nullable=False,
        ),
        sa.Column("digest", sa.String(128), nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        **_exact(),
    )


def downgrade() -> None:
    op.drop_table("drift")


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
