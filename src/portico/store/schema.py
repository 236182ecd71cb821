"""Every table, for both databases. Invariants are unique indexes and CHECKs, so that nobody can walk around them.

Amounts are nano-dollars, times microseconds since 1970, days `YYYY-MM-DD` in UTC, JSON is text. An account is the tenant
that everything is kept and counted under. Ids are text that sorts by time.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

METADATA: Final = MetaData()
Counted: Final[TypeEngine[int]] = BigInteger().with_variant(Integer, "sqlite")
"""A primary key that the database counts up. SQLite counts only what is called INTEGER."""

ByTime: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Ids of requests, which are compared by their bytes, as SQLite does: by those they sort by time. In the language of a
PostgreSQL database, mostly English, an `a` comes before a `B`."""

# `sqlite_with_rowid=False` below is for small rows that are found by their key: SQLite keeps them in one tree, not in two,
# and a commit writes fewer pages (two statements and the batch's row: 13 KB of WAL, not 22).


def _text(name: str, *, null: bool = False, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=null, server_default=default)


def _request_id(*, null: bool = False, key: bool = False) -> Column[str]:
    return Column("request_id", ByTime, nullable=null, primary_key=key)


def _count(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=null, server_default=None if default is None else text(str(default)))


# -- who ---------------------------------------------------------------------------------------------------------------

USERS: Final = Table(
    "users",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    _text("name", default=""),
    _count("created_us"),
    _count("disabled_us", null=True),
    # 1: runs this Portico, and sees the admin's desk.
    _count("operator", default=0),
    # The language that was chosen; "": what the browser asks for.
    _text("locale", default=""),
)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("kind"),
    _count("posted_nanos", default=0),
    _count("held_nanos", default=0),
    _text("settings", default="{}"),
    _count("created_us"),
    _count("closed_us", null=True),
    _count("revision", default=0),
    CheckConstraint("kind IN ('prepaid', 'open')", name="account_kind"),
    # Settlement may take `posted` below what is held, and below zero; what is held is never less than nothing.
    CheckConstraint("held_nanos >= 0", name="held_is_not_negative"),
)

MEMBERSHIPS: Final = Table(
    "memberships",
    METADATA,
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    _text("role"),
    PrimaryKeyConstraint("account_id", "user_id"),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="membership_role"),
)

KEYS: Final = Table(
    "keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    _text("name", default=""),
    _text("prefix"),
    # SHA-256 of the key, in hex. The key itself is shown once and kept nowhere.
    Column("digest", Text, nullable=False, unique=True),
    # Rotation: the secret that was, and until when it opens beside the new one. Limits, budgets and receipts go on under
    # the key's one id, so that nobody gets a second budget by rotating.
    Column("previous_digest", Text, nullable=True),
    _count("previous_expires_us", null=True),
    # JSON of `accounts.Policy`: scopes, limits, budgets, addresses, settings.
    _text("policy", default="{}"),
    _count("created_us"),
    _count("expires_us", null=True),
    _count("disabled_us", null=True),
    _count("revoked_us", null=True),
    # Rises with every change of any key or account, so that workers read only what has changed.
    _count("revision"),
    # Who made it, if that was a person: a member looks after keys of their own.
    _text("user_id", null=True),
    Index("keys_by_revision", "revision"),
    Index("keys_by_account", "account_id"),
)

REVISIONS: Final = Table(
    "revisions",
    METADATA,
    # What has changed (`keys`, `prices`, `credentials`): workers look twice a second whether a number rose.
    Column("name", Text, primary_key=True),
    _count("number", default=0),
)

CODES: Final = Table(
    "codes",
    METADATA,
    Column("digest", Text, primary_key=True),
    _text("prefix"),
    _count("amount_nanos"),
    _text("note", default=""),
    _count("created_us"),
    _count("expires_us", null=True),
    _count("redeemed_us", null=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=True),
    CheckConstraint("amount_nanos > 0", name="code_amount"),
)

# -- who signs in ------------------------------------------------------------------------------------------------------

PASSWORDS: Final = Table(
    "passwords",
    METADATA,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    # As argon2 writes it, with its parameters and its salt.
    _text("hash"),
    _count("changed_us"),
)

IDENTITIES: Final = Table(
    "identities",
    METADATA,
    # Who a person is at an OpenID provider.
    _text("issuer"),
    _text("subject"),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    _count("created_us"),
    PrimaryKeyConstraint("issuer", "subject"),
    Index("identities_by_user", "user_id"),
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    # SHA-256 of what stands in the cookie, in hex.
    Column("digest", Text, primary_key=True),
    # By which a person who may not see the digest names it.
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    # Of a person's accounts, the one that is looked at; NULL: the first.
    _text("account_id", null=True),
    _text("agent", default=""),
    _text("address", default=""),
    _count("created_us"),
    _count("seen_us"),
    _count("expires_us"),
    Index("sessions_by_user", "user_id"),
    Index("sessions_by_expiry", "expires_us"),
)

LINKS: Final = Table(
    "links",
    METADATA,
    # Links that work once: the first sign-in, an invitation, another password. SHA-256 of the secret in them, in hex.
    Column("digest", Text, primary_key=True),
    _text("purpose"),
    # Whose password is set; whom is invited, to which account and as what.
    Column("user_id", Text, ForeignKey("users.id"), nullable=True),
    _text("email", default=""),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=True),
    _text("role", null=True),
    _count("operator", default=0),
    _text("made_by", default=""),
    _count("created_us"),
    _count("expires_us"),
    _count("used_us", null=True),
    CheckConstraint("purpose IN ('first_start', 'invite', 'reset')", name="link_purpose"),
    Index("links_by_expiry", "expires_us"),
)

# -- the ledger --------------------------------------------------------------------------------------------------------

ENTRIES: Final = Table(
    "entries",
    METADATA,
    Column("id", Counted, primary_key=True, autoincrement=True),
    _text("account_id"),
    _text("kind"),
    # What the entry does to the balance: a hold (0, +ceiling), an extension (0, +more), a settlement (-charge, -held),
    # a release (0, -held), a top-up (+amount, 0).
    _count("posted_nanos"),
    _count("held_nanos"),
    _request_id(null=True),
    _text("note", default=""),
    _count("at_us"),
    CheckConstraint("kind IN ('top_up', 'hold', 'extend', 'settle', 'release', 'adjust', 'refund')", name="entry_kind"),
    # What was paid in and back. The rest of an account's entries are found by its receipts.
    Index(
        "payments_by_account",
        "account_id",
        "id",
        sqlite_where=text("kind IN ('top_up', 'refund', 'adjust')"),
        postgresql_where=text("kind IN ('top_up', 'refund', 'adjust')"),
    ),
    # One hold per request.
    Index(
        "one_hold",
        "request_id",
        unique=True,
        sqlite_where=text("kind = 'hold'"),
        postgresql_where=text("kind = 'hold'"),
    ),
    # A hold is resolved at most once, whoever races to do it.
    Index(
        "one_resolution",
        "request_id",
        unique=True,
        sqlite_where=text("kind IN ('settle', 'release')"),
        postgresql_where=text("kind IN ('settle', 'release')"),
    ),
    # What comes after a recovery is booked once, as the difference.
    Index(
        "one_adjustment",
        "request_id",
        unique=True,
        sqlite_where=text("kind = 'adjust' AND request_id IS NOT NULL"),
        postgresql_where=text("kind = 'adjust' AND request_id IS NOT NULL"),
    ),
)

HOLDS: Final = Table(
    "holds",
    METADATA,
    # The holds that are open, and so a small table: a row goes in with the `hold` entry and out with its resolution.
    _request_id(key=True),
    _text("account_id"),
    _text("key_id"),
    _text("worker_id"),
    _count("amount_nanos"),
    # Tokens reserved of the key's minute, and which minute that was.
    _count("tokens", default=0),
    _count("minute", default=0),
    # Which budgets it counts in: 1 the day's, 2 the month's.
    _count("budgets", default=0),
    _count("at_us"),
    # What a recovery needs to book the call: JSON of the receipt so far (`metering.Receipt`), "" before a checkpoint.
    _text("checkpoint", default=""),
    Index("holds_by_key", "key_id"),
    CheckConstraint("amount_nanos >= 0", name="hold_amount"),
)

LEASES: Final = Table(
    "leases",
    METADATA,
    Column("worker_id", Text, primary_key=True),
    # Which process: `host:pid`.
    _text("label", default=""),
    # Below zero: it was ended, at that time with the sign turned, and is never renewed.
    _count("expires_us"),
)

BATCHES: Final = Table(
    "batches",
    METADATA,
    # One row per transaction of a worker: after a connection lost during COMMIT it tells whether that was applied.
    _text("worker_id"),
    _count("sequence"),
    PrimaryKeyConstraint("worker_id", "sequence"),
    sqlite_with_rowid=False,
)

# -- what is paid by card ----------------------------------------------------------------------------------------------

PAYMENTS: Final = Table(
    "payments",
    METADATA,
    # A checkout at a payment provider, by its id there.
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    _text("user_id", null=True),
    # What is credited, and the fee that is paid beside it.
    _count("amount_nanos"),
    _count("fee_nanos", default=0),
    _text("state", default="waiting"),
    # What was given back, or taken by a dispute, so far.
    _count("returned_nanos", default=0),
    # The provider's name for the payment itself, by which refunds and disputes name it.
    Column("reference", Text, nullable=True, unique=True),
    _count("created_us"),
    _count("changed_us"),
    CheckConstraint("amount_nanos > 0", name="payment_amount"),
    CheckConstraint("state IN ('waiting', 'paid', 'expired', 'refunded', 'disputed')", name="payment_state"),
    Index("payments_of_account", "account_id", "created_us"),
)

PAYMENT_EVENTS: Final = Table(
    "payment_events",
    METADATA,
    # What the provider told: each of its events is booked once, whoever delivers it how often.
    Column("id", Text, primary_key=True),
    _text("payment_id", null=True),
    _text("kind"),
    # What it did to the balance.
    _count("posted_nanos", default=0),
    _count("at_us"),
    # The provider's name for the payment, which an event may have that is delivered before we know whose it is.
    _text("reference", default=""),
    # Of a dispute or of one refund, its id.
    _text("subject", default=""),
    # What was paid; what is given back, by one refund or so far; what is disputed.
    _count("amount_nanos", default=0),
    # 0: it does not fit the payment (another amount, another currency), and is kept for a person to look at.
    _count("fits", default=1),
    Index("payment_events_by_payment", "payment_id"),
    Index("payment_events_by_reference", "reference"),
)

# -- what was spent ----------------------------------------------------------------------------------------------------

RECEIPTS: Final = Table(
    "receipts",
    METADATA,
    # Sorts by time, which is how old receipts are found.
    _request_id(key=True),
    _text("account_id"),
    _text("key_id"),
    _count("at_us"),
    _text("model"),
    _text("outcome"),
    _count("charge_nanos"),
    _count("cost_nanos"),
    # JSON of `metering.Receipt`. Immutable; what comes later is in `receipt_notes`.
    _text("body"),
    Index("receipts_by_account", "account_id", "request_id"),
    # What went wrong, found without a look at what did not: a call that went well costs nothing for it. With the outcome in
    # it, so that no receipt is read to find which outcomes there are, or none of a kind.
    Index(
        "receipts_of_trouble",
        "account_id",
        "request_id",
        "outcome",
        sqlite_where=text("outcome <> 'ok'"),
        postgresql_where=text("outcome <> 'ok'"),
    ),
)

RECEIPT_NOTES: Final = Table(
    "receipt_notes",
    METADATA,
    Column("id", Counted, primary_key=True, autoincrement=True),
    _request_id(),
    _text("kind"),
    _text("body"),
    _count("at_us"),
    Index("receipt_notes_by_request", "request_id"),
)

USAGE_DAYS: Final = Table(
    "usage_days",
    METADATA,
    _text("account_id"),
    _text("day"),
    _text("model"),
    _text("key_id"),
    _count("calls", default=0),
    _count("input_tokens", default=0),
    _count("cached_tokens", default=0),
    _count("output_tokens", default=0),
    _count("reasoning_tokens", default=0),
    _count("charge_nanos", default=0),
    _count("cost_nanos", default=0),
    # Calls beside `calls` that came to nothing: their holds were given back, and they have receipts too.
    _count("released", default=0),
    PrimaryKeyConstraint("account_id", "day", "model", "key_id"),
    sqlite_with_rowid=False,
)

IDEMPOTENCY: Final = Table(
    "idempotency",
    METADATA,
    _text("account_id"),
    _text("key"),
    _request_id(),
    # Of method, path and body: the same key with another request is the caller's mistake.
    _text("fingerprint"),
    _count("at_us"),
    # The stored outcome; 0 and NULL while the call is in flight.
    _count("status", default=0),
    _text("headers", null=True),
    Column("body", LargeBinary, nullable=True),
    PrimaryKeyConstraint("account_id", "key"),
    Index("idempotency_by_time", "at_us"),
)

# -- limits ------------------------------------------------------------------------------------------------------------

COUNTERS: Final = Table(
    "counters",
    METADATA,
    # `subject`: a key's id. `kind`: requests, tokens (`window`: minutes since 1970), budget_day (days since 1970),
    # budget_month (months since 1970). Of tries to sign in (sign_in; quarters of an hour): where from, or as whom, hashed.
    # Of forms that are carried out once (form; the hour in which the session ends): a session's id and a mark.
    _text("subject"),
    _text("kind"),
    _count("window"),
    _count("used", default=0),
    PrimaryKeyConstraint("subject", "kind", "window"),
    Index("counters_by_window", "kind", "window"),
    sqlite_with_rowid=False,
)

# -- prices ------------------------------------------------------------------------------------------------------------

PRICES: Final = Table(
    "prices",
    METADATA,
    Column("id", Counted, primary_key=True, autoincrement=True),
    _text("book"),
    # The provider's configured name (cost) or "" (sale), and the model: upstream name (cost), catalog name (sale).
    _text("provider", default=""),
    _text("model"),
    # JSON of `catalog.PriceRow`, or "free".
    _text("row"),
    _text("effective_from"),
    _count("published_us"),
    CheckConstraint("book IN ('cost', 'sale')", name="price_book"),
    Index("prices_by_model", "book", "model"),
)

MARKUPS: Final = Table(
    "markups",
    METADATA,
    # A rule on top of the sale book: for all ("", ""), a model, an account, or a model for an account.
    _text("account_id", default=""),
    _text("model", default=""),
    _count("permille"),
    _text("effective_from"),
    _count("published_us"),
    PrimaryKeyConstraint("account_id", "model", "effective_from"),
)

PRICE_DRAFTS: Final = Table(
    "price_drafts",
    METADATA,
    # Prices that somebody wrote down and nobody published yet: the text as `admin.drafts` reads it.
    Column("id", Text, primary_key=True),
    _text("title", default=""),
    _text("text"),
    _text("made_by", default=""),
    _count("created_us"),
    _count("changed_us"),
)

# -- upstream ----------------------------------------------------------------------------------------------------------

CREDENTIALS: Final = Table(
    "credentials",
    METADATA,
    Column("id", Text, primary_key=True),
    _text("provider"),
    _text("name", default=""),
    # AES-GCM; the id of the key that encrypted it stands in it too.
    Column("ciphertext", LargeBinary, nullable=False),
    _text("secret_key_id"),
    _count("created_us"),
    _count("disabled_us", null=True),
    Index("credentials_by_provider", "provider"),
)

VAULT_RECORDS: Final = Table(
    "vault_records",
    METADATA,
    _text("account_id"),
    _text("key"),
    Column("record", LargeBinary, nullable=False),
    _count("size_bytes"),
    _count("expires_us"),
    PrimaryKeyConstraint("account_id", "key"),
    Index("vault_by_expiry", "expires_us"),
    # What an account keeps is summed up, and its oldest found, without a look at the records.
    Index("vault_by_account", "account_id", "expires_us", "size_bytes"),
)

RESOURCES: Final = Table(
    "resources",
    METADATA,
    # Files, cached contents, stores and responses at providers: who made them, and with which credential.
    _text("provider"),
    _text("kind"),
    _text("name"),
    _text("account_id"),
    _text("credential"),
    _count("created_us"),
    _count("expires_us", null=True),
    PrimaryKeyConstraint("provider", "kind", "name"),
    Index("resources_by_account", "account_id", "kind", "name"),
    Index("resources_by_expiry", "expires_us"),
)

STORED_RESPONSES: Final = Table(
    "stored_responses",
    METADATA,
    # Answers of the Responses API that callers go on from, each with what was new in its request (docs/decisions/0022).
    _text("account_id"),
    _text("id"),
    _text("previous_id", null=True),
    # JSON: the list of new items, and the answer as it was told.
    Column("input", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    # Whose own words they are: the dialect's own provider made it, and 0 what was translated.
    _count("native"),
    _count("size_bytes"),
    _count("created_us"),
    _count("expires_us"),
    PrimaryKeyConstraint("account_id", "id"),
    Index("responses_by_expiry", "expires_us"),
    Index("responses_by_account", "account_id", "expires_us", "size_bytes"),
)

STORED_ITEMS: Final = Table(
    "stored_items",
    METADATA,
    # Which answer an item of one was said in, for callers who name an item by its id.
    _text("account_id"),
    _text("id"),
    _text("response_id"),
    PrimaryKeyConstraint("account_id", "id"),
    Index("items_by_response", "account_id", "response_id"),
)

# -- what rests ------------------------------------------------------------------------------------------------------

RESTS: Final = Table(
    "rests",
    METADATA,
    # What a provider's quota lets nobody ask for a while: for a group of credentials, of one upstream model or of all ("").
    _text("provider"),
    _text("quota_group"),
    _text("model", default=""),
    # NULL: until a person looks.
    _count("until_us", null=True),
    _text("why"),
    _count("misses"),
    _count("at_us"),
    PrimaryKeyConstraint("provider", "quota_group", "model"),
)

# -- calls that are open ---------------------------------------------------------------------------------------------

ENDINGS: Final = Table(
    "endings",
    METADATA,
    # Open calls that an operator ends: whichever worker has it does so, and takes the row away.
    _request_id(key=True),
    _count("at_us"),
)

# -- how models fare -------------------------------------------------------------------------------------------------

TRAFFIC: Final = Table(
    "traffic",
    METADATA,
    # What callers of a model got in 16 minutes; `slot`: how many of those there were since 1970.
    _count("slot"),
    _text("model"),
    # 1: the simulator answered.
    _count("simulated", default=0),
    _count("calls", default=0),
    _count("failed", default=0),
    # JSON: how many of those that did not fail began to be answered within so many milliseconds (`routing.traffic.Waits`).
    _text("waits", default="{}"),
    PrimaryKeyConstraint("slot", "model", "simulated"),
    CheckConstraint("failed >= 0 AND failed <= calls", name="failed_of_calls"),
    sqlite_with_rowid=False,
)
TRIES: Final = Table(
    "tries",
    METADATA,
    # How a provider answered for callers of a model: attempts, of which a call may have several.
    _count("slot"),
    _text("model"),
    _text("provider"),
    _count("simulated", default=0),
    _count("calls", default=0),
    _count("failed", default=0),
    _text("waits", default="{}"),
    PrimaryKeyConstraint("slot", "model", "provider", "simulated"),
    CheckConstraint("failed >= 0 AND failed <= calls", name="failed_of_tries"),
    sqlite_with_rowid=False,
)

# -- who changed what --------------------------------------------------------------------------------------------------

AUDIT: Final = Table(
    "audit",
    METADATA,
    # One row for every change that an administrator makes, in the transaction of the change itself.
    Column("id", Counted, primary_key=True, autoincrement=True),
    _count("at_us"),
    _text("actor"),
    _text("command"),
    # The id of what was changed, and what was asked for: JSON without secrets.
    _text("subject", default=""),
    _text("detail", default="{}"),
    # What makes a change unique for whoever asked for it (an invoice's number): it is made once.
    _text("reference", null=True),
    Index("audit_by_subject", "subject", "id"),
    Index("one_change_per_reference", "command", "subject", "reference", unique=True),
)
