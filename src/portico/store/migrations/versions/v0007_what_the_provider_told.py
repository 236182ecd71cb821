"""What an event of a payment provider said, so that what comes out of order is booked when its payment is known."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for name in ("reference", "subject"):
        op.add_column("payment_events", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for name, default in (("amount_nanos", "0"), ("fits", "1")):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text(default))
        op.add_column("payment_events", column)
    op.create_index("payment_events_by_reference", "payment_events", ["reference"])
