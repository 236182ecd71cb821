"""How each provider answered for callers of a model, for the pages that say so beside what the callers got."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tries",
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("simulated", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waits", sa.Text(), server_default="{}", nullable=False),
        sa.CheckConstraint("failed >= 0 AND failed <= calls", name="failed_of_tries"),
        sa.PrimaryKeyConstraint("slot", "model", "provider", "simulated"),
        sqlite_with_rowid=False,
    )
