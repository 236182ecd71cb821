"""The rows of the table: what load each is, and what is measured of a gateway under it.

Rows of CPU time and latency are taken with all gateways up at once, in rounds in which each has its turn, so that a
machine that is busy for a while is busy for all of them. Rows of memory and of starting are taken of one gateway alone,
freshly started.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench import workloads
from bench.contenders import ROOT, Contender, Running
from bench.load import Ask, Line, Loaded, percentile, read_streams, streams, whole
from bench.machine import LOAD_CORE, cpu_us, forget_peak, peak_rss_bytes, rss_bytes, started, stop, wait_until
from bench.ports import free_port, listens
from bench.proof import prove_stream, prove_whole
from bench.upstream import Manner
from portico.web.evidence import Figure


class Row(msgspec.Struct, frozen=True):
    """A line of the table. `ratio`: its figures are also told as multiples of the floor's."""

    title: str
    unit: str
    ratio: bool = True


ROWS: Final[dict[str, Row]] = {
    "small": Row("small chat", "CPU us / request"),
    "agent": Row("agent turn, plain JSON", "CPU us / request"),
    "agent_stream": Row("agent turn, streamed (50 events)", "CPU us / request"),
    "event": Row("streamed event, 100 streams", "CPU us / event"),
    "answer": Row("200 KB answer", "CPU us / request"),
    "image": Row("5 MB inline image", "CPU us / request"),
    "image_peak": Row("its memory, peak over idle", "x the body", ratio=False),
    "beside_p50": Row("small chat beside such images, p50 added", "ms", ratio=False),
    "beside_p99": Row("the same, p99", "ms", ratio=False),
    "latency_p50": Row("latency added, p50", "ms", ratio=False),
    "latency_p99": Row("latency added, p99", "ms", ratio=False),
    "open_rss": Row("1,000 open streams", "KB RSS each"),
    "open_late": Row("their events, p99 late", "ms", ratio=False),
    "open_direct": Row("of streams past the gateway, p99 late", "ms", ratio=False),
    "start": Row("start to first answer", "s", ratio=False),
    "idle": Row("idle", "RSS MB", ratio=False),
}


class Effort(msgspec.Struct, frozen=True):
    """How long loads are: the more, the less the neighbours matter."""

    rounds: int = 3
    seconds: float = 3.0
    stream_seconds: float = 6.0
    asks: int = 600
    starts: int = 3


WARM_ASKS: Final = 20
BEGUN: Final = time.monotonic()
PLAIN: Final = Manner()
QUICK: Final = Effort(rounds=1, seconds=2.0, stream_seconds=3.0, asks=100, starts=1)
Gateways = Mapping[str, Running]


class Bench:
    """One run: its folder, its effort, its stand-in for a provider."""

    def __init__(
        self, folder: Path, effort: Effort, upstream_port: int, problem: Callable[[str, Exception], None]
    ) -> None:
        """`problem` is told what could not be measured, and why."""
        self.folder, self.effort, self.upstream_port, self.problem = folder, effort, upstream_port, problem

    def behave(self, manner: Manner = PLAIN) -> None:
        """How the provider answers from now on."""
        line = Line(Ask(self.upstream_port, "/bench", {}, msgspec.json.encode(manner)))
        line.answer()
        line.close()

    def start(self, contender: Contender) -> Running:
        return Running(contender, self.folder / contender.name, free_port(), self.upstream_port)

    @contextmanager
    def alone(self, contender: Contender) -> Iterator[Running]:
        """A gateway freshly started and used a little, then stopped."""
        self.behave()
        running = self.start(contender)
        try:
            self.whole(running, running.ask(workloads.small), seconds=1)
            yield running
        finally:
            running.stop()

    def proved(self, row: str, gateways: Gateways, prove: Callable[[Running], None]) -> dict[str, Running]:
        """The gateways whose answers are whole."""
        proved: dict[str, Running] = {}
        for name, running in gateways.items():
            try:
                prove(running)
            except (OSError, RuntimeError, ValueError) as error:
                self.problem(f"{row} of {name}", error)
            else:
                proved[name] = running
        return proved

    def whole(self, running: Running, ask: Ask, *, seconds: float, connections: int = 0) -> Loaded:
        count = connections or running.contender.connections
        return whole(ask, seconds=seconds, connections=count, folder=self.folder)

    def rounds(
        self, row: str, gateways: Gateways, load: Callable[[Running], Loaded], per: Callable[[Loaded], int]
    ) -> Iterator[Figure]:
        """CPU microseconds `per` what was answered, in rounds in which each gateway has its turn.

        A gateway that ends, or answers nothing, is left out from then on.
        """
        taken: dict[str, list[tuple[float, Loaded]]] = {name: [] for name in gateways}
        for number in range(self.effort.rounds):
            for name in list(taken):
                say(f"{row}: {name}, round {number + 1}")
                pid = gateways[name].pid
                before = settled_cpu_us(pid)
                loaded = load(gateways[name])
                # What an answer leaves to be done after it belongs to it.
                spent = settled_cpu_us(pid, within_s=2) - before
                if spent < 0 or not per(loaded):
                    self.problem(f"{row} of {name}", RuntimeError(f"{loaded.failed} failed, none were answered"))
                    del taken[name]
                else:
                    taken[name].append((spent, loaded))
        for name, rounds in taken.items():
            values = tuple(spent / per(loaded) for spent, loaded in rounds)
            answered = sum(loaded.answers for _, loaded in rounds)
            yield Figure(row, name, values, answered, sum(loaded.failed for _, loaded in rounds))


@contextmanager
def provider(folder: Path) -> Iterator[int]:
    """The stand-in for a provider, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "bench.upstream", str(port)]
    process = started(command, core=LOAD_CORE, env={"PYTHONPATH": str(ROOT)}, log=folder / "upstream.log")
    try:
        wait_until(lambda: listens(port), 10)
        yield port
    finally:
        stop(process)


def settled_cpu_us(pid: int, within_s: float = 15.0) -> float:
    """The CPU time of a tree once it has done with what the last load left behind."""
    until = time.monotonic() + within_s
    last = cpu_us(pid)
    while time.monotonic() < until:
        time.sleep(0.25)
        now = cpu_us(pid)
        if now - last <= 20_000:
            return now
        last = now
    return last


def say(text: str) -> None:
    """Where a run has got to, with the time since it began."""
    minutes, seconds = divmod(round(time.monotonic() - BEGUN), 60)
    print(f"  {minutes:2}:{seconds:02}  {text}", file=sys.stderr, flush=True)


# -- with all gateways up --------------------------------------------------------------------------------------------


def _whole_answers(
    bench: Bench, row: str, gateways: Gateways, made: Callable[[str], workloads.Body], *, large: bool = False
) -> Iterator[Figure]:
    gateways = bench.proved(row, gateways, lambda running: prove_whole(running.ask(made), large=large))
    for running in gateways.values():
        bench.whole(running, running.ask(made), seconds=max(1.0, bench.effort.seconds / 4))

    def load(running: Running) -> Loaded:
        seconds = bench.effort.seconds * (1 if running.contender.quick else 2)
        return bench.whole(running, running.ask(made), seconds=seconds)

    yield from bench.rounds(row, gateways, load, lambda loaded: loaded.answers)


def small(bench: Bench, gateways: Gateways) -> Iterator[Figure]:
    """The small chat."""
    yield from _whole_answers(bench, "small", gateways, workloads.small)


def agent(bench: Bench, gateways: Gateways) -> Iterator[Figure]:
    """A turn of an agent, plain JSON answer."""
    yield from _whole_answers(bench, "agent", gateways, workloads.agent)


def answer(bench: Bench, gateways: Gateways) -> Iterator[Figure]:
    """An answer of 200 KB."""
    bench.behave(Manner(large=True))
    yield from _whole_answers(bench, "answer", gateways, workloads.small, large=True)


def agent_stream(bench: Bench, gateways: Gateways) -> Iterator[Figure]:
    """A turn of an agent, streamed: 100 streams at a time."""
    yield from _streamed(bench, "agent_stream", gateways, workloads.agent, lambda loaded: loaded.answers)


def event(bench: Bench, gateways: Gateways) -> Iterator[Figure]:
    """100 streams at a time of 50 events, 20 ms apart."""
    yield from _streamed(bench, "event", gateways, workloads.small, lambda loaded: loaded.events)


def _streamed(
    bench: Bench, row: str, gateways: Gateways, made: Callable[[str], workloads.Body], per: Callable[[Loaded], int]
) -> Iterator[Figure]:
    gateways = bench.proved(
        row, gateways, lambda running: prove_stream(running.ask(made, stream=True), events=PLAIN.events)
    )
    for running in gateways.values():
        streams(running.ask(made, stream=True), count=20, seconds=0)

    def load(running: Running) -> Loaded:
        return streams(running.ask(made, stream=True), count=100, seconds=bench.effort.stream_seconds)

    yield from bench.rounds(row, gateways, load, per)


def latency(bench: Bench, gateways: Gateways) -> Iterator[Figure]:
    """What a gateway adds at concurrency 1 to a provider that answers after 20 ms.

    Of each answer the time the provider held it is taken off, and what is left when it is asked directly. The gateways take
    turns, question by question.
    """
    bench.behave(Manner(delay_ms=20))
    direct = _directly(bench)
    lines = {name: Line(running.ask(workloads.small)) for name, running in gateways.items()}
    say(f"latency: {bench.effort.asks} questions to each")
    own: list[float] = []
    added: dict[str, list[float]] = {name: [] for name in lines}
    failed = dict.fromkeys(lines, 0)
    for _ in range(WARM_ASKS + bench.effort.asks):
        own.append(direct.added_ms())
        for name, line in lines.items():
            try:
                added[name].append(line.added_ms())
            except (OSError, RuntimeError):
                failed[name] += 1
    for line in (direct, *lines.values()):
        line.close()
    base = statistics.median(own[WARM_ASKS:])
    for name, taken in added.items():
        yield from _added("latency", name, taken[WARM_ASKS:], base, failed[name])


def _directly(bench: Bench) -> Line:
    """Asks the provider itself: what remains of its time is the load's own."""
    path = "/v1beta/models/x:generateContent"
    return Line(Ask(bench.upstream_port, path, {}, workloads.encoded(workloads.small("x"))))


def _added(row: str, gateway: str, taken: list[float], base: float, failed: int) -> Iterator[Figure]:
    ordered = sorted(value - base for value in taken)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        yield Figure(f"{row}_{name}", gateway, (percentile(ordered, share),), len(ordered), failed)


# -- one gateway alone -----------------------------------------------------------------------------------------------

OPEN: Final = 1000
DIRECT: Final = 10
"""Streams that the same load reads from the provider itself at the same time: as late as they are, is the load."""
OPENING_S: Final = 4.0
OPEN_PATIENCE_S: Final = 60.0
PACE_MS: Final = 100.0
EVENTS: Final = 100


def open_streams(bench: Bench, contender: Contender) -> Iterator[Figure]:
    """1,000 open streams at 10 events a second: memory of each, and how late events are."""
    with bench.alone(contender) as running:
        streams(running.ask(workloads.small, stream=True), count=20, seconds=0)
        bench.behave(Manner(events=EVENTS, pace_ms=PACE_MS))
        settled_cpu_us(running.pid)
        say(f"open: {contender.name}")
        idle = rss_bytes(running.pid)
        loaded, direct, held = uvloop.run(_held_open(bench, running))
    failed = loaded.failed
    if loaded.why:
        bench.problem(f"some of the {OPEN:,} open streams of {contender.name}", RuntimeError(loaded.why))
    yield Figure("open_rss", contender.name, ((held - idle) / OPEN / 1024,), loaded.answers, failed)
    yield Figure("open_late", contender.name, (percentile(loaded.late_ms, 0.99),), loaded.answers, failed)
    yield Figure("open_direct", contender.name, (percentile(direct.late_ms, 0.99),), direct.answers, direct.failed)


async def _held_open(bench: Bench, running: Running) -> tuple[Loaded, Loaded, int]:
    """What was read through the gateway, what directly, and the most memory seen while all of the streams were open."""
    ask = running.ask(workloads.small, stream=True)
    load = asyncio.create_task(
        read_streams(ask, count=OPEN, seconds=0, stagger_s=OPENING_S, patience_s=OPEN_PATIENCE_S)
    )
    own = Ask(bench.upstream_port, "/v1beta/models/x:streamGenerateContent?alt=sse", {}, b"{}")
    direct = asyncio.create_task(
        read_streams(own, count=DIRECT, seconds=0, stagger_s=OPENING_S, patience_s=OPEN_PATIENCE_S)
    )
    await asyncio.sleep(OPENING_S + 1)
    held = 0
    for _ in range(int(EVENTS * PACE_MS / 1000 - OPENING_S - 2) * 4):
        held = max(held, rss_bytes(running.pid))
        await asyncio.sleep(0.25)
    return await load, await direct, held


def image(bench: Bench, contender: Contender) -> Iterator[Figure]:
    """A 5 MB inline image, one at a time: CPU, how far memory grows beyond idle at its peak, and how long a small call
    takes meanwhile."""
    with bench.alone(contender) as running:
        ask = running.ask(workloads.image)
        say(f"image: {contender.name}")
        before = settled_cpu_us(running.pid)
        idle = rss_bytes(running.pid)
        forget_peak(running.pid)
        loaded = bench.whole(running, ask, seconds=2 * bench.effort.seconds, connections=1)
        cpu, peak = settled_cpu_us(running.pid, within_s=2) - before, peak_rss_bytes(running.pid)
        beside = list(_beside(bench, running, ask))
    answers = loaded.answers
    yield Figure("image", contender.name, (cpu / max(1, answers),), answers, loaded.failed)
    yield Figure("image_peak", contender.name, ((peak - idle) / len(ask.body),), answers, loaded.failed)
    yield from beside


def _beside(bench: Bench, running: Running, image_ask: Ask) -> Iterator[Figure]:
    """What a gateway adds to a small call while images pass through it one after another."""
    bench.behave(Manner(delay_ms=5))
    direct, line = _directly(bench), Line(running.ask(workloads.small))
    own: list[float] = []
    added: list[float] = []
    failed = 0
    with ThreadPoolExecutor(1) as pool:
        images = pool.submit(bench.whole, running, image_ask, seconds=2 * bench.effort.seconds, connections=1)
        while not images.done():
            own.append(direct.added_ms())
            try:
                added.append(line.added_ms())
            except (OSError, RuntimeError):
                failed += 1
    direct.close()
    line.close()
    yield from _added("beside", running.contender.name, added, statistics.median(own), failed + images.result().failed)


def start(bench: Bench, contender: Contender) -> Iterator[Figure]:
    """Process start to first answer, and what is resident then."""
    bench.behave()
    ready: list[float] = []
    idle: list[float] = []
    for number in range(bench.effort.starts if contender.quick else 1):
        say(f"start: {contender.name}, {number + 1}")
        running = bench.start(contender)
        try:
            ready.append(running.ready_s)
            settled_cpu_us(running.pid)
            idle.append(rss_bytes(running.pid) / 1024 / 1024)
        finally:
            running.stop()
    yield Figure("start", contender.name, tuple(ready), len(ready))
    yield Figure("idle", contender.name, tuple(idle), len(idle))


TOGETHER: Final[dict[str, Callable[[Bench, Gateways], Iterator[Figure]]]] = {
    "small": small,
    "agent": agent,
    "agent_stream": agent_stream,
    "event": event,
    "answer": answer,
    "latency": latency,
}
ALONE: Final[dict[str, Callable[[Bench, Contender], Iterator[Figure]]]] = {
    "image": image,
    "open": open_streams,
    "start": start,
}
