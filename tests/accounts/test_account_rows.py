"""Keys and accounts in the store, on both databases: each change is what the next snapshot of a worker says."""

import threading
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any

import pytest

from accounts.rowbooks import Books, postgres_books
from portico.accounts import Keyring, Policy, people
from portico.accounts import rows as accounts
from portico.accounts.finding import find_keys
from portico.accounts.keys import DEFAULT_TENANT
from portico.core.errors import AuthenticationFailed, Conflict, InvalidRequest, NotFound
from portico.core.storage import Db

DICE = Random(11)
HOUR_US = 3_600_000_000


def make(books: Books, **more: Any) -> accounts.Issued:
    return books.work(lambda db: accounts.create_key(db, DICE, **more))


def account(books: Books, name: str = "Acme", kind: str = "prepaid") -> accounts.Account:
    return books.work(lambda db: accounts.create_account(db, DICE, name=name, kind=kind))


def opens(books: Books, secret: str, *, later_us: int = 0) -> str | None:
    """Which key a fresh worker finds for a secret; None: none that opens."""
    now_us = books.work(lambda db: db.now_us) + later_us
    keyring = Keyring.of(books.work(accounts.changed_keys))
    try:
        return keyring.authenticate({"x-api-key": secret}, peer="192.0.2.1", now_us=now_us).key_id
    except AuthenticationFailed:
        return None


def everything(db: Db) -> list[list[Any]]:
    return [db.rows("SELECT * FROM accounts"), db.rows("SELECT * FROM keys"), db.rows("SELECT * FROM revisions")]


def test_a_new_key_opens_its_account_and_its_secret_is_nowhere_in_the_store(books: Books) -> None:
    of = account(books)
    made = make(books, account="Acme", name="laptop", policy={"rpm": 5, "models": ["gemini-*"]})
    assert made.key.account_id == of.id
    assert made.secret.startswith(made.key.prefix)
    (row,) = books.work(accounts.changed_keys)
    caller = Keyring.of([row]).authenticate({"x-api-key": made.secret}, now_us=0)
    assert (caller.tenant, caller.prepaid) == (of.id, True)
    assert caller.policy == Policy(rpm=5, models=("gemini-*",))
    stored = books.work(lambda db: db.rows("SELECT * FROM keys"))
    assert made.secret not in repr(stored)
    assert made.secret not in repr(made)


def test_every_change_reaches_a_worker_that_knows_the_rest(books: Books) -> None:
    of, others = account(books), account(books, "Other")
    first, second = make(books, account=of.id), make(books, account=others.id)
    keyring = Keyring.of(books.work(accounts.changed_keys))
    changes: list[tuple[Callable[[Db], object], set[str]]] = [
        (lambda db: accounts.disable_key(db, first.key.id), {first.key.id}),
        (lambda db: accounts.enable_key(db, first.key.id), {first.key.id}),
        (lambda db: accounts.set_policy(db, first.key.id, {"tpm": 9}), {first.key.id}),
        (lambda db: accounts.set_expiry(db, first.key.id, db.now_us + HOUR_US), {first.key.id}),
        (lambda db: accounts.rename_key(db, first.key.id, "other"), {first.key.id}),
        (lambda db: accounts.rotate_key(db, DICE, first.key.id), {first.key.id}),
        (lambda db: accounts.revoke_key(db, first.key.id), {first.key.id}),
        (lambda db: accounts.set_account_kind(db, "Other", "open"), {second.key.id}),
        (lambda db: accounts.close_account(db, "Other"), {second.key.id}),
    ]
    for change, concerned in changes:
        books.work(change)
        changed = books.work(lambda db: accounts.changed_keys(db, keyring.revision))
        assert {row.id for row in changed} == concerned
        number = books.work(lambda db: db.rows("SELECT number FROM revisions WHERE name = 'keys'"))
        keyring.update(changed)
        assert number == [(keyring.revision,)]
    assert books.work(lambda db: accounts.changed_keys(db, keyring.revision)) == []
    for secret in (first.secret, second.secret):
        with pytest.raises(AuthenticationFailed):
            keyring.authenticate({"x-api-key": secret}, now_us=0)


def test_complaint_14_a_budget_that_is_changed_is_counted_anew(books: Books) -> None:
    """Without it, what was spent while there was none would be missing from a budget that is set again."""
    of = account(books)
    key, other = make(books, account=of.id), make(books, account=of.id)
    count = 'INSERT INTO counters (subject, kind, "window", used) VALUES (?, ?, 1, 5)'
    for one in (key, other):
        for kind in ("requests", "budget_day", "budget_month"):
            books.work(lambda db, one=one, kind=kind: db.run(count, one.key.id, kind))  # type: ignore[misc]
    books.work(lambda db: accounts.set_policy(db, key.key.id, {"budget_day_nanos": 9}))
    left = books.work(lambda db: db.rows("SELECT kind FROM counters WHERE subject = ?", key.key.id))
    assert left == [("requests",)]
    assert books.work(lambda db: db.rows("SELECT COUNT(*) FROM counters WHERE subject = ?", other.key.id)) == [(3,)]


def test_a_key_that_is_disabled_opens_again_when_enabled_and_a_revoked_one_never(books: Books) -> None:
    account(books)
    made = make(books, account="Acme")
    key_id = made.key.id
    assert opens(books, made.secret) == key_id
    assert books.work(lambda db: accounts.disable_key(db, key_id)).disabled_us
    assert opens(books, made.secret) is None
    books.work(lambda db: accounts.enable_key(db, key_id))
    assert opens(books, made.secret) == key_id
    revoked = books.work(lambda db: accounts.revoke_key(db, key_id))
    assert opens(books, made.secret) is None
    books.work(lambda db: accounts.enable_key(db, key_id))
    assert opens(books, made.secret) is None
    assert books.work(lambda db: accounts.revoke_key(db, key_id)).revoked_us == revoked.revoked_us


def test_rotation_keeps_the_key_and_lets_both_secrets_open_for_a_while(books: Books) -> None:
    account(books)
    made = make(books, account="Acme", policy={"budget_day_nanos": 5})
    rotated = books.work(lambda db: accounts.rotate_key(db, DICE, made.key.id, overlap_s=3600))
    assert rotated.key.id == made.key.id
    assert rotated.key.policy == made.key.policy
    assert rotated.secret != made.secret
    assert [opens(books, one.secret) for one in (made, rotated)] == [made.key.id, made.key.id]
    assert opens(books, made.secret, later_us=HOUR_US + 1) is None
    assert opens(books, rotated.secret, later_us=HOUR_US + 1) == made.key.id
    again = books.work(lambda db: accounts.rotate_key(db, DICE, made.key.id))
    assert [opens(books, one.secret) for one in (made, rotated, again)] == [None, None, made.key.id]


def test_a_key_that_is_over_cannot_be_rotated(books: Books) -> None:
    account(books)
    made = make(books, account="Acme")
    books.work(lambda db: accounts.revoke_key(db, made.key.id))
    with pytest.raises(Conflict):
        books.work(lambda db: accounts.rotate_key(db, DICE, made.key.id))
    with pytest.raises(InvalidRequest):
        books.work(lambda db: accounts.rotate_key(db, DICE, made.key.id, overlap_s=-1))


def test_a_closed_account_keeps_its_books_and_gets_no_more_keys(books: Books) -> None:
    account(books)
    made = make(books, account="Acme")
    closed = books.work(lambda db: accounts.close_account(db, "Acme"))
    assert closed.closed_us
    assert opens(books, made.secret) is None
    assert books.work(accounts.list_accounts) == []
    assert books.work(lambda db: accounts.list_accounts(db, closed=True)) == [closed]
    assert books.work(lambda db: accounts.close_account(db, "Acme")) == closed
    with pytest.raises(Conflict, match="a closed account of the name 'Acme'"):  # which is in no list
        account(books)
    with pytest.raises(Conflict):
        make(books, account="Acme")


def test_keys_are_listed_a_page_at_a_time(books: Books) -> None:
    account(books)
    account(books, "Other")
    made = [make(books, account="Acme").key for _ in range(5)] + [make(books, account="Other").key]
    assert sorted(books.work(accounts.list_keys), key=lambda key: key.id) == sorted(made, key=lambda key: key.id)
    first = books.work(lambda db: accounts.list_keys(db, account="Acme", limit=3))
    rest = books.work(lambda db: accounts.list_keys(db, account="Acme", after=first[-1].id))
    assert [key.account_id for key in (*first, *rest)] == [made[0].account_id] * 5
    assert len({key.id for key in (*first, *rest)}) == 5
    with pytest.raises(NotFound):
        books.work(lambda db: accounts.list_keys(db, account="Nobody"))


def test_lists_go_by_time_however_ids_are_compared(books: Books) -> None:
    """In English an `a` comes before a `B`, in bytes behind it: here in the order of neither."""
    ids = ["c", "B", "a"]

    def came(db: Db) -> None:
        for at, one in enumerate(ids):
            db.run("INSERT INTO accounts (id, name, kind, created_us) VALUES (?, ?, 'open', ?)", one, one, at)
            sql = "INSERT INTO keys (id, account_id, prefix, digest, created_us, revision) VALUES (?, 'c', '', ?, ?, 0)"
            db.run(sql, one, one, at)
            db.run("INSERT INTO users (id, email, created_us) VALUES (?, ?, ?)", one, one, at)

    books.work(came)
    for listed in (
        lambda db, after: accounts.list_accounts(db, after=after, limit=1),
        lambda db, after: accounts.list_keys(db, after=after, limit=1),
        lambda db, after: accounts.list_keys(db, account="c", after=after, limit=1),
        lambda db, after: people.list_users(db, after=after, limit=1),
    ):
        for after, expected in zip(["", *ids], [*ids, None], strict=True):
            found = books.work(lambda db, listed=listed, after=after: listed(db, after))  # type: ignore[misc]
            assert [one.id for one in found] == ([] if expected is None else [expected])
    for before, expected in zip(["", "a", "B", "c"], ["a", "B", "c", None], strict=True):
        keys = books.work(lambda db, before=before: find_keys(db, before=before, limit=1))  # type: ignore[misc]
        assert [one.key.id for one in keys] == ([] if expected is None else [expected])


def test_a_key_of_another_account_is_not_there(books: Books) -> None:
    of, other = account(books), account(books, "Other")
    made = make(books, account=of.id)
    assert books.work(lambda db: accounts.show_key(db, made.key.id, account_id=of.id)).id == made.key.id
    with pytest.raises(NotFound):
        books.work(lambda db: accounts.show_key(db, made.key.id, account_id=other.id))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda db: accounts.create_account(db, DICE, name="Acme"), Conflict),
        (lambda db: accounts.create_account(db, DICE, name=""), InvalidRequest),
        (lambda db: accounts.create_account(db, DICE, name="a\nb"), InvalidRequest),
        (lambda db: accounts.create_account(db, DICE, name="x", kind="free"), InvalidRequest),
        (lambda db: accounts.create_key(db, DICE, account="Nobody"), NotFound),
        (lambda db: accounts.create_key(db, DICE, account="Acme", policy={"rmp": 1}), InvalidRequest),
        (lambda db: accounts.create_key(db, DICE, account="Acme", expires_us=1), InvalidRequest),
        (lambda db: accounts.set_policy(db, "key_x", {}), NotFound),
        (lambda db: accounts.revoke_key(db, "key_x"), NotFound),
        (lambda db: accounts.close_account(db, "Nobody"), NotFound),
    ],
)
def test_what_cannot_be_done_changes_nothing(books: Books, change: Callable[[Db], object], error: type) -> None:
    account(books)
    before = books.work(everything)
    with pytest.raises(error):
        books.work(change)
    assert books.work(everything) == before


# -- the built-in account ----------------------------------------------------------------------------------------------


def ensure(books: Books, secret: str) -> None:
    books.work(lambda db: accounts.ensure_default(db, secret))


def test_the_first_key_is_of_the_built_in_open_account(books: Books) -> None:
    ensure(books, "a-secret-of-an-operator")
    caller = Keyring.of(books.work(accounts.changed_keys)).authenticate(
        {"x-api-key": "a-secret-of-an-operator"}, now_us=0
    )
    assert (caller.tenant, caller.key_id, caller.prepaid) == (DEFAULT_TENANT, accounts.DEFAULT_KEY, False)


def test_starting_again_changes_nothing_and_another_key_takes_the_place_of_the_first(books: Books) -> None:
    ensure(books, "first-secret-of-an-operator")
    books.work(lambda db: accounts.set_policy(db, accounts.DEFAULT_KEY, {"rpm": 3}))
    before = books.work(accounts.changed_keys)
    ensure(books, "first-secret-of-an-operator")
    assert books.work(accounts.changed_keys) == before
    ensure(books, "other-secret-of-an-operator")
    assert opens(books, "first-secret-of-an-operator") is None
    assert opens(books, "other-secret-of-an-operator") == accounts.DEFAULT_KEY
    assert books.work(lambda db: accounts.show_key(db, accounts.DEFAULT_KEY)).policy == Policy(rpm=3)


def test_the_built_in_key_stays_revoked_until_it_is_another(books: Books) -> None:
    ensure(books, "first-secret-of-an-operator")
    books.work(lambda db: accounts.revoke_key(db, accounts.DEFAULT_KEY))
    ensure(books, "first-secret-of-an-operator")
    assert opens(books, "first-secret-of-an-operator") is None
    ensure(books, "other-secret-of-an-operator")
    assert opens(books, "other-secret-of-an-operator") == accounts.DEFAULT_KEY


def test_a_built_in_key_that_is_a_key_already_stays_that_key(books: Books) -> None:
    ensure(books, "first-secret-of-an-operator")
    account(books)
    made = make(books, account="Acme")
    ensure(books, made.secret)
    assert opens(books, made.secret) == made.key.id
    assert opens(books, "first-secret-of-an-operator") is None


def test_the_built_in_account_cannot_be_closed(books: Books) -> None:
    ensure(books, "first-secret-of-an-operator")
    with pytest.raises(InvalidRequest):
        books.work(lambda db: accounts.close_account(db, DEFAULT_TENANT))


def test_workers_that_start_at_once_agree_on_the_built_in_key() -> None:
    with postgres_books() as books:
        gate, failures = threading.Barrier(4), []

        def start() -> None:
            gate.wait()
            try:
                ensure(books, "first-secret-of-an-operator")
            except Exception as error:  # noqa: BLE001
                failures.append(error)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert opens(books, "first-secret-of-an-operator") == accounts.DEFAULT_KEY


def test_changes_made_at_once_become_visible_in_the_order_of_their_numbers() -> None:
    with postgres_books() as books:
        ensure(books, "first-secret-of-an-operator")
        seen: list[list[int]] = []
        done = threading.Event()

        def work() -> None:
            for _ in range(15):
                books.work(lambda db: accounts.create_key(db, SystemRandom()))

        def look() -> None:
            while not done.is_set():
                seen.append([row.revision for row in books.work(accounts.changed_keys)])

        workers, looker = [threading.Thread(target=work) for _ in range(3)], threading.Thread(target=look)
        for thread in (*workers, looker):
            thread.start()
        for thread in workers:
            thread.join(60)
        done.set()
        looker.join(60)
        seen.append([row.revision for row in books.work(accounts.changed_keys)])
        assert seen[-1] == list(range(1, 47))
        for revisions in seen:
            assert revisions == list(range(1, len(revisions) + 1)), "a number was visible before a lower one"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ärger", {"Ärger mit Ö", "laptop"}),  # the account's name, too
        ("LAPTOP", {"laptop"}),
        ("rger MIT Ö", {"Ärger mit Ö"}),
        ("手機", {"我的手機"}),
        ("100%", {"100%_!"}),
        ("%_!", {"100%_!"}),
        ("", {"Ärger mit Ö", "laptop", "我的手機", "100%_!"}),
        ("nobody's", set()),
    ],
)
def test_keys_are_found_by_a_part_of_a_name_in_any_script(books: Books, text: str, found: set[str]) -> None:
    acme, other = account(books, "Acme"), account(books, "Ärger AG")
    for of, name in ((acme, "Ärger mit Ö"), (other, "laptop"), (acme, "我的手機"), (acme, "100%_!")):
        make(books, account=of.id, name=name)
    assert {one.key.name for one in books.work(lambda db: find_keys(db, text))} == found
