"""What rotations leave behind: which windows their guards have ended, and why a menu that is due is not live."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql.base import MySQLDialect

from models.types import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guard_trip",
        sa.Column(
            "rotation_id",
            sa.Integer,
            sa.ForeignKey("rotation.id", name="guard_trip_rotation_id_fkey", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("window_starts_at", Moment, primary_key=True),
        sa.Column("tripped_at", Moment, nullable=False),
        sa.Column("taps", sa.Integer, nullable=False),
        sa.Column("expected", sa.Integer, nullable=False),
        **_exact(),
    )
    op.create_table(
        "rotation_delay",
        sa.Column(
            "account_id",
            sa.Integer,
            sa.ForeignKey("account.id", name="rotation_delay_account_id_fkey"),
            primary_key=True,
        ),
        sa.Column("rotation_id", sa.Integer, nullable=False),
        sa.Column("menu_id", sa.Integer, sa.ForeignKey("menu.id", name="rotation_delay_menu_id_fkey"), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("errcode", sa.Integer),
        sa.Column("since", Moment, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_try_at", Moment, nullable=False),
        sa.Column("told_at", Moment),
        **_exact(),
    )
    op.add_column("publication", sa.Column("alive_at", Moment))


def downgrade() -> None:
    op.drop_column("publication", "alive_at")
    op.drop_table("rotation_delay")
    op.drop_table("guard_trip")


def _exact() -> dict[str, Any]:
    """On MySQL and MariaDB, text that tells upper from lower case."""
    dialect = op.get_bind().dialect
    if not isinstance(dialect, MySQLDialect):
        return {}
    collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
    return {"mysql_charset": "utf8mb4", "mysql_collate": collation}
