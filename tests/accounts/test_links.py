"""Links that work once, on both databases; and how often somebody may try to sign in."""

import contextlib
from random import SystemRandom
from threading import Barrier, Thread
from typing import Any

import pytest

from accounts.rowbooks import Books, postgres_books
from portico.accounts import attempts, links, people
from portico.core.errors import NotFound

RNG = SystemRandom()


class At:
    """A transaction at another time."""

    def __init__(self, db: Any, later_us: int) -> None:
        self._db = db
        self.now_us = db.now_us + later_us

    def run(self, *said: Any) -> int:
        return int(self._db.run(*said))

    def rows(self, *said: Any) -> Any:
        return self._db.rows(*said)


def invite(books: Books, email: str = "ada@example.com") -> str:
    return books.work(lambda db: links.make_link(db, RNG, links.INVITE, email=email)).secret


def test_a_link_is_used_once_and_looking_uses_nothing_up(books: Books) -> None:
    secret = invite(books)
    for _ in range(3):
        assert books.work(lambda db: links.find_link(db, secret, links.INVITE)).email == "ada@example.com"
    assert books.work(lambda db: links.use_link(db, secret, links.INVITE)).email == "ada@example.com"
    for again in (links.use_link, links.find_link):
        with pytest.raises(NotFound):
            books.work(lambda db, again=again: again(db, secret, links.INVITE))  # type: ignore[misc]


def test_a_link_opens_only_what_it_is_for(books: Books) -> None:
    secret = invite(books)
    for purpose in (links.RESET, links.FIRST_START):
        with pytest.raises(NotFound):
            books.work(lambda db, purpose=purpose: links.use_link(db, secret, purpose))  # type: ignore[misc]


@pytest.mark.parametrize("purpose", list(links.LIFE_US))
def test_a_link_is_good_for_its_time(books: Books, purpose: str) -> None:
    secret = books.work(lambda db: links.make_link(db, RNG, purpose)).secret
    life = links.LIFE_US[purpose]
    books.work(lambda db: links.find_link(At(db, life - 10_000_000), secret, purpose))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        books.work(lambda db: links.use_link(At(db, life + 1), secret, purpose))  # type: ignore[arg-type]
    assert books.work(links.sweep) == 0
    assert books.work(lambda db: links.sweep(At(db, life + 1))) == 1  # type: ignore[arg-type]


def test_no_secret_of_a_link_is_in_the_books(books: Books) -> None:
    made = books.work(lambda db: links.make_link(db, RNG, links.INVITE, email="ada@example.com"))
    assert made.secret not in str(books.work(lambda db: db.rows("SELECT * FROM links")))
    assert made.secret not in repr(made)
    assert made.path == f"/invite/{made.secret}"


def test_of_many_who_follow_a_link_at_once_one_comes_in() -> None:
    with postgres_books() as books:
        secret = invite(books)
        together, came = Barrier(8), []

        def follow() -> None:
            together.wait()
            with contextlib.suppress(NotFound):
                came.append(books.work(lambda db: links.use_link(db, secret, links.INVITE)))

        threads = [Thread(target=follow) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(came) == 1


def test_the_first_start_is_offered_until_somebody_runs_it_and_each_takes_the_place_of_the_last(books: Books) -> None:
    first = books.work(lambda db: links.offer_first_start(db, RNG))
    second = books.work(lambda db: links.offer_first_start(db, RNG))
    assert first is not None
    assert second is not None
    with pytest.raises(NotFound):
        books.work(lambda db: links.find_link(db, first.rpartition("/")[2], links.FIRST_START))
    books.work(lambda db: links.find_link(db, second.rpartition("/")[2], links.FIRST_START))
    ada = books.work(lambda db: people.create_user(db, RNG, email="ada@example.com"))
    assert books.work(lambda db: links.offer_first_start(db, RNG)) is not None
    books.work(lambda db: people.set_operator(db, ada.id, True))
    assert books.work(lambda db: links.offer_first_start(db, RNG)) is None
    with pytest.raises(NotFound):
        books.work(lambda db: links.find_link(db, second.rpartition("/")[2], links.FIRST_START))


# -- tries to sign in


def tried(books: Books, address: str, email: str, later_us: int = 0) -> int:
    return books.work(lambda db: attempts.wait_s(At(db, later_us), address=address, email=email))  # type: ignore[arg-type]


def test_tries_are_counted_by_whom_they_are_for_and_from_where(books: Books) -> None:
    for _ in range(attempts.BY_EMAIL):
        assert tried(books, "10.0.0.1", "ada@example.com") == 0
    assert 0 < tried(books, "10.0.0.1", " ADA@example.com") <= 900
    assert tried(books, "10.0.0.1", "bob@example.com") == 0
    assert tried(books, "10.0.0.1", "ada@example.com", attempts.WINDOW_US) == 0


def test_nobody_is_kept_out_by_somebody_elsewhere(books: Books) -> None:
    for _ in range(3 * attempts.BY_EMAIL_ANYWHERE):
        tried(books, "10.0.0.1", "ada@example.com")
    assert tried(books, "192.0.2.1", "ada@example.com") == 0


def test_many_places_together_guess_at_one_person_so_often(books: Books) -> None:
    for number in range(attempts.BY_EMAIL_ANYWHERE):
        assert tried(books, f"10.0.0.{number}", "ada@example.com") == 0
    assert 0 < tried(books, "192.0.2.1", "ada@example.com") <= 900


@pytest.mark.parametrize("near", ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"])
def test_tries_are_counted_by_where_they_come_from_whomever_they_are_for(books: Books, near: str) -> None:
    for number in range(attempts.BY_ADDRESS):
        assert tried(books, near, f"{number}@example.com") == 0
    same = {"2001:db8::1": "2001:db8::ffff:2", "::ffff:10.0.0.1": "10.0.0.1"}.get(near, near)
    assert tried(books, same, "somebody@example.com") > 0
    assert tried(books, "192.0.2.1", "another@example.com") == 0


def test_a_good_try_is_given_back_and_what_was_typed_is_not_kept(books: Books) -> None:
    for _ in range(3 * attempts.BY_EMAIL):
        assert tried(books, "10.0.0.1", "ada@example.com") == 0
        books.work(lambda db: attempts.give_back(db, address="10.0.0.1", email="ada@example.com"))
    assert "ada" not in str(books.work(lambda db: db.rows("SELECT * FROM counters")))


def test_tries_of_windows_that_are_over_are_swept(books: Books) -> None:
    tried(books, "10.0.0.1", "ada@example.com")
    assert books.work(attempts.sweep) == 0
    assert books.work(lambda db: attempts.sweep(At(db, 2 * attempts.WINDOW_US))) == 3  # type: ignore[arg-type]
