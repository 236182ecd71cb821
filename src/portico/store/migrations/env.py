"""What Alembic runs to get at the database. The connection, its transaction and its lock come from `store/migrate.py`."""

from alembic import context

from portico.store.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
