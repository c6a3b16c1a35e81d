"""Views for analysts, with comments.

They are made as `models/views.py` has them: views hold nothing, so there is no history of theirs to be kept. When they
are changed, the migration that changes them says DIGEST and calls `create`, and here `create` goes, so that a new
database has them made where all columns are there that they read. A migration of a table that they read drops them
first, on SQLite and where PostgreSQL would not have it otherwise, and creates them afterwards.
"""

from alembic import op

from models import views

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DIGEST = "29c61c1fead96f39b0df7c264b0b3e41"


def upgrade() -> None:
    views.create(op.get_bind())


def downgrade() -> None:
    views.drop(op.get_bind())
