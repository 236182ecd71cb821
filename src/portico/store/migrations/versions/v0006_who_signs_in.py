"""People who sign in, what they pay by card, prices that are drafts, and calls that an operator ends."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _text(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null, server_default=default)


def _count(name: str, *, null: bool = False, default: int | None = None) -> sa.Column[int]:
    said = None if default is None else sa.text(str(default))
    return sa.Column(name, sa.BigInteger(), nullable=null, server_default=said)


def upgrade() -> None:
    op.add_column("users", _count("operator", default=0))
    op.add_column("users", _text("locale", default=""))
    op.add_column("keys", _text("user_id", null=True))
    op.add_column("usage_days", _count("released", default=0))
    op.create_index(
        "receipts_of_trouble",
        "receipts",
        ["account_id", "request_id", "outcome"],
        sqlite_where=sa.text("outcome <> 'ok'"),
        postgresql_where=sa.text("outcome <> 'ok'"),
    )
    _who_signs_in()
    _what_is_paid()
    op.create_table(
        "price_drafts",
        _text("id"),
        _text("title", default=""),
        _text("text"),
        _text("made_by", default=""),
        _count("created_us"),
        _count("changed_us"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table("endings", _text("request_id"), _count("at_us"), sa.PrimaryKeyConstraint("request_id"))


def _who_signs_in() -> None:
    op.create_table(
        "passwords",
        _text("user_id"),
        _text("hash"),
        _count("changed_us"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "identities",
        _text("issuer"),
        _text("subject"),
        _text("user_id"),
        _count("created_us"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("identities_by_user", "identities", ["user_id"])
    op.create_table(
        "sessions",
        _text("digest"),
        _text("id"),
        _text("user_id"),
        _text("account_id", null=True),
        _text("agent", default=""),
        _text("address", default=""),
        _count("created_us"),
        _count("seen_us"),
        _count("expires_us"),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
    )
    op.create_index("sessions_by_user", "sessions", ["user_id"])
    op.create_index("sessions_by_expiry", "sessions", ["expires_us"])
    op.create_table(
        "links",
        _text("digest"),
        _text("purpose"),
        _text("user_id", null=True),
        _text("email", default=""),
        _text("account_id", null=True),
        _text("role", null=True),
        _count("operator", default=0),
        _text("made_by", default=""),
        _count("created_us"),
        _count("expires_us"),
        _count("used_us", null=True),
        sa.CheckConstraint("purpose IN ('first_start', 'invite', 'reset')", name="link_purpose"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("links_by_expiry", "links", ["expires_us"])


def _what_is_paid() -> None:
    op.create_table(
        "payments",
        _text("id"),
        _text("account_id"),
        _text("user_id", null=True),
        _count("amount_nanos"),
        _count("fee_nanos", default=0),
        _text("state", default="waiting"),
        _count("returned_nanos", default=0),
        _text("reference", null=True),
        _count("created_us"),
        _count("changed_us"),
        sa.CheckConstraint("amount_nanos > 0", name="payment_amount"),
        sa.CheckConstraint("state IN ('waiting', 'paid', 'expired', 'refunded', 'disputed')", name="payment_state"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("payments_of_account", "payments", ["account_id", "created_us"])
    op.create_table(
        "payment_events",
        _text("id"),
        _text("payment_id", null=True),
        _text("kind"),
        _count("posted_nanos", default=0),
        _count("at_us"),
        _text("reference", default=""),
        _text("subject", default=""),
        _count("amount_nanos", default=0),
        _count("fits", default=1),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("payment_events_by_payment", "payment_events", ["payment_id"])
    op.create_index("payment_events_by_reference", "payment_events", ["reference"])
