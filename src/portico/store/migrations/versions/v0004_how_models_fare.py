"""What callers of each model got in the last day, for the pages that say how models fare."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "traffic",
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("simulated", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waits", sa.Text(), server_default="{}", nullable=False),
        sa.CheckConstraint("failed >= 0 AND failed <= calls", name="failed_of_calls"),
        sa.PrimaryKeyConstraint("slot", "model", "simulated"),
        sqlite_with_rowid=False,
    )
