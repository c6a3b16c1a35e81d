"""Which ingresses there are, and what is handed to them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Json, Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ingress",
        sa.Column("queue", sa.String(255), primary_key=True),
        sa.Column("seen_at", Moment, nullable=False),
        **_exact(),
    )
    op.create_table(
        "callback_addresses",
        sa.Column(
            "account_id",
            sa.Integer,
            sa.ForeignKey("account.id", name="callback_addresses_account_id_fkey"),
            primary_key=True,
        ),
        sa.Column("addresses", Json, nullable=False),
        sa.Column("fetched_at", Moment, nullable=False),
        **_exact(),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("handed_out_at", Moment),
        **_exact(),
    )


def downgrade() -> None:
    for table in ("snapshot", "callback_addresses", "ingress"):
        op.drop_table(table)


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
