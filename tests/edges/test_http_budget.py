"""The budget of bodies in flight: what is taken is given back, on every way a request can end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edges.sockets import Caller, settle, soon, until
from portico.http.budget import Budget
from portico.http.limits import Limits
from portico.http.reader import DRAINED_BYTES, STRANGERS_BYTES, Inquiry, Refusal
from portico.http.server import Server
from portico.wire.http import App, Exchange

ROOM = 4000
LIMITS = Limits(max_body_bytes=100 * 1024 * 1024)


class Held:
    """An app that answers when it is told to, with the size of what it was sent."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.sizes: list[int] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.sizes.append(len(exchange.request.body))
        await self.go.wait()
        exchange.send(200, [], b"%d" % len(exchange.request.body))


@pytest.fixture
async def held() -> Held:
    return Held()


Start = Callable[..., Awaitable[tuple[Server, Budget]]]


@pytest.fixture
async def start() -> object:
    servers = []

    async def begin(app: App, room: int = ROOM, limits: Limits = LIMITS) -> tuple[Server, Budget]:
        budget = Budget(max_body_bytes=room)
        servers.append(await Server(app, limits=limits, budget=budget).start())
        return servers[-1], budget

    yield begin
    for server in servers:
        await server.stop(grace_s=0)


def declared(size: int, *, sent: int | None = None, more: str = "") -> bytes:
    body = b"x" * (size if sent is None else sent)
    return f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n{more}\r\n".encode() + body


def chunked(*sizes: int, end: bool = True) -> bytes:
    chunks = b"".join(b"%x\r\n%b\r\n" % (size, b"x" * size) for size in sizes)
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + chunks + (b"0\r\n\r\n" if end else b"")


async def test_a_declared_body_takes_its_room_before_it_is_sent(start: Start, held: Held) -> None:
    server, budget = await start(held)
    caller = await Caller.connect(server.port)
    caller.send(declared(3000, sent=0))
    await until(lambda: budget.body_bytes == 3000)
    caller.send(b"x" * 2999)
    caller.close()
    await until(lambda: budget.body_bytes == 0)
    assert held.sizes == []


async def test_a_body_in_chunks_takes_room_as_it_grows(start: Start, held: Held) -> None:
    server, budget = await start(held)
    caller = await Caller.connect(server.port)
    caller.send(chunked(1000, end=False))
    await until(lambda: budget.body_bytes == 1000)
    caller.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
    await until(lambda: budget.body_bytes == 2000)
    caller.drop()
    await until(lambda: budget.body_bytes == 0)


@pytest.mark.parametrize("request_", [declared(3000), chunked(1000, 2000)], ids=["declared", "chunked"])
async def test_a_body_keeps_its_room_until_its_call_is_over(start: Start, held: Held, request_: bytes) -> None:
    server, budget = await start(held)
    caller = await Caller.connect(server.port)
    caller.send(request_)
    await until(lambda: held.sizes == [3000])
    assert budget.body_bytes == 3000
    held.go.set()
    assert (await caller.reply()).body == b"3000"
    await until(lambda: budget.body_bytes == 0)
    caller.drop()


@pytest.mark.parametrize(
    "request_", [declared(2000), chunked(2000), chunked(*[1] * 2000)], ids=["declared", "chunked", "crumbs"]
)
async def test_a_body_without_room_is_refused_and_its_connection_goes_on(
    start: Start, held: Held, request_: bytes
) -> None:
    server, budget = await start(held)
    first, second = await Caller.connect(server.port), await Caller.connect(server.port)
    first.send(declared(2001))
    await until(lambda: budget.body_bytes == 2001)
    assert (await second.ask(request_)).status == 503
    assert (await second.ask(request_)).status == 503
    assert budget.body_bytes == 2001
    assert budget.refused_bodies == 2
    held.go.set()
    assert (await first.reply()).status == 200
    assert (await second.ask(request_)).body == b"2000"
    assert held.sizes == [2001, 2000]
    first.drop()
    second.drop()


@pytest.mark.parametrize(
    "request_",
    [
        declared(DRAINED_BYTES + 1, sent=10),
        declared(ROOM + 1, sent=0, more="expect: 100-continue\r\n"),
        chunked(ROOM + 1, DRAINED_BYTES, end=False),
    ],
    ids=["long", "waiting for leave", "long and in chunks"],
)
async def test_a_body_without_room_that_is_not_cheaply_thrown_away_ends_its_connection(
    start: Start, held: Held, request_: bytes
) -> None:
    server, budget = await start(held)
    caller = await Caller.connect(server.port)
    answer = await caller.ask(request_)
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert await caller.rest() == b""
    assert budget.body_bytes == 0
    caller.drop()


async def test_a_caller_that_is_refused_when_its_turn_comes_is_not_told_to_go_on(
    start: Start, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    """It came behind another request, and waits for leave to send its body."""
    server, _ = await start(held)
    caller = await Caller.connect(server.port)
    caller.send(declared(1))
    await until(lambda: held.sizes == [1])
    caller.send(declared(ROOM + 1, sent=0, more="expect: 100-continue\r\n"))
    await settle()
    held.go.set()
    assert [(await caller.reply()).status for _ in range(2)] == [200, 503]
    assert await caller.rest() == b""
    assert not caplog.records
    caller.drop()


async def test_a_refused_body_holds_no_room_while_the_rest_of_it_is_thrown_away(start: Start, held: Held) -> None:
    server, budget = await start(held, limits=Limits(max_body_bytes=2000))
    caller = await Caller.connect(server.port)
    caller.send(chunked(1500, 1500, end=False))
    assert (await caller.reply()).status == 413
    assert budget.body_bytes == 0
    caller.drop()


async def test_a_request_without_a_body_needs_no_room(start: Start, held: Held) -> None:
    server, _ = await start(held, room=0)
    held.go.set()
    caller = await Caller.connect(server.port)
    assert (await caller.ask(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200
    assert (await caller.ask(declared(0))).status == 200
    assert (await caller.ask(declared(1))).status == 503
    caller.drop()


async def test_pipelined_requests_that_never_have_their_turn_give_back_their_room(start: Start, held: Held) -> None:
    server, budget = await start(held)
    caller = await Caller.connect(server.port)
    caller.send(declared(100) * 5)
    await until(lambda: budget.body_bytes == 500)
    caller.reset()
    await until(lambda: budget.body_bytes == 0)
    assert held.sizes == [100]


# -- whatever happens

STEPS = (
    "whole",
    "pipelined",
    "half a body",
    "half in chunks",
    "chunks",
    "no room",
    "waits for leave",
    "not HTTP",
    "broken chunk",
    "too large",
    "close",
    "reset",
    "end sending",
    "read",
    "let answer",
    "wait",
)
ENDS = ("answers", "raises", "streams", "aborts")


class Watched(Budget):
    """Remembers what must never be."""

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(max_body_bytes=max_body_bytes)
        self.wrong: list[int] = []

    def take(self, size: int) -> bool:
        taken = super().take(size)
        self._check()
        return taken

    def give_back(self, size: int) -> None:
        super().give_back(size)
        self._check()

    def _check(self) -> None:
        if not 0 <= self.body_bytes <= self.max_body_bytes:
            self.wrong.append(self.body_bytes)


class Whimsical:
    """An app that ends its calls in every way there is, once it is let."""

    def __init__(self, ends: Sequence[str]) -> None:
        self._ends = ends
        self._calls = 0
        self.go = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        end = self._ends[self._calls % len(self._ends)]
        self._calls += 1
        await self.go.wait()
        if end == "raises":
            raise ArithmeticError("on purpose")
        if end == "aborts":
            exchange.abort()
        elif end == "streams":
            exchange.start(200, [])
            exchange.write(b"x" * 1000)
            await exchange.drain()
            exchange.finish()
        else:
            exchange.send(200, [], b"fine")


async def take_step(step: str, caller: Caller, app: Whimsical) -> None:
    sent = {
        "whole": declared(700),
        "pipelined": declared(300) + chunked(200, 100) + declared(50),
        "half a body": declared(900, sent=450),
        "half in chunks": chunked(300, 300, end=False),
        "chunks": chunked(*[7] * 100),
        "no room": declared(ROOM + 1),
        "waits for leave": declared(600, sent=0, more="expect: 100-continue\r\n"),
        "not HTTP": b"nonsense\r\n\r\n",
        "broken chunk": chunked(100, end=False) + b"zz\r\n",
        "too large": declared(20_000, sent=100),
    }.get(step)
    if sent is not None:
        with contextlib.suppress(RuntimeError):  # it has ended its side
            caller.send(sent)
    elif step == "close":
        caller.close()
    elif step == "reset":
        caller.reset()
    elif step == "end sending":
        with contextlib.suppress(OSError, RuntimeError):  # the other end was quicker
            caller.end_sending()
    elif step == "let answer":
        app.go.set()
    elif step == "read":
        try:
            async with asyncio.timeout(0.002):
                await caller.reader.read(65536)
        except (TimeoutError, ConnectionError):
            pass
    await asyncio.sleep(0.001 if step == "wait" else 0)


@given(
    steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(STEPS)), max_size=25),
    ends=st.lists(st.sampled_from(ENDS), min_size=1, max_size=4),
    stop_early=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_whatever_callers_do_the_budget_returns_to_nothing(
    steps: list[tuple[int, str]], ends: list[str], stop_early: bool
) -> None:
    app, budget = Whimsical(ends), Watched(ROOM)
    server = await Server(app, limits=Limits(max_body_bytes=10_000), budget=budget).start()
    callers = [await Caller.connect(server.port) for _ in range(4)]
    try:
        for number, step in steps:
            if callers[number].writer.is_closing():
                callers[number] = await Caller.connect(server.port)
            await take_step(step, callers[number], app)
        if not stop_early:
            app.go.set()
            for caller in callers:
                caller.drop()
            await until(lambda: budget.body_bytes == 0 and server.open_calls == 0)
    finally:
        await soon(server.stop(grace_s=0))
        for caller in callers:
            caller.drop()
    assert (budget.body_bytes, budget.wrong) == (0, [])


# -- strangers


def no_strangers(path: str, query: str, headers: Mapping[str, str]) -> None:
    if headers.get("key") != "good" and (path, query) != ("/open", "a=b"):
        raise Refusal(401, "Who are you?")


LONG = STRANGERS_BYTES + 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (declared(LONG, sent=0), 401),
        (declared(LONG, sent=0, more="expect: 100-continue\r\n"), 401),
        (chunked(STRANGERS_BYTES, 1, end=False), 401),
        (chunked(*[STRANGERS_BYTES // 64] * 65, end=False), 401),
        (declared(LONG, more="key: good\r\n"), 200),
        (declared(LONG).replace(b"POST /", b"POST /open?a=b"), 200),
        (declared(STRANGERS_BYTES), 200),
        (chunked(STRANGERS_BYTES - 1, 1), 200),
    ],
)
async def test_a_long_body_of_a_stranger_takes_no_room_and_is_not_read(request_: bytes, status: int) -> None:
    async def app(exchange: Exchange) -> None:
        exchange.send(200, [], b"")

    budget = Watched(10 * LONG)
    server = await Server(app, budget=budget, admit=no_strangers).start()
    caller = await Caller.connect(server.port)
    answer = await caller.ask(request_)
    assert answer.status == status
    if status == 401:
        assert b"Who are you?" in answer.body
        assert await caller.rest() == b""
    await until(lambda: budget.body_bytes == 0)
    caller.drop()
    await server.stop(grace_s=0)


async def test_each_request_of_a_connection_is_judged_for_itself() -> None:
    async def app(exchange: Exchange) -> None:
        exchange.send(200, [], b"")

    server = await Server(app, admit=no_strangers).start()
    caller = await Caller.connect(server.port)
    assert (await caller.ask(declared(LONG, more="key: good\r\n"))).status == 200
    assert (await caller.ask(declared(LONG, sent=0))).status == 401
    caller.drop()
    await server.stop(grace_s=0)


class Doorman:
    """Knows nobody at once; who brings a good key is let in when the door is opened, or at once where it stands open."""

    def __init__(self, *, opened: bool = True) -> None:
        self.open = asyncio.Event()
        if opened:
            self.open.set()
        self.asked = 0

    def __call__(self, path: str, query: str, headers: Mapping[str, str]) -> Inquiry:
        async def inquire() -> None:
            self.asked += 1
            await self.open.wait()
            no_strangers(path, query, headers)

        return inquire


async def _length(exchange: Exchange) -> None:
    exchange.send(200, [], b"%d" % len(exchange.request.body))


WHOSE = "key: good\r\n"
TWO = declared(LONG, more=WHOSE) + declared(2 * LONG, more=WHOSE)
IN_CHUNKS = chunked(STRANGERS_BYTES, 5, LONG).replace(b"host: x", b"host: x\r\nkey: good")


@pytest.mark.parametrize("step", [10**9, 1 << 18, 60_000, 1_000])
@pytest.mark.parametrize(
    ("sent", "lengths"),
    [(TWO, [LONG, 2 * LONG]), (IN_CHUNKS, [STRANGERS_BYTES + 5 + LONG]), (declared(5) + TWO, [5, LONG, 2 * LONG])],
    ids=["declared", "chunked", "behind a short one"],
)
async def test_of_who_is_not_known_yet_the_body_is_read_once_it_is_found_out(
    sent: bytes, lengths: list[int], step: int
) -> None:
    doorman, budget = Doorman(), Watched(10 * LONG)
    server = await Server(_length, budget=budget, admit=doorman).start()
    caller = await Caller.connect(server.port)
    for at in range(0, len(sent), step):
        caller.send(sent[at : at + step])
        await asyncio.sleep(0)
    assert [int((await caller.reply()).body) for _ in lengths] == lengths
    caller.drop()
    await until(lambda: budget.body_bytes == 0)
    assert budget.wrong == []
    await server.stop(grace_s=0)


async def test_meanwhile_a_body_takes_no_more_room_than_what_of_it_was_read() -> None:
    doorman, budget = Doorman(opened=False), Watched(100 * LONG)
    server = await Server(_length, budget=budget, admit=doorman).start()
    caller = await Caller.connect(server.port)
    caller.send(declared(50 * LONG, sent=0, more=WHOSE))
    await until(lambda: doorman.asked == 1)
    assert budget.body_bytes == 0
    caller.send(b"x" * 50 * LONG)
    await settle()
    assert budget.body_bytes == 0, "what comes meanwhile is not looked at"
    doorman.open.set()
    assert int((await caller.reply()).body) == 50 * LONG
    caller.drop()
    await server.stop(grace_s=0)


async def test_leave_to_send_a_body_is_given_once_it_is_found_out_whose_it_is() -> None:
    doorman = Doorman(opened=False)
    server = await Server(_length, admit=doorman).start()
    caller = await Caller.connect(server.port)
    caller.send(declared(LONG, sent=0, more=f"{WHOSE}expect: 100-continue\r\n"))
    await until(lambda: doorman.asked == 1)
    doorman.open.set()
    assert (await caller.reply()).status == 100
    caller.send(b"x" * LONG)
    assert int((await caller.reply()).body) == LONG
    caller.drop()
    await server.stop(grace_s=0)


@pytest.mark.parametrize("sent", [declared(LONG, sent=0), declared(LONG), chunked(LONG, end=False)])
async def test_who_turns_out_to_be_a_stranger_is_refused(sent: bytes) -> None:
    doorman, budget = Doorman(opened=False), Watched(10 * LONG)
    server = await Server(_length, budget=budget, admit=doorman).start()
    caller = await Caller.connect(server.port)
    caller.send(sent[:70_000])
    await until(lambda: doorman.asked == 1)
    caller.send(sent[70_000:])
    doorman.open.set()
    answer = await caller.reply()
    assert (answer.status, b"Who are you?" in answer.body) == (401, True)
    assert await caller.rest() == b""
    await until(lambda: budget.body_bytes == 0)
    caller.drop()
    await server.stop(grace_s=0)


async def test_who_leaves_before_it_is_found_out_leaves_nothing_behind() -> None:
    doorman, budget = Doorman(opened=False), Watched(10 * LONG)
    server = await Server(_length, budget=budget, admit=doorman).start()
    caller = await Caller.connect(server.port)
    caller.send(chunked(LONG, end=False))
    await until(lambda: doorman.asked == 1)
    caller.drop()
    await until(lambda: budget.body_bytes == 0)
    doorman.open.set()
    other = await Caller.connect(server.port)
    assert (await other.ask(declared(LONG, more=WHOSE))).status == 200
    other.drop()
    await server.stop(grace_s=0)
