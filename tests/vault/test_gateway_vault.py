"""Whole gateways that share one database: tool loops that move between workers, and files that are somebody's.

The simulator is strict: a call of the current turn without its signature is a 400.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.gemini import address, prompt
from gateway.house import KEY, OTHER_KEY, Answer, House, Json, as_bytes, chat, open_house, until
from gateway.test_gateway_signatures import SKIP, OpenClaw
from portico.core.masking import fingerprint
from portico.core.storage import Committer
from portico.simulator import Simulator
from portico.vault import Resource
from portico.vault.resources import CACHE, FILE
from portico.wire.http import Exchange
from vault.workers import Gate, Workers


@contextlib.asynccontextmanager
async def two_houses(workers: Workers) -> AsyncIterator[tuple[House, House]]:
    """Two workers before the same provider. Each has dice of its own."""
    provider = Simulator()
    async with (
        open_house(provider, make_vault=workers.vault, seed=1) as one,
        open_house(provider, make_vault=workers.vault, seed=2) as other,
    ):
        yield one, other


STREAMED = pytest.mark.parametrize("stream", [False, True])


@STREAMED
async def test_a_tool_loop_whose_turns_come_to_another_worker_each_needs_no_skip_value(
    workers: Workers, stream: bool
) -> None:
    async with two_houses(workers) as (one, other):
        client = OpenClaw(one, "Look around [[sim:steps=4]]", stream=stream)
        answer = await client.step()
        for turn in range(4):
            client.house = (other, one)[turn % 2]
            answer = await client.step()
            assert SKIP not in answer.codes
        assert client.messages[-1]["content"].startswith("[simulated] Done")
        assert one.simulator.stats.refused == 0


@STREAMED
async def test_a_tool_loop_goes_on_after_a_restart(workers: Workers, stream: bool) -> None:
    async with open_house(make_vault=workers.vault) as house:
        client = OpenClaw(house, "Look around [[sim:steps=3]][[sim:parallel=2]]", stream=stream)
        await client.step()
        while client.calls or client.messages[-1]["role"] == "tool":
            await house.restart()
            assert SKIP not in (await client.step()).codes
        assert house.simulator.stats.refused == 0


async def test_one_tenant_cannot_use_what_another_worker_kept_for_another(workers: Workers) -> None:
    async with two_houses(workers) as (one, other):
        client = OpenClaw(one, "Look [[sim:steps=2]]", stream=False)
        await client.step()
        history = list(client.messages)
        client.house = other
        assert SKIP in (await client.step(key=OTHER_KEY)).codes
        client.messages = history
        assert SKIP not in (await client.step()).codes


@STREAMED
async def test_the_last_byte_waits_for_the_rows(workers: Workers, stream: bool) -> None:
    gates: list[Gate] = []

    def through(committer: Committer) -> Committer:
        gates.append(Gate(committer))
        return gates[-1]

    async with open_house(make_vault=lambda: workers.vault(through=through)) as house:
        body = chat("Look [[sim:steps=1]]", tools=TOOLS, stream=stream, model="gemini-3-flash-preview")
        asked = asyncio.create_task(house.ask(body))
        await until(lambda: gates[-1].held)
        await asyncio.sleep(0.05)  # what was going to be sent all the same has been
        assert not asked.done()
        gates[-1].open()
        answer = await asked
        assert answer.status == 200
        message = answer.events.message if stream else answer.message
        calls = [f"call:{call['id'].replace('_', '')}" for call in message["tool_calls"]]
        assert sorted(await workers.keys()) == sorted(calls) != []


TOOLS = [{"type": "function", "function": {"name": "read_file", "parameters": {"type": "object", "properties": {}}}}]


# -- files and caches --------------------------------------------------------------------------------------------------

ANSWER = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}


class Asked:
    """A provider that takes everything, and remembers with which credential it was asked."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.keys.append(exchange.request.headers["x-goog-api-key"])
        exchange.send(200, [("content-type", "application/json")], as_bytes(ANSWER))


def chat_with(uri: str) -> Json:
    return {
        "model": "gemini-3.5-flash",
        "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": uri, "format": "image/png"}}]}],
    }


def content(uri: str) -> Json:
    return {"role": "user", "parts": [{"fileData": {"fileUri": uri, "mimeType": "image/png"}}]}


def google_with(uri: str) -> Json:
    return {"contents": [content(uri)]}


# How a caller names a file: (name, path, body)
NAMING: list[tuple[str, str, Callable[[str], Json]]] = [
    ("chat", "/v1/chat/completions", chat_with),
    ("generateContent", address(), google_with),
    ("countTokens", address("countTokens"), lambda uri: {"generateContentRequest": google_with(uri)}),
    ("embedContent", address("embedContent", model="gemini-embedding-2"), lambda uri: {"content": content(uri)}),
]  # fmt: skip
EVERYWHERE = pytest.mark.parametrize(("path", "body"), [row[1:] for row in NAMING], ids=[row[0] for row in NAMING])


async def ask(house: House, path: str, body: Json, key: str = KEY) -> Answer:
    headers = {"x-goog-api-key": key} if "v1beta" in path else {"authorization": f"Bearer {key}"}
    return await house.ask(body, path=path, key=None, headers=headers)


@EVERYWHERE
async def test_a_file_is_used_by_its_owner_alone_and_with_the_credential_that_made_it(
    workers: Workers, path: str, body: Callable[[str], Json]
) -> None:
    resources, provider = workers.resources(), Asked()
    await resources.record(Resource("gemini", FILE, "files/of-alice", "alice", fingerprint("key-3")))
    keys = ("key-1", "key-2", "key-3", "key-4")
    async with open_house(provider, keys=keys, resources=resources) as house:
        for uri in ("files/of-alice", "https://generativelanguage.googleapis.com/v1beta/files/of-alice"):
            for _ in range(4):
                assert (await ask(house, path, body(uri))).status == 200
        assert provider.keys == ["key-3"] * 8
        refused = [
            await ask(house, path, body("files/of-alice"), OTHER_KEY),
            await ask(house, path, body("files/of-nobody"), OTHER_KEY),
        ]
        assert [answer.status for answer in refused] == [404, 404]
        told = [answer.body.replace(b"of-alice", b"...").replace(b"of-nobody", b"...") for answer in refused]
        assert told[0] == told[1]
        assert len(provider.keys) == 8, "nothing was sent"


@EVERYWHERE
async def test_without_a_registry_nothing_is_checked(path: str, body: Callable[[str], Json]) -> None:
    async with open_house(Asked()) as house:
        assert (await ask(house, path, body("files/of-whomever"))).status == 200


# (path, a body that names a cache)
CACHES = [
    ("/v1/chat/completions", chat(cached_content="cachedContents/c1")),
    ("/v1/chat/completions", chat(extra_body={"google": {"cached_content": "cachedContents/c1"}})),
    (address(), prompt(cachedContent="cachedContents/c1")),
    (address("streamGenerateContent"), prompt(cached_content="cachedContents/c1")),
]


@pytest.mark.parametrize(("path", "body"), CACHES, ids=["chat", "extension", "Google", "Google, in snake case"])
async def test_a_cache_is_its_owners(workers: Workers, path: str, body: Json) -> None:
    resources = workers.resources()
    await resources.record(Resource("gemini", CACHE, "cachedContents/c1", "alice", fingerprint("good-key")))
    provider = Asked()
    async with open_house(provider, resources=resources) as house:
        assert (await ask(house, path, body, OTHER_KEY)).status == 404
        assert provider.keys == []
        await ask(house, path, body)
        assert provider.keys == ["good-key"]


@EVERYWHERE
async def test_a_file_whose_credential_is_gone_is_told_to_its_owner(
    workers: Workers, path: str, body: Callable[[str], Json]
) -> None:
    resources, provider = workers.resources(), Asked()
    await resources.record(Resource("gemini", FILE, "files/1", "alice", fingerprint("an older key")))
    async with open_house(provider, resources=resources) as house:
        answer = await ask(house, path, body("files/1"))
        assert answer.status == 404
        assert b"credential" in answer.body
        assert provider.keys == []


async def test_a_call_that_names_nothing_goes_on_without_the_registry() -> None:
    """Only who names a thing needs the database."""
    workers = Workers("sqlite:////nowhere/books.db")
    async with workers, open_house(Asked(), resources=workers.resources()) as house:
        for path, body in (("/v1/chat/completions", chat()), (address(), prompt())):
            assert (await ask(house, path, body)).status == 200
        for _, path, names in NAMING:
            assert (await ask(house, path, names("files/1"))).status == 503
            assert (await ask(house, path, names("https://youtu.be/abc"))).status == 200
