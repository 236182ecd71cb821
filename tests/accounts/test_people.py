"""People and what they are in which account."""

from random import Random

import pytest

from accounts.rowbooks import Books
from portico.accounts import people
from portico.accounts import rows as accounts
from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.core.lines import is_line

DICE = Random(12)


@pytest.fixture
def acme(books: Books) -> str:
    books.work(lambda db: accounts.create_account(db, DICE, name="Acme"))
    for name in ("ada", "bob"):
        books.work(lambda db, name=name: people.create_user(db, DICE, email=f"{name}@example.com", name=name))  # type: ignore[misc]
    return books.work(lambda db: accounts.show_account(db, "Acme")).id


def test_an_address_is_one_person_however_it_is_written(books: Books, acme: str) -> None:
    found = books.work(lambda db: people.show_user(db, "ADA@Example.com"))
    assert found.email == "ada@example.com"
    assert books.work(lambda db: people.show_user(db, found.id)) == found
    with pytest.raises(Conflict):
        books.work(lambda db: people.create_user(db, DICE, email=" Ada@example.com"))
    assert {user.name for user in books.work(people.list_users)} == {"ada", "bob"}


@pytest.mark.parametrize("name", ["کلید می\u200cخواهم", "क्\u200dष", "Zoë 👩🏽\u200d💻", "李小龍", "O’Brien", ""])
def test_a_name_is_written_as_its_script_is(books: Books, name: str) -> None:
    made = books.work(lambda db: people.create_user(db, DICE, email="who@example.com", name=name))
    assert made.name == name


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "a\u202eb", "a\u2066b", "a\u2028b", "\u200d", "a\x00"])
def test_what_would_turn_a_line_around_is_in_no_name(name: str) -> None:
    assert not is_line(name)


@pytest.mark.parametrize("email", ["", "ada", "@example.com", "ada@", "a@b@c", "a b@c", "x" * 260 + "@c", "a\n@c"])
def test_what_is_no_address_is_refused(books: Books, email: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        books.work(lambda db: people.create_user(db, DICE, email=email))
    assert refused.value.param == "email"


def test_a_role_is_given_changed_and_taken(books: Books, acme: str) -> None:
    books.work(lambda db: people.set_role(db, "Acme", "ada@example.com", "owner"))
    bob = books.work(lambda db: people.set_role(db, "Acme", "bob@example.com", "viewer"))
    assert bob.account_id == acme
    bob = books.work(lambda db: people.set_role(db, "Acme", "bob@example.com", "member"))
    members = books.work(lambda db: people.members_of(db, "Acme"))
    assert [(member.email, member.role) for member in members] == [
        ("ada@example.com", "owner"),
        ("bob@example.com", "member"),
    ]
    assert books.work(lambda db: people.memberships_of(db, bob.user_id)) == [bob]
    assert books.work(lambda db: people.role_of(db, acme, bob.user_id)) == "member"
    books.work(lambda db: people.disable_user(db, bob.user_id))
    assert books.work(lambda db: people.role_of(db, acme, bob.user_id)) is None
    books.work(lambda db: people.enable_user(db, bob.user_id))
    books.work(lambda db: people.remove_member(db, "Acme", bob.user_id))
    assert books.work(lambda db: people.role_of(db, acme, bob.user_id)) is None
    with pytest.raises(NotFound):
        books.work(lambda db: people.remove_member(db, "Acme", bob.user_id))


def test_an_account_keeps_an_owner(books: Books, acme: str) -> None:
    books.work(lambda db: people.set_role(db, acme, "ada@example.com", "owner"))
    with pytest.raises(Conflict):
        books.work(lambda db: people.set_role(db, acme, "ada@example.com", "admin"))
    with pytest.raises(Conflict):
        books.work(lambda db: people.remove_member(db, acme, "ada@example.com"))
    books.work(lambda db: people.set_role(db, acme, "bob@example.com", "owner"))
    books.work(lambda db: people.remove_member(db, acme, "ada@example.com"))
    assert [member.email for member in books.work(lambda db: people.members_of(db, acme))] == ["bob@example.com"]


def test_a_role_is_one_of_four(books: Books, acme: str) -> None:
    with pytest.raises(InvalidRequest):
        books.work(lambda db: people.set_role(db, acme, "ada@example.com", "root"))
    with pytest.raises(NotFound):
        books.work(lambda db: people.set_role(db, acme, "eve@example.com", "viewer"))
