"""Ids of requests sort by time in a PostgreSQL database of any language, too: they are compared by their bytes.

The rows stay where they are, and only indexes with such an id are made anew.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = ("entries", "holds", "receipts", "receipt_notes", "idempotency", "endings")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in TABLES:
        op.execute(f'ALTER TABLE {table} ALTER COLUMN request_id TYPE text COLLATE "C"')
