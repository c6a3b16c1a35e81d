"""Run by Alembic: the migrations, on the connection that `migrations._run` opened and whose transaction it holds."""

from alembic import context

from migrations import COMPARISON

context.configure(connection=context.config.attributes["connection"], **COMPARISON)
with context.begin_transaction():
    context.run_migrations()
