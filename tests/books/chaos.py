"""The books in a storm: `make chaos`, and for some seconds with every run of the tests.

Two servers of two workers share one database. All the while callers ask in four dialects, whole and streamed, for one
answer or two, some of them under one idempotency key wherever they are let in, and some hang up. Meanwhile workers are
killed, servers stopped, connections cut, the database taken away. Afterwards:

- the ledger adds up, and each balance is the sum of its account's lines;
- nothing is held any more, and every hold ended once;
- no prepaid account was below zero after any of its lines;
- whoever was told that a call failed has not paid for it;
- one idempotency key had one answer.

What was answered in the last moment before its worker died may be free (docs/money.md): that is counted, and is a fault
where it is more than one answer in fifty.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import databases
from books.shop import ANSWER_TOKENS, JSON_TYPE, OWNER_KEY, Shop, eventually, gemini_event, wire_to
from gateway.commands import Command
from gateway.house import Answer, Json, as_bytes, chat
from portico.wire.http import Exchange

MODEL: Final = "gemini-3.5-flash"
CALLERS: Final = 5
"""At a time, of each account."""
WORKERS: Final = 2
PATIENCE_S: Final = 60.0
CALM_S: Final = 3.0
"""Before the end, in which nothing is killed: what was begun is seen to its end by those who began it."""
REPORT_S: Final = 5.0
FREE: Final = 50
"""Of so many complete answers one may be free."""
BLOWS: Final = ("worker killed", "workers replaced", "server ended", "connections cut", "database restarted")
BUSY: Final = b'{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}'
WHOLE: Final = {
    "/v1/chat/completions": b"data: [DONE]",
    "/v1/messages": b"message_stop",
    "/v1/responses": b"response.completed",
    f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse": b'"STOP"',
}
"""What a stream that came to its proper end has in it."""


Tell = Callable[[Counter[str]], None]


class Said(NamedTuple):
    """What a caller was told."""

    account: str
    request_id: str
    status: int
    is_whole: bool
    key: str
    """The idempotency key, if there was one."""
    body: bytes


class Lot(NamedTuple):
    """An account that calls are made from."""

    name: str
    key: str


class Moody:
    """A provider that speaks Gemini, now quick, now slow, sometimes busy or gone in the middle of an answer."""

    def __init__(self, dice: random.Random) -> None:
        self.arrived = 0
        self._dice = dice

    async def __call__(self, exchange: Exchange) -> None:
        self.arrived += 1
        dice, mood = self._dice, self._dice.random()
        await asyncio.sleep(dice.choice([0, 0, 0.01, 0.05, 0.3]))
        if mood < 0.02:
            exchange.send(503, [JSON_TYPE], BUSY)
        elif "streamGenerateContent" not in exchange.request.path:
            exchange.send(200, [JSON_TYPE], as_bytes(gemini_event("Hello there.", finish="STOP", answer=ANSWER_TOKENS)))
        else:
            await self._stream(exchange, dice.choice([3, 6, 30]), breaks=mood < 0.05)

    async def _stream(self, exchange: Exchange, events: int, *, breaks: bool) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for number in range(1, events + 1):
            if breaks and number == events // 2:
                exchange.abort()
                return
            finish = "STOP" if number == events else None
            piece = gemini_event(f"word{number} ", finish=finish, answer=ANSWER_TOKENS * number // events)
            exchange.write(b"data: " + as_bytes(piece) + b"\r\n\r\n")
            await asyncio.sleep(self._dice.choice([0, 0.005, 0.05]))
        exchange.finish()


class House:
    """A server that is started again whenever it has gone down."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.command: Command | None = None
        self.port: int | None = None
        """None: nobody is let in now."""
        self._ending: asyncio.Future[signal.Signals] | None = None

    async def keep(self, until: float, events: Counter[str]) -> None:
        while time.monotonic() < until:
            async with self._shop.serving(WORKERS) as command:
                try:
                    self.port, self.command = await command.port(), command
                except (AssertionError, TimeoutError):
                    events["server did not start"] += 1  # as one does whose database is away
                    continue
                await self._serve(command, until)

    async def _serve(self, command: Command, until: float) -> None:
        self._ending = asyncio.get_running_loop().create_future()
        try:
            number = await asyncio.wait_for(self._ending, max(0.0, until - time.monotonic()))
        except TimeoutError:
            number = signal.SIGTERM
        finally:
            self.port = self.command = self._ending = None
        if number == signal.SIGKILL:
            command.kill()
        else:
            command.send(number)
        await command.end()

    def end(self, number: signal.Signals) -> None:
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(number)


class Storm:
    """Callers and what befalls them, for a while. `told` is what they heard, `events` what happened."""

    def __init__(self, shop: Shop, seconds: float, dice: random.Random, database: str | None) -> None:
        self.told: list[Said] = []
        self.events: Counter[str] = Counter()
        self._shop = shop
        self._dice = dice
        self._database = database
        self._until = time.monotonic() + seconds
        self._houses = [House(shop), House(shop)]
        self._asked = 0

    async def rage(self, lots: Sequence[Lot], tell: Tell) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report(tell))
            for house in self._houses:
                group.create_task(house.keep(self._until, self.events))
            for lot in lots:
                for _ in range(CALLERS):
                    group.create_task(self._call(lot))
            group.create_task(self._strike())
            group.create_task(self._top_up())

    async def _report(self, tell: Tell) -> None:
        while (left := self._until - time.monotonic()) > 0:
            await asyncio.sleep(min(REPORT_S, left))
            tell(self.events)

    # -- callers

    async def _call(self, lot: Lot) -> None:
        while time.monotonic() < self._until:
            self._asked += 1
            path, body = self._question()
            key = f"once-{self._asked}" if not body.get("stream") and self._dice.random() < 0.15 else ""
            for _ in range(3 if key else 1):
                await self._ask(lot, path, body, key)

    def _question(self) -> tuple[str, Json]:
        dice = self._dice
        text, stream = f"Hello, number {self._asked}", dice.random() < 0.5
        shape = dice.randrange(6)
        if shape == 0:
            method = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return f"/v1beta/models/{MODEL}:{method}", {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        if shape == 1:
            messages = [{"role": "user", "content": text}]
            return "/v1/messages", {"model": MODEL, "max_tokens": 60, "stream": stream, "messages": messages}
        if shape == 2:
            return "/v1/responses", {"model": MODEL, "stream": stream, "input": text, "max_output_tokens": 60}
        body = chat(text, max_tokens=dice.choice([50, 100]), stream=stream)
        return "/v1/chat/completions", body if shape > 3 else {**body, "n": 2}

    async def _ask(self, lot: Lot, path: str, body: Json, key: str) -> None:
        port = self._dice.choice(self._houses).port
        if port is None:
            await asyncio.sleep(0.05)
            return
        leaves = self._dice.choice([0, 0.01, 0.1, 0.4]) if self._dice.random() < 0.1 else None
        try:
            answer = await _answer(port, lot.key, path, body, key, leaves)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.events["cut off"] += 1
            await asyncio.sleep(0.05)
            return
        if answer is None:
            self.events["hung up"] += 1
            return
        streamed = answer.headers.get("content-type", "").startswith("text/event-stream")
        is_whole = answer.status == 200 and (not streamed or _has_ended(path, answer.body))
        self.events["answered" if is_whole else "broken off" if answer.status == 200 else f"told {answer.status}"] += 1
        told = Said(lot.name, answer.headers.get("x-portico-request-id", ""), answer.status, is_whole, key, answer.body)
        self.told.append(told)
        if answer.status != 200:
            await asyncio.sleep(0.1)

    async def _top_up(self) -> None:
        """Whoever has little gets a little now and then; while the database is away, not."""
        while time.monotonic() < self._until - CALM_S:
            await asyncio.sleep(2)
            try:
                await self._shop.said("accounts", "top-up", "tight", f"0.00{self._dice.randint(10, 99)}")
            except (AssertionError, TimeoutError):
                self.events["top-up refused"] += 1

    # -- what befalls them

    async def _strike(self) -> None:
        while time.monotonic() < self._until - CALM_S:
            await asyncio.sleep(self._dice.uniform(0.4, 2.5))
            house = self._dice.choice(self._houses)
            if house.command is not None:
                self.events[await self._struck(house, house.command)] += 1

    async def _struck(self, house: House, command: Command) -> str:
        dice = self._dice
        what = dice.random() if self._database is not None else dice.uniform(0, 0.8)
        if what < 0.5:
            children = command.children
            if len(children) == WORKERS:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(dice.choice(children), dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
            return "worker killed"
        if what < 0.6:
            command.send(signal.SIGHUP)
            return "workers replaced"
        if what < 0.8:
            house.end(dice.choice([signal.SIGTERM, signal.SIGKILL]))
            return "server ended"
        server = databases.server()
        if what < 0.95:
            server.end_connections(str(self._database))
            return "connections cut"
        server.stop()
        await asyncio.sleep(dice.uniform(0.2, 3))
        server.start()
        return "database restarted"


async def _answer(port: int, secret: str, path: str, body: Json, key: str, leaves: float | None) -> Answer | None:
    """The whole answer; None where the caller hung up after so many seconds. Raises as sockets do."""
    wire = await wire_to(port)
    wire.patience_s = PATIENCE_S
    fields = {"host": "x", "authorization": f"Bearer {secret}", "connection": "close"}
    try:
        wire.request("POST", path, {**fields, **({"idempotency-key": key} if key else {})}, as_bytes(body))
        if leaves is None:
            return await wire.rest()
        await asyncio.sleep(leaves)
        return None
    finally:
        wire.drop()


def _has_ended(path: str, body: bytes) -> bool:
    return WHOLE[path] in body and b'"error"' not in body


# -- afterwards -------------------------------------------------------------------------------------------------------


async def faults(shop: Shop, storm: Storm, lots: Sequence[Lot]) -> list[str]:
    """What is wrong with the books, a line each, once a server has resolved what dead ones left."""
    found: list[str] = []
    async with shop.serving() as server:
        await server.port()
        try:
            await eventually(lambda: _nothing_held(shop, lots))
        except TimeoutError:
            found.append("something is still held")
    verified = await shop.command("ledger", "verify")
    if not verified["ok"]:
        found.append(f"the ledger does not add up: {verified}")
    for lot in lots:
        lines = await shop.entries(lot.name)
        balance = await shop.balance(lot.name)
        told = [one for one in storm.told if one.account == lot.name]
        problems = [
            *_in_lines(lines, balance, is_prepaid=lot.key != OWNER_KEY),
            *_in_charges(lines, told, storm.events),
        ]
        found += [f"{lot.name}: {problem}" for problem in problems]
    if storm.events["free"] * FREE > storm.events["answered"]:
        found.append(f"{storm.events['free']} of {storm.events['answered']} complete answers were free")
    answers: dict[str, set[bytes]] = {}
    for one in storm.told:
        if one.key and one.status == 200:
            answers.setdefault(one.key, set()).add(one.body)
    return found + [f"{key} had {len(bodies)} answers" for key, bodies in answers.items() if len(bodies) > 1]


async def _nothing_held(shop: Shop, lots: Sequence[Lot]) -> bool:
    return not any([(await shop.balance(lot.name))[1] for lot in lots])


def _in_lines(lines: list[Json], balance: tuple[int, int], *, is_prepaid: bool) -> Iterable[str]:
    """`balance` is (posted, held)."""
    posted = held = 0
    holds, ends = Counter[str](), Counter[str]()
    for line in lines:
        posted += line["posted_nanos"]
        held += line["held_nanos"]
        if is_prepaid and posted - held < 0:
            yield f"{posted - held} nano-dollars were left after {line}"
        if line["kind"] == "hold":
            holds[line["request_id"]] += 1
        elif line["kind"] in ("settle", "release"):
            ends[line["request_id"]] += 1
    if balance != (posted, held):
        yield f"its balance is {balance}, and its lines are {(posted, held)}"
    if holds != ends or any(count > 1 for count in holds.values()):
        yield f"not every hold ended once: {dict((holds - ends) + (ends - holds)) or holds.most_common(3)}"


def _in_charges(lines: list[Json], told: list[Said], events: Counter[str]) -> Iterable[str]:
    charged = {line["request_id"]: -line["posted_nanos"] for line in lines if line["kind"] == "settle"}
    for one in told:
        charge = charged.get(one.request_id, 0)
        if one.status >= 400 and charge > 0:
            yield f"{one.request_id} was told {one.status}, and paid {charge} nano-dollars"
        if one.is_whole and not one.key and charge == 0:
            events["free"] += 1


def _silent(_events: Counter[str]) -> None: ...


async def chaos(
    folder: Path, *, seconds: float, seed: int, postgres: bool, tell: Tell = _silent
) -> tuple[list[str], Counter[str]]:
    """What was wrong afterwards, and what happened, which is told meanwhile too. `folder` is for the configuration, and for
    the books on SQLite."""
    dice = random.Random(seed)
    url = databases.started_postgres_url() if postgres else None
    shop = Shop(folder, Moody(dice), storage_url=url)
    await shop.start()
    try:
        lots = [Lot("default", OWNER_KEY)]
        limits = ("--rpm", "600", "--concurrent", "6")
        for name, options, money in (("rich", (), "1000"), ("tight", (), "0.01"), ("limited", limits, "100")):
            lots.append(Lot(name, (await shop.prepaid(name, *options))[1]))
            await shop.command("accounts", "top-up", name, money)
        database = None if url is None else url.partition("@/")[2].partition("?")[0]
        storm = Storm(shop, seconds, dice, database)
        await storm.rage(lots, tell)
        return await faults(shop, storm, lots), storm.events
    finally:
        await shop.stop()


def _show(began: float) -> Tell:
    """On one line of the terminal, how far it is."""

    def show(events: Counter[str]) -> None:
        blows = sum(events[name] for name in BLOWS)
        line = f"{time.monotonic() - began:5.0f} s  {events['answered']:,} answered, {blows} blows"
        sys.stderr.write(f"\r{line}" if sys.stderr.isatty() else f"{line}\n")
        sys.stderr.flush()

    return show


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description="The books in a storm of calls, kills and outages.")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all that is left to chance here")
    parser.add_argument("--postgres", action="store_true", help="books on PostgreSQL (from the wheel the tests use)")
    options: Any = parser.parse_args()
    where = "PostgreSQL" if options.postgres else "SQLite"
    print(f"{options.minutes:g} minutes on {where}, seed {options.seed}", flush=True)  # noqa: T201
    with tempfile.TemporaryDirectory() as name:
        seconds = options.minutes * 60
        running = chaos(
            Path(name), seconds=seconds, seed=options.seed, postgres=options.postgres, tell=_show(time.monotonic())
        )
        found, events = asyncio.run(running)
    told = [f"{count:8,}  {event}" for event, count in events.most_common()]
    print("\n".join(["", *told, *(found or ["The books add up."])]))  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
