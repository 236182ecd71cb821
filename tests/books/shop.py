"""A shop on real processes: `portico serve` with books, a provider that answers when the test lets it, and the operator's
commands. Callers ask over real sockets; what they were charged is read back through the commands only."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from databases import started_books
from gateway import preloaded
from gateway.commands import Command, portico
from gateway.house import PATIENCE_S, Answer, Json, Wire, as_bytes, chat, soon
from portico.http.server import Server
from portico.wire.http import Exchange

OWNER_KEY: Final = "sk-sample-owner"
PROMPT_TOKENS, ANSWER_TOKENS = 120, 40
JSON_TYPE: Final = ("content-type", "application/json")


Provider = Callable[[Exchange], Awaitable[None]]


class Gate:
    """A provider that speaks Gemini, whole or streamed, and holds every answer back until the gate is open."""

    def __init__(self, *, opened: bool = True, events: int = 5, pace_s: float = 0.0) -> None:
        self.open = asyncio.Event()
        if opened:
            self.open.set()
        self.arrived = 0
        """Calls so far."""
        self.answered = 0
        """Those whose last byte was sent."""
        self._events = events
        self._pace_s = pace_s

    async def __call__(self, exchange: Exchange) -> None:
        self.arrived += 1
        await self.open.wait()
        if "streamGenerateContent" not in exchange.request.path:
            exchange.send(200, [JSON_TYPE], as_bytes(gemini_event("Hello there.", finish="STOP", answer=ANSWER_TOKENS)))
            self.answered += 1
            return
        exchange.start(200, [("content-type", "text/event-stream")])
        for number in range(1, self._events + 1):
            last = number == self._events
            counted = ANSWER_TOKENS * number // self._events
            piece = gemini_event(f"word{number} ", finish="STOP" if last else None, answer=counted)
            exchange.write(b"data: " + as_bytes(piece) + b"\r\n\r\n")
            await asyncio.sleep(self._pace_s)
        exchange.finish()
        self.answered += 1


def gemini_event(text: str, *, finish: str | None, answer: int) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    usage = {
        "promptTokenCount": PROMPT_TOKENS,
        "candidatesTokenCount": answer,
        "totalTokenCount": PROMPT_TOKENS + answer,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": PROMPT_TOKENS}],
    }
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3.5-flash"}


class Shop:
    """The operator's side: a folder with a configuration, and commands run in it."""

    def __init__(self, folder: Path, provider: Provider, *, storage_url: str | None = None) -> None:
        self.folder = folder
        self.env = {"PORTICO_API_KEY": OWNER_KEY, "GEMINI_API_KEY": "sample-upstream"}
        if storage_url is not None:
            self.env["PORTICO_STORAGE_URL"] = storage_url
        self._server = Server(provider)

    async def start(self) -> None:
        await self._server.start()
        if "PORTICO_STORAGE_URL" not in self.env:
            started_books(self.folder)
        base_url = f"http://127.0.0.1:{self._server.port}"
        lines = f'[[providers]]\nname = "gemini"\nbase_url = "{base_url}"\n'
        (self.folder / "portico.toml").write_text(lines, encoding="utf-8")

    async def stop(self) -> None:
        await self._server.stop(grace_s=0)

    async def said(self, *arguments: str) -> str:
        """What a command prints with --json. Fails the test if it exits with anything but 0."""
        code, out, err = await preloaded.run(*arguments, "--json", folder=self.folder, env=self.env)
        assert code == 0, f"portico {' '.join(arguments)}: exit {code}\n{out}{err}"
        return out

    async def command(self, *arguments: str) -> Any:
        return json.loads(await self.said(*arguments))

    async def entries(self, account: str) -> list[Json]:
        """The account's lines of the ledger."""
        lines = await self.said("ledger", "export", "--account", account)
        return [json.loads(line) for line in lines.splitlines()]

    async def add_up(self) -> bool:
        """Whether the books do."""
        return bool((await self.command("ledger", "verify"))["ok"])

    async def prepaid(self, name: str, *key_options: str) -> tuple[str, str]:
        """A prepaid account without money, and a key of it: (account id, key)."""
        account = (await self.command("accounts", "create", name))["id"]
        return account, (await self.command("keys", "create", "--account", name, *key_options))["key"]

    async def balance(self, name: str) -> tuple[int, int]:
        """(posted, held) in nano-dollars."""
        shown = await self.command("accounts", "show", name)
        return shown["posted_nanos"], shown["held_nanos"]

    def serving(self, workers: int = 1) -> contextlib.AbstractAsyncContextManager[Command]:
        return portico("serve", "--port", "0", "--workers", str(workers), folder=self.folder, env=self.env)


@contextlib.asynccontextmanager
async def open_shop(folder: Path, provider: Provider, *, storage_url: str | None = None) -> AsyncIterator[Shop]:
    shop = Shop(folder, provider, storage_url=storage_url)
    await shop.start()
    try:
        yield shop
    finally:
        await shop.stop()


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Returns when it is so; fails the test if it does not come about in time. Commands and leases take theirs."""
    async with asyncio.timeout(3 * PATIENCE_S):
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.2)


# -- callers -----------------------------------------------------------------------------------------------------------


async def wire_to(port: int) -> Wire:
    return Wire(*await soon(asyncio.open_connection("127.0.0.1", port, limit=2**20)))


async def call(
    port: int,
    key: str,
    body: Json | None = None,
    *,
    path: str = "/v1/chat/completions",
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    patience_s: float = PATIENCE_S,
) -> Answer:
    """One request on a connection of its own. Who lets its answer wait for commands and leases needs more patience."""
    wire = await wire_to(port)
    wire.patience_s = patience_s
    fields = {"host": "x", "authorization": f"Bearer {key}", "connection": "close", **(headers or {})}
    try:
        wire.request(method, path, fields, b"" if method == "GET" else as_bytes(body or chat("Hello")))
        return await wire.rest()
    finally:
        wire.drop()


async def receipt(port: int, key: str, request_id: str) -> Json:
    """A call's receipt, which is written when its answer is over: the last byte does not wait for it."""
    found: list[Answer] = []

    async def there() -> bool:
        found.append(await call(port, key, path=f"/v1/receipts/{request_id}", method="GET"))
        return found[-1].status == 200

    await eventually(there)
    told: Json = found[-1].json()
    return told


def statuses(answers: Sequence[Answer]) -> dict[int, int]:
    """How many there are of each status."""
    counted: dict[int, int] = {}
    for answer in answers:
        counted[answer.status] = counted.get(answer.status, 0) + 1
    return counted
