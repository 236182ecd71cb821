"""A load whose cost a page is asked for: from the address, and back; what it costs on a model, and whether that takes it.

?calls=1000&in=13000&cached=60&out=800&think=0&img=0&search=0
"""

from typing import Any, Final

import msgspec

from portico.core.digits import whole
from portico.metering.charge import CACHED, FEMTOS, INPUT, OUTPUT, REASONING, USE
from portico.web.page import Visit
from portico.web.site import shelf
from portico.web.site.shelf import Job, Rate, Row

DAYS: Final = 30
"""Of a month."""
FIELDS: Final = {
    "calls": ("calls", 100_000_000),
    "in": ("input_tokens", 10_000_000),
    "cached": ("cached_percent", 100),
    "out": ("output_tokens", 1_000_000),
    "think": ("thinking_tokens", 1_000_000),
    "img": ("images", 1000),
    "search": ("searches", 1000),
}
"""By parameter: the field of the job, and the most it may be."""
OF_ONE_CALL: Final = ("in", "cached", "out")
"""What the catalog asks for."""
LINES: Final = {
    (INPUT, "text"): "input",
    (CACHED, "text"): "cached",
    (INPUT, "image"): "images",
    (OUTPUT, "text"): "output",
    (REASONING, "text"): "thinking",
    (USE, "web_search"): "searches",
}
"""What is counted of a call, by the biller's name of a line: the order of the columns."""


class Cost(msgspec.Struct, frozen=True):
    """What a load costs on one model, in nano-dollars."""

    row: Row
    call: int
    day: int
    month: int
    lines: dict[str, Rate]
    """What a call is made of, to a thousandth of a nano-dollar; `call` is their sum, rounded up to a nano-dollar once."""
    crosses: bool
    """A call is longer than the band of the model's prices."""


def number_of(visit: Visit, name: str) -> int | None:
    """The first value of a parameter that is a number; what is more than the most is the most."""
    for said in visit.query.get(name, ()):
        number = whole(said.strip(), 19)
        if number is not None:
            return min(number, FIELDS[name][1])
    return None


def job_of(visit: Visit, names: tuple[str, ...] = tuple(FIELDS)) -> Job:
    """The load of a form; a field that is empty or no number is the example's."""
    numbers = {FIELDS[name][0]: number_of(visit, name) for name in names}
    values: dict[str, Any] = {field: number for field, number in numbers.items() if number is not None}
    return Job(**values)


def is_asked(visit: Visit, names: tuple[str, ...] = tuple(FIELDS)) -> bool:
    return any(number_of(visit, name) is not None for name in names)


def fields_of(job: Job, names: tuple[str, ...] = tuple(FIELDS)) -> list[tuple[str, str]]:
    """A load as the fields of an address."""
    return [(name, str(getattr(job, FIELDS[name][0]))) for name in names]


def query_of(job: Job) -> str:
    return "&".join(f"{name}={value}" for name, value in fields_of(job))


def prompt_of(job: Job) -> int:
    """How long the prompt of a call is, in tokens."""
    return job.input_tokens + job.images * shelf.IMAGE_TOKENS


def fits(row: Row, job: Job) -> bool:
    """Whether a model takes such a call, as far as its limits are known."""
    able, answer = row.model.capabilities, job.output_tokens + job.thinking_tokens
    return not (
        (able.max_input_tokens and prompt_of(job) > able.max_input_tokens)
        or (able.max_output_tokens and answer > able.max_output_tokens)
    )


def cost_on(row: Row, job: Job) -> Cost | None:
    """What the load costs on a model; None where a price is unknown, or such a call is too long for it."""
    if not fits(row, job):
        return None
    charged = shelf.charged(job, row.rates)
    if charged is None:
        return None
    lines: dict[str, Rate] = {}
    for line in charged.lines:
        lines[LINES[line.item, line.detail]] = Rate(line.amount_femtos * charged.markup_permille // FEMTOS)
    day = charged.nanos * job.calls
    return Cost(row, charged.nanos, day, day * DAYS, lines, bool(row.prices.band) and prompt_of(job) > row.prices.band)


def factor(above: Rate | None, below: Rate | None) -> str:
    """How many times as much the second price is: "2", "1.5"; "" where there are not both."""
    if above is None or below is None or not below.milli_nanos:
        return ""
    return f"{above.milli_nanos / below.milli_nanos:.3g}"
