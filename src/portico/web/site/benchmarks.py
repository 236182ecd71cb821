"""What a request costs, beside other gateways: the table of the last run of the bench, or that there was none.

The figures are those of `data/bench.json` alone. It is no page of laurels: where another one needs less, that is told.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from portico.web import evidence
from portico.web.evidence import FLOOR, OURS, Figure, Gateway, Measured, number
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.words import Say, whole

DATA: Final = "src/portico/web/data/bench.json"
"""Where a run has to write, in a checkout."""


class Row(msgspec.Struct, frozen=True):
    """A line of the table, in English. Less is better in each. `ratio`: told as a multiple of the floor's, too."""

    title: str
    unit: str
    load: str
    """What was asked of the gateways."""
    ratio: bool = True
    judges: bool = True
    """Whether it says something of the gateway, and not of the load."""


ROWS: Final[Mapping[str, Row]] = {
    "small": Row(
        "Small call",
        "CPU µs a request",
        "Two messages, 256 bytes, on 16 connections that ask again at once (4 where an answer takes milliseconds of CPU).",
    ),
    "agent": Row(
        "Agent's turn, whole answer",
        "CPU µs a request",
        "52 KB: 62 messages, 20 tool calls with their results, 20 tools declared; answered in one piece.",
    ),
    "agent_stream": Row("Agent's turn, streamed", "CPU µs a request", "The same, answered as a stream of 50 events."),
    "event": Row("Event of a stream", "CPU µs an event", "100 streams at a time, 50 events each, 20 ms apart."),
    "answer": Row("Answer of 200 KB", "CPU µs a request", "The small call, answered at length."),
    "image": Row("Picture of 5 MB", "CPU µs a request", "Base64 inside the request, one at a time."),
    "image_peak": Row(
        "Memory for such a picture",
        "times its size",
        "The highest resident size under that load, less what was resident before it.",
        ratio=False,
    ),
    "beside_p50": Row(
        "Small call beside such pictures, half within",
        "ms added",
        "One small call at a time while pictures pass; what the load itself takes is taken off.",
        ratio=False,
    ),
    "beside_p99": Row(
        "Small call beside such pictures, 99 of 100 within", "ms added", "From the same calls.", ratio=False
    ),
    "latency_p50": Row(
        "Added latency, half within",
        "ms",
        "One question at a time to a provider that takes 20 ms. What the provider held it, and what "
        "the load itself takes, is taken off; gateways take turns question by question.",
        ratio=False,
    ),
    "latency_p99": Row("Added latency, 99 of 100 within", "ms", "From the same questions.", ratio=False),
    "open_rss": Row(
        "1,000 open streams",
        "KB of memory each",
        "10 events a second on each: resident size while all are open, less before.",
    ),
    "open_late": Row(
        "Their events, 99 of 100 within", "ms late", "How long after it was sent an event was read.", ratio=False
    ),
    "open_direct": Row(
        "Streams past the gateway, 99 of 100 within",
        "ms late",
        "Ten streams that the same load reads from the provider itself: as late as they are, is the load.",
        ratio=False,
        judges=False,
    ),
    "start": Row(
        "Start to the first answer", "s", "From the start of the process to the end of its first answer.", ratio=False
    ),
    "idle": Row("Idle memory", "MB", "Resident size after that answer.", ratio=False),
}
"""By the name that the bench gives it."""


class Cell(msgspec.Struct, frozen=True):
    """A figure as it is shown; `times` the floor's, where that says something."""

    value: str
    times: str
    answered: str
    failed: str


class Ahead(msgspec.Struct, frozen=True):
    """A row in which another one needs less than Portico."""

    row: Row
    ours: str
    theirs: tuple[tuple[str, str], ...]
    """Gateway -> its figure."""


def cell(run: Measured, row: str, gateway: str) -> Cell | None:
    """None: it was not measured."""
    figure, floor = run.figure(row, gateway), run.figure(row, FLOOR)
    if figure is None:
        return None
    times = ""
    if ROWS[row].ratio and gateway != FLOOR and floor is not None and floor.value > 0:
        times = number(figure.value / floor.value)
    failed = whole(figure.failed) if figure.failed else ""
    return Cell(number(figure.value), times, whole(figure.answered), failed)


def behind(run: Measured) -> list[Ahead]:
    """Where a peer that translates, too, needs less, with nothing failed."""
    peers = [one for one in run.gateways if one.name != FLOOR and not one.name.startswith(OURS)]
    found = []
    for row in run.rows:
        ours = run.figure(row, OURS)
        if ours is None or row not in ROWS or not ROWS[row].judges:
            continue
        better = tuple((one.name, number(theirs.value)) for one in peers if (theirs := _less(run, row, one, ours)))
        if better:
            found.append(Ahead(ROWS[row], number(ours.value), better))
    return found


def _less(run: Measured, row: str, gateway: Gateway, ours: Figure) -> Figure | None:
    theirs = run.figure(row, gateway.name)
    return theirs if theirs is not None and not theirs.failed and theirs.value < ours.value else None


def under_the_floor(run: Measured) -> tuple[int, int]:
    """In how many of the rows that the floor is in Portico needs more than it, and how many those are."""
    pairs = [
        (ours, floor)
        for row in run.rows
        if row in ROWS
        and ROWS[row].judges
        and (ours := run.figure(row, OURS)) is not None
        and (floor := run.figure(row, FLOOR)) is not None
    ]
    return sum(ours.value > floor.value for ours, floor in pairs), len(pairs)


async def look(_: Showroom, visit: Visit, __: Mapping[str, str]) -> View:
    say = Say(visit.locale, markup=False)
    run = evidence.bench()
    told = {"object": "benchmarks", "measured": run is not None, "command": f"make bench OPTIONS='--page {DATA}'"}
    return View(
        template="benchmarks",
        title=say("Benchmarks"),
        summary=say("What a request costs in CPU, latency and memory, beside other gateways, measured in one run."),
        data={
            "run": run,
            "rows": ROWS,
            "shown": () if run is None else [row for row in run.rows if row in ROWS],
            "cell": cell,
            "behind": [] if run is None else behind(run),
            "floor": FLOOR,
            "under": (0, 0) if run is None else under_the_floor(run),
            "command": told["command"],
        },
        twin=told if run is None else told | msgspec.to_builtins(run),
    )


PAGES: Final = (at("/benchmarks", look),)
