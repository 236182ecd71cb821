BEGIN TRANSACTION;
CREATE TABLE accounts (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	posted_nanos BIGINT DEFAULT 0 NOT NULL, 
	held_nanos BIGINT DEFAULT 0 NOT NULL, 
	settings TEXT DEFAULT '{}' NOT NULL, 
	created_us BIGINT NOT NULL, 
	closed_us BIGINT, 
	revision BIGINT DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT account_kind CHECK (kind IN ('prepaid', 'open')), 
	CONSTRAINT held_is_not_negative CHECK (held_nanos >= 0), 
	UNIQUE (name)
);
INSERT INTO "accounts" VALUES('acc_1','name of accounts','prepaid',7,7,'settings of accounts',7,7,7);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at_us BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	command TEXT NOT NULL, 
	subject TEXT DEFAULT '' NOT NULL, 
	detail TEXT DEFAULT '{}' NOT NULL, 
	reference TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(7,7,'actor of audit','command of audit','subject of audit','detail of audit','reference of audit');
CREATE TABLE batches (
	worker_id TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	PRIMARY KEY (worker_id, sequence)
)
 WITHOUT ROWID

;
INSERT INTO "batches" VALUES('worker_id of batches',7);
CREATE TABLE codes (
	digest TEXT NOT NULL, 
	prefix TEXT NOT NULL, 
	amount_nanos BIGINT NOT NULL, 
	note TEXT DEFAULT '' NOT NULL, 
	created_us BIGINT NOT NULL, 
	expires_us BIGINT, 
	redeemed_us BIGINT, 
	account_id TEXT, 
	PRIMARY KEY (digest), 
	CONSTRAINT code_amount CHECK (amount_nanos > 0), 
	FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "codes" VALUES('digest of codes','prefix of codes',5,'note of codes',7,7,7,'acc_1');
CREATE TABLE counters (
	subject TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	window BIGINT NOT NULL, 
	used BIGINT DEFAULT 0 NOT NULL, 
	PRIMARY KEY (subject, kind, window)
)
 WITHOUT ROWID

;
INSERT INTO "counters" VALUES('subject of counters','kind of counters',7,7);
CREATE TABLE credentials (
	id TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	ciphertext BLOB NOT NULL, 
	secret_key_id TEXT NOT NULL, 
	created_us BIGINT NOT NULL, 
	disabled_us BIGINT, 
	PRIMARY KEY (id)
);
INSERT INTO "credentials" VALUES('id of credentials','provider of credentials','name of credentials',X'00FF','secret_key_id of credentials',7,7);
CREATE TABLE endings (
	request_id TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (request_id)
);
INSERT INTO "endings" VALUES('request_id of endings',7);
CREATE TABLE entries (
	id INTEGER NOT NULL, 
	account_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	posted_nanos BIGINT NOT NULL, 
	held_nanos BIGINT NOT NULL, 
	request_id TEXT, 
	note TEXT DEFAULT '' NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT entry_kind CHECK (kind IN ('top_up', 'hold', 'extend', 'settle', 'release', 'adjust', 'refund'))
);
INSERT INTO "entries" VALUES(7,'acc_1','top_up',7,7,'request_id of entries','note of entries',7);
CREATE TABLE holds (
	request_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	worker_id TEXT NOT NULL, 
	amount_nanos BIGINT NOT NULL, 
	tokens BIGINT DEFAULT 0 NOT NULL, 
	minute BIGINT DEFAULT 0 NOT NULL, 
	budgets BIGINT DEFAULT 0 NOT NULL, 
	at_us BIGINT NOT NULL, 
	checkpoint TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (request_id), 
	CONSTRAINT hold_amount CHECK (amount_nanos >= 0)
);
INSERT INTO "holds" VALUES('request_id of holds','acc_1','key_1','worker_id of holds',7,7,7,7,7,'checkpoint of holds');
CREATE TABLE idempotency (
	account_id TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	request_id TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	status BIGINT DEFAULT 0 NOT NULL, 
	headers TEXT, 
	body BLOB, 
	PRIMARY KEY (account_id, "key")
);
INSERT INTO "idempotency" VALUES('acc_1','key of idempotency','request_id of idempotency','fingerprint of idempotency',7,7,'headers of idempotency',X'00FF');
CREATE TABLE identities (
	issuer TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	created_us BIGINT NOT NULL, 
	PRIMARY KEY (issuer, subject), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "identities" VALUES('issuer of identities','subject of identities','usr_1',7);
CREATE TABLE keys (
	id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	prefix TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	previous_digest TEXT, 
	previous_expires_us BIGINT, 
	policy TEXT DEFAULT '{}' NOT NULL, 
	created_us BIGINT NOT NULL, 
	expires_us BIGINT, 
	disabled_us BIGINT, 
	revoked_us BIGINT, 
	revision BIGINT NOT NULL, user_id TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES accounts (id), 
	UNIQUE (digest)
);
INSERT INTO "keys" VALUES('key_1','acc_1','name of keys','prefix of keys','digest of keys','previous_digest of keys',7,'policy of keys',7,7,7,7,7,'usr_1');
CREATE TABLE leases (
	worker_id TEXT NOT NULL, 
	label TEXT DEFAULT '' NOT NULL, 
	expires_us BIGINT NOT NULL, 
	PRIMARY KEY (worker_id)
);
INSERT INTO "leases" VALUES('worker_id of leases','label of leases',7);
CREATE TABLE links (
	digest TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	user_id TEXT, 
	email TEXT DEFAULT '' NOT NULL, 
	account_id TEXT, 
	role TEXT, 
	operator BIGINT DEFAULT 0 NOT NULL, 
	made_by TEXT DEFAULT '' NOT NULL, 
	created_us BIGINT NOT NULL, 
	expires_us BIGINT NOT NULL, 
	used_us BIGINT, 
	PRIMARY KEY (digest), 
	CONSTRAINT link_purpose CHECK (purpose IN ('first_start', 'invite', 'reset')), 
	FOREIGN KEY(user_id) REFERENCES users (id), 
	FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "links" VALUES('digest of links','invite','usr_1','email of links','acc_1','role of links',7,'made_by of links',7,7,7);
CREATE TABLE markups (
	account_id TEXT DEFAULT '' NOT NULL, 
	model TEXT DEFAULT '' NOT NULL, 
	permille BIGINT NOT NULL, 
	effective_from TEXT NOT NULL, 
	published_us BIGINT NOT NULL, 
	PRIMARY KEY (account_id, model, effective_from)
);
INSERT INTO "markups" VALUES('acc_1','model of markups',7,'effective_from of markups',7);
CREATE TABLE memberships (
	account_id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	role TEXT NOT NULL, 
	PRIMARY KEY (account_id, user_id), 
	CONSTRAINT membership_role CHECK (role IN ('owner', 'admin', 'member', 'viewer')), 
	FOREIGN KEY(account_id) REFERENCES accounts (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "memberships" VALUES('acc_1','usr_1','owner');
CREATE TABLE passwords (
	user_id TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	changed_us BIGINT NOT NULL, 
	PRIMARY KEY (user_id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "passwords" VALUES('usr_1','hash of passwords',7);
CREATE TABLE payment_events (
	id TEXT NOT NULL, 
	payment_id TEXT, 
	kind TEXT NOT NULL, 
	posted_nanos BIGINT DEFAULT 0 NOT NULL, 
	at_us BIGINT NOT NULL, 
	reference TEXT DEFAULT '' NOT NULL, 
	subject TEXT DEFAULT '' NOT NULL, 
	amount_nanos BIGINT DEFAULT 0 NOT NULL, 
	fits BIGINT DEFAULT 1 NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "payment_events" VALUES('id of payment_events','payment_id of payment_events','kind of payment_events',7,7,'reference of payment_events','subject of payment_events',7,7);
CREATE TABLE payments (
	id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	user_id TEXT, 
	amount_nanos BIGINT NOT NULL, 
	fee_nanos BIGINT DEFAULT 0 NOT NULL, 
	state TEXT DEFAULT 'waiting' NOT NULL, 
	returned_nanos BIGINT DEFAULT 0 NOT NULL, 
	reference TEXT, 
	created_us BIGINT NOT NULL, 
	changed_us BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT payment_amount CHECK (amount_nanos > 0), 
	CONSTRAINT payment_state CHECK (state IN ('waiting', 'paid', 'expired', 'refunded', 'disputed')), 
	FOREIGN KEY(account_id) REFERENCES accounts (id), 
	UNIQUE (reference)
);
INSERT INTO "payments" VALUES('id of payments','acc_1','usr_1',7,7,'paid',7,'reference of payments',7,7);
CREATE TABLE price_drafts (
	id TEXT NOT NULL, 
	title TEXT DEFAULT '' NOT NULL, 
	text TEXT NOT NULL, 
	made_by TEXT DEFAULT '' NOT NULL, 
	created_us BIGINT NOT NULL, 
	changed_us BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "price_drafts" VALUES('id of price_drafts','title of price_drafts','text of price_drafts','made_by of price_drafts',7,7);
CREATE TABLE prices (
	id INTEGER NOT NULL, 
	book TEXT NOT NULL, 
	provider TEXT DEFAULT '' NOT NULL, 
	model TEXT NOT NULL, 
	"row" TEXT NOT NULL, 
	effective_from TEXT NOT NULL, 
	published_us BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT price_book CHECK (book IN ('cost', 'sale'))
);
INSERT INTO "prices" VALUES(7,'sale','provider of prices','model of prices','row of prices','effective_from of prices',7);
CREATE TABLE receipt_notes (
	id INTEGER NOT NULL, 
	request_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	body TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "receipt_notes" VALUES(7,'request_id of receipt_notes','kind of receipt_notes','body of receipt_notes',7);
CREATE TABLE receipts (
	request_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	model TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	charge_nanos BIGINT NOT NULL, 
	cost_nanos BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (request_id)
);
INSERT INTO "receipts" VALUES('request_id of receipts','acc_1','key_1',7,'model of receipts','outcome of receipts',7,7,'body of receipts');
CREATE TABLE resources (
	provider TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	credential TEXT NOT NULL, 
	created_us BIGINT NOT NULL, 
	expires_us BIGINT, 
	PRIMARY KEY (provider, kind, name)
);
INSERT INTO "resources" VALUES('provider of resources','kind of resources','name of resources','acc_1','credential of resources',7,7);
CREATE TABLE rests (
	provider TEXT NOT NULL, 
	quota_group TEXT NOT NULL, 
	model TEXT DEFAULT '' NOT NULL, 
	until_us BIGINT, 
	why TEXT NOT NULL, 
	misses BIGINT NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (provider, quota_group, model)
);
INSERT INTO "rests" VALUES('provider of rests','quota_group of rests','model of rests',7,'why of rests',7,7);
CREATE TABLE revisions (
	name TEXT NOT NULL, 
	number BIGINT DEFAULT 0 NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "revisions" VALUES('name of revisions',7);
CREATE TABLE sessions (
	digest TEXT NOT NULL, 
	id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	account_id TEXT, 
	agent TEXT DEFAULT '' NOT NULL, 
	address TEXT DEFAULT '' NOT NULL, 
	created_us BIGINT NOT NULL, 
	seen_us BIGINT NOT NULL, 
	expires_us BIGINT NOT NULL, 
	PRIMARY KEY (digest), 
	UNIQUE (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "sessions" VALUES('digest of sessions','id of sessions','usr_1','acc_1','agent of sessions','address of sessions',7,7,7);
CREATE TABLE stored_items (
	account_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	response_id TEXT NOT NULL, 
	PRIMARY KEY (account_id, id)
);
INSERT INTO "stored_items" VALUES('acc_1','id of stored_items','response_id of stored_items');
CREATE TABLE stored_responses (
	account_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	previous_id TEXT, 
	input BLOB NOT NULL, 
	response BLOB NOT NULL, 
	native BIGINT NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	created_us BIGINT NOT NULL, 
	expires_us BIGINT NOT NULL, 
	PRIMARY KEY (account_id, id)
);
INSERT INTO "stored_responses" VALUES('acc_1','id of stored_responses','previous_id of stored_responses',X'00FF',X'00FF',7,7,7,7);
CREATE TABLE traffic (
	slot BIGINT NOT NULL, 
	model TEXT NOT NULL, 
	simulated BIGINT DEFAULT 0 NOT NULL, 
	calls BIGINT DEFAULT 0 NOT NULL, 
	failed BIGINT DEFAULT 0 NOT NULL, 
	waits TEXT DEFAULT '{}' NOT NULL, 
	PRIMARY KEY (slot, model, simulated), 
	CONSTRAINT failed_of_calls CHECK (failed >= 0 AND failed <= calls)
)
 WITHOUT ROWID

;
INSERT INTO "traffic" VALUES(7,'model of traffic',7,7,7,'waits of traffic');
CREATE TABLE tries (
	slot BIGINT NOT NULL, 
	model TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	simulated BIGINT DEFAULT 0 NOT NULL, 
	calls BIGINT DEFAULT 0 NOT NULL, 
	failed BIGINT DEFAULT 0 NOT NULL, 
	waits TEXT DEFAULT '{}' NOT NULL, 
	PRIMARY KEY (slot, model, provider, simulated), 
	CONSTRAINT failed_of_tries CHECK (failed >= 0 AND failed <= calls)
)
 WITHOUT ROWID

;
INSERT INTO "tries" VALUES(7,'model of tries','provider of tries',7,7,7,'waits of tries');
CREATE TABLE usage_days (
	account_id TEXT NOT NULL, 
	day TEXT NOT NULL, 
	model TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	calls BIGINT DEFAULT 0 NOT NULL, 
	input_tokens BIGINT DEFAULT 0 NOT NULL, 
	cached_tokens BIGINT DEFAULT 0 NOT NULL, 
	output_tokens BIGINT DEFAULT 0 NOT NULL, 
	reasoning_tokens BIGINT DEFAULT 0 NOT NULL, 
	charge_nanos BIGINT DEFAULT 0 NOT NULL, 
	cost_nanos BIGINT DEFAULT 0 NOT NULL, released BIGINT DEFAULT 0 NOT NULL, 
	PRIMARY KEY (account_id, day, model, key_id)
)
 WITHOUT ROWID

;
INSERT INTO "usage_days" VALUES('acc_1','day of usage_days','model of usage_days','key_1',7,7,7,7,7,7,7,7);
CREATE TABLE users (
	id TEXT NOT NULL, 
	email TEXT NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	created_us BIGINT NOT NULL, 
	disabled_us BIGINT, operator BIGINT DEFAULT 0 NOT NULL, locale TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (email)
);
INSERT INTO "users" VALUES('usr_1','email of users','name of users',7,7,7,'locale of users');
CREATE TABLE vault_records (
	account_id TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	record BLOB NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	expires_us BIGINT NOT NULL, 
	PRIMARY KEY (account_id, "key")
);
INSERT INTO "vault_records" VALUES('acc_1','key of vault_records',X'00FF',7,7);
CREATE INDEX keys_by_account ON keys (account_id);
CREATE INDEX keys_by_revision ON keys (revision);
CREATE UNIQUE INDEX one_adjustment ON entries (request_id) WHERE kind = 'adjust' AND request_id IS NOT NULL;
CREATE UNIQUE INDEX one_hold ON entries (request_id) WHERE kind = 'hold';
CREATE UNIQUE INDEX one_resolution ON entries (request_id) WHERE kind IN ('settle', 'release');
CREATE INDEX payments_by_account ON entries (account_id, id) WHERE kind IN ('top_up', 'refund', 'adjust');
CREATE INDEX holds_by_key ON holds (key_id);
CREATE INDEX receipts_by_account ON receipts (account_id, request_id);
CREATE INDEX receipt_notes_by_request ON receipt_notes (request_id);
CREATE INDEX idempotency_by_time ON idempotency (at_us);
CREATE INDEX counters_by_window ON counters (kind, window);
CREATE INDEX prices_by_model ON prices (book, model);
CREATE INDEX credentials_by_provider ON credentials (provider);
CREATE INDEX vault_by_expiry ON vault_records (expires_us);
CREATE INDEX vault_by_account ON vault_records (account_id, expires_us, size_bytes);
CREATE INDEX resources_by_account ON resources (account_id, kind, name);
CREATE INDEX resources_by_expiry ON resources (expires_us);
CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE UNIQUE INDEX one_change_per_reference ON audit (command, subject, reference);
CREATE INDEX responses_by_expiry ON stored_responses (expires_us);
CREATE INDEX responses_by_account ON stored_responses (account_id, expires_us, size_bytes);
CREATE INDEX items_by_response ON stored_items (account_id, response_id);
CREATE INDEX receipts_of_trouble ON receipts (account_id, request_id, outcome) WHERE outcome <> 'ok';
CREATE INDEX identities_by_user ON identities (user_id);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_us);
CREATE INDEX links_by_expiry ON links (expires_us);
CREATE INDEX payments_of_account ON payments (account_id, created_us);
CREATE INDEX payment_events_by_payment ON payment_events (payment_id);
CREATE INDEX payment_events_by_reference ON payment_events (reference);
COMMIT;
