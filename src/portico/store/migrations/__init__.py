"""Alembic's scripts: one module per change of the schema, run by `store/migrate.py`."""
