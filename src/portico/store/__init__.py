"""The database: one schema on SQLite or PostgreSQL, its migrations, and the group committer.

Nothing here knows what a hold or a key is: domain code writes plain SQL through the ports of `core/storage.py`.
SQLAlchemy and Alembic are imported by the modules that migrate, and never on the way of a call.
"""
