"""Two tenants at one gateway with a real database: neither can use, list or guess anything of the other's.

Alice has something; Bob, who knows its name, asks for it. What he is told is what he is told of a thing that never was.
"""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from databases import postgres_url
from gateway.gemini import address
from gateway.house import PATIENCE_S, Answer, House, Json, Script, answers, chat, says, until
from gateway.test_gateway_signatures import SKIP, OpenClaw
from money.acts import Steps, usage
from portico.accounts.rows import Issued, create_account, create_key
from portico.cli.bookkeeper import Bookkeeper, prepare
from portico.config import load_config
from portico.core.masking import fingerprint
from portico.core.storage import Db
from portico.http.routes import METHODS, ROUTE_NAMES, Action
from portico.ledger.pay import top_up
from portico.simulator import Simulator
from portico.vault import Resource
from portico.vault.resources import CACHE, FILE, RESPONSE, STORE
from portico.wire.http import App

USD: Final = 1_000_000_000
CREDENTIAL: Final = "good-key"
ANSWER: Final = says("Hello there", usageMetadata=usage(1000, 500), totalTokens=1000)
NAMES: Final = {FILE: "files/{}", CACHE: "cachedContents/{}", STORE: "fileSearchStores/{}", RESPONSE: "resp_{}"}
NUMBERS: Final = itertools.count(1)
"""Tests share a database, and nothing in it."""


class Tenant:
    """An account with money, and its key."""

    def __init__(self, house: House, issued: Issued) -> None:
        self.house = house
        self.account = issued.key.account_id
        self.key_id = issued.key.id
        self.prefix = issued.key.prefix
        self.key = issued.secret

    async def ask(self, path: str, body: Any = None, *, method: str = "POST", **headers: str) -> Answer:
        """By the header that clients at such a path send."""
        google = "/v1beta/" in path
        auth = {"x-goog-api-key": self.key} if google else {"authorization": f"Bearer {self.key}"}
        return await self.house.ask(body, path=path, method=method, key=None, headers=auth | headers)

    async def get(self, path: str) -> Answer:
        return await self.ask(path, b"", method="GET")


class Street:
    """The house where both live."""

    def __init__(self, house: House, books: Bookkeeper, alice: Tenant, bob: Tenant, number: int) -> None:
        self.house = house
        self.books = books
        self.alice = alice
        self.bob = bob
        self.number = number

    async def owns(self, kind: str) -> str:
        """Something of Alice's at the provider."""
        name = NAMES[kind].format(f"of-alice-{self.number}")
        await self.books.resources.record(Resource("gemini", kind, name, self.alice.account, fingerprint(CREDENTIAL)))
        return name

    async def receipt_of(self, answer: Answer) -> str:
        """The request id of an answer, once its receipt is there."""
        request_id = answer.headers["x-portico-request-id"]
        sql = "SELECT 1 FROM receipts WHERE request_id = ?"
        async with asyncio.timeout(PATIENCE_S):
            while not await self.books.database.reading.read(lambda db: db.rows(sql, request_id)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return request_id


@asynccontextmanager
async def open_street(url: str, folder: Path, provider: App, **options: Any) -> AsyncIterator[Street]:
    config = load_config({"PORTICO_STORAGE_URL": url, "GEMINI_API_KEY": CREDENTIAL}, folder=folder)
    books, number = Bookkeeper(config, Random(1)), next(NUMBERS)

    def move_in(db: Db) -> list[Issued]:
        issued = []
        for name in ("alice", "bob"):
            dice = Random(f"{name} {number}")
            account = create_account(db, dice, name=f"{name} {number}")
            top_up(db, account.id, 100 * USD)
            issued.append(create_key(db, dice, account=account.id, name=f"{name}'s laptop"))
        return issued

    issued = await books.database.reading.work(move_in)
    await books.start(_nothing)
    house = House(
        provider,
        keys=(CREDENTIAL,),
        keyring=books.keyring,
        reading=books.database.reading,
        till=lambda: books.till,
        make_vault=lambda: books.vault,
        resources=books.resources,
        responses=lambda: books.responses,
        **options,
    )
    await house.start()
    try:
        alice, bob = [Tenant(house, one) for one in issued]
        yield Street(house, books, alice, bob, number)
    finally:
        await house.stop()
        await books.finish()


async def _nothing() -> None:
    """There are no stored credentials."""


def prepared(folder: Path, url: str) -> str:
    prepare(load_config({"PORTICO_STORAGE_URL": url}, folder=folder), "sk-portico-sample-owner")
    return url


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("street")
    return prepared(folder, f"sqlite:///{folder / 'books.db'}")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database for all tests of the kind."""
    if request.param == "sqlite":
        found: str = request.getfixturevalue("sqlite_url")
        return found
    return prepared(tmp_path_factory.mktemp("street"), postgres_url())


def alike(one: Answer, other: Answer, *names: str) -> bool:
    """Whether two answers tell the same, but for the names that were asked for."""
    bodies = []
    for answer in (one, other):
        text = answer.body.decode()
        for name in names:
            text = text.replace(name, "...")
        bodies.append(text)
    return one.status == other.status and bodies[0] == bodies[1]


# -- what is named in a call: files, caches, stores --------------------------------------------------------------------


def parts(*more: Json) -> Json:
    return {"contents": [{"role": "user", "parts": [{"text": "Hello"}, *more]}]}


def file_part(name: str) -> Json:
    return {"fileData": {"fileUri": name, "mimeType": "image/png"}}


def chat_file(name: str, **more: Any) -> Json:
    content = [{"type": "file", "file": {"file_id": name, "format": "image/png"}}]
    return {"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": content}], **more}


def searching(name: str) -> Json:
    return parts() | {"tools": [{"fileSearch": {"fileSearchStoreNames": [name]}}]}


def embedding(name: str) -> Json:
    return {"content": {"parts": [file_part(name)]}}


def embeddings(name: str) -> Json:
    return {"requests": [embedding(name)]}


def responses_file(name: str, **more: Any) -> Json:
    content = [{"type": "input_file", "file_id": name, "filename": "plan.pdf"}]
    return {"model": "gemini-3.5-flash", "input": [{"role": "user", "content": content}], **more}


def messages_file(name: str, **more: Any) -> Json:
    content = [{"type": "document", "source": {"type": "file", "file_id": name}, "title": "plan.pdf"}]
    return {"model": "gemini-3.5-flash", "max_tokens": 100, "messages": [{"role": "user", "content": content}], **more}


CHAT: Final = "/v1/chat/completions"
EMBEDDER: Final = "gemini-embedding-2"
Named = tuple[str, str, str, Callable[[str], Json]]
NAMED: Final[list[Named]] = [
    # the route, what is named, where it is asked, the body
    ("chat_completions", FILE, CHAT, chat_file),
    ("chat_completions", FILE, CHAT, lambda name: chat_file(name, stream=True)),
    ("chat_completions", CACHE, CHAT, lambda name: chat(cached_content=name)),
    ("chat_completions", CACHE, CHAT, lambda name: chat(extra_body={"google": {"cached_content": name}})),
    ("generate_content", FILE, address(), lambda name: parts(file_part(name))),
    ("generate_content", CACHE, address(), lambda name: parts() | {"cachedContent": name}),
    ("generate_content", STORE, address(), searching),
    ("stream_generate_content", FILE, address("streamGenerateContent"), lambda name: parts(file_part(name))),
    ("stream_generate_content", CACHE, address("streamGenerateContent"), lambda name: parts() | {"cached_content": name}),
    ("stream_generate_content", STORE, address("streamGenerateContent", "alt=sse"), searching),
    ("count_tokens", FILE, address("countTokens"), lambda name: parts(file_part(name))),
    ("count_tokens", CACHE, address("countTokens"), lambda name: {"generateContentRequest": {"cachedContent": name}}),
    ("embed_content", FILE, address("embedContent", model=EMBEDDER), embedding),
    ("batch_embed_contents", FILE, address("batchEmbedContents", model=EMBEDDER), embeddings),
    ("responses", FILE, "/v1/responses", responses_file),
    ("responses", FILE, "/v1/responses", lambda name: responses_file(name, stream=True)),
    ("responses_input_tokens", FILE, "/v1/responses/input_tokens", responses_file),
    ("messages", FILE, "/v1/messages", messages_file),
    ("messages", FILE, "/v1/messages", lambda name: messages_file(name, stream=True)),
    ("messages_count_tokens", FILE, "/v1/messages/count_tokens", messages_file),
    ("estimate", FILE, "/v1/estimate", chat_file),
    ("estimate", CACHE, "/v1/estimate?model=gemini-3.5-flash", lambda name: parts() | {"cachedContent": name}),
    ("estimate", STORE, "/v1/estimate?model=gemini-3.5-flash", searching),
]  # fmt: skip


@pytest.mark.parametrize(("path", "kind", "body"), [(path, kind, body) for _, kind, path, body in NAMED],
                         ids=[f"{route}-{kind}-{number}" for number, (route, kind, _, _) in enumerate(NAMED)])  # fmt: skip
async def test_what_one_made_at_a_provider_the_other_cannot_use(
    url: str, tmp_path: Path, path: str, kind: str, body: Callable[[str], Json]
) -> None:
    script = Script(answers(ANSWER))
    async with open_street(url, tmp_path, script) as street:
        name = await street.owns(kind)
        unknown = name.replace("alice", "nobody")
        taken, never = await street.bob.ask(path, body(name)), await street.bob.ask(path, body(unknown))
        assert taken.status == 404, taken.body
        assert alike(taken, never, name, unknown)
        assert script.requests == []
        assert (await street.alice.ask(path, body(name))).status == 200, "its owner can"


@pytest.mark.parametrize("stream", [False, True])
async def test_the_signatures_of_one_are_not_restored_for_the_other(url: str, tmp_path: Path, stream: bool) -> None:
    async with open_street(url, tmp_path, Simulator()) as street:
        client = OpenClaw(street.house, "Look [[sim:steps=2]]", stream=stream)
        await client.step(key=street.alice.key)
        history = list(client.messages)
        await client.step(key=street.alice.key)
        kept = signatures(street.house.simulator.stats.last.body)
        assert kept
        client.messages = history
        answer = await client.step(key=street.bob.key)
        assert SKIP in answer.codes
        assert not kept & signatures(street.house.simulator.stats.last.body)


def signatures(body: Any) -> set[str]:
    """All thought signatures in what a provider was sent."""
    match body:
        case dict():
            own = {body["thoughtSignature"]} if "thoughtSignature" in body else set()
            return own.union(*[signatures(item) for item in body.values()])
        case list():
            return set().union(*[signatures(item) for item in body])
        case _:
            return set()


async def test_the_stored_responses_of_one_are_unknown_to_the_other(url: str, tmp_path: Path) -> None:
    script = Script(answers(ANSWER))
    asked = {"model": "gemini-3.5-flash", "input": "Hello"}
    async with open_street(url, tmp_path, script) as street:
        alice, bob = street.alice, street.bob
        told = (await alice.ask("/v1/responses", asked)).json()
        name, unknown = told["id"], told["id"][:-3] + "abc"
        item, no_item = [[{"type": "item_reference", "id": f"{one}"}] for one in (told["output"][-1]["id"], "msg_abc")]
        for method, path in (("GET", ""), ("GET", "/input_items"), ("DELETE", "")):
            taken, never = [await bob.ask(f"/v1/responses/{id_}{path}", b"", method=method) for id_ in (name, unknown)]
            assert taken.status == 404
            assert alike(taken, never, name, unknown)
        for path in ("/v1/responses", "/v1/responses/input_tokens", "/v1/estimate"):
            taken, never = [await bob.ask(path, {**asked, "previous_response_id": id_}) for id_ in (name, unknown)]
            assert taken.status == 400
            assert alike(taken, never, name, unknown)
            taken, never = [await bob.ask(path, {**asked, "input": given}) for given in (item, no_item)]
            assert taken.status == 404
            assert alike(taken, never, item[0]["id"], no_item[0]["id"])
        assert len(script.requests) == 1
        assert (await alice.get(f"/v1/responses/{name}")).json() == told
        assert (await alice.ask("/v1/responses", {**asked, "previous_response_id": name})).status == 200


FILE_PATHS: Final = ["/v1beta/{}", "/v1beta/{}:download", "/v1/files/{}", "/v1/files/{}/content"]


@pytest.mark.parametrize("path", FILE_PATHS)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_the_files_of_one_are_unknown_to_the_other(url: str, tmp_path: Path, method: str, path: str) -> None:
    script = Script(answers({"name": "files/of-alice", "state": "ACTIVE"}))
    async with open_street(url, tmp_path, script) as street:
        name = await street.owns(FILE)
        unknown = name.replace("alice", "nobody")
        taken, never = [await street.bob.ask(path.format(one), b"", method=method) for one in (name, unknown)]
        assert taken.status in (404, 405)
        assert alike(taken, never, name, unknown)
        for listed in ("/v1/files", "/v1beta/files"):
            told = await street.bob.get(listed)
            assert told.status == 200
            assert "of-alice" not in told.body.decode()
        assert script.requests == []
        assert "of-alice" in (await street.alice.get("/v1beta/files")).body.decode()


async def test_a_file_that_comes_in_pieces_is_whose_it_was_begun_for(url: str, tmp_path: Path) -> None:
    """Bob got hold of Alice's address for the pieces: what he brings there is hers."""
    async with open_street(url, tmp_path, Simulator(now=time.time)) as street:
        begun = await street.alice.ask(
            "/upload/v1beta/files",
            {"file": {}},
            **{
                "x-goog-api-key": street.alice.key,
                "x-goog-upload-protocol": "resumable",
                "x-goog-upload-command": "start",
                "x-goog-upload-header-content-type": "text/plain",
            },
        )
        path = begun.headers["x-goog-upload-url"].removeprefix("http://gateway")
        piece = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
        done = await street.bob.ask(path, b"Hello", **piece)
        name = done.json()["file"]["name"]
        assert (await street.alice.get(f"/v1beta/{name}")).status == 200
        assert (await street.bob.get(f"/v1beta/{name}")).status == 404


# -- what is kept of calls: receipts, usage, balance, answers under a key ----------------------------------------------


async def test_the_receipts_of_one_are_unknown_to_the_other(url: str, tmp_path: Path) -> None:
    async with open_street(url, tmp_path, Script(answers(ANSWER))) as street:
        request_id = await street.receipt_of(await street.alice.ask(CHAT, chat()))
        unknown = request_id[:-3] + "abc"
        taken = await street.bob.get(f"/v1/receipts/{request_id}")
        assert taken.status == 404
        assert alike(taken, await street.bob.get(f"/v1/receipts/{unknown}"), request_id, unknown)
        assert (await street.alice.get(f"/v1/receipts/{request_id}")).json()["charge_nanos"] > 0
        assert (await street.bob.get("/v1/receipts")).status == 404, "there is no list of them"
        assert (await street.bob.get("/v1/receipts/")).status == 404


QUERIES: Final = [
    "",
    "&account={account}",
    "&account=alice%20{number}",
    "&key={key_id}",
    "&key_id={key_id}",
    "&tenant={account}",
]


@pytest.mark.parametrize("more", QUERIES)
async def test_the_usage_of_one_is_not_told_to_the_other(url: str, tmp_path: Path, more: str) -> None:
    async with open_street(url, tmp_path, Script(answers(ANSWER))) as street:
        alice = street.alice
        await street.receipt_of(await alice.ask(CHAT, chat()))
        query = (
            f"/v1/usage?by=day,model,key{more.format(account=alice.account, key_id=alice.key_id, number=street.number)}"
        )
        for path in (query, f"{query}&format=csv"):
            told = await street.bob.get(path)
            assert alice.key_id not in told.body.decode()
            assert "gemini-3.5-flash" not in told.body.decode()
            assert alice.key_id in (await alice.get(path.replace(f"key={alice.key_id}", ""))).body.decode()


@pytest.mark.parametrize("more", QUERIES)
async def test_the_balance_of_one_is_not_told_to_the_other_and_not_moved_by_it(
    url: str, tmp_path: Path, more: str
) -> None:
    async with open_street(url, tmp_path, Script(answers(ANSWER))) as street:
        alice, bob = street.alice, street.bob
        await street.receipt_of(await alice.ask(CHAT, chat()))
        query = f"?{more[1:].format(account=alice.account, key_id=alice.key_id, number=street.number)}"
        told = await bob.get(f"/v1/balance{query}")
        if told.status == 200:
            assert (told.json()["account"], told.json()["posted_nanos"]) == (bob.account, 100 * USD)
        else:
            assert told.status == 401, "`key` in a query is a key, and an id is none"
        assert (await alice.get("/v1/balance")).json()["posted_nanos"] < 100 * USD


@pytest.mark.parametrize("more", QUERIES)
async def test_a_key_is_told_of_itself_alone(url: str, tmp_path: Path, more: str) -> None:
    async with open_street(url, tmp_path, Script(answers(ANSWER))) as street:
        alice, bob = street.alice, street.bob
        await street.receipt_of(await alice.ask(CHAT, chat()))
        query = f"?{more[1:].format(account=alice.account, key_id=alice.key_id, number=street.number)}"
        told = await bob.get(f"/v1/key{query}")
        if told.status == 200:
            assert (told.json()["id"], told.json()["spendable_nanos"]) == (bob.key_id, 100 * USD)
        else:
            assert told.status == 401, "`key` in a query is a key, and an id is none"
        mine = (await alice.get("/v1/key")).json()
        assert mine["spendable_nanos"] == (await alice.get("/v1/balance")).json()["available_nanos"] < 100 * USD


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, address(), address("streamGenerateContent")])
async def test_one_is_not_given_the_others_answer_under_its_idempotency_key(
    url: str, tmp_path: Path, path: str, stream: bool
) -> None:
    body = chat(stream=stream) if path == CHAT else parts()
    once = {"idempotency-key": "order-66"}
    answers_ = [answers(says(text, usageMetadata=usage(1000, 5))) for text in ("for Alice", "for Bob")]
    script = Script(*answers_)
    async with open_street(url, tmp_path, script) as street:
        first = await street.alice.ask(path, body, **once)
        await street.receipt_of(first)
        second = await street.bob.ask(path, body, **once)
        assert b"for Bob" in second.body
        assert "x-portico-replayed" not in second.headers
        await street.receipt_of(second)
        assert (await street.alice.ask(path, body, **once)).body == first.body
        assert len(script.requests) == 2


async def test_one_does_not_learn_that_the_other_has_a_call_open_under_a_key(url: str, tmp_path: Path) -> None:
    act = Steps(ANSWER)
    once = {"idempotency-key": "order-66"}
    async with open_street(url, tmp_path, Script(act)) as street:
        asked = asyncio.create_task(street.alice.ask(CHAT, chat(), **once))
        await until(lambda: act.asked == 1)
        others = asyncio.create_task(street.bob.ask(CHAT, chat("Something else"), **once))
        await until(lambda: act.asked == 2)
        act.let_go(2)
        assert [(await asked).status, (await others).status] == [200, 200]


async def test_an_estimate_looks_at_the_balance_of_who_asks(url: str, tmp_path: Path) -> None:
    async with open_street(url, tmp_path, Script(answers(ANSWER))) as street:
        await street.receipt_of(await street.alice.ask(CHAT, chat()))
        for tenant in (street.alice, street.bob):
            told = (await tenant.ask("/v1/estimate", chat())).json()
            assert told["ceiling_nanos"] > 0
            assert street.alice.account not in json.dumps(told)


# -- keys, and what is for the operator --------------------------------------------------------------------------------


async def test_what_is_shown_of_a_key_opens_nothing(url: str, tmp_path: Path) -> None:
    async with open_street(url, tmp_path, Script(answers(ANSWER))) as street:
        alice = street.alice
        for guess in (alice.key_id, alice.prefix, alice.account, alice.key[:-1], alice.key + "a", alice.key.upper()):
            for path in ("/v1/balance", "/v1/models", "/v1/usage"):
                refused = await street.house.ask(b"", method="GET", path=path, key=guess)
                assert (refused.status, refused.error["code"]) == (401, "invalid_api_key")
                assert alice.account not in refused.body.decode()


FOR_NOBODY: Final = [
    *[f"/{version}/{what}" for version in ("v1", "v1beta") for what in ("cachedContents", "fileSearchStores")],
    *[f"/v1beta/{NAMES[kind]}" for kind in (CACHE, STORE)],
    f"/v1/responses/{NAMES[RESPONSE]}",
    "/v1/keys",
    "/v1/accounts",
    "/v1/accounts/alice",
    "/admin/v1/keys",
    "/admin/v1/accounts",
]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_is_not_served_tells_nobody_anything(sqlite_url: str, tmp_path: Path, method: str) -> None:
    script = Script(answers(ANSWER))
    async with open_street(sqlite_url, tmp_path, script) as street:
        for kind in NAMES:
            await street.owns(kind)
        for path in FOR_NOBODY:
            named = path.format(f"of-alice-{street.number}")
            alice, bob = [await tenant.ask(named, b"", method=method) for tenant in (street.alice, street.bob)]
            assert alice.status in (401, 404, 405), named
            assert alike(alice, bob)
        assert script.requests == []


async def test_both_are_told_the_same_models(sqlite_url: str, tmp_path: Path) -> None:
    async with open_street(sqlite_url, tmp_path, Script(answers(ANSWER))) as street:
        for path in ("/v1/models", "/v1/models/gemini-3.5-flash", "/v1beta/models"):
            assert alike(await street.alice.get(path), await street.bob.get(path))


PROVED: Final = {
    *[route for route, _, _, _ in NAMED],
    *[Action.RESPONSE, Action.RESPONSE_ITEMS, Action.FILES, Action.FILE, Action.FILE_CONTENT, Action.UPLOAD],
    *[Action.BALANCE, Action.KEY, Action.USAGE, Action.RECEIPT, Action.LIST_MODELS, Action.SHOW_MODEL],
    # Whose bodies name nothing that anybody owns:
    *["embeddings", "images_generations", "images_edits", "audio_speech", "audio_transcriptions", "audio_translations"],
}


def test_every_route_is_among_those_tested_here() -> None:
    assert set(ROUTE_NAMES) == {str(name) for name in PROVED}
    assert METHODS.keys() == set(Action)
