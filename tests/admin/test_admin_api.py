"""The admin API on real sockets: who may ask, what is answered, how a failure is told."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from admin.local import Bench, LocalReading, on_postgres, on_sqlite
from edges.sockets import Caller, soon
from portico.admin.command import Office
from portico.admin.commands import COMMANDS
from portico.core.errors import StorageUnavailable
from portico.http.admin import AdminApi
from portico.http.exchange import HttpExchange
from portico.http.reader import Refusal
from portico.http.server import Server
from portico.providers import Secret

KEY = "admin-sample-key"


class Told(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Api:
    """A client of the admin API, one connection a question."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = KEY,
        headers: tuple[str, ...] = (),
        raw: bytes | None = None,
        prefix: str = "/admin/v1",
    ) -> Told:
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {prefix}{path} HTTP/1.1", "host: x", "connection: close", *headers]
        if key is not None:
            lines.append(f"authorization: Bearer {key}")
        if data:
            lines.append(f"content-length: {len(data)}")
        caller = await Caller.connect(self.port)
        try:
            reply = await caller.ask("\r\n".join([*lines, "", ""]).encode() + data)
        finally:
            caller.drop()
        is_json = reply.headers.get("content-type") == "application/json"
        return Told(reply.status, reply.headers, json.loads(reply.body) if is_json else reply.body)


async def inner(exchange: HttpExchange) -> None:
    exchange.send(200, [("content-type", "text/plain")], b"inner")


def refuse_all(path: str, query: str, headers: Any) -> None:
    raise Refusal(401, "not a caller")


@contextlib.asynccontextmanager
async def serving(reading: Any, *, key: str | None = KEY) -> AsyncIterator[Api]:
    house = Bench(reading).house
    secret = None if key is None else Secret(key, "test")
    app = AdminApi(inner, Office(reading, house, Random(1)), secret, rng=Random(2))
    server = await Server(app, admit=app.admit(refuse_all)).start()
    try:
        yield Api(server.port)
    finally:
        await server.stop(grace_s=0)


@pytest.fixture(params=["sqlite", "postgres"])
def reading_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalReading]:
    reading = on_sqlite(tmp_path / "books.db") if request.param == "sqlite" else on_postgres()
    yield reading
    reading.connection.close()


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[LocalReading]:
    reading = on_sqlite(tmp_path / "books.db")
    yield reading
    reading.connection.close()


# -- what can be done


async def test_an_account_and_its_key_are_made_changed_and_taken_back(reading_anywhere: LocalReading) -> None:
    async with serving(reading_anywhere) as api:
        account = await api.ask("POST", "/accounts", {"name": "acme"})
        assert (account.status, account.body["name"]) == (200, "acme")
        assert (await api.ask("GET", f"/accounts/{account.body['id']}")).body == account.body
        made = await api.ask("POST", "/keys", {"account": "acme", "models": ["gemini-2.5-*"], "budget_day_usd": "2"})
        key = made.body["id"]
        assert made.body["key"].startswith("sk-portico-")
        changed = await api.ask("PATCH", f"/keys/{key}", {"rpm": 5, "budget_day_usd": None})
        assert changed.body["settings"] == {"models": ["gemini-2.5-*"], "rpm": 5}
        assert "key" not in changed.body
        assert (await api.ask("POST", f"/keys/{key}/revoke")).body["state"] == "revoked"
        assert (await api.ask("DELETE", "/accounts/acme")).body["state"] == "closed"
        told = (await api.ask("GET", "/audit?limit=10")).body["data"]
        assert {entry["actor"] for entry in told} == {"api:127.0.0.1"}
        assert len(told) == 5


async def test_a_name_in_the_path_may_hold_anything(reading: LocalReading) -> None:
    async with serving(reading) as api:
        await api.ask("POST", "/accounts", {"name": "a/b ü?"})
        assert (await api.ask("GET", "/accounts/a%2Fb%20%C3%BC%3F")).body["name"] == "a/b ü?"


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("GET", "/accounts/a%00b", None, "account"),
        ("GET", "/audit?subject=%00", None, "subject"),
        ("POST", "/accounts", {"name": "a\0b"}, "name"),
        ("POST", "/accounts/acme/top-ups", {"amount_usd": "1", "note": "\0"}, "note"),
        ("POST", "/keys", {"account": "acme", "models": ["gemini-*", "\0"]}, "models"),
    ],
)
async def test_an_argument_with_a_nul_is_refused_on_either_database(
    reading_anywhere: LocalReading, method: str, path: str, body: Any, param: str
) -> None:
    async with serving(reading_anywhere) as api:
        told = await api.ask(method, path, body)
        assert (told.status, told.body["error"]["param"]) == (422, param), told.body


async def test_lists_are_paged(reading: LocalReading) -> None:
    async with serving(reading) as api:
        for name in "abc":
            await api.ask("POST", "/accounts", {"name": name})
        first = (await api.ask("GET", "/accounts?limit=2")).body
        rest = (await api.ask("GET", f"/accounts?limit=2&after={first['next']}")).body
        assert (len(first["data"]), len(rest["data"]), rest["next"]) == (2, 1, None)


async def test_other_paths_are_the_inner_apps(reading: LocalReading) -> None:
    async with serving(reading) as api:
        for path in ("/", "/admin", "/admin/v1x", "/v1/models"):
            assert (await api.ask("GET", path, prefix="", key=None)).body == b"inner"


# -- who may ask


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("authorization: Bearer wrong",),
        ("authorization: Bearer",),
        (f"authorization: Basic {KEY}",),
        (f"x-api-key: {KEY}",),
        ("authorization: Bearer \xff\xfe",),
    ],
)
@pytest.mark.parametrize("path", ["/accounts", "/openapi.json", "/nothing", ""])
async def test_nothing_is_told_without_the_admin_key(
    reading: LocalReading, path: str, headers: tuple[str, ...]
) -> None:
    async with serving(reading) as api:
        told = await api.ask("GET", path, key=None, headers=headers)
        assert told.status == 401
        assert told.body["error"]["code"] == "invalid_api_key"
        assert "www-authenticate" in told.headers


async def test_the_key_in_the_query_opens_nothing(reading: LocalReading) -> None:
    async with serving(reading) as api:
        assert (await api.ask("GET", f"/accounts?key={KEY}", key=None)).status == 401


async def test_without_an_admin_key_there_is_no_admin_api(reading: LocalReading) -> None:
    async with serving(reading, key=None) as api:
        for key in (None, "", "None"):
            told = await api.ask("GET", "/accounts", key=key)
            assert told.status == 404
            assert "PORTICO_ADMIN_KEY" in told.body["error"]["message"]


async def test_a_long_body_is_not_read_without_the_admin_key_and_is_with_it(reading: LocalReading) -> None:
    body = {"text": "model,input\n" + "#" * 200_000, "format": "csv"}
    async with serving(reading) as api:
        assert (await api.ask("POST", "/prices/import", body, key="wrong")).status == 401
        assert (await api.ask("POST", "/prices/import", body)).status == 422


async def test_pages_of_other_origins_are_told_nothing(reading: LocalReading) -> None:
    async with serving(reading) as api:
        asked = ("origin: https://evil.example", "access-control-request-method: POST")
        for method, key in (("OPTIONS", None), ("OPTIONS", KEY), ("GET", KEY)):
            told = await api.ask(method, "/accounts", key=key, headers=asked)
            assert not [name for name in told.headers if name.startswith("access-control")]


async def test_answers_are_kept_by_nobody(reading: LocalReading) -> None:
    async with serving(reading) as api:
        for path in ("/accounts", "/nothing", "/openapi.json"):
            assert (await api.ask("GET", path)).headers["cache-control"] == "no-store"


# -- how a failure is told


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("POST", "/accounts", {"name": "x", "colour": "red"}, 422, "colour"),
        ("POST", "/accounts", {}, 422, "name"),
        ("POST", "/accounts", {"name": 5}, 422, "name"),
        ("POST", "/accounts", ["name"], 422, None),
        ("POST", "/accounts?name=x", None, 422, None),
        ("GET", "/accounts?limit=0", None, 422, "limit"),
        ("GET", "/accounts?limit=many", None, 422, "limit"),
        ("GET", "/accounts?limit=1&limit=2", None, 422, "limit"),
        ("GET", "/accounts?colour=red", None, 422, "colour"),
        ("GET", "/accounts", {"limit": 1}, 422, None),
        ("GET", "/accounts/nobody", None, 404, None),
        ("GET", "/accounts/nobody?account=default", None, 422, "account"),
        ("PATCH", "/keys/key_1", {"key": "key_2"}, 422, "key"),
        ("PATCH", "/keys/key_1", {"rpm": "5"}, 422, "rpm"),
        ("PATCH", "/keys/key_1", {"rpm": 5}, 404, None),
        ("POST", "/keys", {"account": "nobody"}, 404, None),
        ("POST", "/prices", {"prices": [{"model": "gemini-2.5-flash", "inputt": "1"}]}, 422, "prices[0].inputt"),
        ("GET", "/nothing", None, 404, None),
        ("GET", "", None, 404, None),
        ("PUT", "/accounts", None, 405, None),
        ("POST", "/openapi.json", {}, 405, None),
    ],
)
async def test_what_is_wrong_is_told_with_the_argument(
    reading: LocalReading, method: str, path: str, body: Any, status: int, param: str | None
) -> None:
    async with serving(reading) as api:
        told = await api.ask(method, path, body)
        assert told.status == status, told.body
        assert set(told.body) == {"error"}
        assert told.body["error"].keys() == {"code", "message", "param"}
        assert told.body["error"]["param"] == param
        assert told.body["error"]["message"]
        if status == 405:
            assert "allow" in told.headers


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"{} {}", b"[" * 5000])
async def test_what_is_no_json_is_a_400(reading: LocalReading, raw: bytes) -> None:
    async with serving(reading) as api:
        told = await api.ask("POST", "/accounts", raw=raw)
        assert (told.status, told.body["error"]["code"]) == (400, "invalid_json")


async def test_a_database_that_is_away_is_a_503(reading: LocalReading) -> None:
    class Away(LocalReading):
        async def work(self, change: Any) -> Any:  # noqa: ARG002
            raise StorageUnavailable

    async with serving(Away(reading.connection, reading.db)) as api:
        told = await api.ask("GET", "/accounts")
        assert (told.status, told.body["error"]["code"]) == (503, "storage_unavailable")
        assert "retry-after" in told.headers


async def test_a_mistake_of_ours_is_a_500_without_its_traceback(
    reading: LocalReading, caplog: pytest.LogCaptureFixture
) -> None:
    reading.connection.execute("DROP TABLE memberships")
    reading.connection.execute("DROP TABLE users")
    async with serving(reading) as api:
        with caplog.at_level(logging.CRITICAL, "portico.admin"):
            told = await api.ask("GET", "/users")
        assert told.status == 500
        assert "users" not in told.body["error"]["message"]


async def test_the_event_loop_turns_while_a_command_waits(reading: LocalReading) -> None:
    import threading

    gate, entered = threading.Event(), threading.Event()

    class Slow(LocalReading):
        def at_once(self, change: Any) -> Any:
            entered.set()
            assert gate.wait(60)
            return super().at_once(change)

    async with serving(Slow(reading.connection, reading.db)) as api:
        waiting = asyncio.create_task(api.ask("GET", "/accounts"))
        while not entered.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert (await soon(api.ask("GET", "/", prefix="", key=None))).body == b"inner"
        assert not waiting.done()
        gate.set()
        assert (await soon(waiting)).status == 200


# -- the document


async def test_the_document_is_served_and_lists_every_route(reading: LocalReading) -> None:
    async with serving(reading) as api:
        document = (await api.ask("GET", "/openapi.json")).body
    assert document["openapi"] == "3.1.0"
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert listed == {(command.method, f"/admin/v1{command.path}") for command in COMMANDS if command.path}


async def test_head_is_answered_as_get_is(reading: LocalReading) -> None:
    async with serving(reading) as api:
        caller = await Caller.connect(api.port)
        caller.send(f"HEAD /admin/v1/accounts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n".encode())
        reply = await caller.reply(head_only=True)
        caller.drop()
        assert reply.status == 200
