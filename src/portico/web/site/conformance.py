"""What is carried between any two dialects, and with what loss: as the last run of the laws over all recordings found it.

`data/conformance.json` is written by `make conformance`; the words of a loss are those of the table in `core/loss.py`.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from portico.core.loss import CODES
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.words import Say

DIALECTS: Final[Mapping[str, tuple[str, str]]] = {
    "openai_chat": ("Chat Completions", "/docs/dialects/openai-chat"),
    "openai_responses": ("Responses", "/docs/dialects/openai-responses"),
    "anthropic_messages": ("Messages", "/docs/dialects/anthropic"),
    "gemini": ("Gemini", "/docs/dialects/gemini"),
}
"""By name: the title, and the page that tells more."""


class Law(msgspec.Struct, frozen=True):
    """One law, and over how many recordings it was judged."""

    law: str
    judged: int
    skipped: dict[str, int]


class Losses(msgspec.Struct, frozen=True):
    """By code, in how many recordings it was told."""

    requests: dict[str, int]
    answers: dict[str, int]


class Pair(msgspec.Struct, frozen=True, rename={"whence": "from"}):
    """What was said in one dialect, said in another."""

    whence: str
    into: str
    requests: int
    answers: int
    losses: Losses

    @property
    def kinds(self) -> int:
        return len({*self.losses.requests, *self.losses.answers})


class Found(msgspec.Struct, frozen=True):
    """One run of the laws."""

    date: date
    laws: tuple[Law, ...]
    pairs: tuple[Pair, ...]


@cache
def found() -> Found:
    data = files("portico.web") / "data" / "conformance.json"
    return msgspec.json.decode(data.read_bytes(), type=Found)


def meaning(code: str) -> str:
    """What is lost, in English."""
    return CODES[code].says


async def look(_: Showroom, visit: Visit, __: Mapping[str, str]) -> View:
    say = Say(visit.locale, markup=False)
    run = found()
    return View(
        template="conformance",
        title=say("Conformance"),
        summary=say("What is carried between any two dialects, and with what loss: judged over recorded traffic."),
        data={
            "run": run,
            "dialects": DIALECTS,
            "pairs": {(pair.whence, pair.into): pair for pair in run.pairs},
            "meaning": meaning,
            "judged": sum(law.judged for law in run.laws),
            "skipped": sum(sum(law.skipped.values()) for law in run.laws),
        },
        twin=msgspec.to_builtins(run),
    )


PAGES: Final = (at("/conformance", look),)
