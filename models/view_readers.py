"""What an administrator of the database says so that somebody may read the views, and nothing else."""

from models.view_dialects import Dialect
from models.views import views

MINUTES = 5  # for a question, after which it ends: the database has events to take


def statements(backend: str, database: str, name: str) -> list[str]:
    """May be said again, when there are new views. Nobody can log in by that alone: the role has no password yet."""
    seen = [view.name for view in views(Dialect())]
    if backend == "postgresql":
        return [
            f"DO $$ BEGIN IF to_regrole('{name}') IS NULL THEN CREATE ROLE {name} LOGIN; END IF; END $$",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",  # as it is from PostgreSQL 15 on
            f"ALTER ROLE {name} SET default_transaction_read_only = on",
            f"ALTER ROLE {name} SET statement_timeout = '{MINUTES}min'",
            # A transaction that is left open keeps expired rows from being cleared away.
            f"ALTER ROLE {name} SET idle_in_transaction_session_timeout = '{MINUTES}min'",
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT ON {', '.join(seen)} TO {name}",
        ]
    return [
        f"CREATE USER IF NOT EXISTS '{name}'@'%' ACCOUNT LOCK",
        *(f"GRANT SELECT ON `{database}`.{view} TO '{name}'@'%'" for view in seen),
    ]
