"""Calls of pages, made as a key by whoever has signed in: at a whole gateway, on both databases."""

from collections.abc import AsyncIterator, Mapping
from functools import partial
from random import Random
from typing import Any

import pytest

from accounts.rowbooks import Books, Reads
from gateway.house import House, chat, open_house
from portico.accounts import Keyring, people, rows, sessions
from portico.accounts.browser import token_of
from portico.accounts.keys import seal_of
from portico.accounts.lending import KEY_HEADER, Lending, Lent, lent_keys
from portico.accounts.rows import changed_keys
from portico.core.storage import Db

RNG = Random(3)
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
MESSAGES = {"model": "gemini-3.5-flash", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}


class Place:
    """Two accounts and who is what in the first: every person by the word for what they are."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.secrets: dict[str, str] = {}
        books.work(self._furnish)
        self.reads = Reads(books)
        self.keyring = Keyring.of(books.work(changed_keys))

    def _furnish(self, db: Db) -> None:
        self.account = rows.create_account(db, RNG, name="acme", kind="open").id
        self.other = rows.create_account(db, RNG, name="other", kind="open").id
        self.users = {}
        for role in ("owner", "admin", "member", "viewer", "stranger"):
            user = people.create_user(db, RNG, email=f"{role}@example.com")
            self.users[role] = user.id
            people.set_role(db, self.other if role == "stranger" else self.account, user.id, "owner")
            self.secrets[role] = sessions.open_session(db, RNG, user)
        for role in ("admin", "member", "viewer"):
            people.set_role(db, self.account, self.users[role], role)
        self.keys = {
            "shared": rows.create_key(db, RNG, account=self.account, name="shared").key.id,
            "own": rows.create_key(db, RNG, account=self.account, name="own").key.id,
            "theirs": rows.create_key(db, RNG, account=self.other, name="theirs").key.id,
        }
        db.run("UPDATE keys SET user_id = ? WHERE id = ?", self.users["member"], self.keys["own"])

    def reload(self) -> None:
        """What a worker learns by itself within a second."""
        self.keyring.update(self.books.work(changed_keys))

    def brings(self, role: str, key: str = "shared", **more: str) -> dict[str, str]:
        """The headers of a page's call."""
        secret = self.secrets[role]
        return {
            "host": "portico.test",
            "cookie": f"theme=dark; portico={secret}",
            "x-portico-token": token_of(secret),
            KEY_HEADER: self.keys.get(key, key),
            **more,
        }

    def lent(self, role: str) -> list[Lent]:
        def ask(db: Db) -> list[Lent]:
            seal = partial(seal_of, secret=self.secrets[role])
            return lent_keys(db, seal, user_id=self.users[role], account_id=self.account)

        return self.books.work(ask)


@pytest.fixture
def place(books: Books) -> Place:
    return Place(books)


@pytest.fixture
async def house(place: Place) -> AsyncIterator[House]:
    lending = Lending(place.keyring, place.reads)
    async with open_house(keyring=place.keyring, reading=place.reads, lending=lending) as found:
        yield found


async def call(house: House, headers: Mapping[str, str], body: Any = None, **more: Any) -> Any:
    return await house.ask(chat() if body is None else body, key=None, headers=headers, **more)


@pytest.mark.parametrize(
    ("role", "key", "status"),
    [
        ("owner", "shared", 200),
        ("owner", "own", 200),
        ("admin", "own", 200),
        ("member", "own", 200),
        ("member", "shared", 401),
        ("viewer", "shared", 401),
        ("stranger", "shared", 401),
        ("owner", "theirs", 401),
        ("owner", "key_nobody_has", 401),
        ("owner", "", 401),
    ],
)
async def test_a_key_is_lent_to_whoever_may_use_it(
    house: House, place: Place, role: str, key: str, status: int
) -> None:
    answer = await call(house, place.brings(role, key))
    assert answer.status == status
    if status == 401:
        assert answer.error["code"] == "invalid_api_key"
        assert place.secrets[role] not in answer.body.decode()


async def test_every_dialect_is_called_so_and_the_routes_beside_it(house: House, place: Place) -> None:
    headers = place.brings("owner")
    google = "/v1beta/models/gemini-3.5-flash:generateContent"
    assert (await call(house, headers, GEMINI, path=google)).status == 200
    assert (
        await call(house, headers | {"anthropic-version": "2023-06-01"}, MESSAGES, path="/v1/messages")
    ).status == 200
    asked = {"model": "gemini-3.5-flash", "input": "Hello"}
    assert (await call(house, headers, asked, path="/v1/responses")).status == 200
    models = await call(house, headers, b"", method="GET", path="/v1/models")
    assert "gemini-3.5-flash" in [one["id"] for one in models.json()["data"]]
    balance = (await call(house, headers, b"", method="GET", path="/v1/balance")).json()
    assert balance["account"] == place.account
    unknown = await call(house, headers, b"", method="GET", path="/v1/receipts/req_unknown")
    assert unknown.error["code"] == "not_found"


@pytest.mark.parametrize("text", ["Hello", "long " * 100_000], ids=["short", "long"])
async def test_a_key_that_was_made_a_moment_ago_is_lent(place: Place, text: str) -> None:
    async def catch_up() -> None:
        place.reload()

    lending = Lending(place.keyring, place.reads)
    made = place.books.work(lambda db: rows.create_key(db, RNG, account=place.account, name="new")).key
    [sealed] = [one.seal for one in place.lent("owner") if one.id == made.id]
    async with open_house(keyring=place.keyring, reading=place.reads, lending=lending, catch_up=catch_up) as house:
        assert (await call(house, place.brings("owner", f"{made.id}.{sealed}"), chat(text))).status == 200
        nobodys = place.brings("owner", f"key_nobody_has.{sealed}")
        assert (await call(house, nobodys, chat(text))).status == 401


async def test_the_call_is_held_to_the_key(house: House, place: Place) -> None:
    place.books.work(lambda db: rows.set_policy(db, place.keys["shared"], {"models": ["gpt-*"]}))
    place.reload()
    assert (await call(house, place.brings("owner"))).status == 404
    place.books.work(lambda db: rows.set_policy(db, place.keys["shared"], {"models": None, "allow_ips": ["192.0.2.1"]}))
    place.reload()
    answer = await call(house, place.brings("owner"))
    assert answer.status == 401
    assert "127.0.0.1" in answer.error["message"]


@pytest.mark.parametrize("change", ["revoke_key", "disable_key"])
async def test_a_key_that_opens_nothing_is_lent_to_nobody(house: House, place: Place, change: str) -> None:
    place.books.work(lambda db: getattr(rows, change)(db, place.keys["shared"]))
    place.reload()
    assert (await call(house, place.brings("owner"))).status == 401
    assert [one.name for one in place.lent("owner")] == ["own"]


async def test_whoever_may_no_longer_is_refused_at_once(house: House, place: Place) -> None:
    headers = place.brings("admin")
    assert (await call(house, headers)).status == 200
    place.books.work(lambda db: people.disable_user(db, place.users["admin"]))
    assert (await call(house, headers)).status == 401
    place.books.work(lambda db: people.enable_user(db, place.users["admin"]))
    assert (await call(house, headers)).status == 200
    place.books.work(lambda db: people.set_role(db, place.account, place.users["admin"], "viewer"))
    assert (await call(house, headers)).status == 401
    place.books.work(lambda db: sessions.end_sessions(db, place.users["owner"]))
    assert (await call(house, place.brings("owner"))).status == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"x-portico-token": ""},
        {"x-portico-token": "0" * 40},
        {"x-portico-token": token_of("")},
        {"x-portico-token": "é"},
        {"cookie": ""},
        {"cookie": "portico="},
        {"cookie": "portico=somebody"},
        {"origin": "https://evil.example"},
        {"origin": "http://portico.test:81"},
        {"origin": "null"},
        {"origin": "http://[portico.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "", "origin": "null"},
    ],
)
async def test_what_no_page_of_ours_sends_is_refused(house: House, place: Place, changed: dict[str, str]) -> None:
    for path in ("/v1/chat/completions", "/v1/messages"):
        answer = await call(house, place.brings("owner") | changed, path=path)
        assert answer.status == 401
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("said", [{"origin": "http://portico.test", "sec-fetch-site": "same-origin"}, {}])
async def test_what_a_page_of_ours_sends_is_served(house: House, place: Place, said: dict[str, str]) -> None:
    assert (await call(house, place.brings("owner") | said)).status == 200


async def test_errors_are_told_in_the_shape_of_the_dialect(house: House, place: Place) -> None:
    headers = place.brings("viewer")
    google = await call(house, headers, GEMINI, path="/v1beta/models/gemini-3.5-flash:generateContent")
    assert google.json()["error"]["status"] == "UNAUTHENTICATED"
    claude = await call(house, headers | {"anthropic-version": "2023-06-01"}, MESSAGES, path="/v1/messages")
    assert claude.json()["error"]["type"] == "authentication_error"


async def test_a_key_that_is_brought_is_all_that_counts(house: House, place: Place) -> None:
    """A secret that opens nothing is not made up for by a cookie."""
    answer = await call(house, place.brings("owner", authorization="Bearer sk-portico-wrong-0123456789"))
    assert answer.status == 401
    assert "Incorrect" in answer.error["message"]


async def test_who_brings_nothing_is_told_where_a_key_goes(house: House, place: Place) -> None:
    answer = await call(house, {"cookie": f"portico={place.secrets['owner']}", "host": "portico.test"})
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert "Authorization: Bearer" in answer.error["message"]


async def test_a_long_body_is_read_where_our_page_was_lent_the_key(house: House, place: Place) -> None:
    lent = next(one for one in place.lent("owner") if one.name == "shared")
    body = chat("long " * 100_000)
    sealed = f"{lent.id}.{lent.seal}"
    assert (await call(house, place.brings("owner", sealed), body)).status == 200
    assert (await call(house, place.brings("owner"), body)).status == 401
    made_up = place.brings("owner", sealed) | {"cookie": "portico=made-up", "x-portico-token": token_of("made-up")}
    assert (await call(house, made_up, body)).status == 401
    assert (await call(house, place.brings("admin", sealed), body)).status == 401, "it is one session's"
    place.books.work(lambda db: rows.rotate_key(db, RNG, lent.id))
    place.reload()
    assert (await call(house, place.brings("owner", sealed), body)).status == 401, "the page is older than the key"


def test_a_page_offers_the_keys_that_a_person_may_call_with(place: Place) -> None:
    offered = {role: {one.name for one in place.lent(role)} for role in place.users}
    everything = {"own", "shared"}
    assert offered == {"owner": everything, "admin": everything, "member": {"own"}, "viewer": set(), "stranger": set()}
    assert len({one.seal for role in ("owner", "admin") for one in place.lent(role)}) == 4


async def test_by_tls_only_the_cookie_of_tls_counts(place: Place) -> None:
    lending = Lending(place.keyring, place.reads, public_url="https://portico.example")
    async with open_house(keyring=place.keyring, reading=place.reads, lending=lending) as house:
        headers = place.brings("owner", origin="https://portico.example")
        assert (await call(house, headers)).status == 401
        headers["cookie"] = f"__Host-portico={place.secrets['owner']}"
        assert (await call(house, headers)).status == 200


async def test_books_that_cannot_be_reached_are_a_503(house: House, place: Place) -> None:
    place.reads.down = True
    assert (await call(house, place.brings("owner"))).status == 503
