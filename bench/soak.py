"""Loads Portico with a bit of everything for a while and watches its memory: `make soak`, `make soak MINUTES=60`.

Whole answers and streams, small and large, images, callers who hang up, refused requests, a provider that fails or is
cut off, all at once and in no order. Resident memory is sampled every five seconds (the least of what was read in them, and
in a moment at their end in which nobody asks: an image in flight is no leak); once warm it has to stay flat, or the exit
code is 1. Flat: of the time after warm-up, the lowest sample of each third is within 5 % of that of the others. What an
allocator keeps for a while of an image that is gone comes and goes; a leak lifts the floor.
"""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench import workloads
from bench.contenders import CONTENDERS, Running
from bench.load import Ask, is_whole
from bench.machine import LOAD_CORE, rss_bytes
from bench.rows import QUICK, Bench, provider
from bench.upstream import Manner

SAMPLE_S: Final = 5.0
READ_S: Final = 0.1
WARM_SHARE: Final = 0.25
"""This much of the time is for warming up."""
FLAT: Final = 0.05
PAUSE_S: Final = 0.03
"""How long a caller waits before asking again, on average."""
PATIENCE_S: Final = 30.0


class Kind(msgspec.Struct, frozen=True):
    """A kind of call: how often it comes, what is sent, and after how many bytes of the answer the caller hangs up."""

    name: str
    weight: int
    ask: Ask
    hang_up_after: int | None = None


def kinds(running: Running) -> list[Kind]:
    """What is asked of a gateway."""
    small, agent, gemini = workloads.small, workloads.agent, CONTENDERS["portico-gemini"]
    stream = running.ask(small, stream=True)
    broken = msgspec.structs.replace(stream, body=b'{"messages": [')
    stranger = msgspec.structs.replace(stream, headers={"Authorization": "Bearer sk-unknown"})
    unknown = msgspec.structs.replace(stream, body=workloads.encoded(small("no-such-model")))
    return [
        Kind("small", 40, running.ask(small)),
        Kind("small, streamed", 20, stream),
        Kind("agent turn", 12, running.ask(agent)),
        Kind("agent turn, streamed", 6, running.ask(agent, stream=True)),
        Kind("image", 1, running.ask(workloads.image)),
        Kind("Gemini in front", 5, running.ask(small, like=gemini)),
        Kind("Gemini in front, streamed", 5, running.ask(small, stream=True, like=gemini)),
        Kind("hung up before the answer", 2, running.ask(agent), 0),
        Kind("hung up in a stream", 5, stream, 1000),
        Kind("not JSON", 2, broken),
        Kind("unknown key", 1, stranger),
        Kind("unknown model", 1, unknown),
    ]


class Stillness:
    """Moments in which nobody asks: what memory holds then is what is kept, and no image on its way."""

    SETTLE_S: Final = 0.2
    PATIENCE_S: Final = 3.0

    def __init__(self) -> None:
        self.may_ask = asyncio.Event()
        self.may_ask.set()
        self._open_calls = 0
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()

    @contextlib.asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Around a call: begins it when one may ask."""
        await self.may_ask.wait()
        self._open_calls += 1
        self._is_quiet.clear()
        try:
            yield
        finally:
            self._open_calls -= 1
            if not self._open_calls:
                self._is_quiet.set()

    @contextlib.asynccontextmanager
    async def moment(self) -> AsyncIterator[None]:
        self.may_ask.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_quiet.wait(), self.PATIENCE_S)
        await asyncio.sleep(self.SETTLE_S)
        try:
            yield
        finally:
            self.may_ask.set()


class Caller:
    """Asks one thing after another on one connection, chosen by chance, until told to stop."""

    def __init__(
        self, kinds: Sequence[Kind], rng: random.Random, told: Counter[tuple[str, str]], stillness: Stillness
    ) -> None:
        """`told` counts how calls ended: (kind, status or what happened)."""
        self._stillness = stillness
        self._kinds, self._rng, self._told = kinds, rng, told
        self._weights = [kind.weight for kind in kinds]
        self._writer: asyncio.StreamWriter | None = None
        self._reader = asyncio.StreamReader()

    async def call_until(self, until: float) -> None:
        while time.monotonic() < until:
            kind = self._rng.choices(self._kinds, self._weights)[0]
            async with self._stillness.call():
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        ended = await self._call(kind)
                except TimeoutError:
                    ended = "timeout"
                except (OSError, EOFError):
                    ended = "closed"
            if not ended.isdigit():
                self._hang_up()
            self._told[kind.name, ended] += 1
            await asyncio.sleep(self._rng.expovariate(1 / PAUSE_S))
        self._hang_up()

    async def _call(self, kind: Kind) -> str:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", kind.ask.port)
        self._writer.write(kind.ask.wire())
        await self._writer.drain()
        answer = bytearray()
        while not is_whole(answer):
            if kind.hang_up_after is not None and len(answer) >= kind.hang_up_after:
                return "hung up"
            data = await self._reader.read(1 << 16)
            if not data:
                raise EOFError
            answer += data
        if b"\r\nconnection: close" in answer[: answer.find(b"\r\n\r\n")].lower():
            self._hang_up()
        return answer[9:12].decode("ascii", "replace")

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None


async def watch(
    read: Callable[[], int],
    until: float,
    told: Counter[tuple[str, str]],
    *,
    sample_s: float = SAMPLE_S,
    read_s: float = READ_S,
    still: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext,
) -> list[float]:
    """Resident MB, the least within each `sample_s`; `still` makes a moment at the end of each in which nobody asks."""
    samples: list[float] = []
    begin = time.monotonic()
    while time.monotonic() < until:
        end, readings = time.monotonic() + sample_s, [read()]
        while time.monotonic() < end:
            await asyncio.sleep(read_s)
            readings.append(read())
        async with still():
            readings.append(read())
        samples.append(min(readings) / 1024 / 1024)
        print(f"{time.monotonic() - begin:6.0f} s  {samples[-1]:7.1f} MB  {told.total():9,} calls", flush=True)
    return samples


def spread(samples: Sequence[float]) -> float:
    """How far apart the lowest samples of the three thirds after warm-up are, as a share of the lowest.

    Takes five samples or more.
    """
    warm = samples[max(1, round(len(samples) * WARM_SHARE)) :]
    third = len(warm) // 3
    floors = [min(part) for part in (warm[:third], warm[third:-third], warm[-third:])]
    return (max(floors) - min(floors)) / min(floors)


def verdict(samples: Sequence[float]) -> tuple[bool, str]:
    """Whether memory stayed flat, and that in words."""
    apart = spread(samples)
    flat = apart <= FLAT
    said = "flat" if flat else "NOT FLAT"
    return flat, f"{said}: {100 * apart:.1f} % between the thirds once warm, {100 * FLAT:.0f} % are allowed"


async def _soak(running: Running, *, seconds: float, callers: int) -> tuple[list[float], str]:
    """Samples of memory, and how calls ended, in lines."""
    told: Counter[tuple[str, str]] = Counter()
    until = time.monotonic() + seconds
    asked = kinds(running)
    stillness = Stillness()
    callings = [Caller(asked, random.Random(number), told, stillness) for number in range(callers)]
    calling = [one.call_until(until) for one in callings]
    load = asyncio.gather(*calling)
    samples = await watch(lambda: rss_bytes(running.pid), until, told, still=stillness.moment)
    await load
    lines = []
    for kind in asked:
        ends = [f"{count:,} {ended}" for (name, ended), count in sorted(told.items()) if name == kind.name]
        lines.append(f"  {kind.name}: {', '.join(ends)}")
    return samples, "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--callers", type=int, default=32)
    options = parser.parse_args()
    if options.minutes < 1:
        parser.error("a minute at least: memory settles no sooner")
    os.sched_setaffinity(0, {LOAD_CORE})
    with tempfile.TemporaryDirectory() as name, provider(Path(name)) as port:
        bench = Bench(Path(name), QUICK, port, lambda _what, _error: None)
        running = bench.start(CONTENDERS["portico"])
        try:
            bench.behave(Manner(events=10, mixed=True))
            samples, ends = uvloop.run(_soak(running, seconds=60 * options.minutes, callers=options.callers))
        finally:
            running.stop()
    print(ends)
    flat, said = verdict(samples)
    print(said)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
