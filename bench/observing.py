"""What being watched costs a request: its report, the metrics, the line in the log, and what tells how its model fares.
`python -m bench.observing`

CPU time of the process (the thread that writes included), the best of several rounds, in microseconds a request.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Final

import portico
from portico.catalog import load_catalog
from portico.core.usage import Usage
from portico.http.routes import ROUTE_NAMES
from portico.providers import Verb
from portico.relay.report import OK, Report, Try
from portico.routing.traffic import TrafficTally
from portico.telemetry import AccessLog, LineWriter, Metrics, Observing

REQUESTS: Final = 20_000
ROUNDS: Final = 15
MODEL: Final = "gemini-3.5-flash"
USAGE: Final = Usage(input_uncached={"text": 12}, output_visible={"text": 30}, output_reasoning={"text": 300})


def report() -> Report:
    """As gateway and relay fill it in for a small chat."""
    clock = time.perf_counter
    made = Report("req_SAMPLE0SAMPLE0SAMPLE0SAM", "POST", "/v1/chat/completions", "127.0.0.1", "SDK/1.2", 300, clock())
    made.route, made.dialect, made.tenant = "chat_completions", "openai_chat", "default"
    made.asked, made.model, made.verb, made.stream = MODEL, MODEL, Verb.GENERATE, False
    tried = Try("gemini", MODEL)
    made.tries.append(tried)
    tried.sent, tried.answered, tried.outcome = clock(), clock(), OK
    made.status, made.first_byte, made.bytes_out, made.usage, made.ended = 200, clock(), 900, USAGE, clock()
    return made


def watched(observing: Observing) -> None:
    """One request."""
    one = report()
    observing.opened(one)
    observing.closed(one)
    observing.finished(one)


def best_us(work: Callable[[], object]) -> float:
    """Of one round of requests, each."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REQUESTS):
            work()
        rounds.append((time.process_time() - began) / REQUESTS * 1e6)
    return min(rounds)


async def main() -> None:
    """Prints all of them, one on top of the other."""
    metrics = Metrics(
        workers=2,
        version=portico.__version__,
        routes=ROUTE_NAMES,
        providers=["gemini"],
        models=list(load_catalog().models),
        errors=[],
    )
    writer = LineWriter(lambda: os.open(os.devnull, os.O_WRONLY))
    tally = metrics.tally(0)
    counted, logged = Observing(tally, None), Observing(tally, AccessLog(writer.write))
    told = Observing(tally, AccessLog(writer.write), TrafficTally(time.time))
    bare = best_us(report)
    with_metrics = best_us(lambda: watched(counted))
    with_log = best_us(lambda: watched(logged))
    with_traffic = best_us(lambda: watched(told))
    writer.close()
    print(f"report {bare:.1f} us, metrics {with_metrics - bare:.1f} us, log {with_log - with_metrics:.1f} us", end="")
    print(f", traffic {with_traffic - with_log:.1f} us")


if __name__ == "__main__":
    asyncio.run(main())
