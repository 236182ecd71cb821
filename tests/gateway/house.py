"""A whole gateway on real sockets: the server, the relay, and a provider that is the simulator or a script of ten lines.

The caller's side is written plainly, so that it shares no code with what it tests.
"""

import asyncio
import contextlib
import json
import signal
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from random import Random
from typing import Any, NamedTuple, TypeVar

from portico.accounts import Keyring
from portico.accounts.lending import Lending
from portico.catalog import OperatorModel, load_catalog
from portico.core.address import AllowList
from portico.core.storage import Reading
from portico.http.account import AccountPages
from portico.http.budget import Budget
from portico.http.client import HttpUpstream
from portico.http.estimate import Estimates
from portico.http.fetch import Fetcher
from portico.http.gateway import Gateway
from portico.http.guard import GuardedResolver
from portico.http.kept import ResponsePages
from portico.http.limits import Limits
from portico.http.server import Server
from portico.providers import KINDS, Provider, ProviderKind, Secret
from portico.relay.defaults import Defaults
from portico.relay.quote import QuoteTab
from portico.relay.relay import Relay, Settings
from portico.relay.report import NOBODY, Observer
from portico.relay.router import RoutingRules
from portico.relay.till import Till
from portico.simulator import Simulator
from portico.vault import MemoryVault, Resources, Vault
from portico.vault.responses import StoredResponses
from portico.wire.http import App, Exchange, HttpRequest
from vault.workers import Workers

Json = dict[str, Any]
T = TypeVar("T")

KEY = "sk-portico-alice"
OTHER_KEY = "sk-portico-bob"
PATIENCE_S = 45.0
"""What a test waits before it calls something stuck."""


async def soon(awaitable: Awaitable[T], within_s: float = PATIENCE_S) -> T:
    async with asyncio.timeout(within_s):
        return await awaitable


async def until(condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """For what awaits nothing: `TimeoutError` if it does not end."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(PATIENCE_S))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# -- the gateway -----------------------------------------------------------------------------------------------------


class House:
    """A gateway and the provider behind it. `restart` is a new gateway process: everything it remembered is gone."""

    def __init__(
        self,
        provider: App,
        *,
        keys: Sequence[str] = ("good-key",),
        settings: Settings | None = None,
        defaults: Defaults | None = None,
        limits: Limits | None = None,
        now: Callable[[], float] = time.time,
        seed: int = 7,
        models: Sequence[OperatorModel] = (),
        allow: Sequence[str] = (),
        kinds: Sequence[ProviderKind] = (KINDS["gemini"],),
        budget: Budget | None = None,
        observer: Observer = NOBODY,
        keyring: Keyring | None = None,
        reading: Reading | None = None,
        till: Callable[[], Till] | None = None,
        make_vault: Callable[[], Vault] = lambda: MemoryVault(time.monotonic),
        resources: Resources | None = None,
        configure: Callable[[str], Sequence[Provider]] | None = None,
        responses: Callable[[], StoredResponses] | None = None,
        rules: RoutingRules | None = None,
        fleet: Mapping[str, App] | None = None,
        lending: Lending | None = None,
        catch_up: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`allow`: hosts and networks that remote media may come from beside the open Internet. `kinds`: one provider of
        each is configured, all of them at the one address; the first is asked first. `fleet`: more providers of the first
        kind, each at an address of its own, by their names. `rules`: how they are chosen among. `till` makes what calls are
        paid with, `responses` what keeps the answers that calls go on from. `configure` makes other providers than that,
        given the address of the one there is."""
        self._configure = configure
        self._allow = allow
        self.budget = budget or Budget()
        self._observer = observer
        self._lending = lending
        self._catch_up = catch_up
        self._keyring = keyring or Keyring({KEY: "alice", OTHER_KEY: "bob"})
        self._reading = reading
        self._till = till
        self._kinds = kinds
        self.provider = provider
        self._provider_server = Server(provider)
        self._keys = keys
        self._settings = settings
        self._defaults = defaults
        self._limits = limits
        self._now = now
        self._rng = Random(seed)
        self._catalog = load_catalog().with_models(models)
        self.upstream = HttpUpstream()
        self._make_vault = make_vault
        self._resources = resources
        self._responses = responses
        self._rules = rules
        self._fleet = {name: Server(app) for name, app in (fleet or {}).items()}
        self._server: Server

    async def start(self) -> "House":
        await self._provider_server.start()
        for server in self._fleet.values():
            await server.start()
        await self._start_gateway()
        return self

    def _at(self, address: str, secrets: tuple[Secret, ...]) -> Iterator[Provider]:
        for kind in self._kinds:
            yield Provider.at(kind.name, kind, address, secrets)
        for name, server in self._fleet.items():
            yield Provider.at(name, self._kinds[0], f"http://127.0.0.1:{server.port}", secrets)

    async def _start_gateway(self) -> None:
        self.upstream = HttpUpstream()
        self.vault = self._make_vault()
        self.fetcher = Fetcher(GuardedResolver(AllowList.of(self._allow)), time.monotonic, timeout_s=5)
        secrets = tuple([Secret(key, f"env:KEY_{number}") for number, key in enumerate(self._keys)])
        address = f"http://127.0.0.1:{self._provider_server.port}"
        responses = None if self._responses is None else self._responses()
        calls = partial(
            Relay,
            catalog=self._catalog,
            providers=([*self._at(address, secrets)] if self._configure is None else self._configure(address)),
            rules=self._rules,
            upstream=self.upstream,
            vault=self.vault,
            rng=self._rng,
            now=self._now,
            clock=time.perf_counter,
            settings=self._settings,
            defaults=self._defaults,
            till=None if self._till is None else self._till(),
            resources=self._resources,
            responses=responses,
        )
        self.relay = relay = calls(fetcher=self.fetcher)
        estimate = None if self._till is None else Estimates(calls(tab=QuoteTab))
        gateway = Gateway(
            relay=relay,
            catalog=self._catalog,
            keyring=self._keyring,
            pages=None if self._reading is None else AccountPages(self._reading, self._today, estimate),
            responses=None if responses is None else ResponsePages(responses),
            rng=self._rng,
            now=self._now,
            budget=self.budget,
            observer=self._observer,
            lending=self._lending,
            catch_up=self._catch_up,
        )
        render = gateway.render_protocol_error
        self._server = Server(
            gateway, limits=self._limits, render_error=render, budget=self.budget, admit=gateway.admit
        )
        await self._server.start()

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    async def restart(self) -> None:
        await self._stop_gateway()
        await self._start_gateway()

    async def _stop_gateway(self) -> None:
        await self._server.stop(grace_s=0)
        await self.upstream.aclose()
        await self.fetcher.aclose()

    async def stop(self) -> None:
        await self._stop_gateway()
        await self._provider_server.stop(grace_s=0)
        for server in self._fleet.values():
            await server.stop(grace_s=0)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def simulator(self) -> Simulator:
        assert isinstance(self.provider, Simulator)
        return self.provider

    # What a caller does.

    async def ask(
        self,
        body: Any,
        *,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> "Answer":
        """One request on a connection of its own. Bytes are sent as they are, anything else as JSON."""
        async with self.open(body, path=path, method=method, key=key, headers=headers) as wire:
            return await wire.rest()

    @contextlib.asynccontextmanager
    async def open(
        self,
        body: Any,
        *,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator["Wire"]:
        """A request that has been sent, its answer still to be read."""
        fields = {"host": "gateway", "content-type": "application/json"}
        if key is not None:
            fields["authorization"] = f"Bearer {key}"
        async with self.connect() as wire:
            wire.request(method, path, {**fields, **(headers or {})}, as_bytes(body))
            yield wire

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator["Wire"]:
        """A connection on which nothing has been said yet."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.port, limit=2**20))
        try:
            yield wire
        finally:
            wire.drop()


@contextlib.asynccontextmanager
async def open_house(provider: App | None = None, **options: Any) -> AsyncIterator[House]:
    """A gateway before the simulator, or before a scripted provider."""
    house = await House(provider or Simulator(), **options).start()
    try:
        yield house
    finally:
        await house.stop()


@contextlib.contextmanager
def house_in_a_thread(provider: App | None = None, *, books: str | None = None, **options: Any) -> Iterator[House]:
    """The same with a loop of its own, for tests that are not async. `books`: the address of a database, in which answers
    are kept that calls go on from."""
    ready = threading.Event()
    done: asyncio.Event
    loop: asyncio.AbstractEventLoop
    workers = Workers(books or "")
    if books is not None:
        options["responses"] = workers.responses
    house = House(provider or Simulator(), **options)

    async def main() -> None:
        nonlocal done, loop
        done, loop = asyncio.Event(), asyncio.get_running_loop()
        async with workers:
            await house.start()
            ready.set()
            await done.wait()
            await house.stop()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(PATIENCE_S)
    try:
        yield house
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(PATIENCE_S)


def as_bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()


def chat(text: str = "Hello", *, model: str = "gemini-3.5-flash", **more: Any) -> Json:
    """The smallest request, and what a test adds to it."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


# -- the caller ------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Json:
        """OpenAI's error object: always all four keys, never anything of ours."""
        return error_of(self.json())

    @property
    def changes(self) -> list[Json]:
        """What x-portico-changes says."""
        listed = json.loads(self.headers.get("x-portico-changes", "[]"))
        assert isinstance(listed, list)
        return listed

    @property
    def codes(self) -> list[str]:
        return [item["code"] for item in self.changes]

    @property
    def message(self) -> Json:
        assert self.status == 200, self.body
        message = self.json()["choices"][0]["message"]
        assert isinstance(message, dict)
        return message

    @property
    def events(self) -> "Events":
        return Events.of(self.body)


def error_of(body: Any) -> Json:
    assert isinstance(body, dict)
    assert body.keys() == {"error"}
    error = body["error"]
    assert error.keys() - {"doc"} == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["type"], str)
    assert isinstance(error["param"], str | None)
    assert isinstance(error["code"], str | None)
    assert "Traceback" not in error["message"]
    return dict(error)


class Events(NamedTuple):
    """An event stream taken apart: what was JSON, whether it said [DONE], how many comments there were."""

    chunks: list[Json]
    done: bool
    comments: int

    @classmethod
    def of(cls, body: bytes) -> "Events":
        chunks: list[Json] = []
        done, comments = False, 0
        for block in body.decode().split("\n\n"):
            if block.startswith(":"):
                comments += 1
            elif block.startswith("data: "):
                assert not done, "something after [DONE]"
                data = block.removeprefix("data: ")
                if data == "[DONE]":
                    done = True
                else:
                    chunks.append(json.loads(data))
            else:
                assert block.strip() == "", block
        return cls(chunks, done, comments)

    @property
    def text(self) -> str:
        return "".join(delta.get("content") or "" for delta in self.deltas)

    @property
    def deltas(self) -> list[Json]:
        return [choice["delta"] for chunk in self.chunks for choice in chunk.get("choices", ())]

    @property
    def finishes(self) -> list[str]:
        choices = [choice for chunk in self.chunks for choice in chunk.get("choices", ())]
        return [choice["finish_reason"] for choice in choices if choice["finish_reason"] is not None]

    @property
    def errors(self) -> list[Json]:
        return [error_of(chunk) for chunk in self.chunks if "error" in chunk]

    @property
    def message(self) -> Json:
        """The deltas folded into a message, as a client would."""
        calls: dict[int, Json] = {}
        for delta in self.deltas:
            for piece in delta.get("tool_calls", ()):
                call = calls.setdefault(piece["index"], {"function": {"arguments": ""}})
                function = piece.get("function", {})
                call["function"]["arguments"] += function.get("arguments", "")
                call["function"].update({key: value for key, value in function.items() if key == "name"})
                call.update({key: value for key, value in piece.items() if key not in ("index", "function")})
        message: Json = {"role": "assistant", "content": self.text or None}
        if calls:
            message["tool_calls"] = [calls[index] for index in sorted(calls)]
            assert sorted(calls) == list(range(len(calls)))
        return message


class Wire:
    """One connection to the gateway, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.at_end = False
        self.patience_s = PATIENCE_S
        """For the answer to begin."""

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode("latin-1") + body)

    async def head(self) -> int:
        """The status; `headers` are then known."""
        if self.status == 0:
            head = (await soon(self.reader.readuntil(b"\r\n\r\n"), self.patience_s)).decode("latin-1")
            first, *lines = head[:-4].split("\r\n")
            self.status = int(first.split(" ")[1])
            pairs = [line.partition(":") for line in lines]
            self.headers = {name.lower(): value.strip() for name, _, value in pairs}
            assert len(self.headers) == len(lines), "a header came twice"
            if self.status < 200:
                self.status = 0
                return await self.head()
        return self.status

    async def chunk(self) -> bytes:
        """The next piece of a chunked body; b"" is its proper end. Raises `IncompleteReadError` where it was cut."""
        await self.head()
        size = int(await soon(self.reader.readuntil(b"\r\n")), 16)
        data = await soon(self.reader.readexactly(size + 2))
        self.at_end = size == 0
        return data[:-2]

    async def rest(self) -> Answer:
        """The whole answer."""
        await self.head()
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while piece := await self.chunk():
                body += piece
        else:
            body = await soon(self.reader.readexactly(int(self.headers["content-length"])))
        return Answer(self.status, self.headers, body)

    async def is_silent(self, for_s: float) -> bool:
        """Whether nothing at all arrives for so long."""
        try:
            data = await asyncio.wait_for(self.reader.read(1), for_s)
        except TimeoutError:
            return True
        raise AssertionError(f"{data!r} arrived")

    def leave(self) -> None:
        """As a client that closes its socket with nothing unread: the other side sees only an end of file."""
        self.writer.close()

    def reset(self) -> None:
        """As a client that closes its socket with something unread."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()

    def drop(self) -> None:
        self.writer.transport.abort()


# -- scripted providers ----------------------------------------------------------------------------------------------

Act = Callable[[Exchange], Awaitable[None]]


class Script:
    """A provider that plays one act per request, the last one for ever; it keeps the requests."""

    def __init__(self, *acts: Act) -> None:
        self._acts = acts
        self.requests: list[HttpRequest] = []

    async def __call__(self, exchange: Exchange) -> None:
        act = self._acts[min(len(self.requests), len(self._acts) - 1)]
        self.requests.append(exchange.request)
        await act(exchange)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests]


def candidate(*parts: Json, finish: str | None = "STOP", **more: Any) -> Json:
    """An answer of Gemini's with one candidate."""
    one: Json = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        one["finishReason"] = finish
    return {"candidates": [one], "modelVersion": "gemini-3.5-flash", "responseId": "scripted", **more}


def says(text: str, finish: str | None = "STOP", **more: Any) -> Json:
    return candidate({"text": text}, finish=finish, **more)


def answers(body: Any, status: int = 200) -> Act:
    """The whole answer, or for a streamed call a stream of just this event."""

    async def act(exchange: Exchange) -> None:
        data = as_bytes(body)
        if status == 200 and "alt=sse" in exchange.request.query:
            exchange.start(200, [("content-type", "text/event-stream")])
            exchange.write(b"data: " + data + b"\r\n\r\n")
            exchange.finish()
        else:
            exchange.send(status, [("content-type", "application/json")], data)

    return act


def fails(status: int, word: str, message: str = "scripted", details: Sequence[Json] = ()) -> Act:
    """Google's error."""
    error: Json = {"code": status, "message": message, "status": word}
    if details:
        error["details"] = list(details)
    return answers({"error": error}, status)


def frame(body: Any) -> bytes:
    return b"data: " + as_bytes(body) + b"\r\n\r\n"
